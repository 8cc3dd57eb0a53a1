"""What the service is doing, and whether it still gives signs of life."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class _Doing:
    what: str
    most: float
    heard: Callable[[], float]


class Pulse:
    """Keeps what is under way, from any thread. now: monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._doing: list[_Doing] = []

    @contextmanager
    def doing(self, what: str, most: float = FOREVER, heard: Callable[[], float] | None = None) -> Iterator[None]:
        """For as long as this is under way. most: seconds without a sign of life that are honest.  heard: when the last one came;
        without it the beginning is the only one.
        """
        began = self._now()
        mine = _Doing(what, most, lambda: max(began, heard()) if heard else began)
        with self._changed:
            self._doing.append(mine)
        try:
            yield
        finally:
            with self._changed:
                self._doing.remove(mine)
                self._changed.notify_all()

    def overdue(self) -> str:
        """What has given no sign of life for longer than is honest; empty if all is well."""
        with self._changed:
            return next((one.what for one in self._doing if self._now() - one.heard() > one.most), "")

    def under_way(self) -> list[str]:
        """What is being done."""
        with self._changed:
            return [one.what for one in self._doing]

    def rests(self, within: float) -> bool:
        """Wait until nothing is under way; whether that came within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._doing, max(0.0, within))
