"""A damaged ledger ends with 3 and the ways out, and is left exactly as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import LedgerFault
from sync.state.examining import examine
from sync.state.ledger import Ledger
from tests.scene import SAMPLE, Scene, scene

AT = "2027-01-01T08:00:00Z"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0)
        yield made


def ledger_with(path: Path, *, cut_off: bool, damage: bool) -> bytes:
    """A ledger of some pages; cut off: its last run has no end.  damage: a page of a table is overwritten."""
    ledger = Ledger.open(path)
    with ledger.transaction():
        for number in range(500):
            ledger.start_run(f"r{number}", "sync", AT)
            ledger.end_run(f"r{number}", AT, {"text": "x" * 300})
        if cut_off:
            ledger.start_run("last", "sync", AT)
    root = ledger.database.value("SELECT rootpage FROM sqlite_master WHERE name = 'runs'")
    page = ledger.database.value("PRAGMA page_size")
    ledger.close()
    if damage:
        with path.open("r+b") as file:
            file.seek((root - 1) * page)
            file.write(b"\xff" * page)
    return path.read_bytes()


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_damaged_ledger_of_a_run_that_was_cut_off_is_found_and_not_touched(tmp_path: Path, cut_off: bool) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger_with(path, cut_off=cut_off, damage=False)
    examine(path)
    path.unlink()
    before = ledger_with(path, cut_off=cut_off, damage=True)
    with pytest.raises(LedgerFault, match="the ledger is damaged") as told:
        examine(path)
    assert told.value.exit_code == 3
    assert "zotdrop rebuild" in str(told.value)
    assert path.read_bytes() == before


def test_one_that_was_left_in_order_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger_with(path, cut_off=False, damage=False)
    monkeypatch.setattr("sync.state.examining.damaged", lambda *_told: pytest.fail("it was looked through"))
    monkeypatch.setattr("sync.state.examining._LARGE", -1)
    with path.open("r+b") as file:  # a free page at the end that no table knows: only a check would see it
        file.seek(0, 2)
        file.write(b"\xff" * 4096)
    examine(path)


def test_a_log_that_was_left_behind_is_reason_to_look(tmp_path: Path) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger_with(path, cut_off=False, damage=False)
    ledger = Ledger.open(path)
    root = ledger.database.value("SELECT rootpage FROM sqlite_master WHERE name = 'records_by_key'")
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    ledger.start_run("r", "sync", AT)
    ledger.end_run("r", AT, {})
    assert path.with_name("zotdrop.sqlite-wal").stat().st_size > 0
    with pytest.raises(LedgerFault, match="rebuild"):
        examine(path)
    ledger.close()


def test_the_service_does_not_start_on_a_damaged_ledger_and_says_how_to_go_on(stage: Scene) -> None:
    path = stage.folder / "state" / "zotdrop.sqlite"
    stage.run("sync", str(SAMPLE))
    stage.run("backup")
    (copy,) = (path.parent / "backups").iterdir()
    path.unlink()
    before = ledger_with(path, cut_off=True, damage=True)
    done = stage.run("run", "--once", code=3)
    assert b"Traceback" not in done.stderr
    assert f"cp {copy} {path}".encode() in done.stderr
    assert path.read_bytes() == before
    path.rename(path.with_name("aside.sqlite"))
    path.write_bytes(copy.read_bytes())
    assert b"read whole" in stage.run("run", "--once").stderr


@pytest.mark.parametrize("words", [("status",), ("history",), ("sync",), ("review", "list"), ("backup",), ("cleanup",)])
def test_no_command_ends_in_a_traceback_on_a_ledger_that_is_none(stage: Scene, words: tuple[str, ...]) -> None:
    path = stage.folder / "state" / "zotdrop.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"\x00\x01 this was a ledger once " * 400)
    before = path.read_bytes()
    done = stage.run(*words, code=3)
    assert b"Traceback" not in done.stderr
    assert b" rebuild\n" in done.stderr
    assert path.read_bytes() == before


def test_damage_that_shows_in_the_middle_is_told_in_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger_with(path, cut_off=False, damage=True)
    ledger = Ledger.open(path)
    with pytest.raises(LedgerFault, match="damaged"):
        list(ledger.undoings.runs())
    with pytest.raises(LedgerFault, match="damaged"):
        ledger.start_run("new", "sync", AT)
    ledger.close()
