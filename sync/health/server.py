"""`/healthz` and `/metrics` over HTTP: for reading alone, on this machine unless the config says otherwise.

A page in somebody's browser must not read it by way of a name that it points at this machine (DNS rebinding): a request has to
name this machine by its address, as localhost, or by a name of the config.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from sync import wiring
from sync.config import Config
from sync.errors import ConfigFault, StateFault
from sync.health.metrics import CONTENT_TYPE, of_ledger, of_service, render
from sync.health.verdict import health
from sync.state.figures import Figures, read_figures

PATIENCE = 5.0  # seconds that a client may take for a request
AT_ONCE = 8  # requests answered at a time; more are sent away
SECURITY = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}

Answer = tuple[int, str, str]  # status, content type, text


@contextmanager
def served(config: Config, pulse: Callable[[], dict[str, Any]]) -> Iterator[tuple[str, int] | None]:
    """Answer while this lasts; the address, None where it is off. Raises ConfigFault where nobody can listen there."""
    if not config.health.listen:
        yield None
        return
    host, _, port = config.health.listen.rpartition(":")
    host = host.strip("[]")
    pages = {"/healthz": partial(_healthz, config, pulse), "/metrics": partial(_metrics, config, pulse)}
    try:
        server = _Server(
            (host, int(port)), pages, frozenset({host.lower(), "localhost", *map(str.lower, config.health.hosts)})
        )
    except OSError as fault:
        raise ConfigFault(
            f"[health] listen: nobody can listen at {config.health.listen} ({fault.strerror}); name another"
        ) from None
    thread = threading.Thread(target=partial(server.serve_forever, 0.1), name="health", daemon=True)
    thread.start()
    try:
        yield (host, server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def _healthz(config: Config, pulse: Callable[[], dict[str, Any]]) -> Answer:
    polls = {name: own.poll_seconds for name, own in config.inbox.items() if not own.schedule}
    told = health(
        pulse(),
        _figures(config),
        free_mb=wiring.free_mb(config),
        least_mb=config.state.min_free_mb,
        polls=polls,
        now=wiring.utc_now(),
    )
    status = HTTPStatus.OK if told["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", json.dumps(told) + "\n"


def _metrics(config: Config, pulse: Callable[[], dict[str, Any]]) -> Answer:
    state, found, now = pulse(), _figures(config), wiring.utc_now()
    families = of_service(state, wiring.free_mb(config) * 1_000_000, now)
    if found:
        since = min((own["oldest"]["since"] for own in state["inboxes"].values() if own["oldest"]), default="")
        families += of_ledger(found, since, now)
    return HTTPStatus.OK, CONTENT_TYPE, render(families)


def _figures(config: Config) -> Figures | None:
    try:
        found = read_figures(Path(config.state.path))
    except StateFault:
        return None
    return replace(found, stopped={name: at for name, at in found.stopped.items() if name in config.library})


class _Server(HTTPServer):
    """One thread a request, so many at most. hosts: names under which it may be asked."""

    address_family = socket.AF_INET

    def __init__(
        self, address: tuple[str, int], pages: Mapping[str, Callable[[], Answer]], hosts: frozenset[str]
    ) -> None:
        self.pages, self.hosts = pages, hosts
        self._places = threading.BoundedSemaphore(AT_ONCE)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without asking the resolver for our own name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, if there is room for one more."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        threading.Thread(target=self._answer, args=(request, client_address), name="health", daemon=True).start()

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client went away, or was too slow
        finally:
            self.shutdown_request(request)
            self._places.release()

    def is_known(self, host: str) -> bool:
        """Whether a request may name this host: an address cannot be pointed elsewhere, a name can."""
        name = _without_port(host).lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self.hosts
        return True


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    server_version, sys_version = "zotdrop", ""

    def do_GET(self) -> None:
        """One page."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not self.server.is_known(hosts[0]):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", "this name is none of this machine's; see [health] hosts\n")
            return
        page = self.server.pages.get(self.path.partition("?")[0])
        self._send(*(page() if page else (HTTPStatus.NOT_FOUND, "text/plain", "there is /healthz and /metrics\n")))

    do_HEAD = do_GET  # noqa: N815  # names of the standard library

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """A refusal without a word of what was asked."""
        known = code != HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus(code) if known else HTTPStatus.METHOD_NOT_ALLOWED
        self._send(status, "text/plain", f"{status.phrase}\n", {} if known else {"Allow": "GET, HEAD"})

    def _send(self, status: int, kind: str, text: str, more: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **SECURITY, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Who asks how things stand is no news."""


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
