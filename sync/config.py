"""The config file to one frozen Config: every fault named at once, with file, section, key and what is expected."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sync.cron import cron_fields, seconds
from sync.errors import ConfigFault
from sync.secrets import KINDS, Secret

NAME = "zotdrop.toml"
KEYS_PAGE = "https://www.zotero.org/settings/keys"


def _secret(value: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret("plain", value)
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in KINDS:
        kind, content = next(iter(value.items()))
        fits = isinstance(content, list) and content and all(isinstance(c, str) for c in content)
        if fits if kind == "command" else isinstance(content, str):
            return Secret(kind, content)
    raise ValueError(
        'one of { env = "NAME" }, { file = "path" }, { command = ["..."] }, { credential = "name" } is needed'
    )


def _schedule(text: str) -> str:
    if text:
        cron_fields(text)
    return text


def _zone(text: str) -> str:
    if text != "local":
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f'an IANA time zone such as "Europe/Berlin", or "local", is needed, got {text!r}'
            ) from None
    return text


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"an address that begins with https:// is needed, got {text!r}")
    return text.rstrip("/") if not text.endswith("articles/") else text


Key = Annotated[Secret, BeforeValidator(_secret)]
Duration = Annotated[float, BeforeValidator(seconds)]
Url = Annotated[str, AfterValidator(_url)]
Source = Literal["pubmed", "crossref"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class State(_Model):
    """Where the ledger lies."""

    path: str = "state/zotdrop.sqlite"
    min_free_mb: int = Field(500, ge=0)


class EmbeddedLibrary(_Model):
    """A library in a SQLite file."""

    kind: Literal["embedded"] = "embedded"
    path: str = "library.sqlite"


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

    path: str = "inbox"
    library: str = "main"
    collection: str = "zotdrop/{drop}"
    tags: list[str] = []
    keywords: Literal["automatic", "manual", "off"] = "automatic"
    unmapped: Literal["ledger", "note"] = "ledger"
    settle_seconds: float = Field(10.0, ge=0)
    poll_seconds: float = Field(5.0, gt=0)
    schedule: Annotated[str, AfterValidator(_schedule)] = ""
    enrich_wait: Duration = 3600.0
    sources: list[Source] | None = None
    title_search: bool = True
    on_success: Literal["archive", "leave", "delete"] = "archive"
    encoding: str = "auto"

    @model_validator(mode="after")
    def _known_encoding(self) -> Inbox:
        try:
            "".encode("utf-8" if self.encoding == "auto" else self.encoding)
        except LookupError:
            raise ValueError(
                f'encoding: "auto" or a name such as "utf-8" or "cp1252" is needed, got {self.encoding!r}'
            ) from None
        return self


class Search(_Model):
    """One database search of a review, as PRISMA-S wants it told."""

    database: str
    platform: str = ""
    date: date
    expected: int | None = Field(None, ge=0)


class Review(_Model):
    """A systematic review: many drops over weeks."""

    title: str = ""
    search: dict[str, Search] = {}


class CrossrefSource(_Model):
    """Crossref's REST API."""

    url: Url = "https://api.crossref.org"


class PubMedSource(_Model):
    """NCBI's E-utilities and ID converter."""

    url: Url = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    idconv_url: Url = "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/"
    api_key: Key | None = None
    off_peak_above: int = Field(500, ge=0)


class Sources(_Model):
    """Which sources are asked, in order of trust, and how long answers are kept."""

    use: list[Source] = ["pubmed", "crossref"]
    cache_days: float = Field(30.0, ge=0)
    crossref: CrossrefSource = CrossrefSource()
    pubmed: PubMedSource = PubMedSource()


class WriteRules(_Model):
    """How writing leaves room for other people's desktops."""

    burst_seconds: float = Field(20.0, gt=0)
    pause_seconds: float = Field(30.0, ge=0)
    exclusive: bool = False


class Merge(_Model):
    """What a source may change."""

    default: str = Field("fill", pattern=r"^(fill|keep|prefer (pubmed|crossref))$")
    fields: dict[str, str] = {}


class Limits(_Model):
    """Where a run stops and asks."""

    max_new_per_run: int = Field(60_000, ge=0)
    max_changes_per_run: int = Field(500, ge=0)


