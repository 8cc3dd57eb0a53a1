"""A library that others share through their desktops: it is written in bursts, with pauses in which those can sync.

A desktop that uploads while the library's version keeps rising tries again after 10 and after 20 seconds, and then gives up
(`conflictDelayIntervals`, https://github.com/zotero/zotero, syncEngine.js).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sync.libraries.base import NOTHING, Answer, Delta, File, FileAnswer, Item, Library, Write

log = logging.getLogger("zotdrop.writing")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is written in one go, and how long nothing is written then. Seconds."""

    burst: float
    pause: float


class Paced:
    """Wraps a library: whoever has written for a burst waits for a pause before the next write, unless there was one anyhow.

    now: seconds on any steady clock.  wait: sleeps so many seconds, may raise Interrupted.  before: how many seconds ago
    earlier programs wrote to this library, in any order.
    """

    def __init__(
        self,
        real: Library,
        pace: Pace,
        *,
        now: Callable[[], float],
        wait: Callable[[float], None],
        before: Sequence[float] = (),
    ) -> None:
        self._real, self._pace, self._now, self._wait = real, pace, now, wait
        self._began = self._ended = float("-inf")  # of the burst: its first write, and the end of its newest
        for ago in sorted(before, reverse=True):
            self._note(now() - ago)

    @property
    def identity(self) -> str:
        """As the real one."""
        return self._real.identity

    @property
    def requests(self) -> int:
        """The requests that were sent."""
        return self._real.requests

    @property
    def lacks(self) -> Mapping[str, frozenset[str]]:
        """As the real one."""
        return self._real.lacks

    def check(self) -> None:
        """As the real one."""
        self._real.check()

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """As the real one: reading disturbs nobody."""
        return self._real.changes(since, known)

    def collection(self, path: Sequence[str]) -> str:
        """As the real one, in its turn: it may be made."""
        with self._turn():
            return self._real.collection(path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """As the real one, in its turn."""
        with self._turn():
            return self._real.write(batch)

    @property
    def takes_files(self) -> bool:
        """As the real one."""
        return self._real.takes_files

    def upload(self, file: File) -> FileAnswer:
        """As the real one, in its turn."""
        with self._turn():
            return self._real.upload(file)

    def items(self) -> Iterator[Item]:
        """As the real one."""
        return self._real.items()

    def close(self) -> None:
        """Close the real one."""
        self._real.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the end of a pause that is due, and note that something is written."""
        rest = self._ended + self._pace.pause - self._now()
        if rest > 0 and self._now() - self._began >= self._pace.burst:
            log.info("pause of %.0f s, so that members' desktops can sync ([write] pause_seconds)", rest)
            self._wait(rest)
            self._began = self._now()
        self._note(self._now())
        try:
            yield
        finally:
            self._ended = self._now()

    def _note(self, moment: float) -> None:
        """A write at this moment: of the burst that is under way, or the first of a new one."""
        if moment - self._ended >= self._pace.pause:
            self._began = moment
        self._ended = moment
