"""zotdrop asks the services that its config names, and nobody else: not what a drop names, not where a service sends it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sync.errors import Outage
from sync.http import Http, Identity
from sync.libraries.zotero import Zotero
from tests.scene import Scene, scene
from tests.security.spy import Spy
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import API_KEY, USER

WORKS = make_works(3, seed=45)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


@pytest.mark.parametrize("attachments", ["links", "files"])
def test_no_address_in_a_drop_is_ever_asked(stage: Scene, attachments: str) -> None:
    """As links they go into the library; whether one is right is for people to see."""
    with Spy() as spy:
        stage.write_config(inbox_attachments=attachments)
        named = [f"{tag}  - {spy.url}/{tag}" for tag in ("UR", "L1", "L2", "L3", "L4", "LK", "N1", "M1", "DO", "AN")]
        text = to_ris(WORKS[:1], newline="\n").replace("ER  - ", "\n".join([*named, "ER  - "]))
        (stage.inbox / "a.ris").write_text(text)
        stage.run("run", "--once")
        assert stage.items()
        assert spy.log == []


def sent_on(server: Any, spy: Spy, status: int) -> None:
    server.fail(None, status=status, headers={"Location": f"{spy.url.replace('127.0.0.1', 'localhost')}/inside"})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_source_that_sends_us_on_to_another_host_is_away(stage: Scene, status: int) -> None:
    with Spy() as spy:
        for source in (stage.crossref, stage.ncbi):
            sent_on(source, spy, status)
        report = stage.sync(str(stage.drop("a.ris", to_ris(WORKS))))
        assert spy.log == []
    assert report["drops"][0]["outcomes"]["created"] == len(WORKS)
    assert set(report["away"]) == {"crossref", "pubmed"}
    assert "sends us on to http://localhost" in report["away"]["crossref"]


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize("when", ["reads", "writes"])
def test_a_library_that_sends_us_on_gets_neither_key_nor_items_there(stage: Scene, status: int, when: str) -> None:
    with Spy() as spy:
        stage.write_config("user", use=[])
        goal = {"Location": f"{spy.url}/users/{USER}/items"}
        stage.zotero.fail(
            None, status=status, headers=goal, when=lambda request: (request.method == "GET") == (when == "reads")
        )
        done = stage.run("sync", str(stage.drop("a.ris", to_ris(WORKS))), code=4)
        assert spy.log == []
    assert b"sends us on to http://127.0.0.1, where nothing is sent" in done.stdout
    assert API_KEY.encode() not in done.stdout + done.stderr


# ---- certificates -------------------------------------------------------------------------------------------------


@dataclass
class Forged:
    """A server whose certificate nobody vouches for, and what reached it."""

    url: str
    reached: list[str]


@contextmanager
def forged(folder: Path) -> Iterator[Forged]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to make a certificate with")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([openssl, *words, *names, *made], check=True, capture_output=True)
    reached: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Forged(f"https://127.0.0.1:{server.server_address[1]}", reached)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SWITCHES = ("PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "CURL_INSECURE", "NODE_TLS_REJECT_UNAUTHORIZED", "HTTPX_VERIFY")


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_switches_that_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SWITCHES:
        monkeypatch.setenv(name, "0")
    with forged(tmp_path) as server:
        http = Http(identity=Identity("a@example.org", "1"), wait=lambda _: None, now=lambda: 0.0)
        with pytest.raises(Outage, match="no valid certificate"):
            http.ask("crossref", "list", "GET", server.url)
        http.close()
        zotero = Zotero(library_type="user", library_id=1, api_key=API_KEY, url=server.url, wait=lambda _: None)
        with closing(zotero), pytest.raises(Outage, match=r"cannot be reached.*CERTIFICATE_VERIFY_FAILED"):
            zotero.check()
        assert server.reached == []


def test_no_option_says_anything_of_certificates() -> None:
    """And no code: what is verified is what httpx verifies by itself."""
    root = Path(__file__).resolve().parents[2]
    texts = [path.read_text() for path in (root / "sync").rglob("*.py")] + [
        (root / "config" / "zotdrop.example.toml").read_text()
    ]
    for word in ("verify=", "CERT_NONE", "check_hostname", "_create_unverified_context", "insecure"):
        assert not any(word in text for text in texts), word


def test_a_key_is_not_sent_in_the_clear(stage: Scene) -> None:
    stage.write_config("user", use=[], zotero_url="http://zotero.example.org")
    done = stage.run("sync", str(stage.drop("a.ris", to_ris(WORKS))), code=3)
    assert b"[library.main] url: http://zotero.example.org begins with http://" in done.stderr
