"""What services do to a share of the requests that reach them: every fault that a network, a proxy or the service can have."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.servers.base import NOT_EVEN_A_STATUS, Handle, Reply, Request, StandIn

Strike = Callable[[Handle, Request], Reply]

GONE = Reply(keep=NOT_EVEN_A_STATUS)
PAGE = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>"
BUSY = b'{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"4","limit":"3"}'


def _says(status: int, body: bytes = b"", **headers: str) -> Strike:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _handle, _request: Reply(status, body, named)


def _dated(_handle: Handle, _request: Request) -> Reply:
    now = datetime.now(UTC)
    later = format_datetime(now + timedelta(seconds=1), usegmt=True)
    return Reply(429, b"slower, please", {"Retry-After": later, "Date": format_datetime(now, usegmt=True)})


def _cut_short(handle: Handle, request: Request) -> Reply:
    reply = handle(request)
    return replace(reply, keep=len(reply.body) // 2)


def _lost(handle: Handle, request: Request) -> Reply:
    handle(request)
    return GONE


def _slow(pause: Callable[[float], object]) -> Strike:
    def slow(handle: Handle, request: Request) -> Reply:
        pause(0.5)
        return handle(request)

    return slow


def _resting(handle: Handle, request: Request) -> Reply:
    reply = handle(request)
    return replace(reply, headers={**reply.headers, "Backoff": "1"})


def _twice(handle: Handle, request: Request) -> Reply:
    """A proxy delivers the request two times; the second answer is the one that arrives."""
    handle(request)
    return handle(request)


def _part_then_500(handle: Handle, request: Request) -> Reply:
    """Half of the objects are written, then the server fails."""
    try:
        sent = json.loads(request.body)
    except ValueError:
        sent = None
    if isinstance(sent, list):
        handle(replace(request, body=json.dumps(sent[: (len(sent) + 1) // 2]).encode()))
    return Reply(500, b"An error occurred", {"Content-Type": "text/html"})


def _committed_then_500(handle: Handle, request: Request) -> Reply:
    handle(request)
    return Reply(500, b"An error occurred", {"Content-Type": "text/html"})


def anywhere(pause: Callable[[float], object]) -> dict[str, Strike]:
    """The faults that every service can have."""
    return {
        "429": _says(429),
        "429 with seconds": _says(429, Retry_After="1"),
        "429 with a date": _dated,
        "400": _says(400, b"Bad request"),
        "403": _says(403, b"Forbidden"),
        "500": _says(500, b'{"message-type":"exception"}'),
        "503": _says(503),
        "a page with 200": _says(200, PAGE, Content_Type="text/html"),
        "cut short": _cut_short,
        "dropped": lambda _handle, _request: GONE,
        "lost after the work": _lost,
        "slow": _slow(pause),
    }


SOURCES: Mapping[str, Strike] = {
    "504 as a page": _says(504, PAGE, Content_Type="text/html"),
    "404 as a page": _says(404, PAGE, Content_Type="text/html"),
    "busy with 200": _says(200, BUSY),
    "nothing with 200": _says(200),
}
WRITES: Mapping[str, Strike] = {
    "500 after part was written": _part_then_500,
    "500 after the work": _committed_then_500,
    "delivered twice": _twice,
    "Backoff": _resting,
}


class Weather:
    """Faults for a share of a service's requests. decks: kinds by `reads` and `writes`; each kind comes once before any comes again.

    How often which came stands in `met`. Safe between threads.
    """

    def __init__(self, name: str, decks: Mapping[str, Mapping[str, Strike]], *, seed: str, share: float) -> None:
        self.name, self.decks, self.share = name, decks, share
        self.met: Counter[str] = Counter()
        self.requests = 0
        self._dice = random.Random(f"{seed}-{name}")
        self._left: dict[str, list[str]] = {which: [] for which in decks}
        self._lock = threading.Lock()

    def over(self, server: StandIn) -> None:
        """Hang it over a server; `server.heal()` takes it away."""
        server.twist(self._strike, None, self._strikes)

    def _strikes(self, _request: Request) -> bool:
        with self._lock:
            self.requests += 1
            return self._dice.random() < self.share

    def _strike(self, handle: Handle, request: Request) -> Reply:
        which = "writes" if request.method not in {"GET", "HEAD"} and "writes" in self.decks else "reads"
        with self._lock:
            kind = self._drawn(which)
            self.met[kind] += 1
        return self.decks[which][kind](handle, request)

    def _drawn(self, which: str) -> str:
        if not self._left[which]:
            self._left[which] = sorted(self.decks[which])
            self._dice.shuffle(self._left[which])
        return self._left[which].pop()


def over_source(server: StandIn, name: str, *, seed: str, share: float, pause: Callable[[float], object]) -> Weather:
    """The weather of Crossref or NCBI."""
    weather = Weather(name, {"reads": {**anywhere(pause), **SOURCES}}, seed=seed, share=share)
    weather.over(server)
    return weather


def over_library(
    server: StandIn,
    meddle: Callable[[Sequence[str]], Any],
    *,
    seed: str,
    share: float,
    pause: Callable[[float], object],
) -> Weather:
    """The weather of Zotero. meddle: somebody changes the items with these keys, at once."""

    def overtaken(handle: Handle, request: Request) -> Reply:
        """Somebody is faster: what is about to be changed has another version by now, and the answer is 412."""
        try:
            sent = json.loads(request.body)
        except ValueError:
            sent = None
        meddle([each["key"] for each in sent if each.get("key")] if isinstance(sent, list) else [])
        return handle(request)

    general = anywhere(pause)
    decks = {"reads": {**general, "Backoff": _resting}, "writes": {**general, **WRITES, "412": overtaken}}
    weather = Weather("zotero", decks, seed=seed, share=share)
    weather.over(server)
    return weather
