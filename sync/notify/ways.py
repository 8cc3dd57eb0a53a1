"""The ways that a notice can go: a webhook, ntfy, a command (mail has a file of its own). Each raises Outage where it does not arrive.

No fault and no log line tells an address in full: whoever knows a webhook's may post there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sync import __version__, secrets
from sync.errors import Outage
from sync.notify.message import Message

PATIENCE = 10.0  # seconds that an answer may take
MOST_BYTES = 3_900  # of a text for ntfy, which makes an attachment of more
_URGENT = frozenset({"failed", "stopped", "disk"})


class Way(Protocol):
    """A way that a notice can go."""

    def send(self, message: Message) -> None:
        """Have it arrive. Raises Outage, CredentialFault."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST of JSON; signed where there is a secret."""

    url: Callable[[], str]
    secret: Callable[[], str] | None = None

    def send(self, message: Message) -> None:
        """Have it arrive. Raises Outage, CredentialFault."""
        body = json.dumps(message.data).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Zotdrop-Event": message.kind,
            "X-Zotdrop-Notice": message.id,
        }
        if self.secret:
            signed = hmac.new(self.secret().encode(), body, hashlib.sha256).hexdigest()
            headers["X-Zotdrop-Signature"] = f"sha256={signed}"
        post("webhook", self.url(), body, headers)


@dataclass(frozen=True, slots=True)
class Ntfy:
    """A topic of ntfy."""

    url: Callable[[], str]
    token: Callable[[], str] | None = None

    def send(self, message: Message) -> None:
        """Have it arrive. Raises Outage, CredentialFault."""
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Title": message.subject,
            "Priority": "high" if message.kind in _URGENT else "default",
        }
        if self.token:
            headers["Authorization"] = f"Bearer {self.token()}"
        body = message.text.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").encode()
        post("ntfy", self.url(), body, headers)


@dataclass(frozen=True, slots=True)
class Command:
    """A program that gets the notice as JSON on its standard input. It is started without a shell, and without our keys."""

    argv: Sequence[str]
    seconds: float = 30.0

    def send(self, message: Message) -> None:
        """Have it arrive. Raises Outage."""
        try:
            program = subprocess.Popen(  # noqa: S603  # the owner's own config names the program
                list(self.argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=without_keys(os.environ),
                start_new_session=True,
            )
        except OSError as fault:
            raise Outage(f"{self.argv[0]}: cannot be started ({fault.strerror})", service="command") from None
        try:
            program.communicate(json.dumps(message.data).encode(), timeout=self.seconds)
        except subprocess.TimeoutExpired:
            _end(program)
            raise Outage(f"{self.argv[0]}: did not end within {self.seconds:g} s", service="command") from None
        if program.returncode:
            raise Outage(f"{self.argv[0]}: ended with {program.returncode}", service="command")


def post(service: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post to an address, once, and nowhere else: a redirect is a refusal. Raises Outage, which names the host alone."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Outage(f"{service}: its address in the config is none that begins with https://", service=service)
    host = parts.hostname
    request = Request(url, data=body, headers={**headers, "User-Agent": f"zotdrop/{__version__}"}, method="POST")  # noqa: S310  # looked at above
    try:
        with build_opener(_NoRedirects).open(request, timeout=PATIENCE):
            return
    except HTTPError as answer:
        answer.close()
        raise Outage(f"{host} refused the notice ({answer.code})", service=service) from None
    except (URLError, HTTPException, OSError, ValueError) as fault:
        raise Outage(f"{host} could not be told ({_why(fault)})", service=service) from None


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, without what holds a key."""
    known = secrets.known()
    return {
        name: value for name, value in environ.items() if value.strip() not in known and name != "CREDENTIALS_DIRECTORY"
    }


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_what: object) -> None:  # it is not followed
        return None


def _why(fault: Exception) -> str:
    reason = getattr(fault, "reason", fault)
    if isinstance(reason, TimeoutError):
        return f"no answer within {PATIENCE:.0f} s"
    return getattr(reason, "strerror", None) or type(reason).__name__


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    with suppress(OSError, AttributeError):
        os.killpg(program.pid, signal.SIGKILL)
    program.kill()
    program.communicate()
