"""No key reaches any output: a marker stands in every place that holds one, and everything that is written is searched for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.config import keys_of, load
from sync.logs import _forms
from tests.notify.test_ways import Listener
from tests.scene import NOWHERE, SAMPLE, Scene, scene
from tests.servers.smtp import SmtpServer, certificate
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import API_KEY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # many commands, each a process of its own

WORKS = make_works(6, seed=5)
MARK = "m4rk/{}+NobodyMaySee=3"
HOOK, SIGN, TOPIC, TOKEN, PASSWORD, NCBI, WRONG = (
    MARK.format(name) for name in ("hook", "sign", "topic", "token", "mail", "ncbi", "wrong")
)
MARKS = (API_KEY, HOOK, SIGN, TOPIC, TOKEN, PASSWORD, NCBI, WRONG)


class Stage:
    """A scene whose config holds a marker in every place for a key, and all that its commands have said."""

    def __init__(self, made: Scene, listener: Listener, mail: SmtpServer, pem: Path) -> None:
        self.made, self.listener, self.mail, self.pem = made, listener, mail, pem
        self.said: dict[str, bytes] = {}
        self.given: set[Path] = {pem, pem.with_name("smtp-keyout.pem"), pem.with_name("smtp-out.pem")}

    def write(self, *, plain: bool, **changes: str) -> None:
        """plain: the keys stand in the config itself, else in files, the environment and what a command prints."""
        self.made.write_config("user", **changes)
        text = self.made.config.read_text()
        mail_file, token_file = self.made.folder / "mail.key", self.made.folder / "token.key"
        mail_file.write_text(f"{PASSWORD}\n")
        token_file.write_text(TOKEN)
        ways = [
            "[notify]",
            'every = "0s"',
            "after = 1",
            "[notify.webhook]",
            f"url = {_key(plain, f'{self.listener.url}/{HOOK}', env='HOOK')}",
            f"secret = {_key(plain, SIGN, env='SIGN')}",
            "[notify.ntfy]",
            f"url = {_key(plain, f'{self.listener.url}/{TOPIC}', env='TOPIC')}",
            f"token = {json.dumps(TOKEN)}" if plain else 'token = { file = "token.key" }',
            "[notify.mail]",
            'host = "localhost"',
            f"port = {self.mail.port}",
            'user = "me"',
            f"password = {json.dumps(PASSWORD)}"
            if plain
            else f"password = {{ command = {json.dumps(['cat', str(mail_file)])} }}",
            'sender = "a@example.org"',
            'to = ["b@example.org"]',
        ]
        ncbi = f"[sources.pubmed]\napi_key = {_key(plain, NCBI, env='NCBI')}"
        library = _key(plain, self.library_key, env="ZOTERO_API_KEY")
        text = text.replace('{ env = "ZOTERO_API_KEY" }', library).replace("[sources.pubmed]", ncbi)
        self.made.config.write_text(text + "\n".join(ways) + "\n")
        self.given |= {self.made.config, mail_file, token_file}

    library_key = API_KEY

    def run(self, *words: str, **environment: str) -> None:
        keys = {
            "HOOK": f"{self.listener.url}/{HOOK}",
            "SIGN": SIGN,
            "TOPIC": f"{self.listener.url}/{TOPIC}",
            "NCBI": NCBI,
            "ZOTERO_API_KEY": self.library_key,
            "SSL_CERT_FILE": str(self.pem),
            **environment,
        }
        done = self.made.run(*words, code=None, **keys)  # type: ignore[arg-type]  # all are variables
        assert b"Traceback" not in done.stderr
        self.said[f"{len(self.said)}: {' '.join(words)}"] = done.stdout + done.stderr

    def searched(self) -> int:
        """Search everything that was said and written; how many bytes that was."""
        written = {str(path): path.read_bytes() for path in self._files()}
        for place, data in {**self.said, **written}.items():
            for mark in MARKS:
                for form in _forms(mark):
                    assert form.encode() not in data, f"{form} stands in {place}"
        return sum(map(len, {**self.said, **written}.values()))

    def _files(self) -> Iterator[Path]:
        return (path for path in self.made.folder.rglob("*") if path.is_file() and path not in self.given)


def _key(plain: bool, key: str, *, env: str) -> str:
    return json.dumps(key) if plain else f'{{ env = "{env}" }}'


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the mail server's certificate")
    folder = tmp_path / "scene"
    folder.mkdir()
    pem = certificate(tmp_path)
    with (
        scene(folder, WORKS) as made,
        Listener() as listener,
        SmtpServer(users={"me": PASSWORD}, pem=pem) as mail,
    ):
        yield Stage(made, listener, mail, pem)


def bad_drop(stage: Stage, name: str) -> None:
    (stage.made.inbox / name).write_bytes(b"%PDF-1.7 " + name.encode())


@pytest.mark.parametrize("plain", [True, False], ids=["in the config", "elsewhere"])
def test_no_key_is_written_by_any_command_while_all_services_answer(stage: Stage, plain: bool) -> None:
    stage.write(plain=plain)
    (stage.made.inbox / "a.ris").write_text(to_ris(WORKS[:3]))
    bad_drop(stage, "b.ris")
    stage.run("check", "-v")
    stage.run("check", "--notify")
    stage.run("run", "--once", "-v", ZOTDROP__LOG__FORMAT="json", ZOTDROP__LOG__LEVEL="debug")
    stage.run("sync", "-v", str(SAMPLE))
    (key,) = {item["key"] for item in map(json.loads, stage.made.run("export").stdout.splitlines()) if "DOI" in item and item["DOI"] == "10.2196/50113"}  # fmt: skip
    for words in (("show", key), ("status",), ("status", "--json"), ("history", "-v"), ("config", "show"), ("export",)):
        stage.run(*words)
    stage.run("--json", "sync", str(SAMPLE))
    stage.run("refresh", "-v", ZOTDROP__LOG__LEVEL="debug")
    assert stage.searched() > 10_000

    # Each marker was really used, where it belongs: the search is not for keys that nobody has touched.
    told = str([(request.path, request.query, request.headers, request.body) for request in stage.listener.log])
    assert HOOK in told
    assert TOPIC in told
    assert f"Bearer {TOKEN}" in told
    assert "x-zotdrop-signature" in told
    assert stage.mail.letters[0].user == "me"
    assert any(request.get("api_key") == NCBI for request in stage.made.ncbi.log)
    assert any(API_KEY in str(request.headers) for request in stage.made.zotero.log)
    assert {event for request in stage.listener.log if (event := request.headers.get("x-zotdrop-event"))} >= {
        "test",
        "held",
    }


def test_no_key_is_written_while_every_service_refuses_or_fails(stage: Stage) -> None:
    stage.library_key = WRONG
    stage.write(plain=True)
    (stage.made.inbox / "a.ris").write_text(to_ris(WORKS[:3]))
    stage.listener.fail(None, status=403, body=f"{HOOK} {TOKEN}")
    stage.mail.users = {"me": "another"}
    for words in (("check", "-v"), ("check", "--notify"), ("run", "--once", "-v"), ("--json", "status")):
        stage.run(*words, ZOTDROP__LOG__LEVEL="debug")
    assert any(WRONG in str(request.headers) for request in stage.made.zotero.log)

    stage.library_key = API_KEY
    stage.write(plain=True, crossref_url=NOWHERE)
    stage.made.zotero.fail(None, status=403, body=f"key {API_KEY} may not write")
    stage.listener.heal()
    stage.listener.drop(None)
    stage.mail.refuse["AUTH"] = f"535 {PASSWORD} is wrong"
    stage.run("run", "--once", ZOTDROP__LOG__LEVEL="debug", ZOTDROP__LOG__FORMAT="json")
    stage.made.zotero.heal()
    stage.made.ncbi.fail(None, status=400, body=json.dumps({"error": f"API key invalid: {NCBI}"}))
    for words in (("sync", "-v"), ("status", "-v"), ("--json", "history", "-v")):
        stage.run(*words, ZOTDROP__LOG__LEVEL="debug")
    assert stage.searched() > 10_000
    assert any(request.get("api_key") == NCBI for request in stage.made.ncbi.log)
    assert stage.mail.letters == []


def test_every_place_for_a_key_holds_a_marker_here(stage: Stage) -> None:
    stage.write(plain=True)
    config = load(stage.made.config, {})
    assert {str(key.secret.value).removeprefix(f"{stage.listener.url}/") for key in keys_of(config)} == set(MARKS) - {
        WRONG
    }


def test_the_search_finds_what_it_is_for(stage: Stage) -> None:
    stage.write(plain=True)
    assert stage.searched() >= 0
    for form in _forms(TOKEN):
        (stage.made.folder / "left.txt").write_text(f"x{form}x")
        with pytest.raises(AssertionError, match="stands in"):
            stage.searched()