class Retention(_Model):
    """Days after which what is kept may go; 0 keeps it for good."""

    drops: int = Field(0, ge=0)
    raw: int = Field(0, ge=0)
    journal: int = Field(0, ge=0)
    cache: int = Field(90, ge=0)


class Empty(_Model):
    """A section whose options are still to come."""


class Config(_Model):
    """The whole configuration. `warnings` says what is allowed and unwise."""

    contact: str = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "local"
    state: State = State()
    library: dict[str, Library] = {"main": EmbeddedLibrary()}
    inbox: dict[str, Inbox] = {"default": Inbox()}
    review: dict[str, Review] = {}
    sources: Sources = Sources()
    write: WriteRules = WriteRules()
    merge: Merge = Merge()
    match: Empty = Empty()
    limits: Limits = Limits()
    retention: Retention = Retention()
    schedule: Empty = Empty()
    notify: Empty = Empty()
    web: Empty = Empty()
    warnings: tuple[str, ...] = Field((), exclude=True)

    def zone(self) -> tzinfo | None:
        """The time zone of schedules; None is the machine's own."""
        return None if self.timezone == "local" else ZoneInfo(self.timezone)


def find_and_load(given: Path | None, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Config:
    """The config that `--config`, $ZOTDROP_CONFIG or the usual places name. Raises ConfigFault."""
    environ = os.environ if environ is None else environ
    for path in _places(given, environ, cwd or Path.cwd()):
        if path.is_file():
            return load(path, environ)
        if given or environ.get("ZOTDROP_CONFIG"):
            raise ConfigFault(f"{path}: there is no such file; `zotdrop init` writes one")
    raise ConfigFault(f"no {NAME} here; `zotdrop init` writes one, or name one with --config FILE")


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The config in this file, with `ZOTDROP__SECTION__KEY` overrides. Raises ConfigFault, which names every fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as fault:
        raise ConfigFault(f"{path.name}: not valid TOML: {fault}") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigFault(f"{path}: cannot be read ({fault})") from None
    for name, value in environ.items():
        if name.startswith("ZOTDROP__"):
            _override(data, name.lower().split("__")[1:], value)
    data.pop("warnings", None)
    for kind in data.get("library", {}).values() if isinstance(data.get("library"), dict) else ():
        if isinstance(kind, dict):
            kind.setdefault("kind", "embedded")
    try:
        config = Config.model_validate(data)
    except ValidationError as fault:
        raise ConfigFault("\n".join(_told(path.name, error) for error in fault.errors())) from None
    _check_names(path.name, config)
    return _settled(config, path)


def redacted(config: Config) -> dict[str, Any]:
    """Every option with its value, for `config show`; where a key comes from, never a key."""

    def plain(value: Any) -> Any:
        if isinstance(value, Secret):
            return "(set)" if value.plain else {value.kind: value.value if value.kind != "command" else "(set)"}
        if isinstance(value, BaseModel):
            return {name: plain(getattr(value, name)) for name in type(value).model_fields if name != "warnings"}
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        return str(value) if isinstance(value, date) else value

    shown: dict[str, Any] = plain(config)
    return shown


def _places(given: Path | None, environ: Mapping[str, str], cwd: Path) -> Iterator[Path]:
    if given:
        yield given
    elif environ.get("ZOTDROP_CONFIG"):
        yield Path(environ["ZOTDROP_CONFIG"])
    else:
        import platformdirs

        yield cwd / NAME
        yield platformdirs.user_config_path("zotdrop") / NAME
        yield Path("/etc/zotdrop") / NAME


def _override(data: dict[str, Any], path: list[str], text: str) -> None:
    """Set one value; text that reads as a TOML value is one, all else is a string."""
    for name in path[:-1]:
        inner = data.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        data = inner
    try:
        data[path[-1]] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        data[path[-1]] = text


def _told(file: str, error: Any) -> str:
    """One fault as a person reads it: `zotdrop.toml: [library.main] id: a whole number is needed, got "abc"`."""
    path = [str(part) for part in error["loc"]]
    if path[:1] == ["library"] and len(path) > 2:
        del path[2]  # the kind, which pydantic puts in between
    section, key = (path[:-1], path[-1]) if len(path) > 1 else ([], path[0] if path else "")
    if error["type"] in {"union_tag_invalid", "model_type", "dict_type"} or not key:
        section, key = path, ""
    where = f"[{'.'.join(section)}] " if section else ""
    hint = f"; yours stands at {KEYS_PAGE}" if section[:1] == ["library"] and key in {"id", "api_key"} else ""
    return f"{file}: {where}{key}{': ' if key else ''}{_expected(error, section, key)}{hint}"


_EXPECTED = {
    "string_type": "a text in quotes is needed",
    "int_type": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "dict_type": "a section is needed",
    "model_type": "a section is needed",
    "date_type": "a date such as 2026-11-20, without quotes, is needed",
    "missing": "is needed",
}


def _expected(error: Any, section: list[str], key: str) -> str:
    kind, got = error["type"], error.get("input")
    shown = "" if key == "api_key" or kind == "missing" else f", got {got!r}"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(key, _known(section), n=1)
        return "there is no such option" + (f"; did you mean {near[0]!r}?" if near else "")
    if kind == "literal_error":
        return f"one of {error['ctx']['expected']} is needed{shown}"
    if kind == "union_tag_invalid":
        return f"kind: one of {error['ctx']['expected_tags']} is needed, got {error['ctx']['tag']!r}"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    told = _EXPECTED.get(kind) or str(error["msg"]).lower()
    return told + shown


_NAMED = {"library": (EmbeddedLibrary, ZoteroLibrary, DesktopLibrary), "inbox": (Inbox,), "review": (Review,)}


def _known(section: list[str]) -> list[str]:
    """The options that a section has."""
    if section and section[0] in _NAMED:
        models: tuple[type[BaseModel], ...] = (Search,) if "search" in section else _NAMED[section[0]]
        return [name for model in models for name in model.model_fields]
    model: Any = Config
    for name in section:
        info = model.model_fields.get(name)
        model = info.annotation if info else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return [name for name in model.model_fields if name != "warnings"]


def _check_names(file: str, config: Config) -> None:
    faults = [
        f"{file}: [inbox.{name}] library: there is no [library.{inbox.library}]; there is {', '.join(config.library)}"
        for name, inbox in config.inbox.items()
        if inbox.library not in config.library
    ]
    if faults:
        raise ConfigFault("\n".join(faults))


def _settled(config: Config, path: Path) -> Config:
    """Paths made absolute (they are relative to the config file), and the warnings collected."""
    root = path.resolve().parent

    def moved(model: Any) -> Any:
        changed: dict[str, Any] = {"path": str(root / Path(model.path).expanduser())} if hasattr(model, "path") else {}
        key = getattr(model, "api_key", None)
        if key is not None and key.kind == "file":
            changed["api_key"] = Secret("file", str(root / Path(key.value).expanduser()))
        return model.model_copy(update=changed)

    library = {name: moved(own) for name, own in config.library.items()}
    inbox = {name: moved(own) for name, own in config.inbox.items()}
    sources = config.sources.model_copy(update={"pubmed": moved(config.sources.pubmed)})
    changed = {"state": moved(config.state), "library": library, "inbox": inbox, "sources": sources}
    settled = config.model_copy(update=changed)
    return settled.model_copy(update={"warnings": tuple(_warnings(settled, path))})


def _warnings(config: Config, path: Path) -> Iterator[str]:
    keys = [(f"[library.{name}]", getattr(own, "api_key", None)) for name, own in config.library.items()]
    for where, key in [*keys, ("[sources.pubmed]", config.sources.pubmed.api_key)]:
        if key is None:
            continue
        if key.plain:
            yield f'{path.name}: {where} api_key stands in the file itself; better {{ env = "NAME" }} or {{ file = "path" }}'
            if _open_to_others(path):
                yield f"{path.name} holds a key and can be read by others: chmod 600 {path}"
        if key.kind == "file" and _open_to_others(Path(key.value)):
            yield f"{where} api_key: {key.value} can be read by others: chmod 600 {key.value}"
    asks = any(config.sources.use if own.sources is None else own.sources for own in config.inbox.values())
    if not config.contact and asks:
        yield f"{path.name}: contact is empty; Crossref and NCBI serve nameless clients at their slower public rate"


def _open_to_others(path: Path) -> bool:
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
