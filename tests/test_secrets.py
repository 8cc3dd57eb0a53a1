"""A key comes from where the owner keeps it, and is shown nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sync.errors import CredentialFault
from sync.secrets import Secret, resolve

KEY = "k3yThatNobodyMaySee"


def test_a_key_is_fetched_from_every_place(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    program = [sys.executable, "-c", f"print({KEY!r})"]
    places = [
        Secret("env", "ZOT"),
        Secret("file", str(tmp_path / "key")),
        Secret("command", program),
        Secret("credential", "key"),
        Secret("plain", f" {KEY} "),
    ]
    environment = {"ZOT": KEY, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert {resolve(place, environment) for place in places} == {KEY}


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (None, "no api_key is set"),
        (Secret("env", "NOT_SET"), "NOT_SET is not set"),
        (Secret("file", "/nowhere/key"), "/nowhere/key"),
        (Secret("command", ["/nowhere/program"]), "/nowhere/program"),
        (Secret("command", [sys.executable, "-c", "import sys; sys.exit(3)"]), "ended with 3"),
        (Secret("credential", "zotero"), "LoadCredential=zotero"),
        (Secret("plain", " "), "is empty"),
        (Secret("keyring", "zotero"), "zotdrop\\[keyring\\]"),
    ],
)
def test_a_key_that_cannot_be_had_says_what_to_do(secret: Secret | None, told: str) -> None:
    with pytest.raises(CredentialFault, match=told):
        resolve(secret, {})


def test_no_form_of_a_secret_shows_the_key() -> None:
    plain = Secret("plain", KEY)
    assert KEY not in f"{plain} {plain!r} {[plain]}"
    assert plain.plain
    assert not Secret("env", "ZOT").plain
    assert Secret("env", "ZOT") == Secret("env", "ZOT")
    assert len({Secret("env", "ZOT"), Secret("env", "ZOT"), Secret("command", ["a"])}) == 2


def test_a_failing_command_does_not_show_what_it_printed() -> None:
    program = [sys.executable, "-c", f"import sys; print({KEY!r}); sys.exit(1)"]
    with pytest.raises(CredentialFault) as caught:
        resolve(Secret("command", program), {})
    assert KEY not in str(caught.value)
