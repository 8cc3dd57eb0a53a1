"""A library that others share through their desktops: it is written in bursts, with pauses in which those can sync.

A desktop that uploads while the library's version keeps rising tries again after 10 and after 20 seconds, and then gives up
(`conflictDelayIntervals`, https://github.com/zotero/zotero, syncEngine.js).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sync.libraries.base import Answer, File, FileAnswer, Library, Write
from sync.libraries.wrapped import Wrapped

log = logging.getLogger("zotdrop.writing")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is written in one go, and how long nothing is written then. Seconds."""

    burst: float
    pause: float


class Paced(Wrapped):
    """Wraps a library, of which reading disturbs nobody: whoever has written for a burst waits for a pause before the next write, unless there was one anyhow.

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
        super().__init__(real)
        self._pace, self._now, self._wait = pace, now, wait
        self._began = self._ended = float("-inf")  # of the burst: its first write, and the end of its newest
        for ago in sorted(before, reverse=True):
            self._note(now() - ago)

    def collection(self, path: Sequence[str]) -> str:
        """As the real one, in its turn: it may be made."""
        with self._turn():
            return self._real.collection(path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """As the real one, in its turn."""
        with self._turn():
            return self._real.write(batch)

    def upload(self, file: File) -> FileAnswer:
        """As the real one, in its turn."""
        with self._turn():
            return self._real.upload(file)

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
