"""`zotdrop init --desktop`: a person presses a button in Zotero, and from then on drops end in that library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync import access, cli, config
from sync.config import DesktopLibrary
from sync.errors import UsageFault
from sync.state.ledger import Ledger
from tests.scene import NOWHERE, ROOT, SAMPLE
from tests.servers.desktop import LOCAL_KEY, PROMPTS, SERVER_ID, DesktopServer

Init = Callable[..., tuple[int, str]]


@pytest.fixture
def server() -> Iterator[DesktopServer]:
    with DesktopServer() as running:
        yield running


@pytest.fixture
def init(tmp_path: Path, server: DesktopServer, capfd: pytest.CaptureFixture[str]) -> Init:
    """The command: its exit code, and what it says."""

    def init(*words: str) -> tuple[int, str]:
        code = cli._run(["init", "--desktop", str(tmp_path), *(words or ("--url", server.url))])
        shown = capfd.readouterr()
        return code, shown.out + shown.err

    return init


def key_file(folder: Path) -> Path:
    return folder / "zotero-desktop.key"


def main(folder: Path) -> DesktopLibrary:
    """The library of the config in the folder."""
    library = config.load(folder / "zotdrop.toml", {}).library["main"]
    assert isinstance(library, DesktopLibrary)
    return library


def test_it_keeps_a_key_that_zotero_takes_and_writes_a_config_for_it(
    tmp_path: Path, init: Init, server: DesktopServer
) -> None:
    code, told = init()
    assert code == 0
    key = key_file(tmp_path).read_text().strip()
    assert server.keys[key] is True
    assert key not in told
    made = main(tmp_path)
    assert (made.server_id, made.url) == (SERVER_ID, server.url)
    assert repr(made.api_key) == f"Secret(file='{key_file(tmp_path)}')"
    assert told.index("press 'Always Allow'") < told.index(f"{key_file(tmp_path)}: written")
    assert "put your e-mail address" in told
    assert server.asked_for == ["zotdrop"]
    assert server.library().items() == []


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_nobody_else_may_read_the_key(tmp_path: Path, init: Init) -> None:
    before = os.umask(0)
    try:
        init()
    finally:
        os.umask(before)
    assert key_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_config_that_it_writes_has_all_else_of_the_example(tmp_path: Path, init: Init) -> None:
    init()
    example = config.load(ROOT / "config" / "zotdrop.example.toml", {})
    made = config.load(tmp_path / "zotdrop.toml", {})
    assert made.model_dump(exclude={"library", "inbox", "state"}) == example.model_dump(
        exclude={"library", "inbox", "state"}
    )
    assert set(made.library) == {"main"}


def test_a_key_that_is_there_and_good_is_left_and_nobody_is_asked(
    tmp_path: Path, init: Init, server: DesktopServer
) -> None:
    key_file(tmp_path).write_text(LOCAL_KEY)
    code, told = init()
    assert code == 0
    assert "already there, and Zotero takes the key in it; left as it is" in told
    assert key_file(tmp_path).read_text() == LOCAL_KEY
    assert server.asked_for == []
    assert main(tmp_path).server_id == SERVER_ID


def test_a_key_that_is_good_no_more_is_laid_aside_with_a_word(
    tmp_path: Path, init: Init, server: DesktopServer
) -> None:
    key_file(tmp_path).write_text("of-another-database")
    code, told = init()
    assert code == 0
    assert "Zotero does not take the key in it; another one is asked for" in told
    assert f"the key of before lies in {key_file(tmp_path)}.old" in told
    assert Path(f"{key_file(tmp_path)}.old").read_text() == "of-another-database"
    assert key_file(tmp_path).read_text().strip() in server.keys


def test_a_config_that_is_there_is_not_changed_and_the_lines_for_it_are_shown(tmp_path: Path, init: Init) -> None:
    own = "contact = 'a@example.org'\n"
    (tmp_path / "zotdrop.toml").write_text(own)
    code, told = init()
    assert (code, (tmp_path / "zotdrop.toml").read_text()) == (0, own)
    shown = told[told.index("[library.main]\n") :]
    (tmp_path / "zotdrop.toml").write_text(own + shown)
    assert main(tmp_path).server_id == SERVER_ID
    assert "put these lines" not in init()[1]


REFUSALS: dict[str, tuple[Callable[[DesktopServer], None], int, str]] = {
    "deny": (lambda server: setattr(server, "person", "deny"), 3, "'Deny' was pressed in Zotero"),
    "allow": (lambda server: setattr(server, "person", "once"), 3, "'Allow' lets zotdrop write once only"),
    "api off": (lambda server: setattr(server, "enabled", False), 3, "tick Settings > Advanced > 'Allow other"),
    "too old": (lambda server: setattr(server, "old", True), 3, "version 10"),
    "asked too often": (lambda server: server._prompts.extend([server.clock()] * PROMPTS), 4, "wait 5"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_stands_against_it_is_said_and_nothing_is_written(
    tmp_path: Path, init: Init, server: DesktopServer, case: str
) -> None:
    arrange, expected, words = REFUSALS[case]
    arrange(server)
    code, told = init()
    assert (code, words in told) == (expected, True), told
    assert list(tmp_path.iterdir()) == []
    assert not any(request.path.endswith("/items") for request in server.log)


def test_a_key_for_one_write_that_calls_itself_lasting_is_found_out(
    tmp_path: Path, init: Init, server: DesktopServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = server.allow
    monkeypatch.setattr(server, "allow", lambda **_remember: given(remember=False))
    code, told = init()
    assert (code, "press 'Always Allow'" in told, list(tmp_path.iterdir())) == (3, True, [])


def test_a_zotero_that_is_not_running_is_4_with_its_address(tmp_path: Path, init: Init) -> None:
    code, told = init("--url", NOWHERE)
    assert code == 4
    assert f"Zotero is not running on this computer, or not at {NOWHERE}" in told
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_and_one_without_desktop_are_usage(tmp_path: Path, init: Init) -> None:
    assert init("--url", "23119")[0] == 2
    assert cli._run(["init", str(tmp_path), "--url", "http://127.0.0.1:23119"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_broken_config_is_said_before_anybody_is_asked(tmp_path: Path, init: Init, server: DesktopServer) -> None:
    (tmp_path / "zotdrop.toml").write_text("no toml")
    assert init()[0] == 2
    assert (server.log, key_file(tmp_path).exists()) == ([], False)


def test_a_folder_that_keeps_no_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageFault, match="cannot be kept there"):
        access._stored(tmp_path / "file" / "zotero-desktop.key", "k")


def test_from_then_on_drops_end_in_that_library_and_versions_are_kept_by_its_database(
    tmp_path: Path, init: Init, server: DesktopServer
) -> None:
    init()
    words = ["-c", str(tmp_path / "zotdrop.toml")]
    assert cli._run([*words, "check"]) == 0
    assert cli._run([*words, "sync", "--no-enrich", str(SAMPLE)]) == 0
    (item,) = (item for item in server.library().items() if item["itemType"] != "note")
    assert item["DOI"] == "10.2196/50113"
    ledger = Ledger.open(tmp_path / "state" / "zotdrop.sqlite")
    assert ledger.database.value("SELECT identity FROM libraries") == f"desktop:{SERVER_ID}/users/0"
    ledger.close()


def test_a_drop_waits_with_4_for_a_zotero_that_is_not_running(
    tmp_path: Path,
    init: Init,
    server: DesktopServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    init()
    words = ["-c", str(tmp_path / "zotdrop.toml"), "sync", "--no-enrich", str(SAMPLE)]
    with monkeypatch.context() as away:
        away.setenv("ZOTDROP__LIBRARY__MAIN__URL", NOWHERE)
        assert cli._run(words) == 4
    assert "Zotero is not running on this computer" in capfd.readouterr().out
    assert server.library().items() == []
    assert cli._run(words) == 0
    assert len([item for item in server.library().items() if item["itemType"] != "note"]) == 1


def test_a_key_that_was_withdrawn_says_how_to_get_another(
    tmp_path: Path, init: Init, server: DesktopServer, capfd: pytest.CaptureFixture[str]
) -> None:
    init()
    server.keys.clear()
    words = ["-c", str(tmp_path / "zotdrop.toml")]
    for command in (["check"], ["sync", "--no-enrich", str(SAMPLE)]):
        assert cli._run([*words, *command]) == 3
        shown = capfd.readouterr()
        assert "run `zotdrop init --desktop` and press 'Always Allow'" in shown.out + shown.err
    init()
    assert cli._run([*words, "sync", "--no-enrich", str(SAMPLE)]) == 0
