"""The config: every option has its default in the example, and every fault is named at once."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from sync.config import (
    Config,
    CrossrefSource,
    DesktopLibrary,
    EmbeddedLibrary,
    Inbox,
    PubMedSource,
    Review,
    Search,
    ZoteroLibrary,
    find_and_load,
    load,
    redacted,
)
from sync.errors import ConfigFault
from sync.secrets import Secret

EXAMPLE = Path(__file__).resolve().parents[1] / "config" / "zotdrop.example.toml"
KEY = "k3yThatNobodyMaySee"


def written(folder: Path, text: str) -> Path:
    path = folder / "zotdrop.toml"
    path.write_text(text)
    return path


def faults(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigFault) as caught:
        load(written(folder, text), environment)
    return str(caught.value).splitlines()


def test_the_example_is_the_default_to_the_letter(tmp_path: Path) -> None:
    example = load(written(tmp_path, EXAMPLE.read_text()), {})
    empty = load(written(tmp_path, ""), {})
    assert redacted(example) == redacted(empty)


def uncommented(text: str) -> dict[str, Any]:
    """The example with every option switched on (the last of several tables of a name wins nothing: names differ)."""
    lines = [re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in text.splitlines()]
    return tomllib.loads("\n".join(lines))


def test_no_option_is_missing_from_the_example() -> None:
    shown = uncommented(EXAMPLE.read_text())

    def missing(model: type[BaseModel], table: dict[str, Any]) -> set[str]:
        return {name for name in model.model_fields if name != "warnings"} - set(table)

    assert missing(Config, shown) == set()
    assert missing(EmbeddedLibrary, shown["library"]["main"]) == set()
    assert missing(ZoteroLibrary, shown["library"]["shared"]) == set()
    assert missing(DesktopLibrary, shown["library"]["desk"]) == set()
    assert missing(Inbox, shown["inbox"]["default"]) == set()
    assert missing(Review, shown["review"]["example"]) == set()
    assert missing(Search, shown["review"]["example"]["search"]["embase-2026"]) == set()
    assert missing(CrossrefSource, shown["sources"]["crossref"]) == set()
    assert missing(PubMedSource, shown["sources"]["pubmed"]) == set()
    for name in ("state", "sources", "write", "merge", "limits", "retention"):
        model = Config.model_fields[name].annotation
        assert isinstance(model, type)
        assert missing(model, shown[name]) == set()


def test_every_option_of_the_example_has_a_comment() -> None:
    lines = EXAMPLE.read_text().splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if re.match(r"(# )?[a-z_]+ = ", line) and "  # " not in line and not before.startswith(("#", "["))
    ]
    assert bare == []


def test_all_faults_are_named_at_once_with_section_key_and_what_is_expected(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
contakt = "x"
timezone = "Mars/Olympus"
[library.main]
kind = "zotero"
id = "abc"
api_key = 5
[inbox.default]
settle_secs = 3
keywords = "loud"
schedule = "0 0 31 2 *"
enrich_wait = "soon"
encoding = "klingon"
[limits]
max_new_per_run = -1
[sources]
use = ["scopus"]
""",
    )
    text = "\n".join(told)
    assert all(line.startswith("zotdrop.toml: ") for line in told)
    assert "contakt: there is no such option; did you mean 'contact'?" in text
    assert "timezone: an IANA time zone" in text
    assert (
        "[library.main] id: a whole number is needed, got 'abc'; yours stands at https://www.zotero.org/settings/keys"
        in text
    )
    assert "[library.main] api_key: one of" in text
    assert "[inbox.default] settle_secs: there is no such option; did you mean 'settle_seconds'?" in text
    assert "[inbox.default] keywords: one of 'automatic', 'manual' or 'off' is needed, got 'loud'" in text
    assert "never comes" in text
    assert "a duration such as" in text
    assert "[limits] max_new_per_run" in text
    assert "'pubmed' or 'crossref'" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[library.main]\nkind = 'paper'\n", "kind"),
        ("library = 3\n", "library"),
        (
            "[inbox.default]\nlibrary = 'other'\n",
            r"\[inbox.default\] library: there is no \[library.other\]; there is main",
        ),
        ("this is no toml", "not valid TOML"),
        ("[library.main]\nkind = 'zotero'\nid = 5\n", "api_key: is needed"),
        ("[sources.crossref]\nurl = 'crossref.org'\n", "https://"),
    ],
)
def test_a_fault_says_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    assert re.search(told, "\n".join(faults(tmp_path, text)))


