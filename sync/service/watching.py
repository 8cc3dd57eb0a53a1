"""One inbox between two looks: what has settled, what waits, what stays, and what was told. All of it can be lost."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sync import drops
from sync.config import Inbox, Schedule
from sync.drops import Stamp
from sync.errors import UsageFault
from sync.report import DropReport

log = logging.getLogger("zotdrop.service")

FOREVER = float("inf")
HELD_MOST = 60.0  # seconds until held/ is looked into again, however much lies there
HELD_RATE = 100  # files for which it is left alone a second longer


@dataclass(frozen=True, slots=True)
class Stay:
    """A drop that stays in its inbox as it is (`stamp`): when it is tried again, and how long was waited last.

    done: it is worked off, and only could not be put away, or shall not be.
    """

    stamp: Stamp
    at: float
    delay: float
    done: bool = False


@dataclass(slots=True)
class Watch:
    """What is remembered of one inbox. pace: how long a drop waits that could not be finished.  listing: what the last look saw."""

    name: str
    inbox: Inbox
    pace: Schedule
    settle: drops.Settle[str]
    listing: Mapping[str, Stamp] = field(default_factory=dict)
    stays: dict[str, Stay] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    missing: bool = False
    held_count: int = 0
    held_due: float = -FOREVER

    @classmethod
    def of(cls, name: str, inbox: Inbox, pace: Schedule) -> Watch:
        """A watch that has seen nothing yet."""
        return cls(name, inbox, pace, drops.Settle(inbox.settle_seconds))

    def is_like(self, other: Watch) -> bool:
        """Whether both watch the same folder by the same rules."""
        return (self.inbox, self.pace) == (other.inbox, other.pace)

    def look(self, now: float) -> list[str]:
        """The drops to be worked off. now: monotonic seconds. What cannot be looked at is told once, not each time."""
        closed: list[str] = []
        try:
            self.listing = drops.listing(Path(self.inbox.path), closed)
        except UsageFault as fault:
            self._vanished(fault)
            return []
        self._is_back()
        ready = self._drops(self.settle.feed(self.listing, now))
        self.stays = {path: stay for path, stay in self.stays.items() if path in self.listing}
        return self._open([path for path in ready if self._is_due(path, now)], closed)

    def see(self) -> None:
        """What lies there, for an inbox that a schedule works off: nothing is taken, and who works it off tells what is wrong."""
        try:
            self.listing = drops.listing(Path(self.inbox.path))
        except UsageFault:
            self.listing, self.missing = {}, True
        else:
            self.missing = False
        self.stays = {path: stay for path, stay in self.stays.items() if self.listing.get(path) == stay.stamp}

    def due_in(self, now: float) -> float:
        """Seconds until a file that is still now will have settled; infinite if none is waited for."""
        return self.settle.due_in(now)

    def came(self, paths: Iterable[str], reports: Mapping[str, DropReport], now: float) -> None:
        """What became of drops that were worked on. reports: by the path, in letters that are text."""
        self.held_due = -FOREVER
        for path in paths:
            report = reports.get(drops.legible(path))
            if not os.path.lexists(path):
                self.stays.pop(path, None)
            else:
                self._stays(path, now, done=report is not None and report.done)

    @property
    def waiting(self) -> list[str] | None:
        """The drops that lie there and are not worked off; None if the folder is gone."""
        if self.missing:
            return None
        return [path for path in self._drops(list(self.listing)) if path not in self.stays or not self.stays[path].done]

    def held(self, now: float) -> int:
        """How many drops lie in `held/`; the number stays as it was while nobody may look into it."""
        if now >= self.held_due:
            folder = Path(self.inbox.path) / drops.HELD
            with suppress(UsageFault, OSError):
                self.held_count = len(drops.listing(folder)) if folder.is_dir() else 0
            self.held_due = now + min(HELD_MOST, self.held_count / HELD_RATE)
        return self.held_count

    def retries(self, now: float) -> dict[str, float]:
        """Drops that could not be finished: in how many seconds each is tried again."""
        return {path: max(0.0, stay.at - now) for path, stay in self.stays.items() if not stay.done}

    def try_again(self) -> None:
        """Whatever waits is due now."""
        self.stays = {path: stay for path, stay in self.stays.items() if stay.done}

    def _drops(self, paths: list[str]) -> list[str]:
        """Those that are no attachments of others."""
        if self.inbox.attachments != "files":
            return paths
        return [str(path) for path in drops.only_drops(list(map(Path, paths)), list(map(Path, self.listing)))]

    def _stays(self, path: str, now: float, *, done: bool) -> None:
        before = self.stays.get(path)
        delay = min(before.delay * 2, self.pace.retry_most) if before else self.pace.retry
        at = FOREVER if done and self.inbox.on_success == "leave" else now + delay
        self.stays[path] = Stay(self.listing[path], at, delay, done)

    def _is_due(self, path: str, now: float) -> bool:
        stay = self.stays.get(path)
        if stay is None or stay.stamp != self.listing[path]:
            return True
        if now < stay.at:
            return False
        if stay.done and not drops.can_leave(Path(path), Path(self.inbox.path)):
            self._stays(path, now, done=True)
            return False
        return True

    def _open(self, paths: list[str], folders: list[str]) -> list[str]:
        """Those that we may read; the others are told, once until they can be read or are gone."""
        refused = {path: why for path in paths if (why := drops.why_closed(path))}
        refused |= dict.fromkeys(folders, "Permission denied")
        for path in refused.keys() - self.closed:
            log.warning("%s: cannot be read (%s); mend its rights, it is taken then", path, refused[path])
        self.closed = set(refused)
        return [path for path in paths if path not in refused]

    def _vanished(self, fault: UsageFault) -> None:
        if not self.missing:
            what = drops.why_no_folder(self.inbox.path) or f"cannot be looked into ({fault})"
            log.warning(
                "%s: the folder of [inbox.%s] %s; waiting for it to come back", self.inbox.path, self.name, what
            )
        self.missing = True

    def _is_back(self) -> None:
        if self.missing:
            log.info("%s: the folder of [inbox.%s] is back", self.inbox.path, self.name)
        self.missing = False
