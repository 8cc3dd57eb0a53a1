"""A clock that only waiting moves, and an Http on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sync.http import Http, Identity

EPOCH = datetime(2026, 11, 23, 8, tzinfo=UTC)
LONG = 0.5  # seconds
PATIENCE = 0.3  # real seconds, for requests that are under way when the clock is about to move
WHO = Identity("librarian@example.org", "1.2.3")


class Pace:
    """Seconds that pass only while somebody waits; `waits` are the waits that took time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waits: list[float] = []
        self.under_way = 0  # requests that `Watched` has not brought back yet
        self._moved = threading.Condition()

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        with self._moved:
            if seconds:  # what is under way shall not seem late because somebody else waits; what hangs keeps nobody
                self._moved.wait_for(lambda: not self.under_way, PATIENCE)
                self.waits.append(seconds)
            self.seconds += seconds
        if seconds >= LONG:  # a stand-in on another thread gets to finish what would take it less than that
            time.sleep(0.02)

    def sent(self, more: int) -> None:
        """So many more requests are under way."""
        with self._moved:
            self.under_way += more
            self._moved.notify_all()

    def today(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds - 1000.0)


class Watched(httpx.BaseTransport):
    """The usual way out, on which a clock sees what is under way."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self._way = pace, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._pace.sent(1)
        try:
            return self._way.handle_request(request)
        finally:
            self._pace.sent(-1)

    def close(self) -> None:
        self._way.close()


def http_on(pace: Pace, transport: httpx.BaseTransport | None = None, **more: Any) -> Http:
    """An Http whose jitter is always in the middle."""
    settings: dict[str, Any] = {
        "identity": WHO,
        "wait": pace.wait,
        "now": pace.now,
        "today": pace.today,
        "jitter": lambda: 0.5,
    }
    return Http(transport or Watched(pace), **{**settings, **more})


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    return httpx.MockTransport(handle)
