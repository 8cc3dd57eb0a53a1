"""The ledger is lost, or set back to an older one: no item twice, none made again that somebody deleted, no edit lost."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sync import keeping, orders
from sync.config import load
from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from sync.report import as_json
from sync.state.ledger import Ledger
from sync.state.marks import Mark
from tests.scene import Scene, outcomes, scene
from tests.servers.works import Work, make_works, to_ris
from tests.servers.zotero import API_KEY

WORKS = make_works(12, seed=77)
AT = "2027-01-01T08:00:00Z"


@pytest.fixture(params=["embedded", "user"])
def stage(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    with scene(tmp_path) as made:
        made.write_config(request.param, use=[], inbox_settle_seconds=0.0)
        yield made


class Person:
    """Somebody who works in the same library."""

    def __init__(self, stage: Scene) -> None:
        self._stage = stage
        self._embedded = "embedded" in stage.config.read_text()

    def edit(self, key: str, **changes: Any) -> None:
        if not self._embedded:
            self._stage.zotero.library().edit(key, **changes)
            return
        library = self._opened()
        (answer,) = library.write([Write(key, 10**9, changes)])
        assert isinstance(answer, Receipt)
        library.close()

    def delete(self, key: str) -> None:
        if not self._embedded:
            self._stage.zotero.library().delete(key)
            return
        library = self._opened()
        library.delete([key])
        library.close()

    def _opened(self) -> Embedded:
        return Embedded(self._stage.folder / "library.sqlite", now=lambda: AT)


def state(stage: Scene) -> Path:
    return stage.folder / "state" / "zotdrop.sqlite"


def lose(stage: Scene) -> None:
    """The ledger is gone, with all that lies beside it."""
    shutil.rmtree(state(stage).parent)


def put_back(stage: Scene, copy: Path) -> None:
    for tail in ("", "-wal", "-shm"):
        state(stage).with_name(state(stage).name + tail).unlink(missing_ok=True)
    state(stage).write_bytes(copy.read_bytes())


def carry(stage: Scene, *paths: Path, **order: Any) -> dict[str, Any]:
    """An order carried out in this process; its report as JSON."""
    own = load(stage.config, {"ZOTERO_API_KEY": API_KEY})
    asked = orders.Order(paths=tuple(map(str, paths)), wait_sources=not paths, **order)
    (report,) = orders.carry_out(own, asked, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None)
    return as_json(report)


def drop(stage: Scene, name: str, works: Sequence[Work]) -> dict[str, Any]:
    """A file comes into the inbox and is worked off."""
    (stage.inbox / name).write_text(to_ris(works))
    return carry(stage)


def keys_of(report: dict[str, Any]) -> list[str]:
    return [line["key"] for line in report["drops"][0]["records"]]


def titles(stage: Scene) -> Counter[str]:
    return Counter(item["title"] for item in by_key(stage).values())


def by_key(stage: Scene) -> dict[str, dict[str, Any]]:
    """The living items, as the library itself has them."""
    if "embedded" in stage.config.read_text():
        library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
        found = [dict(item.data) for item in library.items()]
        library.close()
    else:
        found = stage.zotero.library().items()
    return {item["key"]: item for item in found if item["itemType"] not in {"note", "attachment"}}


def by_backup(stage: Scene) -> Path:
    goal = stage.folder / "copy.sqlite"
    keeping.back_up(load(stage.config, {}), goal, 0)
    return goal


def by_hand(stage: Scene) -> Path:
    return Path(shutil.copy(state(stage), stage.folder / "copy.sqlite"))


@pytest.mark.parametrize("copied", [by_backup, by_hand])
def test_the_restore_drill(stage: Scene, copied: Callable[[Scene], Path], caplog: pytest.LogCaptureFixture) -> None:
    person = Person(stage)
    first = keys_of(drop(stage, "a.ris", WORKS[:4]))
    copy = copied(stage)
    later = keys_of(drop(stage, "b.ris", WORKS[4:10]))
    edited, deleted, trashed, emptied = later[:4]
    person.edit(edited, title="A title of my own", DOI="")
    person.delete(deleted)
    person.edit(trashed, deleted=1)
    person.edit(emptied, volume="", publicationTitle="My journal")
    person.edit(first[0], title="Mine too")
    person.delete(first[1])
    before = by_key(stage)
    put_back(stage, copy)
    again = carry(stage, stage.inbox / "done" / "b.ris")
    assert "read whole, with what was deleted" in caplog.text
    assert outcomes(again) == {"left": 6}, [line["reasons"] for line in again["drops"][0]["records"]]
    assert not again["changed"]
    assert keys_of(again) == later
    assert by_key(stage) == before
    full = carry(stage, stage.drop("c.ris", to_ris(WORKS[:10])))
    assert set(outcomes(full)) <= {"left", "updated"}
    after = by_key(stage)
    assert set(after) == set(before), "no item twice, none again"
    assert after[edited]["title"] == "A title of my own"
    assert after[first[0]]["title"] == "Mine too"
    assert (after[emptied].get("volume", ""), after[emptied]["publicationTitle"]) == ("", "My journal")
    caplog.clear()
    carry(stage)
    assert "read whole" not in caplog.text, "told once"


def test_what_an_older_ledger_still_wanted_to_write_is_not_made_again_once_it_was_deleted(stage: Scene) -> None:
    drop(stage, "a.ris", WORKS[:2])
    key = keys_of(drop(stage, "b.ris", WORKS[2:3]))[0]
    ledger = Ledger.open(state(stage))
    with ledger.transaction() as sql:  # as it stood before the answer to the write came
        sql.execute("UPDATE outbox SET state = 'pending' WHERE key = ?", (key,))
        sql.execute("UPDATE records SET state = 'planned' WHERE key = ?", (key,))
        sql.execute("UPDATE drops SET state = 'open' WHERE path LIKE '%b.ris'")
        sql.execute("DELETE FROM bases WHERE key = ?", (key,))
        sql.execute("DELETE FROM journal WHERE key = ?", (key,))
    ledger.database.back_up(stage.folder / "copy.sqlite")
    ledger.close()
    Person(stage).delete(key)
    put_back(stage, stage.folder / "copy.sqlite")
    carry(stage)
    assert key not in by_key(stage)
    assert len(by_key(stage)) == 2
    ledger = Ledger.open(state(stage))
    assert not any(ledger.waits().values())
    ledger.close()


@pytest.mark.parametrize(("marked", "expected"), [(True, {"left": 5}), (False, {"left": 4, "asked": 1})])
def test_without_any_ledger_a_deleted_item_is_not_made_again_and_nothing_comes_twice(
    stage: Scene, marked: bool, expected: dict[str, int]
) -> None:
    keys = keys_of(drop(stage, "a.ris", WORKS[:5]))
    Person(stage).delete(keys[0])
    Person(stage).edit(keys[1], title="My own words")
    mark = state(stage).with_name("zotdrop.sqlite.mark").read_text()
    lose(stage)
    if marked:
        state(stage).parent.mkdir()
        state(stage).with_name("zotdrop.sqlite.mark").write_text(mark)
    again = carry(stage, stage.inbox / "done" / "a.ris")
    assert outcomes(again) == expected, "without the mark nobody knows that there was a ledger, and a doubt is asked"
    assert again["drops"][0]["records"][0]["reasons"] == ["same-entry", "deleted-by-person"]
    assert sorted(by_key(stage)) == sorted(keys[1:])


def test_a_lost_ledger_is_made_again_from_the_archive_and_the_library(stage: Scene) -> None:
    (stage.inbox / "sub").mkdir()
    (stage.inbox / "sub" / "a.ris").write_text(to_ris([*WORKS[:4], WORKS[0]]))
    carry(stage)
    drop(stage, "b.ris", [*WORKS[3:6]])
    held = stage.inbox / "bad.ris"
    held.write_text(to_ris(WORKS[6:7]) + "TY  - JOUR\nER  -\n")
    carry(stage)
    before, items = standing(stage), by_key(stage)
    rows = described(stage)
    lose(stage)
    told = carry(stage, rebuild=True)
    assert standing(stage) == before
    assert described(stage) == rows
    assert len(told["rebuild"]["drops"]) == 3
    assert by_key(stage) == items, "nothing is written to the library"
    assert carry(stage, rebuild=True)["rebuild"] == {"drops": [], "known": 3}
    shutil.copy(stage.inbox / "done" / "b.ris", stage.inbox / "again.ris")
    again = carry(stage)
    assert {line["reasons"][0] for line in again["drops"][0]["records"]} == {"same-drop"}
    assert not again["changed"]


def standing(stage: Scene) -> tuple[Any, ...]:
    ledger = Ledger.open(state(stage))
    found = (ledger.totals(), ledger.waits(), [row.state for row in ledger.records.drops()])
    ledger.close()
    return found


def described(stage: Scene) -> list[tuple[Any, ...]]:
    """Every record of the ledger: file, place, item, how it ended."""
    ledger = Ledger.open(state(stage))
    found = [
        (Path(row.path).name, line.ordinal, line.key, line.outcome)
        for row in sorted(ledger.records.drops(), key=lambda row: row.path)
        for line in ledger.records.rows(row.id)
    ]
    ledger.close()
    return found


def test_after_a_rebuild_nothing_that_a_person_did_is_taken_back_or_overwritten(stage: Scene) -> None:
    person = Person(stage)
    keys = keys_of(drop(stage, "a.ris", WORKS[:5]))
    person.edit(keys[0], title="My own title", tags=[{"tag": "mine"}], DOI="")
    person.edit(keys[1], volume="", pages="")
    person.edit(keys[2], deleted=1)
    person.delete(keys[3])
    lose(stage)
    told = carry(stage, rebuild=True)["rebuild"]["drops"]
    assert told[0]["outcomes"] == {"created": 3, "gone": 2}
    before = by_key(stage)
    more = carry(stage, stage.drop("c.ris", to_ris(WORKS[:5]) + "\n"), collection="Other")
    assert outcomes(more)["left"] >= 1
    assert "created" not in outcomes(more), "the one with the new title is known by what the drop called it"
    after = by_key(stage)
    assert set(after) == set(before)
    for key in (keys[0], keys[1]):
        for name in ("title", "volume", "pages", "publicationTitle", "creators", "DOI"):
            assert after[key].get(name) == before[key].get(name), name
    assert {tag["tag"] for tag in after[keys[0]]["tags"]} == {"mine"}


def test_a_rebuild_counts_each_record_once_also_those_that_follow_another(stage: Scene) -> None:
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]) + to_ris(WORKS[:2]) + to_ris(WORKS[:1]))
    carry(stage)
    rows = described(stage)
    lose(stage)
    told = carry(stage, rebuild=True)["rebuild"]["drops"]
    assert [one["outcomes"] for one in told] == [{"created": 5}]
    assert described(stage) == rows
    assert [outcome for *_, outcome in rows] == ["created", "created", "merged", "merged", "merged"]


def test_a_retry_brings_in_what_a_rebuild_missed_since_nobody_took_it_back(stage: Scene) -> None:
    drop(stage, "a.ris", WORKS[:3])
    lose(stage)
    (stage.inbox / "held").mkdir(exist_ok=True)
    (stage.inbox / "held" / "b.ris").write_text(to_ris(WORKS[4:6]))
    told = carry(stage, rebuild=True)["rebuild"]["drops"]
    assert {"not-in-library": 2} in [one["outcomes"] for one in told]
    assert outcomes(carry(stage, retry=True)) == {"created": 2}


def test_records_that_are_nowhere_are_told_and_come_in_when_their_file_comes_again(stage: Scene) -> None:
    drop(stage, "a.ris", WORKS[:3])
    lose(stage)
    archived = stage.inbox / "done" / "b.ris"
    archived.write_text(to_ris(WORKS[2:6]))  # never worked off, nor has it a report
    told = carry(stage, rebuild=True)["rebuild"]["drops"]
    assert [(Path(one["path"]).name, one["outcomes"]) for one in told] == [
        ("a.ris", {"created": 3}),
        ("b.ris", {"left": 1, "not-in-library": 3}),
    ]
    archived.rename(stage.inbox / "b.ris")
    assert outcomes(carry(stage)) == {"created": 3, "updated": 1}, (
        "and the one that was there joins this drop's collection"
    )
    assert set(titles(stage).values()) == {1}


def test_a_mark_tells_every_way_in_which_a_ledger_can_be_another_one(tmp_path: Path) -> None:
    path = tmp_path / "zotdrop.sqlite"
    ledger = Ledger.open(path)
    mark = Mark(ledger.database)
    assert mark.strange() == "", "the first one"
    mark.advance()
    assert mark.strange() == ""
    old = tmp_path / "old.sqlite"
    ledger.database.back_up(old)
    mark.advance()
    beside = tmp_path / "zotdrop.sqlite.mark"
    kept = beside.read_text()
    ledger.close()

    def told(prepared: Callable[[], object]) -> str:
        prepared()
        one = Ledger.open(path)
        found = Mark(one.database).strange()
        one.close()
        return found

    assert told(beside.unlink).startswith("the ledger was brought here")
    assert told(lambda: beside.write_text("{")).startswith("the ledger was brought here")
    assert told(lambda: beside.write_text(kept)) == ""
    assert told(lambda: path.write_bytes(old.read_bytes())) == "the ledger is a backup that was put back"
    with_mark = json.loads(kept)
    assert told(lambda: beside.write_text(json.dumps({**with_mark, "name": "x"}))) != ""
    assert told(path.unlink) == "the ledger that was here before is gone"


def test_a_crash_between_the_two_halves_of_the_mark_costs_one_look_and_nothing_else(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "zotdrop.sqlite")
    mark = Mark(ledger.database)
    mark.advance()
    beside = tmp_path / "zotdrop.sqlite.mark"
    told = json.loads(beside.read_text())
    beside.write_text(json.dumps({**told, "count": told["count"] + 1}))
    assert mark.strange() == "the ledger is older than the last run"
    mark.advance()
    assert mark.strange() == ""
    ledger.close()
