"""One polite HTTP client for all sources: identity, a budget per service and pool, retries, faults translated at the door.

Secrets belong in bodies; no message, exception or log line made here carries a URL's parameters.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx

from sync.errors import Barred, Outage, Throttled
from sync.pace import FOREVER, Budget, Clock, Rate, Wait
from sync.stopping import Wires

HOME = "https://github.com/zotdrop/zotdrop"
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 45.0  # between two pieces of an answer
LONGEST_WAIT = 60.0  # seconds; what asks for more is given up and belongs in the ledger


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: an e-mail address that the services may write to (may be empty), and our version."""

    contact: str
    version: str

    @property
    def user_agent(self) -> str:
        """`zotdrop/1.0 (home; mailto:contact)`, as Crossref's etiquette asks."""
        return f"zotdrop/{self.version} ({HOME}{f'; mailto:{self.contact}' if self.contact else ''})"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, headers (names in lower case), the whole body, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why one try gave no answer. tries: how many are worth it.  pause: seconds asked for.  shuts: no service, no more asking."""

    why: str
    tries: int
    first_delay: float
    pause: float | None = None
    shuts: bool = False
    slows: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """One question, as often as it is sent."""

    service: str
    method: str
    url: str
    params: Mapping[str, str] | None
    data: Mapping[str, str] | None
    busy: Callable[[bytes], str]

    @property
    def place(self) -> tuple[str, str]:
        """What may be away: the service's host."""
        return self.service, urlsplit(self.url).netloc


_BUSY_TRIES, _BUSY_DELAY = 6, 1.0  # the windows that services count in are a second long
# Statuses that are worth another try: reason, tries, first delay (doubled each time), whether the whole pool slows down.
_STATUSES = {
    408: ("timed out", 3, 1.0, False),
    425: ("was not ready", 3, 1.0, False),
    429: ("asked for fewer requests", _BUSY_TRIES, _BUSY_DELAY, True),
}
_SERVER_FAULT = ("failed on its side", 4, 1.0, False)


class Http:
    """Asks services politely. Safe to share between threads.

    transport: for tests.  wait: sleeps, and raises Interrupted if a stop is asked for.  now: monotonic seconds.
    jitter: 0 to 1.  limits: budgets by (service, pool), before those that sources declare.  today: the wall clock, for
    `Retry-After` dates.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        *,
        identity: Identity,
        wait: Wait,
        now: Clock,
        limits: Mapping[tuple[str, str], Rate] | None = None,
        jitter: Callable[[], float] = random.random,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        for name in ("httpx", "httpcore"):  # they log whole addresses
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx.Client(
            transport=transport,
            headers={"User-Agent": identity.user_agent, "Accept-Encoding": "gzip, deflate"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, write=20.0, pool=None),
            limits=httpx.Limits(max_connections=16, keepalive_expiry=60.0),
            max_redirects=3,
            event_hooks={"response": [_stay]},
        )
        self._wires = Wires()
        self._wait, self._now, self._jitter, self._today = wait, now, jitter, today
        self._lock = threading.Lock()
        self._rates: dict[tuple[str, str], Rate] = {}
        self._fixed = dict(limits or {})
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._shut: dict[tuple[str, str], tuple[float, Outage]] = {}
        self._requests: Counter[str] = Counter()

    def declare(self, service: str, pools: Mapping[str, Rate]) -> None:
        """The published rates of a service's pools; what `limits` says of a pool goes before."""
        with self._lock:
            self._rates |= {(service, pool): rate for pool, rate in pools.items()}

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests went out to each service, repeated ones included."""
        with self._lock:
            return MappingProxyType(dict(self._requests))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def cut(self) -> None:
        """Break every connection off, at once and from any thread: who waits for an answer gets none."""
        self._wires.cut()

    def ask(
        self,
        service: str,
        pool: str,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        busy: Callable[[bytes], str] = lambda _: "",
    ) -> Reply:
        """One answer, in the pace of the pool, whatever its status, except those that mean that the service is away.

        params: the query.  data: a form, sent as body.  busy: why a body with status 200 is a refusal to be tried again
        like a 429 (NCBI sends such), empty if it is none.  Raises Outage (no answer after some tries), Throttled (a pause
        of over a minute is wanted), Barred (403), and Interrupted out of `wait`. Without a connection, and after Throttled
        and Barred, the service's host counts as away: later calls raise at once, for the rest of the pause or of this
        client's life.
        """
        call = _Call(service, method, url, params, data, busy)
        budget, tries = self._budget(service, pool), 0
        while True:
            got = self._once(call, budget)
            if isinstance(got, Reply):
                return got
            tries += 1
            delay = self._delay(got, tries)
            if delay > LONGEST_WAIT or tries >= got.tries:
                raise self._given_up(call, got, delay, tries)
            if got.slows:
                budget.doubt()
            if got.slows or got.pause is not None:
                budget.pause(delay)
            self._wait(delay)

    def _once(self, call: _Call, budget: Budget) -> Reply | _Trouble:
        self._raise_if_shut(call)
        with budget.turn() as sent:
            self._raise_if_shut(call)
            try:
                answer = self._client.request(
                    call.method,
                    call.url,
                    params=call.params,
                    data=call.data,
                    # A form may hold a key: it is never sent on to where a redirect points.
                    follow_redirects=call.method in {"GET", "HEAD"},
                    extensions={"trace": partial(self._traced, sent)},
                )
            except (httpx.RequestError, httpx.InvalidURL) as error:
                self._count(call.service, 0 if isinstance(error, _NO_CONNECTION) else 1)
                return _trouble(error)
            self._count(call.service, 1 + len(answer.history))
            budget.learn(answer.headers)
        return self._judged(call, answer)

    def _traced(self, sent: Callable[[], None], event: str, facts: Mapping[str, Any]) -> None:
        """What httpcore tells of a request: connections that a stop can cut, and the moment at which it has left."""
        self._wires.trace(event, facts)
        if event.endswith(_SENT):
            sent()

    def _judged(self, call: _Call, answer: httpx.Response) -> Reply | _Trouble:
        status, pause = answer.status_code, self._retry_after(answer.headers)
        if status == 403:
            message = f"{call.service} refuses us (403) and is not asked again; is `contact` in the config right?"
            raise self._shut_down(call, Barred(message, service=call.service))
        refused = call.busy(answer.content) if status == 200 else ""
        if refused:
            return _Trouble(refused, _BUSY_TRIES, _BUSY_DELAY, pause, slows=True)
        known = _STATUSES.get(status) or (_SERVER_FAULT if status >= 500 else None)
        if known is None:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(status, MappingProxyType(headers), answer.content)
        why, tries, first, slows = known
        return _Trouble(f"{why} ({status})", tries, first, pause, slows=slows)

    def _delay(self, trouble: _Trouble, tries: int) -> float:
        if trouble.pause is not None:
            return trouble.pause
        doubled = trouble.first_delay * float(2 ** (tries - 1))
        return min(doubled * (0.5 + self._jitter()), LONGEST_WAIT)

    def _given_up(self, call: _Call, trouble: _Trouble, delay: float, tries: int) -> Outage:
        service = call.service
        if delay > LONGEST_WAIT:
            message = f"{service} {trouble.why} and wants a pause of {delay:.0f} s; it will be asked again later"
            return self._shut_down(call, Throttled(message, service=service, seconds=delay), seconds=delay)
        message = f"{service} {trouble.why}, tried {tries} times; it will be asked again later"
        outage = Outage(message, service=service)
        return self._shut_down(call, outage) if trouble.shuts else outage

    def _shut_down(self, call: _Call, outage: Outage, seconds: float = FOREVER) -> Outage:
        with self._lock:
            self._shut[call.place] = (self._now() + seconds, outage)
        return outage

    def _raise_if_shut(self, call: _Call) -> None:
        with self._lock:
            until, outage = self._shut.get(call.place, (-FOREVER, None))
            left = until - self._now()
        if outage is None or left <= 0:
            return
        if isinstance(outage, Throttled):
            raise Throttled(str(outage), service=call.service, seconds=left)
        raise type(outage)(str(outage), service=call.service)

    def _budget(self, service: str, pool: str) -> Budget:
        name = (service, pool)
        with self._lock:
            if name not in self._budgets:
                rate = self._fixed.get(name) or self._rates.get(name) or Rate(1.0)
                self._budgets[name] = Budget(pool, rate, self._wait, self._now)
            return self._budgets[name]

    def _count(self, service: str, number: int) -> None:
        with self._lock:
            self._requests[service] += number

    def _retry_after(self, headers: httpx.Headers) -> float | None:
        """Seconds, from seconds or from an HTTP date (RFC 9110, 10.2.3); the service's own clock counts where it tells it."""
        value = headers.get("retry-after", "").strip()
        if value.replace(".", "", 1).isdecimal():
            return float(value)
        when = _date(value)
        if when is None:
            return None
        return max(0.0, (when - (_date(headers.get("date", "")) or self._today())).total_seconds())


