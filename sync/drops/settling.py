"""Which files have been still for long enough. Pure: who looks at the folder hands in what was seen, and when."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)  # a path, as text or as Path


class Stamp(NamedTuple):  # made for every file at every look
    """What tells that a file was written to: size in bytes, time of the last change in nanoseconds, inode."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(slots=True)
class Settle(Generic[K]):
    """Which files have been still long enough to be taken: the same stamp over two looks and `seconds`."""

    seconds: float
    seen: dict[K, tuple[Stamp, float]] = field(default_factory=dict)

    def feed(self, listing: Mapping[K, Stamp], now: float) -> list[K]:
        """The settled files of a look. now: monotonic seconds. A look forgets what it no longer sees."""
        before, self.seen = self.seen, {}
        ready = []
        for path, stamp in listing.items():
            known = before.get(path)
            if known is None or known[0] != stamp:
                self.seen[path] = (stamp, now)
                continue
            self.seen[path] = known
            if now - known[1] >= self.seconds:
                ready.append(path)
        return ready

    def due_in(self, now: float) -> float:
        """Seconds until the next of the files that are watched may have settled; infinite if none is."""
        waits = (since + self.seconds - now for _, since in self.seen.values())
        return min((wait for wait in waits if wait > 0), default=float("inf"))
