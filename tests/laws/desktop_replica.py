"""A Zotero desktop that was offline and uploads later, on a clock that a test turns.

It follows Zotero's own engine (https://github.com/zotero/zotero, chrome/content/zotero/xpcom/sync/syncEngine.js): it uploads against
the library's version that it knows; the first conflict is what it expects after others worked, and it downloads; after each
further conflict it waits longer, and when that would be more than a minute in all it gives up. A download during which the
library changes begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain, count, repeat

DELAYS = (10.0, 20.0, 40.0, 60.0, 120.0, 240.0, 300.0)  # s, after a conflict, and after a download that met a change
PATIENCE = 60.0  # s of waiting after conflicts, in all


class Clock:
    """Seconds that pass when they are told to, and what happens meanwhile. waits: how long somebody waited, each time."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []
        self._due: list[tuple[float, int, Iterator[float]]] = []
        self._numbers = count()

    def now(self) -> float:
        return self.time

    def start(self, process: Iterator[float], after: float = 0.0) -> None:
        """Something that goes on beside: it gives the seconds until it wants to go on."""
        heappush(self._due, (self.time + after, next(self._numbers), process))

    def advance(self, seconds: float) -> None:
        end = self.time + seconds
        while self._due and self._due[0][0] <= end:
            self.time, _, process = heappop(self._due)
            for pause in process:
                self.start(process, pause)
                break
        self.time = end

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.advance(seconds)


@dataclass
class Desktop:
    """version: of the library now.  upload: what it changed, written in one go.  download, prepare: seconds that it takes to
    read what is new, and from then to the arrival of its upload.  known: the version up to which it has read.
    in_a_row: conflicts after the one that it expects.
    """

    version: Callable[[], int]
    upload: Callable[[], None]
    download: float = 3.0
    prepare: float = 1.0
    known: int = 0
    in_a_row: int = 0
    expected: int = 0
    gave_up: bool = False
    done: bool = False
    restarts: int = field(default=0)

    def sync(self) -> Iterator[float]:
        """One sync, from the moment on at which it comes online."""
        waited, delays = 0.0, iter(DELAYS)
        while True:
            yield self.prepare
            if self.version() == self.known:
                self.upload()
                self.known, self.done = self.version(), True
                return
            if not self.expected:
                self.expected = 1
            else:
                self.in_a_row += 1
                delay = next(delays)
                if waited + delay > PATIENCE:
                    self.gave_up = True
                    return
                waited += delay
                yield delay
            yield from self._read()

    def _read(self) -> Iterator[float]:
        for delay in chain(DELAYS, repeat(DELAYS[-1])):
            seen = self.version()
            yield self.download
            if self.version() == seen:
                self.known = seen
                return
            self.restarts += 1
            yield delay
