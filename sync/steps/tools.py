"""What every step works with: the rooms it may use, the rules of the inbox, the state of this run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sync.core.keywords import AS_THEY_COME, Keywords
from sync.core.merge import FILL, Policy
from sync.core.record import Problem
from sync.core.reviews import NOWHERE, Assigned
from sync.drops import Drop
from sync.libraries.base import Library
from sync.sources.base import Source
from sync.state.ledger import Ledger
from sync.state.outbox import Outbox
from sync.state.snapshot import Snapshot
from sync.state.uploads import Uploads

BATCH = 200  # works that are asked for together
PART = 50  # of these go on together: as many as a library takes in one write
READ_BATCH = 500  # records noted in one transaction while reading


@dataclass(frozen=True, slots=True)
class Rules:
    """What the config (and the command line) want for the drops of one inbox.

    collection: path template with `{subfolder} {database} {date} {drop} {review}`.  keywords: what becomes of them.
    unmapped: ledger or note.  sources: names, in order of trust; () asks nobody.  enrich_wait: seconds that a record waits
    for a source that is away.  title_search: whether titles may be sent out.  on_success: archive, leave, delete.
    attachments: off, links, files.  attachment_max_mb: larger files are not uploaded.  original: off, note, attachment.
    assigned: the review and the search that the drop belongs to.
    """

    inbox: str
    collection: str = ""
    tags: tuple[str, ...] = ()
    keywords: Keywords = AS_THEY_COME
    unmapped: str = "ledger"
    sources: tuple[str, ...] = ()
    title_search: bool = True
    enrich_wait: float = 0.0
    encoding: str = "auto"
    on_success: str = "archive"
    restore: bool = False
    assigned: Assigned = NOWHERE
    attachments: str = "off"
    attachment_max_mb: float = 100.0
    original: str = "off"
    root: Path | None = None

    def fingerprint(self, subfolder: str) -> str:
        """Two drops of the same bytes with the same fingerprint want the same: the second has nothing to do."""
        parts = [self.collection, subfolder, self.tags, self.keywords.how, self.unmapped, self.sources, self.restore]
        # What came later is left out where it is off, so that what was worked off before stays so.
        more: list[object] = [self.attachments, self.attachment_max_mb] if self.attachments != "off" else []
        more += [sorted(self.keywords.table.items()), self.keywords.others] if self.keywords.how == "mapped" else []
        more += [f"original:{self.original}"] if self.original != "off" else []
        return hashlib.sha256(
            json.dumps([*parts, self.assigned.review, self.assigned.search, *more]).encode()
        ).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Task:
    """A drop to work off under these rules. `name`: how it is called in reports. `ours`: it lies in an inbox, and is moved.
    `held`: nobody brought it, it lies in held/ and is tried again.
    """

    drop: Drop
    rules: Rules
    name: str
    ours: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run stops and asks: new items, and changes to items that zotdrop did not make."""

    new: int = 60_000
    changes: int = 500


@dataclass(slots=True)
class Run:
    """What this run has come to so far: the one thing here that changes.

    away: sources that do not answer, and why.  deferred: sources that are asked at another hour: nobody waits for them.
    made: keys of the items that the drop at hand has come to so far.  no_files: why the library takes no more files.
    broken: runs that take something back, and that could not be ended.  All of it can be lost.
    """

    id: str
    away: dict[str, str] = field(default_factory=dict)
    deferred: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    no_files: Problem | None = None
    foreign_changes: int = 0
    conflicts: int = 0
    new: int = 0
    written: int = 0
    filled: int = 0
    refreshed: bool = False
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tools:
    """The rooms, the clock and the wires to the outside, chosen by `wiring` (or by a test).

    now: UTC.  stop: whether a stop was asked for.  tell: one line of progress and how much of how much is done.
    offline: sources are not asked, their kept answers are used.  policy: what sources may change.
    quiet_above: of a source, the number of requests from which a series waits for the hours that its owner wants it in.
    rules_of: the rules of an inbox by its name, None if it is no more.
    join_versions: whether versions of a Cochrane review are one work.  relate: whether related works are linked in the library.
    accept_empty: a library that has lost all its items is as it shall be.
    cache_mb: how much of the sources' answers is kept.  keep_days: how long they are kept at all.
    """

    ledger: Ledger
    library: Library
    sources: Mapping[str, Source]
    now: Callable[[], datetime]
    stop: Callable[[], bool]
    tell: Callable[[str, int, int], None]
    requests: Callable[[], Mapping[str, int]]
    limits: Limits = Limits()
    cache_days: float = 30.0
    absent_days: float = 1.0
    keep_days: float = 90.0
    cache_mb: float = 1_000.0
    policy: Policy = FILL
    join_versions: bool = False
    relate: bool = False
    quiet_above: Mapping[str, int] = field(default_factory=dict)
    offline: bool = False
    dry: bool = False
    accept_empty: bool = False
    rules_of: Callable[[str], Rules | None] = lambda _inbox: None

    @property
    def snapshot(self) -> Snapshot:
        """The library as last seen."""
        return self.ledger.snapshot(self.library.identity)

    @property
    def outbox(self) -> Outbox:
        """What waits to be written to the library."""
        return self.ledger.outbox(self.snapshot.id)

    @property
    def uploads(self) -> Uploads:
        """What waits to be uploaded to the library."""
        return Uploads(self.ledger.database, self.snapshot.id)

    def instant(self) -> str:
        """Now, as the ledger writes it."""
        return instant(self.now())


def instant(moment: datetime) -> str:
    """A UTC moment as ISO 8601 to the second: `2026-11-23T08:00:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
