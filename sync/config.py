"""The config file to one frozen Config: every fault named at once, with file, section, key and what is expected."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time, tzinfo
from itertools import combinations, product
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from sync.cron import cron_fields, seconds
from sync.errors import ConfigFault
from sync.secrets import Secret, looks_like_key, parse_secret

NAME = "zotdrop.toml"
KEYS_PAGE = "https://www.zotero.org/settings/keys"
PLACES = ("subfolder", "database", "date", "drop", "review")  # what stands in braces in a collection's path
DAY = 86_400.0  # seconds
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_CONTACT = re.compile(r"[^\s@<>(),;:\"]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII)


def _contact(text: str) -> str:
    if text and not (text.isascii() and _CONTACT.fullmatch(text)):
        raise ValueError(f'an e-mail address such as "librarian@example.org" is needed, got {text!r}')
    return text


def _schedule(text: str) -> str:
    if text:
        cron_fields(text)
    return text


def _zone(text: str) -> str:
    if text == "local":
        return text
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        near = _near(text, ["local", *available_timezones()])
        raise ValueError(
            f'an IANA time zone such as "Europe/Berlin", or "local", is needed, got {text!r}{near}'
        ) from None
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:  # half an IPv6 address, a port that is none
        whole = False
    if not whole:
        raise ValueError(f"an address that begins with https:// is needed, got {text!r}")
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and # is needed; what is asked for is put after it")
    if "@" in parts.netloc:
        raise ValueError("an address without name and password is needed; keys have options of their own")
    return text


def _path(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("a path is needed")
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"nobody's home folder is known as {text.split('/', maxsplit=1)[0]!r}") from None
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", text):
        raise ValueError(f"a name of letters, digits, _ and - is needed, got {text!r}")
    return text


def _encoding(name: str) -> str:
    try:
        ends = "" if name == "auto" else "\r\n".encode(name).decode("latin-1") + b"\xff".decode(name, "replace")
    except (LookupError, ValueError):
        ends = "?"
    if ends and not re.match(r"(?:\xef\xbb\xbf)?\r\n|(?:\xff\xfe)?\r\0\n\0(?!\0)|\0\r\0\n", ends):
        raise ValueError(f'"auto" or a name such as "utf-8" or "cp1252" is needed, got {name!r}')
    return name


def _collection(text: str) -> str:
    for name in re.findall(r"\{([^{}]*)\}", text):
        if name not in PLACES:
            raise ValueError(f"{{{name}}} stands for nothing; there is {{{'} {'.join(PLACES)}}}{_near(name, PLACES)}")
    return text


def _once(names: list[Any]) -> list[Any]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands there {names.count(name)} times; once is enough")
    return names


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


Key = Annotated[Secret, BeforeValidator(parse_secret), PlainSerializer(repr)]
Duration = Annotated[float, BeforeValidator(seconds)]
Address = Annotated[str, AfterValidator(_url)]  # as it stands
Url = Annotated[Address, AfterValidator(lambda text: text.rstrip("/"))]  # paths are put after it
FilePath = Annotated[str, AfterValidator(_path)]
Name = Annotated[str, AfterValidator(_name)]
Source = Literal["pubmed", "crossref"]
SourceList = Annotated[list[Source], AfterValidator(_once)]
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
    collection: Annotated[str, AfterValidator(_collection)] = "zotdrop/{drop}"
    tags: list[Annotated[str, Field(min_length=1)]] = []
    keywords: Literal["automatic", "manual", "off"] = "automatic"
    unmapped: Literal["ledger", "note"] = "ledger"
    settle_seconds: float = Field(10.0, ge=0, le=DAY)
    poll_seconds: float = Field(5.0, ge=0.05, le=DAY)
    schedule: Annotated[str, AfterValidator(_schedule)] = ""
    enrich_wait: Duration = 3600.0
    sources: SourceList | None = None
    title_search: bool = True
    on_success: Literal["archive", "leave", "delete"] = "archive"
    encoding: Annotated[str, AfterValidator(_encoding)] = "auto"
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


class Retention(_Model):
    """Days after which what is kept may go; 0 keeps it for good."""

    drops: int = Field(0, ge=0)
    raw: int = Field(0, ge=0)
    journal: int = Field(0, ge=0)
    cache: int = Field(90, ge=0)


class Schedule(_Model):
    """When the service does what no drop asks for."""

    refresh: Annotated[str, AfterValidator(_schedule)] = ""


class Empty(_Model):
    """A section whose options are still to come."""


class Config(_Model):
    """The whole configuration. `warnings` says what is allowed and unwise."""

    contact: Annotated[str, AfterValidator(_contact)] = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "local"
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
    notify: Empty = Empty()
    web: Empty = Empty()
    warnings: tuple[str, ...] = Field((), exclude=True)

    def zone(self) -> tzinfo | None:
        """The time zone of schedules; None is the machine's own."""
        return None if self.timezone == "local" else ZoneInfo(self.timezone)


