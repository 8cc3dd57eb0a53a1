"""Another clock for a child process that has this folder on its PYTHONPATH: it runs faster, and it is set forwards and back.

$CHAOS_SPEED: so many seconds pass in one.  $CHAOS_CLOCK: a file with the seconds that are added to the time of day, read again and again.

Faster: the time of day, the steady clock, sleeps, and every wait of a thread for an event, a condition or a queue. Set: the time of
day alone, that is time.time, time_ns, localtime, gmtime and ctime without a moment, datetime.now, utcnow and today; with them logs,
schedules and every instant in the ledger. As they were: sockets' timeouts, the waits of SQLite, date.today, the times of files.
"""

from __future__ import annotations

import datetime as dt
import faulthandler
import os
import signal
import time
from functools import partial
from typing import Any

REAL, STEADY, SLEEP = time.time, time.monotonic, time.sleep
LOOK_EVERY = 0.02  # seconds between two looks into the file
SECOND = 1_000_000_000  # nanoseconds


class Clock:
    """The time of day and the steady clock, as this process shall see them."""

    def __init__(self, place: str, speed: float) -> None:
        self.place, self.speed = place, speed
        self.began, self.began_steady = REAL(), STEADY()
        self.shift, self.looked = 0.0, -1.0

    def wall(self) -> float:
        """The time of day."""
        at = STEADY()
        if at - self.looked >= LOOK_EVERY:
            self.looked = at
            try:
                with open(self.place, encoding="ascii") as file:  # noqa: PTH123 (pathlib is not loaded yet)
                    self.shift = float(file.read() or 0)
            except (OSError, ValueError):
                pass
        return self.began + (REAL() - self.began) * self.speed + self.shift

    def wall_ns(self) -> int:
        """The same in nanoseconds."""
        return int(self.wall() * SECOND)

    def steady(self) -> float:
        """What is never set."""
        return self.began_steady + (STEADY() - self.began_steady) * self.speed


def install(clock: Clock) -> None:
    """From here on everybody who asks gets this clock's time. Before `threading` is loaded, which keeps what it finds."""
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, partial(_at, getattr(time, name), clock.wall))
    time.time, time.time_ns, time.monotonic = clock.wall, clock.wall_ns, clock.steady
    time.sleep = lambda seconds: SLEEP(float(seconds) / clock.speed)
    dt.datetime = _dates(clock)  # type: ignore[misc]
    _hasten_waits(clock.speed)


def _at(call: Any, wall: Any, seconds: float | None = None) -> Any:
    return call(wall() if seconds is None else seconds)


def _dates(clock: Clock) -> Any:
    plain: Any = dt.datetime

    class Kind(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, plain)

    class Shifted(dt.datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return plain.fromtimestamp(clock.wall(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return plain.fromtimestamp(clock.wall(), dt.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return plain.fromtimestamp(clock.wall())

    return Shifted


def _hasten_waits(speed: float) -> None:
    import threading

    plain = threading.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        return plain(self, None if timeout is None else timeout / speed)

    threading.Condition.wait = wait  # type: ignore[method-assign]


if os.environ.get("CHAOS_CLOCK"):
    faulthandler.register(signal.SIGUSR1)  # tells on stderr where each thread is
    install(Clock(os.environ["CHAOS_CLOCK"], float(os.environ.get("CHAOS_SPEED", "1"))))
