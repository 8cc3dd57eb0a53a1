"""A key comes from where the owner keeps it, and is shown nowhere."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sync.errors import CredentialFault
from sync.secrets import KINDS, Secret, parse_secret, resolve

KEY = "k3yThatNobodyMaySee"
LIKE_A_KEY = "aB3dE6gH9jK2mN5pQ8sT1vW4"


def prints(code: str) -> Secret:
    return Secret("command", (sys.executable, "-c", code))


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a keyring in place that answers with `key`, or raises its own kind of fault."""

    def install(key: str | None = None, *, broken: bool = False) -> None:
        fake: Any = ModuleType("keyring")
        errors: Any = ModuleType("keyring.errors")
        errors.KeyringError = type("KeyringError", (Exception,), {})

        def get_password(service: str, name: str) -> str | None:
            if broken:
                raise errors.KeyringError(KEY)
            return key if (service, name) == ("zotdrop", "main") else None

        fake.get_password, fake.errors = get_password, errors
        monkeypatch.setitem(sys.modules, "keyring", fake)
        monkeypatch.setitem(sys.modules, "keyring.errors", errors)

    return install


def test_a_key_is_fetched_from_every_place(tmp_path: Path, keyring: Callable[..., None]) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    keyring(KEY)
    places = [
        Secret("env", "ZOT"),
        Secret("file", str(tmp_path / "key")),
        prints(f"print({KEY!r})"),
        Secret("credential", "key"),
        Secret("keyring", "main"),
        Secret("plain", f" {KEY} "),
    ]
    environment = {"ZOT": KEY, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert {place.kind for place in places} == {*KINDS, "plain"}
    assert {resolve(place, environment) for place in places} == {KEY}


def test_an_editor_s_mark_at_the_start_of_a_key_file_is_no_part_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert resolve(Secret("file", str(tmp_path / "key")), {}) == KEY


def test_a_password_store_gives_the_key_in_its_first_line() -> None:
    assert resolve(prints(f"print({KEY!r} + '\\nuser: somebody')"), {}) == KEY


@pytest.fixture
def drop_on_standard_input(tmp_path: Path) -> Iterator[None]:
    """The process's own standard input holds something, as it does for `zotdrop sync -`."""
    (tmp_path / "drop").write_text("TY  - JOUR")
    before = os.dup(0)
    with (tmp_path / "drop").open() as file:
        os.dup2(file.fileno(), 0)
    yield
    os.dup2(before, 0)
    os.close(before)


@pytest.mark.usefixtures("drop_on_standard_input")
def test_a_command_is_given_the_environment_and_nothing_to_read() -> None:
    code = "import os, sys; print(os.environ['ZOT'] + str(len(sys.stdin.read())))"
    assert resolve(prints(code), {"ZOT": KEY}) == f"{KEY}0"


def test_without_an_environment_given_it_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOT", KEY)
    assert resolve(Secret("env", "ZOT")) == KEY


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, "no api_key is set"),
        (Secret("env", "NOT_SET"), "NOT_SET is not set"),
        (Secret("env", "EMPTY"), "EMPTY is empty; put the key there"),
        (Secret("env", "WORDS"), "WORDS holds no key"),
        (Secret("env", "UMLAUT"), "UMLAUT holds no key"),
        (Secret("file", "/nowhere/key"), "/nowhere/key: the key file cannot be read .*put the key there"),
        (Secret("file", "/"), "/: the key file cannot be read"),
        (Secret("command", ("/nowhere/program",)), "/nowhere/program"),
        (prints("import sys; sys.exit(3)"), "ended with 3; try it by hand"),
        (prints("pass"), "prints is empty"),
        (prints("import sys; sys.stdout.buffer.write(bytes([255, 254]))"), "holds no key"),
        (Secret("credential", "zotero"), "LoadCredential=zotero"),
        (Secret("plain", " "), "api_key is empty"),
    ],
)
def test_a_key_that_cannot_be_had_says_what_to_do(secret: Secret | None, told: str) -> None:
    with pytest.raises(CredentialFault, match=told):
        resolve(secret, {"EMPTY": "\n", "WORDS": f"{KEY} {KEY}", "UMLAUT": f"{KEY}ü"})


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], *, timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout, output=KEY.encode())

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(CredentialFault, match="'pass' that gives the key cannot be run") as caught:
        resolve(Secret("command", ("pass", KEY)), {})
    assert KEY not in str(caught.value)


