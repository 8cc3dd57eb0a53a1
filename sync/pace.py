"""The pace at which a service's pool may be asked: so many requests in any second, so many at a time.

Requests of a pool are spaced evenly, a little below the rate that the service publishes (a bucket would let bursts through), from the
published table until the answers' own headers say otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

PROMPT = 0.04  # seconds after its sending at which a request has arrived, as long as nothing says otherwise
LATE = 0.25  # the same where refusals have shown that the way is not even
FOREVER = float("inf")

Wait = Callable[[float], None]
Clock = Callable[[], float]

# Header names: Crossref's, NCBI's.
_LIMITS = ("x-rate-limit-limit", "x-ratelimit-limit")
_INTERVALS = ("x-rate-limit-interval", "x-ratelimit-interval")


@dataclass(frozen=True, slots=True)
class Rate:
    """What a pool allows by its publisher: requests a second, requests at a time, and the share of the former to use."""

    per_second: float
    concurrency: int = 1
    share: float = 0.96


class Budget:
    """The pace of one pool: turns evenly spaced, so many at a time, never more in any stretch of time than the pool allows.

    When a request arrives is known only roughly: between its sending and its answer, and not later than some time after it
    has left. It counts for as long as it may have to. That time is short at first, and longer after each refusal: the way is
    not even then. Until the first answer one goes at a time: it tells the limits.
    """

    def __init__(self, pool: str, rate: Rate, wait: Wait, now: Clock) -> None:
        self._pool, self._wait, self._now, self._share = pool, wait, now, rate.share
        self._limit = max(1, int(rate.per_second))
        self._seconds = self._limit / rate.per_second
        self._concurrency = rate.concurrency
        self._free, self._gate = threading.Condition(), threading.Lock()
        self._busy, self._last, self._held, self._answered = 0, -FOREVER, -FOREVER, False
        self._arrived: dict[object, float] = {}  # a request: when it had arrived at the latest
        self._late = PROMPT

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """A place among those that ask at a time, and the next moment of the pace. Yields what to call once the request has left."""
        with self._free:
            while self._busy >= (self._concurrency if self._answered else 1):
                self._free.wait(0.05)
                self._wait(0.0)  # a stop is heard here
            self._busy += 1
            late = LATE if self._answered else FOREVER  # the first one opens a connection, and goes alone
        mine = object()
        try:
            self._pace(mine, late)
            yield lambda: self._left(mine)
        finally:
            with self._free:
                self._busy -= 1
                self._arrived[mine] = min(self._arrived.get(mine, FOREVER), self._now())
                self._free.notify()

    def _left(self, mine: object) -> None:
        with self._free:
            self._arrived[mine] = self._now() + self._late

    def doubt(self) -> None:
        """The service counted more than we did: requests take longer to arrive, some of them, than was thought."""
        with self._free:
            self._late = min(LATE, 2 * self._late)

    def _pace(self, mine: object, late: float) -> None:
        with self._gate:  # one at a time: those behind wait for those before
            delay = self._delay()
            if delay > 0:
                self._wait(delay)
            held = self._held - self._now()
            if held > 0:  # a pause was asked for while this one waited
                self._wait(held)
            with self._free:
                self._last = self._now()
                self._arrived[mine] = self._last + late  # until it has left

    def _delay(self) -> float:
        """Seconds until the next one may go."""
        with self._free:
            at = self._now()
            self._arrived = {request: when for request, when in self._arrived.items() if when > at - self._seconds}
            times = sorted(self._arrived.values())
            fits = times[-self._limit] + self._seconds if len(times) >= self._limit else -FOREVER
            return max(self._last + self._seconds / self._limit / self._share, fits, self._held) - at

    def pause(self, seconds: float) -> None:
        """Nobody of this pool goes on before so many seconds have passed."""
        with self._free:
            self._held = max(self._held, self._now() + seconds)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the limits that an answer states. Where it names another pool than ours, only slower ones are believed."""
        limit, seconds = int(_number(_first(headers, _LIMITS))), _number(_first(headers, _INTERVALS).rstrip("s")) or 1.0
        concurrency = int(_number(headers.get("x-concurrency-limit", "")))
        ours = headers.get("x-api-pool", self._pool) == self._pool
        with self._free:
            if limit and (ours or limit / seconds < self._limit / self._seconds):
                self._limit, self._seconds = limit, seconds
            if concurrency and (ours or concurrency < self._concurrency):
                self._concurrency = concurrency
            self._answered = True
            self._free.notify_all()


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if name in headers), "")


def _number(text: str) -> float:
    """A positive number, 0.0 for anything else."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 < number < FOREVER else 0.0
