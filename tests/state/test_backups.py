"""Backups can be trusted, and tables of every released version become those of today or stay as they were."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sync.errors import LedgerFault, StateFault, UsageFault
from sync.state import backups, database
from sync.state.database import VERSION, Database
from sync.state.ledger import Ledger
from tests.state.old_ledgers import AT, ITEM, VERSIONS, content, old_ledger


def filled(path: Path, runs: int = 50) -> Ledger:
    ledger = Ledger.open(path)
    with ledger.transaction():
        for number in range(runs):
            ledger.start_run(f"r{number}", "sync", AT)
    return ledger


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ledger_of_every_released_version_is_carried_over_with_all_it_knows(tmp_path: Path, version: int) -> None:
    path = old_ledger(tmp_path / "zotdrop.sqlite", version)
    ledger = Ledger.open(path)
    assert ledger.database.value("PRAGMA user_version") == VERSION
    assert ledger.database.value("PRAGMA integrity_check") == "ok"
    assert list(ledger.database.rows("PRAGMA foreign_key_check")) == []
    (drop,) = ledger.records.drops()
    assert [(row.outcome, row.key) for row in ledger.records.rows(drop.id)] == [
        ("created", "AAAA2222"),
        ("unreadable", ""),
    ]
    snapshot = ledger.snapshot("embedded:1")
    assert (snapshot.data("AAAA2222"), snapshot.base("AAAA2222"), snapshot.made()) == (ITEM, ITEM, {"AAAA2222"})
    assert ledger.outbox(1).written("r1")["AAAA2222"][0].after == ITEM
    assert [(run.id, run.wrote, run.let_go) for run in ledger.undoings.runs()] == [("r1", 1, "")]
    assert ledger.questions.verdicts(1) == {"AAAA2222": True}
    ledger.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_before_tables_are_changed_the_ledger_is_copied(tmp_path: Path, version: int) -> None:
    path = old_ledger(tmp_path / "zotdrop.sqlite", version)
    before = content(path)
    Ledger.open(path).close()
    copy = backups.before_migration(path, version)
    assert content(copy) == before
    assert content(path) != before
    path.write_bytes(copy.read_bytes())
    Ledger.open(path).close()
    assert content(copy) == before, "and it can be done once more from there"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_change_of_tables_that_fails_leaves_the_ledger_as_it_was(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_ledger(tmp_path / "zotdrop.sqlite", version)
    before = content(path)
    last = max(database._MIGRATIONS)
    broken = {**database._MIGRATIONS, last: f"{database._MIGRATIONS[last]} INSERT INTO runs (id) VALUES (NULL);"}
    monkeypatch.setattr(database, "_MIGRATIONS", broken)
    with pytest.raises(StateFault):
        Ledger.open(path)
    assert content(path) == before
    monkeypatch.undo()
    Ledger.open(path).close()


def test_without_room_for_the_copy_the_tables_are_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_ledger(tmp_path / "zotdrop.sqlite", 3)
    before = content(path)
    usage = os.statvfs(tmp_path)
    full = type("Usage", (), {"free": 0, "total": usage.f_blocks})
    monkeypatch.setattr("sync.state.backups.shutil.disk_usage", lambda _path: full)
    with pytest.raises(StateFault, match=r"no backup could be made \(1 MB are needed"):
        Ledger.open(path)
    assert content(path) == before


def test_a_ledger_of_a_newer_program_ends_with_3_and_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "zotdrop.sqlite"
    filled(path).close()
    with closing(sqlite3.connect(path)) as sql:
        sql.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(LedgerFault, match="newer zotdrop") as told:
        Ledger.open(path)
    assert told.value.exit_code == 3
    assert path.read_bytes() == before


def test_a_backup_is_whole_closed_to_others_and_knows_that_it_is_one(tmp_path: Path) -> None:
    ledger = filled(tmp_path / "zotdrop.sqlite")
    goal = tmp_path / "safe" / "copy.sqlite"
    ledger.database.back_up(goal)
    assert stat.S_IMODE(goal.stat().st_mode) == 0o600
    assert [path.name for path in goal.parent.iterdir()] == ["copy.sqlite"], "no part and no log is left beside it"
    with closing(sqlite3.connect(goal)) as copy:
        assert copy.execute("SELECT COUNT(*) FROM runs").fetchone()[0] == 50
        assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    ledger.close()


def test_a_backup_is_made_while_another_program_writes_and_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger, done = filled(path, runs=3_000), threading.Event()
    wrote: list[int] = []

    def write() -> None:
        other = Ledger.open(path)
        number = 0
        while not done.is_set() or not number:
            with other.transaction():
                for part in "ab":  # both or neither
                    other.start_run(f"w{number}{part}", "sync", AT)
            number += 1
        wrote.append(number)
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    goals = [tmp_path / f"copy-{number}.sqlite" for number in range(5)]
    for goal in goals:
        ledger.database.back_up(goal)
    done.set()
    writer.join()
    counts = []
    for goal in goals:
        with closing(sqlite3.connect(goal)) as copy:
            counts.append(copy.execute("SELECT COUNT(*) FROM runs").fetchone()[0] - 3_000)
    assert wrote[0] > 0
    assert all(count % 2 == 0 for count in counts), "no half of a transaction is in a copy"
    assert counts == sorted(counts)
    ledger.close()


def test_a_backup_that_fails_leaves_the_one_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, goal = filled(tmp_path / "zotdrop.sqlite"), tmp_path / "safe" / "copy.sqlite"
    ledger.database.back_up(goal)
    before = goal.read_bytes()
    ledger.start_run("later", "sync", AT)

    def full(_source: Path, _goal: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_put", full)
    with pytest.raises(StateFault, match="No space left"):
        ledger.database.back_up(goal)
    assert goal.read_bytes() == before
    assert [path.name for path in goal.parent.iterdir()] == ["copy.sqlite"]
    ledger.close()


def test_what_is_no_ledger_is_not_overwritten_and_the_ledger_itself_not_either(tmp_path: Path) -> None:
    path, letter = tmp_path / "zotdrop.sqlite", tmp_path / "letter.txt"
    filled(path).close()
    letter.write_text("Dear colleague")
    (tmp_path / "link.sqlite").symlink_to(path)
    for goal in (letter, path, tmp_path / "link.sqlite"):
        with pytest.raises(UsageFault):
            backups.refuse_strangers(path, goal)
    other = tmp_path / "other.sqlite"
    Database(other).close()
    backups.refuse_strangers(path, other)
    backups.refuse_strangers(path, tmp_path / "new.sqlite")


def test_so_many_backups_are_kept_and_nothing_else_is_deleted(tmp_path: Path) -> None:
    ledger = tmp_path / "zotdrop.sqlite"
    backups.folder(ledger).mkdir()
    for day in range(1, 6):
        backups.named(ledger, f"2027030{day}T080000Z").touch()
    others = [backups.before_migration(ledger, 2), backups.folder(ledger) / "zotdrop-mine.sqlite"]
    for path in others:
        path.touch()
    assert [path.name for path in backups.prune(ledger, 2)] == [
        f"zotdrop-2027030{day}T080000Z.sqlite" for day in (1, 2, 3)
    ]
    assert backups.prune(ledger, 0) == []
    assert all(path.exists() for path in others)