def find_and_load(
    given: Path | None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_dir: Path | None = None,
) -> Config:
    """The config that `--config`, $ZOTDROP_CONFIG or the usual places name. Raises ConfigFault.

    user_dir: where this user's configs lie; without it, as the system has it.
    """
    environ = os.environ if environ is None else environ
    named = str(given or environ.get("ZOTDROP_CONFIG", ""))
    if named:
        path = _at_home(named)
        if not _is_there(path):
            raise ConfigFault(f"{path}: there is no such file; `zotdrop init` writes one")
        return load(path, environ)
    found = next(filter(_is_there, _usual_places(cwd or Path(), user_dir)), None)
    if found is None:
        raise ConfigFault(f"no {NAME} here; `zotdrop init` writes one, or name one with --config FILE")
    return load(found, environ)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The config in this file, with `ZOTDROP__SECTION__KEY` overrides. Raises ConfigFault, which names every fault."""
    data = _read(path)
    given = _override(data, environ)
    faults = [f"{path.name}: {fault}" for fault in _loose_ends(data)]
    try:
        config = _validated(data, given)
    except ValidationError as wrong:
        faults = [*(_told(path.name, error, given) for error in wrong.errors()), *faults]
    if faults:
        raise ConfigFault("\n".join(dict.fromkeys(faults)))
    settled = _settled(config, path)
    faults = [f"{path.name}: {fault}" for fault in _clashes(settled, path)]
    if faults:
        raise ConfigFault("\n".join(faults))
    return settled.model_copy(update={"warnings": tuple(_warnings(settled, path, given))})


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


def _usual_places(cwd: Path, user_dir: Path | None) -> Iterator[Path]:
    import platformdirs

    yield cwd / NAME
    yield (user_dir or platformdirs.user_config_path("zotdrop")) / NAME
    yield Path("/etc/zotdrop") / NAME


def _at_home(named: str) -> Path:
    """A path as it was named, ~ spelt out; a name that is nobody's is a file's like any other."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)


def _is_there(path: Path) -> bool:
    """Whether it is a file; a folder that may not be entered is a fault, not an absence."""
    try:
        return path.is_file()
    except OSError as fault:
        raise ConfigFault(f"{path}: cannot be read ({fault.strerror}); mend its rights") from None


