"""The mail server of the tests, held against the client of the standard library."""

from __future__ import annotations

import shutil
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.smtp import SmtpServer, certificate

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
TEXT = "Subject: x\r\n\r\nline\r\n.dot\r\n"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def plain() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def trusting(pem: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pem))


def test_a_letter_arrives_as_it_was_sent(plain: SmtpServer) -> None:
    with smtplib.SMTP("127.0.0.1", plain.port) as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], TEXT)
        client.sendmail("a@example.org", ["d@example.org"], TEXT)
    first, second = plain.letters
    assert (first.sender, first.to, second.to) == (
        "a@example.org",
        ("b@example.org", "c@example.org"),
        ("d@example.org",),
    )
    assert first.data.decode() == TEXT
    assert (first.message["Subject"], first.encrypted, first.user) == ("x", False, "")


def test_what_comes_in_the_wrong_order_is_refused(plain: SmtpServer) -> None:
    with smtplib.SMTP("127.0.0.1", plain.port) as client:
        assert client.docmd("MAIL", "FROM:<a@example.org>")[0] == 503
        client.ehlo()
        assert client.docmd("RCPT", "TO:<a@example.org>")[0] == 503
        assert client.docmd("DATA")[0] == 503
        assert client.docmd("STARTTLS")[0] == 503
        assert client.docmd("NONSENSE")[0] == 500
    assert plain.letters == []


def test_an_answer_can_be_planned(plain: SmtpServer) -> None:
    plain.refuse["RCPT"] = "550 nobody of that name"
    with smtplib.SMTP("127.0.0.1", plain.port) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("a@example.org", ["b@example.org"], TEXT)


@needs_openssl
@pytest.mark.parametrize("how", ["PLAIN", "LOGIN"])
def test_who_has_to_log_in_does_so_after_starttls_only(pem: Path, how: str) -> None:
    with SmtpServer(users={"me": "p w"}, pem=pem) as server, smtplib.SMTP("localhost", server.port) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AG1lAHAgdw==")[0] == 530
        client.starttls(context=trusting(pem))
        client.ehlo()
        assert client.docmd("MAIL", "FROM:<a@example.org>")[0] == 530
        client.esmtp_features["auth"] = f" {how}"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("me", "wrong")
        client.login("me", "p w")
        client.sendmail("a@example.org", ["b@example.org"], TEXT)
        assert [(letter.user, letter.encrypted) for letter in server.letters] == [("me", True)]


@needs_openssl
def test_a_connection_can_be_encrypted_from_its_first_byte(pem: Path) -> None:
    with SmtpServer(pem=pem, tls=True) as server:
        with smtplib.SMTP_SSL("localhost", server.port, context=trusting(pem)) as client:
            client.sendmail("a@example.org", ["b@example.org"], TEXT)
        with pytest.raises(ssl.SSLCertVerificationError):
            smtplib.SMTP_SSL("localhost", server.port, context=ssl.create_default_context())
    assert [letter.encrypted for letter in server.letters] == [True]
