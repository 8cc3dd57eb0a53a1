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
WHO = Identity("librarian@example.org", "1.2.3")


class Pace:
    """Seconds that pass only while somebody waits; `waits` are the waits that took time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds
            if seconds:
                self.waits.append(seconds)
        if seconds >= LONG:  # a stand-in on another thread gets to finish what would take it less than that
            time.sleep(0.02)

    def today(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds - 1000.0)


def http_on(pace: Pace, transport: httpx.BaseTransport | None = None, **more: Any) -> Http:
    """An Http whose jitter is always in the middle."""
    settings: dict[str, Any] = {
        "identity": WHO,
        "wait": pace.wait,
        "now": pace.now,
        "today": pace.today,
        "jitter": lambda: 0.5,
    }
    return Http(transport, **{**settings, **more})


def answering(handle: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    return httpx.MockTransport(handle)