def _read(path: Path) -> dict[str, Any]:
    """What the file says, still unchecked; a library without a kind is embedded."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as fault:
        raise ConfigFault(f"{path.name}: not valid TOML: {fault}") from None
    except UnicodeDecodeError as fault:
        raise ConfigFault(f"{path}: not UTF-8 (byte {fault.start}); save it as UTF-8") from None
    except (ValueError, RecursionError) as fault:  # a number of thousands of digits, lists a thousand deep
        raise ConfigFault(f"{path.name}: holds what no option needs: {fault}") from None
    except OSError as fault:
        raise ConfigFault(f"{path}: cannot be read ({fault.strerror}); mend its rights") from None
    return data


_Place = tuple[str, ...]  # of an option in the file: ("library", "main", "id")


def _override(data: dict[str, Any], environ: Mapping[str, str]) -> dict[_Place, tuple[str, str]]:
    """Set what `ZOTDROP__SECTION__KEY` says; text that reads as a TOML value is one, all else is a string.

    By place: the variable and its text. Names are found whatever their case, and with _ for -.
    """
    given: dict[_Place, tuple[str, str]] = {}
    for variable, text in sorted(environ.items()):
        if variable.startswith("ZOTDROP__"):
            place = _set(data, variable.lower().split("__")[1:], _toml(text))
            given.setdefault(place, (variable, text))
    return given


def _set(data: dict[str, Any], path: list[str], value: Any) -> _Place:
    """Set one value, and where it was set; what is no section on the way is left to be found faulty."""
    place: _Place = ()
    for word in path[:-1]:
        place = (*place, _spelt(data, word))
        inner = data.setdefault(place[-1], {})
        if not isinstance(inner, dict):
            return place
        data = inner
    name = _spelt(data, path[-1])
    data[name] = value
    return (*place, name)


def _spelt(data: Mapping[str, Any], word: str) -> str:
    return next((name for name in data if name.lower().replace("-", "_") == word), word)


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _validated(data: dict[str, Any], given: Mapping[_Place, tuple[str, str]]) -> Config:
    """The checked config. An override that was wrong as a TOML value is tried as text: a key may be all digits."""
    libraries = data.get("library")
    for own in libraries.values() if isinstance(libraries, dict) else ():
        if isinstance(own, dict):
            own.setdefault("kind", "embedded")
    data = {name: value for name, value in data.items() if name != "warnings"}
    try:
        return Config.model_validate(data)
    except ValidationError as wrong:
        for place in {_place(error) for error in wrong.errors()} & given.keys():
            _set(data, [name.lower().replace("-", "_") for name in place], given[place][1])
        return Config.model_validate(data)


def _place(error: Any) -> _Place:
    """Where in the file an error of pydantic lies."""
    place = [part for part in error["loc"] if isinstance(part, str) and part != "[key]"]
    if place[0] == "library" and len(place) > 2:
        del place[2]  # the kind, which pydantic puts in between
    return tuple(place)


_NOT_A_SECTION = frozenset({"model_type", "model_attributes_type", "dict_type"})


def _told(file: str, error: Any, given: Mapping[_Place, tuple[str, str]]) -> str:
    """One fault as a person reads it: `zotdrop.toml: [library.main] id: a whole number is needed, got "abc"`."""
    place = _place(error)
    whole = error["type"] in {*_NOT_A_SECTION, "union_tag_invalid", "too_short"} or error["loc"][-1] == "[key]"
    section, key = (place, "") if whole else (place[:-1], place[-1])
    is_needed = section[:1] == ("library",) and key in {"id", "api_key"} and error["type"] != "extra_forbidden"
    hint = f"; yours stands at {KEYS_PAGE}" if is_needed else ""
    if place in given:
        return f"{given[place][0]}: {_expected(error, section, key)}{hint}"
    where = f"[{'.'.join(section)}] " if section else ""
    return f"{file}: {where}{key}{': ' if key else ''}{_expected(error, section, key)}{hint}"


_EXPECTED = {
    "string_type": "a text in quotes is needed",
    "string_too_short": "a text that is not empty is needed",
    "string_pattern_mismatch": "fill, keep, fill SOURCE or prefer SOURCE is needed, SOURCE being pubmed or crossref",
    "int_type": "a whole number is needed",
    "float_type": "a number is needed",
    "finite_number": "a number is needed",
    "greater_than_equal": "a number of at least {ge:g} is needed",
    "greater_than": "a number above {gt:g} is needed",
    "less_than_equal": "a number of at most {le:g} is needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "date_type": "a date such as 2026-11-20, without quotes, is needed",
    "literal_error": "one of {expected} is needed",
    "missing": "is needed",
    "too_short": "at least one is needed",
    "union_tag_invalid": "kind: one of {expected_tags} is needed",
}


def _expected(error: Any, section: _Place, key: str) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _no_option(key, section, error["loc"])
    if kind in _NOT_A_SECTION:
        return _section_needed(section)
    if kind == "value_error":
        told, got = str(context["error"]), error.get("input")
        return told.replace(got, "...") if isinstance(got, str) and looks_like_key(got) else told
    told = _EXPECTED.get(kind, str(error["msg"]).lower()).format(**context)
    return told if kind in {"missing", "too_short"} else told + _got(context.get("tag", error.get("input")), told)


def _no_option(key: str, section: _Place, loc: Any) -> str:
    """What to do about an option that is none here; that of a library of another kind is one there."""
    if section[:1] != ("library",) or len(loc) < 4:
        return "there is no such option" + _near(key, _known(section))
    fields = {kind: model.model_fields for kind, model in _KINDS.items()}
    others = [f'"{kind}"' for kind, known in fields.items() if key in known]
    if others:
        return f'is no option of kind = "{loc[2]}"; it belongs to kind = {" or ".join(others)}'
    return "there is no such option" + _near(key, fields[loc[2]])


def _got(value: Any, told: str) -> str:
    """What stands there, and which of the words told it may have meant; nothing that may be or hold a key."""
    if isinstance(value, (dict, list)):
        return f", got a {'table' if isinstance(value, dict) else 'list'}"
    if looks_like_key(str(value)):
        return ", got what looks like a key"
    if isinstance(value, (date, time)):
        return f", got {value}"
    return f", got {value!r:.60}" + (_near(value, re.findall(r"'([^']+)'", told)) if isinstance(value, str) else "")


_KINDS: dict[str, type[BaseModel]] = {"embedded": EmbeddedLibrary, "zotero": ZoteroLibrary, "desktop": DesktopLibrary}
_NAMED: dict[str, tuple[type[BaseModel], ...]] = {
    "library": tuple(_KINDS.values()),
    "inbox": (Inbox,),
    "review": (Review,),
}


def _section_needed(section: _Place) -> str:
    """What stands there is no section; its value is not shown, it may be anything."""
    first = section[0]
    if first in _NAMED and (len(section) == 1 or section[1] in _known((first, ""))):
        return f"options stand in a section with a name of its own, such as [{first}.{'default' if first == 'inbox' else 'main'}]"
    return "a section is needed"


def _known(section: _Place) -> list[str]:
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


def _loose_ends(data: Mapping[str, Any]) -> Iterator[str]:
    """Names that lead nowhere, told together with all that is wrong in single options."""
    if "warnings" in data:
        yield "warnings: there is no such option"
    libraries, inboxes = data.get("library", {"main": {}}), data.get("inbox", {})
    if not isinstance(libraries, dict) or not isinstance(inboxes, dict):
        return
    for name, inbox in inboxes.items() if inboxes else [("default", {})]:
        library = inbox.get("library", "main") if isinstance(inbox, dict) else "main"
        if libraries and isinstance(library, str) and library not in libraries:
            yield f"[inbox.{name}] library: there is no [library.{library}]; there is {', '.join(libraries)}"


def _settled(config: Config, path: Path) -> Config:
    """Paths made absolute: they are relative to the config file."""
    root = _real(path).parent

    def moved(model: Any) -> Any:
        changed: dict[str, Any] = {"path": str(root / Path(model.path).expanduser())} if hasattr(model, "path") else {}
        key = getattr(model, "api_key", None)
        if key is not None and key.kind == "file":
            changed["api_key"] = Secret("file", str(root / Path(key.value).expanduser()))
        if key is not None and key.kind == "command" and "/" in key.value[0]:
            changed["api_key"] = Secret("command", (str(root / Path(key.value[0]).expanduser()), *key.value[1:]))
        return model.model_copy(update=changed)

    library = {name: moved(own) for name, own in config.library.items()}
    inbox = {name: moved(own) for name, own in config.inbox.items()}
    sources = config.sources.model_copy(update={"pubmed": moved(config.sources.pubmed)})
    changed = {"state": moved(config.state), "library": library, "inbox": inbox, "sources": sources}
    return config.model_copy(update=changed)


def _clashes(config: Config, path: Path) -> Iterator[str]:
    """Files and folders that get in each other's way: what lies in an inbox is taken for a drop, and moved."""
    inboxes = {f"[inbox.{name}]": _real(own.path) for name, own in config.inbox.items()}
    files = {"[state]": _real(config.state.path)}
    files |= {
        f"[library.{name}]": _real(own.path) for name, own in config.library.items() if isinstance(own, EmbeddedLibrary)
    }
    for (one, first), (other, second) in combinations(files.items(), 2):
        if first == second:
            yield f"{other} path: {second} is the file of {one} already; each needs one of its own"
    for (one, first), (other, second) in combinations(inboxes.items(), 2):
        if first.is_relative_to(second) or second.is_relative_to(first):
            yield f"{other} path: {second} and {one}, {first}, lie in each other; a drop would be taken twice"
    told = {f"the file of {what}": file for what, file in files.items()} | {"this config": _real(path)}
    told |= {f"the key of [{'.'.join(place)}]": _real(own.api_key.value) for place, own in _key_files(config)}
    for (name, inbox), (what, file) in product(inboxes.items(), told.items()):
        if file.is_relative_to(inbox):
            yield f"{name} path: {what} lies in {inbox} and would be taken for a drop; give the inbox a folder of its own"


