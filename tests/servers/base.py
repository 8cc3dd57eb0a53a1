"""What every stand-in service shares: a real HTTP/1.1 server on loopback, a log of requests, and a plan of faults.

A stand-in subclasses `StandIn` and answers `handle(request) -> Reply`; whatever a network can do to a request is planned
from outside (`server.fail(...)`, `server.lose(...)`), so that no service carries code for its own failures.
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Self, TypeAlias
from urllib.parse import parse_qsl

NOT_EVEN_A_STATUS = -1  # Reply.keep: the connection closes before the first byte of the answer
LOST = 0  # Request.status where no answer left

Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True)
class Request:
    """One request as it arrived.

    path, query: as sent, percent-encoding untouched.  headers: names in lower case.  at: the server's clock, seconds.
    status: what was answered; LOST (0) while it is being worked on, and where no answer left.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    status: int = LOST

    @cached_property
    def params(self) -> tuple[tuple[str, str], ...]:
        """The query's parameters, decoded, in order, repeats and empty values included."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def form(self) -> tuple[tuple[str, str], ...]:
        """The parameters of a form sent as body; none where the body is something else."""
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return ()
        return tuple(parse_qsl(self.body.decode(), keep_blank_values=True))

    def get(self, name: str, default: str = "") -> str:
        """The first value of a parameter, of the query or else of the form."""
        return next((value for key, value in (*self.params, *self.form) if key == name), default)

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `keep`: body bytes that leave before the connection breaks; None sends it all."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: int | None = None

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        """JSON, in UTF-8, not escaped."""
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def text(
        cls, text: str, status: int = 200, kind: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> Self:
        """Text of any kind: `text/plain`, `text/html`, `text/xml`."""
        return cls(status, text.encode(), {"Content-Type": f"{kind};charset=UTF-8", **(headers or {})})


Handle: TypeAlias = Callable[[Request], Reply]
Twist: TypeAlias = Callable[[Handle, Request], Reply]
When: TypeAlias = Callable[[Request], bool]


def always(_request: Request) -> bool:
    """Every request."""
    return True


@dataclass(slots=True)
class Fault:
    """One line of the plan: what happens, to which requests, how often (`left` None: until healed), after how many spared."""

    twist: Twist
    when: When
    left: int | None
    spare: int
    hits: int = 0

    def claims(self, request: Request) -> bool:
        """Whether this request is the fault's; counts it if so."""
        if self.left == 0 or not self.when(request):
            return False
        if self.spare:
            self.spare -= 1
            return False
        self.hits += 1
        self.left = None if self.left is None else self.left - 1
        return True


def _replace(reply: Reply, _handle: Handle, _request: Request) -> Reply:
    return reply


def _after(reply: Reply, handle: Handle, request: Request) -> Reply:
    handle(request)
    return reply


