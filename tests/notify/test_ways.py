"""Each way that a notice can go, against real servers on loopback and real programs."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import smtplib
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from threading import Event

import pytest

from sync.errors import Outage
from sync.notify import mail, ways
from sync.notify.mail import Mail
from sync.notify.message import Message, message
from sync.notify.ways import Command, Ntfy, Way, Webhook
from sync.secrets import Secret, resolve
from sync.state.notices import Notice
from tests.servers.base import Reply, Request, StandIn
from tests.servers.smtp import SmtpServer, certificate

AT = "2026-11-27T08:00:00Z"
SECRET = "m4rkThatNobodyMaySee"
NOBODY = 9  # nobody listens on the discard port


class Listener(StandIn):
    """A service that takes whatever is posted to it."""

    def handle(self, request: Request) -> Reply:
        return Reply.json({}, 200 if request.method == "POST" else 405)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as made:
        yield made


def notice(number: int, text: str = "search.ris: 1 record unreadable") -> Notice:
    return Notice(number, "held", AT, text, {"drop": "search.ris"})


def told(*notices: Notice) -> Message:
    return message("held", notices or [notice(1)], AT)


def test_a_webhook_gets_json_with_every_event_and_a_signature(listener: Listener) -> None:
    Webhook(lambda: f"{listener.url}/hook?a=1", lambda: SECRET).send(told(notice(1), notice(2)))
    (request,) = listener.log
    assert (request.method, request.path, request.query) == ("POST", "/hook", "a=1")
    signed = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-zotdrop-signature"] == f"sha256={signed}"
    data = request.json()
    assert (data["schema"], data["kind"], data["count"], len(data["events"])) == (1, "held", 2, 2)
    assert data["events"][0] == {"at": AT, "text": "search.ris: 1 record unreadable", "drop": "search.ris"}
    assert request.headers["x-zotdrop-notice"] == data["id"]
    assert SECRET not in str(request.headers) + request.body.decode()


def test_without_a_secret_nothing_is_signed(listener: Listener) -> None:
    Webhook(lambda: listener.url).send(told())
    assert "x-zotdrop-signature" not in listener.log[0].headers


def test_ntfy_gets_text_a_title_and_the_token(listener: Listener) -> None:
    Ntfy(lambda: f"{listener.url}/topic", lambda: SECRET).send(told(notice(1, "süß.ris: gone")))
    (request,) = listener.log
    assert request.body.decode() == "süß.ris: gone"
    assert request.headers["title"] == "zotdrop: drops at which a person must look"
    assert request.headers["authorization"] == f"Bearer {SECRET}"


def test_ntfy_gets_no_more_than_it_takes(listener: Listener) -> None:
    Ntfy(lambda: listener.url).send(told(*(notice(number, "ü" * 500) for number in range(30))))
    body = listener.log[0].body
    assert len(body) <= ways.MOST_BYTES
    assert body.decode().startswith("ü")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(listener: Listener, status: int) -> None:
    with Listener() as other:
        listener.fail(None, status=status, headers={"Location": f"{other.url}/elsewhere"})
        with pytest.raises(Outage, match=str(status)):
            Webhook(lambda: listener.url, lambda: SECRET).send(told())
        assert other.log == []


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_what_is_refused_has_not_arrived(listener: Listener, status: int) -> None:
    listener.fail(status=status, body=SECRET)
    with pytest.raises(Outage, match=rf"127.0.0.1 refused the notice \({status}\)"):
        Webhook(lambda: f"{listener.url}/{SECRET}").send(told())


def test_a_connection_that_breaks_is_an_outage_that_names_the_host_alone(listener: Listener) -> None:
    listener.drop()
    for url in (f"{listener.url}/{SECRET}?x={SECRET}", f"http://127.0.0.1:{NOBODY}/{SECRET}"):
        with pytest.raises(Outage, match=r"127\.0\.0\.1 could not be told") as caught:
            Webhook(lambda url=url: url).send(told())  # type: ignore[misc]  # bound here
        assert SECRET not in str(caught.value)


def test_a_service_that_is_too_slow_is_given_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "PATIENCE", 0.2)
    never = Event()
    listener.hang(never)
    with pytest.raises(Outage, match="no answer within"):
        Webhook(lambda: listener.url).send(told())
    never.set()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense"])
def test_an_address_of_another_kind_is_not_opened(url: str) -> None:
    with pytest.raises(Outage, match="its address in the config"):
        Webhook(lambda: url).send(told())


def test_many_events_are_one_message_of_some_lines() -> None:
    made = told(*(notice(number, f"{number}.ris") for number in range(300)))
    assert made.subject == "zotdrop: drops at which a person must look (300)"
    assert made.text.splitlines()[-1] == "... and 280 more: zotdrop status"
    assert (made.data["count"], len(made.data["events"])) == (300, 200)
    assert made.id != told(notice(1)).id == told(notice(1)).id


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    return certificate(tmp_path_factory.mktemp("pem"))


def letter_by(server: SmtpServer, security: str, *, password: str = SECRET) -> Mail:
    to = ["b@example.org", "c@example.org"]
    return Mail("localhost", server.port, security, "a@example.org", to, "me", lambda: password)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_encrypted_and_logged_in(pem: Path, security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with SmtpServer(users={"me": SECRET}, pem=pem, tls=security == "tls") as server:
        letter_by(server, security).send(told(notice(1, "süß.ris: gone")))
        (letter,) = server.letters
    assert (letter.user, letter.encrypted, letter.sender) == ("me", True, "a@example.org")
    assert letter.to == ("b@example.org", "c@example.org")
    read = message_from_bytes(letter.data, policy=policy.default)
    assert read["Subject"] == "zotdrop: drops at which a person must look"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Message-ID"].startswith("<zotdrop.")
    assert read.get_content().strip() == "süß.ris: gone"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_trusts_gets_neither_password_nor_letter(pem: Path, security: str) -> None:
    with SmtpServer(users={"me": SECRET}, pem=pem, tls=security == "tls") as server:
        with pytest.raises(Outage, match="localhost did not take the letter"):
            letter_by(server, security).send(told())
        assert "AUTH" not in server.commands
        assert server.letters == []


def test_a_server_that_offers_no_encryption_gets_neither_password_nor_letter() -> None:
    with SmtpServer(users={"me": SECRET}) as server:
        with pytest.raises(Outage):
            letter_by(server, "starttls").send(told())
        assert "AUTH" not in server.commands


def test_a_wrong_password_is_told_and_not_shown(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with SmtpServer(users={"me": "right"}, pem=pem) as server:
        server.refuse["NOOP"] = "250 ok"
        with pytest.raises(Outage, match=r"localhost does not let me in \(535\)") as caught:
            letter_by(server, "starttls").send(told())
    assert SECRET not in str(caught.value)


def test_a_letter_that_nobody_takes_is_an_outage() -> None:
    with SmtpServer() as server:
        server.refuse["RCPT"] = f"550 {SECRET}"
        with pytest.raises(Outage, match="it knows none of the recipients"):
            Mail("localhost", server.port, "none", "a@example.org", ["b@example.org"]).send(told())
        server.refuse = {"DATA": f"451 {SECRET}"}
        with pytest.raises(Outage, match="it said 451"):
            Mail("localhost", server.port, "none", "a@example.org", ["b@example.org"]).send(told())
    with pytest.raises(Outage):
        Mail("localhost", NOBODY, "none", "a@example.org", ["b@example.org"]).send(told())


def test_a_mail_server_that_says_nothing_is_given_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    port = int(listener.url.rsplit(":", 1)[1])  # it waits for a request, as the client waits for a greeting
    with pytest.raises(Outage):
        Mail("127.0.0.1", port, "none", "a@example.org", ["b@example.org"]).send(told())
    assert smtplib.SMTP_PORT == 25


def script(folder: Path, text: str) -> list[str]:
    path = folder / "tell.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_a_program_gets_json_on_its_input_no_shell_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", SECRET)
    monkeypatch.setenv("OTHER", "seen")
    resolve(Secret("env", "SOME_KEY"))
    out = tmp_path / "out.json"
    text = (
        "import json, os, sys\nopen(sys.argv[1], 'w').write(json.dumps([sys.stdin.read(), sys.argv, dict(os.environ)]))"
    )
    Command([*script(tmp_path, text), str(out), "$(touch x); *"]).send(told())
    given, argv, environment = json.loads(out.read_text())
    assert json.loads(given) == told().data
    assert argv[2] == "$(touch x); *"
    assert environment["OTHER"] == "seen"
    assert SECRET not in str(environment)


def test_a_program_that_fails_is_missing_or_does_not_end_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(Outage, match="ended with 3"):
        Command(script(tmp_path, "raise SystemExit(3)")).send(told())
    with pytest.raises(Outage, match="cannot be started"):
        Command([str(tmp_path / "missing")]).send(told())
    endless = "import subprocess, sys, threading\nsubprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()'])\nthreading.Event().wait()"
    with pytest.raises(Outage, match="did not end within"):
        Command(script(tmp_path, endless), seconds=0.5).send(told())


def test_every_way_is_one(listener: Listener) -> None:
    found: list[Way] = [Webhook(lambda: listener.url), Ntfy(lambda: listener.url), Command(["true"])]
    for way in found:
        way.send(told())
    assert len(listener.log) == 2
