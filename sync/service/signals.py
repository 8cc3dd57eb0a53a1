"""Signals as a queue: a handler may come between any two instructions and must not touch a lock."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

ENDS = (signal.SIGTERM, signal.SIGINT)
AGAIN: int | None = getattr(signal, "SIGHUP", None)  # not on Windows


class Calls:
    """What was called to us, in order."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[int] = SimpleQueue()  # its `put` may interrupt its own `get`

    def put(self, number: int) -> None:
        """Add one, from anywhere."""
        self._queue.put(number)

    def next(self, within: float) -> int | None:
        """The next one; None if none comes within so many seconds."""
        try:
            return self._queue.get(timeout=max(0.001, within))
        except Empty:
            return None


@contextmanager
def caught() -> Iterator[Calls]:
    """SIGTERM, SIGINT and SIGHUP of this process as calls."""
    calls = Calls()
    numbers = [*ENDS, *([AGAIN] if AGAIN is not None else [])]
    before = {number: signal.signal(number, lambda caught, _: calls.put(caught)) for number in numbers}
    try:
        yield calls
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
