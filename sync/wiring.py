"""Config to real objects: the one file that names concrete classes."""

from __future__ import annotations

import difflib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sync import __version__
from sync.config import Config
from sync.core import schema
from sync.core.keywords import Keywords, table_of
from sync.core.merge import Policy
from sync.errors import ConfigFault, Interrupted
from sync.http import Http, Identity
from sync.libraries.base import Library
from sync.libraries.dry import DryLibrary
from sync.libraries.guarded import Guarded
from sync.libraries.paced import Pace, Paced
from sync.report.words import printable
from sync.secrets import resolve
from sync.sources.base import Source
from sync.state.ledger import Ledger
from sync.state.refused_keys import KeyMemory
from sync.steps.tools import Limits, Rules, Tools, instant
from sync.stopping import cut_with

if TYPE_CHECKING:
    from sync.libraries.desktop import Desktop

Tell = Callable[[str, int, int], None]


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def waiting(stop: Event) -> Callable[[float], None]:
    """A wait that ends at once, with Interrupted, when a stop is asked for."""

    def wait(seconds: float) -> None:
        if stop.wait(max(0.0, seconds)):
            raise Interrupted("stopped while waiting; the next run goes on from here")

    return wait


def _crossref(config: Config, http: Http) -> Source:
    from sync.sources.crossref import Crossref

    own = config.sources.crossref
    return Crossref(http, own.url, config.contact, clock=lambda: instant(utc_now()), searches=own.searches_per_run)


def _pubmed(config: Config, http: Http) -> Source:
    from sync.sources.pubmed import PubMed

    own = config.sources.pubmed
    return PubMed(
        http,
        url=own.url,
        idconv_url=own.idconv_url,
        contact=config.contact,
        api_key=resolve(own.api_key) if own.api_key else None,
        clock=lambda: instant(utc_now()),
    )


def _embedded(own: Any, _key: str | None, _wait: Callable[[float], None]) -> Library:
    from sync.libraries.embedded import Embedded

    return Embedded(own.path, now=lambda: instant(utc_now()))


def _zotero(own: Any, key: str | None, wait: Callable[[float], None]) -> Library:
    from sync.libraries.zotero import Zotero

    return Zotero(library_type=own.type, library_id=own.id, api_key=key, url=own.url, wait=wait)


def _desktop(own: Any, key: str | None, wait: Callable[[float], None]) -> Library:
    from sync.libraries.desktop import Desktop

    return Desktop(url=own.url, api_key=key, server_id=own.server_id, wait=wait)


def open_desktop(url: str, key: str | None = None, server_id: str | None = None, *, patience: float = 30.0) -> Desktop:
    """The Zotero that runs on this computer, whatever the config says. patience: seconds that an answer may take."""
    from sync.libraries.desktop import Desktop

    return Desktop(url=url, api_key=key, server_id=server_id, wait=waiting(Event()), timeout=patience)


SOURCES: Mapping[str, Callable[[Config, Http], Source]] = {"crossref": _crossref, "pubmed": _pubmed}
LIBRARIES: Mapping[str, Callable[[Any, str | None, Callable[[float], None]], Library]] = {
    "embedded": _embedded,
    "zotero": _zotero,
    "desktop": _desktop,
}


def open_ledger(config: Config) -> Ledger:
    """The ledger of this configuration."""
    return Ledger.open(Path(config.state.path))


def open_library(config: Config, name: str, stop: Event, *, again: bool = False) -> Library:
    """The library called `name` in the config. Raises CredentialFault where its key cannot be had.

    again: send its key even if it was refused before.
    """
    own: Any = config.library[name]
    key = resolve(own.api_key) if getattr(own, "api_key", None) else None
    library = LIBRARIES[own.kind](own, key, waiting(stop))
    cut_with(stop, library)
    if key is None or own.kind == "desktop":  # a running Zotero locks nobody out, and each database has keys of its own
        return library
    memory = KeyMemory(Path(config.state.path), urlsplit(own.url).netloc.lower(), key, lambda: instant(utc_now()))
    return Guarded(library, memory, again=again)


def rules(config: Config, inbox: str, *, sources: tuple[str, ...] | None = None, **changed: Any) -> Rules:
    """The rules of an inbox, with what the command line changes about them."""
    own = config.inbox[inbox]
    wanted = own.sources if own.sources is not None else config.sources.use
    plain = {
        "collection": own.collection,
        "tags": tuple(own.tags),
        "keywords": Keywords(own.keywords, table_of(own.keyword_map), own.other_keywords),
        "original": own.original,
        "unmapped": own.unmapped,
        "sources": tuple(wanted) if sources is None else sources,
        "title_search": own.title_search,
        "enrich_wait": own.enrich_wait,
        "encoding": own.encoding,
        "on_success": own.on_success,
        "attachments": own.attachments,
        "attachment_max_mb": own.attachment_max_mb,
        "root": Path(own.path),
    }
    return Rules(inbox, **{**plain, **{name: value for name, value in changed.items() if value is not None}})


