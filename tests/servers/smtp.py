"""A mail server on loopback: enough of RFC 5321, STARTTLS (RFC 3207) and AUTH (RFC 4954) to be strict with a client."""

from __future__ import annotations

import base64
import binascii
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Letter:
    """A letter as it was taken: its envelope, its bytes, who was logged in, and whether the connection was encrypted."""

    sender: str
    to: tuple[str, ...]
    data: bytes
    user: str
    encrypted: bool

    @property
    def message(self) -> Message:
        return message_from_bytes(self.data)


def certificate(folder: Path) -> Path:
    """A key and a certificate for this machine in one file, made anew; it is its own authority."""
    path = folder / "smtp.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [part for name in ("-keyout", "-out") for part in (name, str(folder / f"smtp{name}.pem"))]
    subprocess.run([*words, *names, *made], check=True, capture_output=True)
    path.write_text("".join((folder / f"smtp{name}.pem").read_text() for name in ("-keyout", "-out")))
    return path


class SmtpServer:
    """A mail server for the length of a `with` block.

    users: who may log in, with their passwords; with any, nobody else may send.  pem: a file with key and certificate; with
    it STARTTLS is offered, and demanded before AUTH.  tls: the connection is encrypted from its first byte.
    """

    def __init__(self, *, users: dict[str, str] | None = None, pem: Path | None = None, tls: bool = False) -> None:
        self.users, self.tls = users or {}, tls
        self.context: ssl.SSLContext | None = None
        if pem:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pem)
        self.letters: list[Letter] = []
        self.commands: list[str] = []
        self.refuse: dict[str, str] = {}  # verb: the answer instead, as long as it stands here
        self._server = _Server(("127.0.0.1", 0), partial(_Session, self))
        self._thread = threading.Thread(target=partial(self._server.serve_forever, 0.02), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or trusts no certificate, is no defect."""


class _Session(socketserver.StreamRequestHandler):
    """One connection. What comes in the wrong order is refused with 503."""

    def __init__(self, owner: SmtpServer, *parts: Any) -> None:
        self.owner = owner
        self.user, self.encrypted, self.greeted = "", False, False
        self.sender: str | None = None
        self.to: list[str] = []
        super().__init__(*parts)

    def handle(self) -> None:
        if self.owner.tls:
            self._encrypt()
        self._say("220 stand-in ESMTP")
        while line := self._line():
            verb, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            verb = verb.upper()
            self.owner.commands.append(verb)
            if verb in self.owner.refuse:
                self._say(self.owner.refuse[verb])
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                _VERBS.get(verb, _Session._unknown)(self, rest)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _line(self) -> bytes:
        with suppress(OSError, ValueError):
            return self.rfile.readline(10_000)
        return b""

    def _say(self, *lines: str) -> None:
        for number, line in enumerate(lines):
            text = line if number == len(lines) - 1 else f"{line[:3]}-{line[4:]}"
            self.wfile.write(f"{text}\r\n".encode())

    def _encrypt(self) -> None:
        assert self.owner.context
        self.request = self.connection = self.owner.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.encrypted = True

    def _unknown(self, _rest: str) -> None:
        self._say("500 what?")

    def _ehlo(self, _rest: str) -> None:
        self.greeted, self.sender, self.to = True, None, []
        offers = ["250 stand-in"]
        if self.owner.context and not self.encrypted:
            offers.append("250 STARTTLS")
        elif self.owner.users:
            offers.append("250 AUTH PLAIN LOGIN")
        self._say(*offers, "250 8BITMIME")

    def _starttls(self, _rest: str) -> None:
        if not self.owner.context or self.encrypted:
            return self._say("503 not now")
        self._say("220 go on")
        self._encrypt()
        self.greeted, self.user = False, ""
        return None

    def _auth(self, rest: str) -> None:
        if not self.greeted or (self.owner.context and not self.encrypted):
            return self._say("530 encrypt first")
        how, _, first = rest.partition(" ")
        try:
            user, password = self._plain(first) if how.upper() == "PLAIN" else self._login(first)
        except (binascii.Error, ValueError):
            return self._say("501 cannot be read")
        if self.owner.users.get(user) != password:
            return self._say("535 5.7.8 wrong")
        self.user = user
        return self._say("235 welcome")

    def _plain(self, first: str) -> tuple[str, str]:
        _, user, password = self._decoded(first, "").split("\0")
        return user, password

    def _login(self, first: str) -> tuple[str, str]:
        return self._decoded(first, "Username:"), self._decoded("", "Password:")

    def _decoded(self, given: str, prompt: str) -> str:
        if not given:
            self._say(f"334 {base64.b64encode(prompt.encode()).decode()}")
            given = self._line().decode().strip()
        return base64.b64decode(given, validate=True).decode()

    def _mail(self, rest: str) -> None:
        if not self.greeted or self.sender is not None:
            return self._say("503 not now")
        if self.owner.users and not self.user:
            return self._say("530 5.7.0 log in first")
        self.sender = _path(rest, "FROM:")
        return self._say("250 ok")

    def _rcpt(self, rest: str) -> None:
        if self.sender is None:
            return self._say("503 not now")
        self.to.append(_path(rest, "TO:"))
        return self._say("250 ok")

    def _data(self, _rest: str) -> None:
        if self.sender is None or not self.to:
            return self._say("503 not now")
        self._say("354 go on, a dot ends it")
        lines = []
        while (line := self._line()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        letter = Letter(self.sender, tuple(self.to), b"".join(lines), self.user, self.encrypted)
        self.owner.letters.append(letter)
        self.sender, self.to = None, []
        return self._say("250 taken")

    def _reset(self, _rest: str) -> None:
        self.sender, self.to = None, []
        self._say("250 ok")


def _path(rest: str, word: str) -> str:
    return rest[len(word) :].split(maxsplit=1)[0].strip("<>") if rest.upper().startswith(word) else ""


_VERBS: dict[str, Callable[[_Session, str], None]] = {
    "EHLO": _Session._ehlo,
    "HELO": _Session._ehlo,
    "STARTTLS": _Session._starttls,
    "AUTH": _Session._auth,
    "MAIL": _Session._mail,
    "RCPT": _Session._rcpt,
    "DATA": _Session._data,
    "RSET": _Session._reset,
    "NOOP": _Session._reset,
}