def _truncated(handle: Handle, request: Request) -> Reply:
    reply = handle(request)
    return replace(reply, keep=len(reply.body) // 2)


def _once(pause: Callable[[], object], handle: Handle, request: Request) -> Reply:
    pause()
    return handle(request)


class Budget:
    """At most `limit` requests in any `interval` seconds and `concurrency` at once (None: as many as come).

    Refused requests cost nothing. Safe to share between threads.
    """

    def __init__(self, limit: int, interval: float = 1.0, concurrency: int | None = None, *, clock: Clock) -> None:
        self._limit, self._interval, self._concurrency, self._clock = limit, interval, concurrency, clock
        self._lock = threading.Lock()
        self._taken: deque[float] = deque()
        self._inside = 0

    def enter(self) -> bool:
        """Whether one more is allowed now; if so, `leave` is owed."""
        now = self._clock()
        with self._lock:
            while self._taken and self._taken[0] <= now - self._interval:
                self._taken.popleft()
            crowded = self._concurrency is not None and self._inside >= self._concurrency
            if crowded or len(self._taken) >= self._limit:
                return False
            self._taken.append(now)
            self._inside += 1
            return True

    def leave(self) -> None:
        """One request is done."""
        with self._lock:
            self._inside -= 1


class StandIn:
    """A service on loopback for the length of a `with` block; a defect of its own fails the block at its end.

    clock: what `Request.at` and rate budgets are measured by, in seconds.
    """

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.peak = 0  # most requests ever worked on at the same time
        self._changed = threading.Condition()
        self._log: list[Request] = []
        self._pending: list[Request] = []
        self._faults: list[Fault] = []
        self._held: list[threading.Event] = []
        self._defects: list[str] = []
        self._http = _Server(self)
        self._thread = threading.Thread(target=partial(self._http.serve_forever, 0.02), daemon=True)

    def handle(self, request: Request) -> Reply:
        """The service's answer. To be overridden; called from several threads at once."""
        raise NotImplementedError

    def admit(self, request: Request) -> Reply | None:  # noqa: ARG002 (for services with limits)
        """A refusal (429) where the service's limits are reached; None lets the request in. To be overridden."""
        return None

    def release(self, request: Request) -> None:
        """An admitted request is done. To be overridden together with `admit`."""

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at its end."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def log(self) -> list[Request]:
        """The finished requests, in the order in which their answers were ready; noted before the answer leaves."""
        with self._changed:
            return list(self._log)

    def forget(self) -> None:
        """Empty the log."""
        with self._changed:
            self._log.clear()

    def await_pending(self, count: int, timeout: float = 30.0) -> list[Request]:
        """The requests being worked on, once there are `count`; TimeoutError if that many never come (s)."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._pending) >= count, timeout):
                raise TimeoutError(f"{len(self._pending)} of {count} requests are here after {timeout} s")
            return list(self._pending)

    def fail(
        self,
        times: int | None = 1,
        *,
        status: int = 503,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = b"",
        when: When = always,
        spare: int = 0,
    ) -> Fault:
        """Answer with this instead; the service does nothing. `times` None: until `heal`. `spare`: let so many by first."""
        content = body.encode() if isinstance(body, str) else body
        return self.twist(partial(_replace, Reply(status, content, headers or {})), times, when, spare)

    def html(self, times: int | None = 1, *, status: int = 200, when: When = always, spare: int = 0) -> Fault:
        """A web page where data was asked for, as proxies and login walls send it."""
        page, kind = "<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>", {"Content-Type": "text/html"}
        return self.fail(times, status=status, headers=kind, body=page, when=when, spare=spare)

    def drop(self, times: int | None = 1, *, when: When = always, spare: int = 0) -> Fault:
        """Close the connection before anything is done."""
        return self.twist(partial(_replace, Reply(keep=NOT_EVEN_A_STATUS)), times, when, spare)

    def lose(self, times: int | None = 1, *, when: When = always, spare: int = 0) -> Fault:
        """Do the work, then close the connection: the answer is lost."""
        return self.twist(partial(_after, Reply(keep=NOT_EVEN_A_STATUS)), times, when, spare)

    def truncate(self, times: int | None = 1, *, when: When = always, spare: int = 0) -> Fault:
        """Do the work, send half of the body under its full Content-Length, and close."""
        return self.twist(_truncated, times, when, spare)

    def hang(self, until: threading.Event, times: int | None = 1, *, when: When = always, spare: int = 0) -> Fault:
        """Hold the request until the event is set (the end of the `with` block sets it), then answer as usual."""
        self._held.append(until)
        return self.delay(until.wait, times, when=when, spare=spare)

    def delay(self, wait: Callable[[], object], times: int | None = 1, *, when: When = always, spare: int = 0) -> Fault:
        """Call `wait` (advance a test's clock, meet a barrier), then answer as usual."""
        return self.twist(partial(_once, wait), times, when, spare)

    def twist(self, twist: Twist, times: int | None = 1, when: When = always, spare: int = 0) -> Fault:
        """Any other fault: `twist(handle, request) -> Reply`. Earlier lines of the plan come first."""
        fault = Fault(twist, when, times, spare)
        with self._changed:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Forget the plan of faults."""
        with self._changed:
            self._faults.clear()

    def work(self, request: Request) -> Reply:
        """Take a request through log, limits and faults. Called by the HTTP side, one thread per connection."""
        with self._changed:
            self._pending.append(request)
            self.peak = max(self.peak, len(self._pending))
            self._changed.notify_all()
        try:
            reply = self._admitted(request)
        except Exception:  # noqa: BLE001 (told at the end of the block)
            self._defects.append(traceback.format_exc())
            reply = Reply.text(self._defects[-1], 500)
        with self._changed:
            self._pending.remove(request)
            self._log.append(replace(request, status=LOST if reply.keep == NOT_EVEN_A_STATUS else reply.status))
            self._changed.notify_all()
        return reply

    def _admitted(self, request: Request) -> Reply:
        refusal = self.admit(request)
        if refusal is not None:
            return refusal
        try:
            with self._changed:
                fault = next((f for f in self._faults if f.claims(request)), None)
            return fault.twist(self.handle, request) if fault else self.handle(request)
        finally:
            self.release(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for event in self._held:
            event.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        if self._defects and kind is None:
            raise AssertionError("the stand-in itself failed:\n" + "\n".join(self._defects))


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing joins them
    request_queue_size = 128

    def __init__(self, owner: StandIn) -> None:
        self.owner = owner
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for its own name, which can take seconds without a network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(2)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no defect; the thread ends either way."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    bodiless: ClassVar[frozenset[int]] = frozenset({204, 304})

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        headers = MappingProxyType({name.lower(): value for name, value in self.headers.items()})
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self._send(self.server.owner.work(Request(self.command, path, query, headers, body, self.server.owner.clock())))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 (names of the stdlib)

    def _send(self, reply: Reply) -> None:
        self.close_connection = self.close_connection or reply.keep is not None
        if reply.keep == NOT_EVEN_A_STATUS:
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in self.bodiless:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and reply.status not in self.bodiless:
            self.wfile.write(reply.body[: reply.keep])

    def log_message(self, *_parts: Any) -> None:
        """The log of requests is `StandIn.log`."""