def _real(path: Any) -> Path:
    """A path with its links followed, as far as they lead."""
    return Path(os.path.realpath(path))


def _owners(config: Config) -> list[tuple[_Place, Any]]:
    """What may have an address and a key, by place."""
    return [
        *((("library", name), own) for name, own in config.library.items()),
        (("sources", "pubmed"), config.sources.pubmed),
    ]


def _key_files(config: Config) -> Iterator[tuple[_Place, Any]]:
    for place, own in _owners(config):
        key = getattr(own, "api_key", None)
        if key is not None and key.kind == "file":
            yield place, own


def _warnings(config: Config, path: Path, given: Mapping[_Place, Any]) -> Iterator[str]:
    for place, own in _owners(config):
        key, where = getattr(own, "api_key", None), f"[{'.'.join(place)}]"
        if key is None:
            continue
        if key.plain and (*place, "api_key") not in given:
            yield f'{path.name}: {where} api_key stands in the file itself; better {{ env = "NAME" }} or {{ file = "path" }}'
            if _open_to_others(path):
                yield f"{path.name} holds a key and can be read by others: chmod 600 {path}"
        if key.kind == "file" and _open_to_others(Path(key.value)):
            yield f"{where} api_key: {key.value} can be read by others: chmod 600 {key.value}"
        address = urlsplit(own.url)
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            yield f"{path.name}: {where} url begins with http://: the key travels for all to read; https:// is better"
    asks = any(config.sources.use if own.sources is None else own.sources for own in config.inbox.values())
    if not config.contact and asks:
        yield f"{path.name}: contact is empty; Crossref serves nameless clients one list of 50 DOIs a second instead of three"


def _open_to_others(path: Path) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
