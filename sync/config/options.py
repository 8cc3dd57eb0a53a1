"""The options, section by section, with their defaults; the example in config/ tells what each is for."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sync.config import checks
from sync.config.model import Duration, Key
from sync.config.telling import Health, Log, Notify

DAY = 86_400.0  # seconds

Pause = Annotated[Duration, Field(ge=1)]
Address = Annotated[str, AfterValidator(checks.url)]  # as it stands
Url = Annotated[Address, AfterValidator(lambda text: text.rstrip("/"))]  # paths are put after it
FilePath = Annotated[str, AfterValidator(checks.path)]
Name = Annotated[str, AfterValidator(checks.name)]
Source = Literal["pubmed", "crossref"]
SourceList = Annotated[list[Source], AfterValidator(checks.once)]
Days = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rule = Annotated[str, Field(pattern=r"^(keep|fill|(fill|prefer) (pubmed|crossref))$")]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )


class State(_Model):
    """Where the ledger lies."""

    path: FilePath = "state/zotdrop.sqlite"
    min_free_mb: int = Field(500, ge=0)
    keep_backups: int = Field(7, ge=0)


class EmbeddedLibrary(_Model):
    """A library in a SQLite file."""

    kind: Literal["embedded"] = "embedded"
    path: FilePath = "library.sqlite"


class ZoteroLibrary(_Model):
    """A library at zotero.org, or at another server of its kind."""

    kind: Literal["zotero"]
    type: Literal["user", "group"] = "user"
    id: int = Field(gt=0)
    api_key: Key
    url: Url = "https://api.zotero.org"


class DesktopLibrary(_Model):
    """The library of a Zotero desktop that runs on this machine."""

    kind: Literal["desktop"]
    api_key: Key | None = None
    server_id: str | None = None
    url: Url = "http://127.0.0.1:23119"


Library = Annotated[EmbeddedLibrary | ZoteroLibrary | DesktopLibrary, Field(discriminator="kind")]


class Inbox(_Model):
    """A watched folder and what becomes of its drops."""

    path: FilePath = "inbox"
    library: str = "main"
    collection: Annotated[str, AfterValidator(checks.collection)] = "zotdrop/{drop}"
    tags: list[Annotated[str, Field(min_length=1)]] = []
    review: str = ""
    keywords: Literal["automatic", "manual", "mapped", "off"] = "automatic"
    keyword_map: dict[str, str] = {}
    other_keywords: Literal["automatic", "off"] = "off"
    original: Literal["off", "note", "attachment"] = "off"
    unmapped: Literal["ledger", "note"] = "ledger"
    settle_seconds: float = Field(10.0, ge=0, le=DAY)
    poll_seconds: float = Field(5.0, ge=0.05, le=DAY)
    schedule: Annotated[str, AfterValidator(checks.schedule)] = ""
    enrich_wait: Duration = 3600.0
    sources: SourceList | None = None
    title_search: bool = True
    on_success: Literal["archive", "leave", "delete"] = "archive"
    encoding: Annotated[str, AfterValidator(checks.encoding)] = "auto"
    attachments: Literal["off", "links", "files"] = "off"
    attachment_max_mb: float = Field(100.0, gt=0, allow_inf_nan=False)


class Search(_Model):
    """One database search of a review, as PRISMA-S wants it told."""

    database: str
    platform: str = ""
    date: date
    expected: int | None = Field(None, ge=0)


class Review(_Model):
    """A systematic review: many drops over weeks."""

    title: str = ""
    search: dict[Name, Search] = {}


class CrossrefSource(_Model):
    """Crossref's REST API."""

    url: Url = "https://api.crossref.org"
    searches_per_run: int = Field(1_000, ge=0)


class PubMedSource(_Model):
    """NCBI's E-utilities and ID converter."""

    url: Url = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    idconv_url: Address = "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/"
    api_key: Key | None = None
    off_peak_above: int = Field(500, ge=0)


class Sources(_Model):
    """Which sources are asked, in order of trust, and how long answers are kept."""

    use: SourceList = ["pubmed", "crossref"]
    cache_days: Days = 30.0
    absent_days: Days = 1.0
    cache_mb: float = Field(1_000.0, ge=0, allow_inf_nan=False)
    crossref: CrossrefSource = CrossrefSource()
    pubmed: PubMedSource = PubMedSource()


class WriteRules(_Model):
    """How writing leaves room for other people's desktops."""

    burst_seconds: float = Field(20.0, ge=1, le=DAY)
    pause_seconds: float = Field(30.0, ge=0, le=DAY)
    exclusive: bool = False


class Merge(_Model):
    """What a source may change."""

    default: Rule = "fill"
    fields: dict[str, Rule] = {}


class Matching(_Model):
    """What is done with works that are no duplicates and yet belong together."""

    related: Literal["leave", "link"] = "leave"
    cochrane_versions: Literal["apart", "one"] = "apart"


class Limits(_Model):
    """Where a run stops and asks."""

    max_new_per_run: int = Field(60_000, ge=0)
    max_changes_per_run: int = Field(500, ge=0)
    max_drop_mb: float = Field(2_000.0, gt=0, allow_inf_nan=False)


class Retention(_Model):
    """Days after which what is kept may go; 0 keeps it for good."""

    drops: int = Field(0, ge=0)
    raw: int = Field(0, ge=0)
    journal: int = Field(0, ge=0)
    cache: int = Field(90, ge=0)


class Schedule(_Model):
    """When the service does what no drop asks for."""

    refresh: Annotated[str, AfterValidator(checks.schedule)] = ""
    retry: Pause = 30.0
    retry_most: Pause = 900.0
    owed: Pause = 600.0
    refused: Pause = 900.0
    cleanup: Annotated[str, AfterValidator(checks.schedule)] = "17 4 * * *"
    snapshot: Annotated[str, AfterValidator(checks.schedule)] = ""
    quiet_hours: Annotated[str, AfterValidator(checks.hours)] = ""


class Empty(_Model):
    """A section whose options are still to come."""


class Config(_Model):
    """The whole configuration. `warnings` says what is allowed and unwise."""

    contact: Annotated[str, AfterValidator(checks.contact)] = ""
    timezone: Annotated[str, AfterValidator(checks.zone)] = "local"
    state: State = State()
    library: Annotated[dict[Name, Library], Field(min_length=1)] = {"main": EmbeddedLibrary()}
    inbox: Annotated[dict[Name, Inbox], Field(min_length=1)] = {"default": Inbox()}
    review: dict[Name, Review] = {}
    sources: Sources = Sources()
    write: WriteRules = WriteRules()
    merge: Merge = Merge()
    match: Matching = Matching()
    limits: Limits = Limits()
    retention: Retention = Retention()
    schedule: Schedule = Schedule()
    log: Log = Log()
    health: Health = Health()
    notify: Notify = Notify()
    web: Empty = Empty()
    warnings: tuple[str, ...] = Field((), exclude=True)

    def zone(self) -> tzinfo | None:
        """The time zone of schedules; None is the machine's own."""
        return None if self.timezone == "local" else ZoneInfo(self.timezone)