def test_a_keyring_that_is_absent_empty_or_locked_says_what_to_do(
    keyring: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialFault, match=r"install zotdrop\[keyring\]"):
        resolve(Secret("keyring", "main"), {})
    keyring(None)
    with pytest.raises(CredentialFault, match="keyring set zotdrop main"):
        resolve(Secret("keyring", "main"), {})
    keyring(broken=True)
    with pytest.raises(CredentialFault, match="unlock it") as caught:
        resolve(Secret("keyring", "main"), {})
    assert KEY not in str(caught.value)


def test_no_form_of_a_secret_shows_the_key() -> None:
    hidden = [Secret("plain", KEY), Secret("command", ("echo", KEY))]
    stream = io.StringIO()
    print(*hidden, hidden, file=stream)
    assert KEY not in f"{stream.getvalue()} {hidden[0]!s} {hidden[1]!r}"
    assert repr(Secret("env", "ZOT")) == "Secret(env='ZOT')"


def test_secrets_are_the_same_if_they_come_from_the_same_place() -> None:
    assert Secret("plain", KEY).plain
    assert not Secret("env", "ZOT").plain
    assert Secret("env", "ZOT") == Secret("env", "ZOT") != Secret("file", "ZOT")
    assert len({Secret("env", "ZOT"), Secret("env", "ZOT"), Secret("command", ["a"])}) == 2


@pytest.mark.parametrize("code", [f"import sys; print({KEY!r}); sys.exit(1)", f"print({KEY!r}, {KEY!r})"])
def test_a_failing_command_does_not_show_what_it_printed(code: str) -> None:
    with pytest.raises(CredentialFault) as caught:
        resolve(prints(code), {})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"env": "ZOT_KEY"}, Secret("env", "ZOT_KEY")),
        ({"file": "zotero.key"}, Secret("file", "zotero.key")),
        ({"command": ["pass", "zotero"]}, Secret("command", ("pass", "zotero"))),
        ({"credential": "zotero"}, Secret("credential", "zotero")),
        ({"keyring": "main"}, Secret("keyring", "main")),
        (f" {KEY}\n", Secret("plain", KEY)),
        (Secret("env", "ZOT"), Secret("env", "ZOT")),
    ],
)
def test_the_config_says_where_a_key_is(value: Any, expected: Secret) -> None:
    assert parse_secret(value) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "one of"),
        ("", "one of"),
        (" ", "one of"),
        ([KEY], "one of"),
        ({}, "one of"),
        ({"env": "A", "file": "b"}, "one of"),
        ({"enviroment": KEY}, "one of"),
        ({"env": 5}, "one of"),
        ({"env": ""}, "one of"),
        ({"env": ["A"]}, "one of"),
        ({"command": f"echo {KEY}"}, "one of"),
        ({"command": []}, "one of"),
        ({"command": ["a", 5]}, "one of"),
        ({"file": "a\0b"}, "one of"),
        ({"env": "MY-KEY"}, "letters, digits and _"),
        ({"credential": "../zotero"}, "not a path"),
        ({"env": LIKE_A_KEY}, "looks like the key itself"),
        ({"keyring": "0123456789abcdef0123456789abcdef0123"}, "looks like the key itself"),
    ],
)
def test_a_place_that_is_none_is_refused_and_not_repeated(value: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        parse_secret(value)
    assert KEY not in str(caught.value)
    assert LIKE_A_KEY not in str(caught.value)


def test_a_variable_with_a_long_name_is_no_key() -> None:
    assert parse_secret({"env": "ZOTERO_API_KEY_OF_A_TEAM"}).kind == "env"
    assert parse_secret({"env": "ZOTEROAPIKEYOFTHEWHOLELIB"}).kind == "env"