_SENT = "send_request_body.complete"  # how httpcore calls the moment at which a request has left


class _ElsewhereError(httpx.RequestError):
    """A service sends us on to an address that is not in the config. Whoever can answer for it could have us ask anything, inside too."""


def _stay(response: httpx.Response) -> None:
    """Raise where a redirect leads to another host; from http to https of the same one is right."""
    if not response.has_redirect_location:
        return
    asked = response.request.url
    goal = asked.join(response.headers["location"])
    same = (goal.scheme, goal.port) == (asked.scheme, asked.port) or (asked.scheme, goal.scheme) == ("http", "https")
    if goal.host != asked.host or not same:
        raise _ElsewhereError(f"{goal.scheme}://{goal.netloc.decode('ascii', 'replace')}", request=response.request)


_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


def _trouble(error: httpx.RequestError | httpx.InvalidURL) -> _Trouble:
    """A fault of the transport in our words; its own text is told only where it cannot hold an address."""
    if isinstance(error, httpx.ConnectTimeout):
        return _Trouble(f"could not be reached within {CONNECT_SECONDS:.0f} s", 2, 0.2, shuts=True)
    if isinstance(error, httpx.ConnectError):
        secure = isinstance(_root(error), ssl.SSLError)
        why = "has no valid certificate" if secure else "could not be reached"
        return _Trouble(f"{why} ({error})", 2, 0.2, shuts=True)
    if isinstance(error, _NO_CONNECTION):
        return _Trouble("could not be reached (is its address in the config right?)", 1, 0.2, shuts=True)
    if isinstance(error, httpx.TimeoutException):
        return _Trouble(f"did not answer within {ANSWER_SECONDS:.0f} s", 2, 1.0)
    if isinstance(error, _ElsewhereError):
        return _Trouble(
            f"sends us on to {error}, which is not asked (is its address in the config right?)", 1, 1.0, shuts=True
        )
    if isinstance(error, httpx.TooManyRedirects):
        return _Trouble("sends us round in circles", 1, 1.0)
    return _Trouble(f"broke off its answer ({type(error).__name__})", 4, 1.0)


def _root(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
