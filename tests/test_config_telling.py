"""What the config says of log, health and notices, and of every key that stands in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from sync.config import Config, keys_of, load, redacted
from sync.config.telling import Command, Mail, Notify, Ntfy, Webhook
from sync.errors import ConfigFault
from sync.secrets import Secret

EXAMPLE = Path(__file__).resolve().parents[1] / "config" / "zotdrop.example.toml"
MARK = "m4rkThatNobodyMaySee"
EVERY_KEY = f"""
contact = "a@example.org"
[library.main]
kind = "zotero"
id = 5
api_key = "{MARK}1"
[library.desk]
kind = "desktop"
api_key = "{MARK}2"
[sources.pubmed]
api_key = "{MARK}3"
[notify.webhook]
url = "https://example.org/{MARK}4"
secret = "{MARK}5"
[notify.ntfy]
url = "https://example.org/{MARK}6"
token = "{MARK}7"
[notify.mail]
host = "smtp.example.org"
sender = "a@example.org"
to = ["b@example.org"]
password = "{MARK}8"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "zotdrop.toml"
    path.write_text(text)
    return path


def parts(annotation: Any) -> list[Any]:
    """The types that an annotation is made of."""
    inner = get_args(annotation)
    return [part for one in inner for part in parts(one)] if inner else [annotation]


def sections(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A section and all that can stand in it."""
    inner = [part for info in model.model_fields.values() for part in parts(info.annotation)]
    below = [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]
    return [model, *(one for part in below for one in sections(part))]


def test_every_option_of_notices_stands_in_the_example() -> None:
    lines = [re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in EXAMPLE.read_text().splitlines()]
    shown = tomllib.loads("\n".join(lines))
    for name in ("log", "health"):
        model = next(one for one in sections(Config) if one.__name__.lower() == name)
        assert set(shown[name]) == set(model.model_fields)
    assert set(shown["notify"]) == set(Notify.model_fields)
    ways: dict[str, type[BaseModel]] = {"webhook": Webhook, "ntfy": Ntfy, "mail": Mail, "command": Command}
    for name, way in ways.items():
        assert set(shown["notify"][name]) == set(way.model_fields)


def test_every_option_that_can_hold_a_key_is_seen_as_one(tmp_path: Path) -> None:
    able = [
        (model.__name__, name)
        for model in dict.fromkeys(sections(Config))
        for name, info in model.model_fields.items()
        if Secret in parts(info.annotation)
    ]
    config = load(written(tmp_path, EVERY_KEY + "[inbox.default]\nlibrary = 'main'\n"), {})
    found = [(type(key.owner).__name__, key.name) for key in keys_of(config)]
    assert sorted(found) == sorted(able)
    assert len(found) == 8
    assert MARK not in f"{redacted(config)} {config} {config!r} {config.model_dump()} {config.warnings}"


def test_a_config_with_any_key_that_others_can_read_is_warned_about_with_the_fix(tmp_path: Path) -> None:
    for key in ("[notify.webhook]\nurl = 'https://example.org/x'", "[notify.ntfy]\nurl.env = 'A'\ntoken = 'b'"):
        path = written(tmp_path, f"contact = 'a@example.org'\n{key}\n")
        path.chmod(0o644)
        assert f"zotdrop.toml holds a key and can be read by others: chmod 600 {path}" in load(path, {}).warnings
        path.chmod(0o600)
        assert not any("chmod" in warning for warning in load(path, {}).warnings)


def test_the_file_of_any_key_is_found_beside_the_config_and_must_be_closed_to_others(tmp_path: Path) -> None:
    text = "contact = 'a@example.org'\n[notify.webhook]\nurl = 'https://example.org'\nsecret = { file = 'k' }\n"
    path = written(tmp_path, text)
    path.chmod(0o600)
    (tmp_path / "k").write_text(MARK)
    (tmp_path / "k").chmod(0o644)
    config = load(path, {})
    assert config.notify.webhook
    assert config.notify.webhook.secret == Secret("file", str(tmp_path / "k"))
    told = f"[notify.webhook] secret: {tmp_path / 'k'} can be read by others: chmod 600 {tmp_path / 'k'}"
    assert config.warnings == (told,)


def test_a_key_file_in_an_inbox_would_be_taken_for_a_drop(tmp_path: Path) -> None:
    text = "[notify.ntfy]\nurl = 'https://example.org'\ntoken = { file = 'inbox/k' }\n"
    with pytest.raises(ConfigFault, match=re.escape("the key of [notify.ntfy] lies in")):
        load(written(tmp_path, text), {})


def test_a_notice_in_the_clear_is_warned_about(tmp_path: Path) -> None:
    path = written(tmp_path, "contact = 'a@example.org'\n[notify.ntfy]\nurl = 'http://example.org/topic'\n")
    path.chmod(0o600)
    assert [warning.split(":")[1] for warning in load(path, {}).warnings] == [" [notify.ntfy] url begins with http"]
    path.write_text(path.read_text().replace("example.org/topic", "127.0.0.1/topic"))
    assert load(path, {}).warnings == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[health]\nlisten = '9464'", "[health] listen: host and port such as"),
        ("[health]\nlisten = '127.0.0.1:99999'", "[health] listen: host and port such as"),
        ("[health]\nlisten = '0.0.0.0:9464'", "[health] listen: 0.0.0.0 is more than this machine"),
        ("[health]\nlisten = '[::]:9464'", "[health] listen: :: is more than this machine"),
        ("[log]\nformat = 'jsn'", "did you mean 'json'?"),
        ("[notify]\nevents = ['helt']", "got 'helt'; did you mean 'held'?"),
        ("[notify.webhook]\nurl = 'example.org'", "[notify.webhook] url: an address that begins with https://"),
        ("[notify.webhook]\nurl = 'https://a:b@example.org'", "without name and password"),
        ("[notify.webhook]\nsecrt = 'x'\nurl = 'https://example.org'", "did you mean 'secret'?"),
        ("[notify.mail]\nhost = 'smtp.example.org'\nsender = 'a@example.org'\nto = []", "[notify.mail] to: at least one"),
        ("[notify.mail]\nhost = 'h'\nsender = ''\nto = ['a@example.org']", "[notify.mail] sender: an e-mail address"),
        ("[notify.mail]\nhost = 'smtp.example.org'\nsecurity = 'none'\nsender = 'a@example.org'\nto = ['a@example.org']", "[notify.mail] security:"),
        ("[notify.command]\nargv = 'rm'", "[notify.command] argv: a list is needed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigFault, match=re.escape(told)):
        load(written(tmp_path, text), {})


def test_an_address_that_others_reach_is_taken_where_the_config_says_so_and_warned_about(tmp_path: Path) -> None:
    text = "contact = 'a@example.org'\n[health]\nlisten = '0.0.0.0:9464'\nanywhere = true\n"
    assert "whoever reaches this machine" in load(written(tmp_path, text), {}).warnings[0]
    assert load(written(tmp_path, text.replace("0.0.0.0", "localhost")), {}).warnings == ()


def test_a_webhook_address_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(written(tmp_path, f"[notify.webhook]\nurl = 'example.org/{MARK}'\n"), {})
    assert MARK not in str(caught.value)