def policy(config: Config) -> Policy:
    """What sources may change. Raises ConfigFault for a field that Zotero does not have."""
    known = {name for kind in schema.ITEM_TYPES for name in schema.own_fields(kind)} | {"creators", "tags"}
    for name in config.merge.fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigFault(f"[merge.fields] {name}: Zotero has no such field{hint}")
    return Policy(config.merge.default, config.merge.fields, tuple(config.sources.use))


def foreign_sources(config: Config, library: str) -> tuple[str, ...]:
    """The sources that may be asked for items that zotdrop did not make: those that every inbox of this library allows."""
    allowed = [rules(config, name).sources for name, own in config.inbox.items() if own.library == library]
    return tuple(name for name in config.sources.use if all(name in sources for sources in allowed))


@contextmanager
def open_tools(
    config: Config,
    library: str,
    ledger: Ledger,
    *,
    stop: Event,
    tell: Tell,
    dry: bool = False,
    offline: bool = False,
    ask: bool = True,
    accept_empty: bool = False,
) -> Iterator[Tools]:
    """Everything a run works with, for one library; a dry run gets a copy of the ledger and a library that keeps nothing.

    ask: False makes no source at all, so that nothing can be sent to one.  accept_empty: as in `Tools`.
    """
    wait = waiting(stop)
    http = Http(identity=Identity(contact=config.contact, version=__version__), wait=wait, now=time.monotonic)
    cut_with(stop, http)
    real = open_library(config, library, stop)
    target = DryLibrary(real) if dry else _paced(config, library, real, ledger, wait)
    folder = TemporaryDirectory(prefix="zotdrop-dry-") if dry else None
    used = ledger.copy_to(Path(folder.name) / "ledger.sqlite") if folder else ledger
    try:
        yield Tools(
            ledger=used,
            library=target,
            sources={name: SOURCES[name](config, http) for name in _wanted(config) if ask},
            now=utc_now,
            stop=stop.is_set,
            tell=lambda text, done, total: tell(printable(text), done, total),  # a drop's name may hold anything
            requests=lambda: _requests(http, target),
            limits=Limits(config.limits.max_new_per_run, config.limits.max_changes_per_run),
            cache_days=config.sources.cache_days,
            absent_days=config.sources.absent_days,
            cache_mb=config.sources.cache_mb,
            keep_days=config.retention.cache,
            policy=policy(config),
            join_versions=config.match.cochrane_versions == "one",
            relate=config.match.related == "link",
            quiet_above={"pubmed": config.sources.pubmed.off_peak_above},
            offline=offline,
            dry=dry,
            accept_empty=accept_empty,
            rules_of=lambda inbox: rules(config, inbox) if inbox in config.inbox else None,
        )
    finally:
        http.close()
        target.close()
        if folder:
            used.close()
            folder.cleanup()


def _paced(config: Config, name: str, real: Library, ledger: Ledger, wait: Callable[[float], None]) -> Library:
    """The library with the pauses that its members' desktops need; as it is where nobody shares it."""
    own, rules = config.library[name], config.write
    if getattr(own, "type", "") != "group" or rules.exclusive or not rules.pause_seconds:
        return real
    now = utc_now()
    since = instant(now - timedelta(seconds=rules.burst_seconds + rules.pause_seconds))
    written = ledger.outbox(ledger.snapshot(real.identity).id).recent(since)
    before = [(now - datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).total_seconds() for at in written]
    pace = Pace(rules.burst_seconds, rules.pause_seconds)
    return Paced(real, pace, now=time.monotonic, wait=wait, before=before)


def free_mb(config: Config) -> int:
    """Free space where the ledger lies, in megabytes."""
    folder = Path(config.state.path).parent
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free // 1_000_000


def _wanted(config: Config) -> list[str]:
    """The sources that any inbox asks, in order of trust; a key that only another source needs is not looked for."""
    asked = [
        name for own in config.inbox.values() for name in (config.sources.use if own.sources is None else own.sources)
    ]
    return sorted(
        dict.fromkeys(asked), key=lambda name: config.sources.use.index(name) if name in config.sources.use else 99
    )


def _requests(http: Http, library: Library) -> dict[str, int]:
    return {**dict.fromkeys(SOURCES, 0), **http.requests, "zotero": library.requests}