def test_a_wrong_key_is_not_repeated_in_the_fault(tmp_path: Path) -> None:
    text = f"[library.main]\nkind = 'zotero'\nid = 5\napi_key = {{ enviroment = '{KEY}' }}\n"
    assert KEY not in "\n".join(faults(tmp_path, text))


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[inbox.default]\npath = 'in/box'\n[inbox.far]\npath = '/far/away'\n"), {})
    assert Path(config.inbox["default"].path) == tmp_path / "in" / "box"
    assert config.inbox["far"].path == "/far/away"
    assert Path(config.state.path).parent == tmp_path / "state"


def test_the_environment_overrides_single_values(tmp_path: Path) -> None:
    environment = {
        "ZOTDROP__CONTACT": "a@example.org",
        "ZOTDROP__LIMITS__MAX_NEW_PER_RUN": "7",
        "ZOTDROP__SOURCES__CROSSREF__URL": "http://x",
    }
    config = load(written(tmp_path, "contact = 'b@example.org'\n"), environment)
    assert (config.contact, config.limits.max_new_per_run, config.sources.crossref.url) == (
        "a@example.org",
        7,
        "http://x",
    )


def test_a_config_is_found_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    with pytest.raises(ConfigFault, match="zotdrop init"):
        find_and_load(None, {}, here)
    with pytest.raises(ConfigFault, match="no such file"):
        find_and_load(tmp_path / "missing.toml", {}, here)
    with pytest.raises(ConfigFault, match="no such file"):
        find_and_load(None, {"ZOTDROP_CONFIG": str(tmp_path / "missing.toml")}, here)
    written(here, "contact = 'here@example.org'\n")
    assert find_and_load(None, {}, here).contact == "here@example.org"
    other = tmp_path / "other.toml"
    other.write_text("contact = 'other@example.org'\n")
    assert find_and_load(None, {"ZOTDROP_CONFIG": str(other)}, here).contact == "other@example.org"
    assert find_and_load(other, {}, here).contact == "other@example.org"


def test_a_key_in_the_file_is_warned_about_and_never_shown(tmp_path: Path) -> None:
    config = load(written(tmp_path, f"[library.main]\nkind = 'zotero'\nid = 5\napi_key = '{KEY}'\n"), {})
    assert config.library["main"].api_key == Secret("plain", KEY)  # type: ignore[union-attr]
    assert any("stands in the file itself" in warning for warning in config.warnings)
    assert any("chmod 600" in warning for warning in config.warnings)
    shown = f"{redacted(config)} {config} {config!r} {config.warnings}"
    assert KEY not in shown
    assert redacted(config)["library"]["main"]["api_key"] == "(set)"


def test_a_nameless_client_is_warned_about_only_if_it_asks_anybody(tmp_path: Path) -> None:
    assert any("contact is empty" in warning for warning in load(written(tmp_path, ""), {}).warnings)
    assert load(written(tmp_path, "[sources]\nuse = []\n"), {}).warnings == ()
    assert load(written(tmp_path, "contact = 'a@example.org'\n"), {}).warnings == ()


def test_keys_may_come_from_anywhere(tmp_path: Path) -> None:
    for form in (
        "{ env = 'A' }",
        "{ file = 'k' }",
        "{ command = ['pass', 'z'] }",
        "{ credential = 'z' }",
        "{ keyring = 'z' }",
    ):
        config = load(written(tmp_path, f"[library.main]\nkind = 'zotero'\nid = 5\napi_key = {form}\n"), {})
        assert config.library["main"].api_key.kind in form  # type: ignore[union-attr]
    found = load(written(tmp_path, "[library.main]\nkind = 'zotero'\nid = 5\napi_key = { file = 'k' }\n"), {})
    assert found.library["main"].api_key == Secret("file", str(tmp_path / "k"))  # type: ignore[union-attr]
