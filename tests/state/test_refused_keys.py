"""What is remembered of a key that was refused: enough to know it again, and nothing of the key."""

from __future__ import annotations

from pathlib import Path

from sync.state.database import Database
from sync.state.refused_keys import KeyMemory, RefusedKeys

KEY, OTHER, AT = "wrongwrongwrongwrongwr0n", "otherotherotherotherot0h", "2026-11-23T08:00:00Z"


def memory(folder: Path, *, address: str = "api.zotero.org", key: str = KEY) -> KeyMemory:
    return KeyMemory(folder / "ledger.sqlite", address, key, lambda: AT)


def test_a_refused_key_is_known_again_at_its_address_and_no_other_key_is(tmp_path: Path) -> None:
    memory(tmp_path).refused("no such key: make a new one")
    told = memory(tmp_path).refusal()
    assert told.startswith(f"no such key: make a new one; refused on {AT}, it is not sent again until it changes")
    assert "`zotdrop check`" in told
    assert memory(tmp_path, key=OTHER).refusal() == ""
    assert memory(tmp_path, address="127.0.0.1:8080").refusal() == ""


def test_a_key_that_is_accepted_is_forgotten_alone(tmp_path: Path) -> None:
    memory(tmp_path).refused("no")
    memory(tmp_path, key=OTHER).refused("no")
    memory(tmp_path).accepted()
    assert memory(tmp_path).refusal() == ""
    assert memory(tmp_path, key=OTHER).refusal() != ""


def test_a_key_that_is_refused_again_is_kept_once_with_what_was_said_last(tmp_path: Path) -> None:
    for words in ("first", "second"):
        memory(tmp_path).refused(words)
    assert memory(tmp_path).refusal().startswith("second;")
    database = Database(tmp_path / "ledger.sqlite")
    assert database.value("SELECT COUNT(*) FROM refused_keys") == 1
    database.close()


def test_nothing_shows_the_key_and_two_ledgers_do_not_show_that_theirs_is_the_same(tmp_path: Path) -> None:
    rows = set()
    for name in ("one", "two"):
        database = Database(tmp_path / f"{name}.sqlite")
        RefusedKeys(database).keep("api.zotero.org", KEY, AT, "no")
        rows |= {tuple(row) for row in database.rows("SELECT salt, hash FROM refused_keys")}
        database.close()
    assert len({salt for salt, _ in rows}) == len({digest for _, digest in rows}) == 2
    assert KEY not in repr(memory(tmp_path)) + repr(rows)
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.iterdir())
