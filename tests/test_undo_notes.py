"""Runs that gave an item notes are taken back with them; and one that cannot be taken back keeps nothing else from being done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from tests.scene import Scene, outcomes, scene

PLAIN = """TY  - JOUR
AU  - Berg, Anna
TI  - Tides and the people who read them in the north
PY  - 2019
DO  - 10.5555/tides
{more}ER  -
"""
OTHER = PLAIN.replace("Tides and the people who read them in the north", "Kelp forests under a warming sky").replace(
    "tides", "kelp"
)
LONG = f"AB  - {'long text about it. ' * 4000}\n"  # too long for the field: it goes into a note


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config("embedded", use=[])
        yield made


def everything(stage: Scene) -> dict[str, dict[str, Any]]:
    """All objects of the library that are not in the trash."""
    library = Embedded(stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
    found = {item.data["key"]: dict(item.data) for item in library.items() if not item.data.get("deleted")}
    library.close()
    return found


def edit(stage: Scene, key: str, **changes: Any) -> None:
    library = Embedded(stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
    (answer,) = library.write([Write(key, 10**9, changes)])
    assert isinstance(answer, Receipt)
    library.close()


def notes(stage: Scene) -> list[str]:
    return [key for key, data in everything(stage).items() if data["itemType"] == "note"]


def told(stage: Scene, *words: str) -> dict[str, dict[str, Any]]:
    """What became of each object that a run or a drop had written."""
    report = json.loads(stage.run(*words, "--yes", "--json").stdout)
    return {one["key"]: one for one in report["undo"]["objects"]}


def ledger(stage: Scene, text: str, *values: Any) -> None:
    with sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite") as sql:
        sql.execute(text, values)
    sql.close()


def test_a_run_that_wrote_only_a_note_can_be_taken_back(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))), "--collection", "C")
    second = stage.sync(str(stage.drop("b.ris", PLAIN.format(more=LONG))), "--collection", "C")
    (note,) = notes(stage)
    assert told(stage, "undo", second["run"])[note]["did"] == "trashed"
    assert notes(stage) == []
    assert len(stage.items()) == 1
    assert outcomes(stage.sync(str(stage.drop("c.ris", OTHER.format(more=""))))) == {"created": 1}


def test_a_note_that_a_person_changed_stays(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))), "--collection", "C")
    second = stage.sync(str(stage.drop("b.ris", PLAIN.format(more=LONG))), "--collection", "C")
    (note,) = notes(stage)
    edit(stage, note, note="<p>my own words</p>")
    found = told(stage, "undo", second["run"])[note]
    assert found["did"] == "kept"
    assert "changed since" in found["why"]
    assert notes(stage) == [note]


@pytest.mark.parametrize("takes_back", ["run", "drop"])
def test_what_cannot_be_taken_back_to_the_end_stays_open_is_told_and_stops_nothing_else(
    stage: Scene, takes_back: str
) -> None:
    first = stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))))
    undoes = first["run"] if takes_back == "run" else "drop:1"
    ledger(stage, "UPDATE journal SET after_json = '{damaged' WHERE run = ?", first["run"])
    ledger(stage, "INSERT INTO runs (id, kind, started, undoes) VALUES ('R1', 'undo', '2026-01-01', ?)", undoes)
    done = stage.run("sync", "--json", str(stage.drop("b.ris", OTHER.format(more=""))), code=1)
    report = json.loads(done.stdout)
    assert outcomes(report) == {"created": 1}, "the drop of today has nothing to do with it"
    assert "R1" in report["failure"]
    assert "could not be taken back" in report["failure"]
    assert b"could not be taken back" in done.stderr
    again = stage.run("sync", str(stage.drop("c.ris", OTHER.replace("kelp", "weed").format(more=""))), code=1)
    assert b"R1" in again.stdout, "it stays open, and is told as long as it is"
    ledger(stage, "UPDATE journal SET after_json = COALESCE(before_json, '{}') WHERE run = ?", first["run"])
    assert stage.sync()["failure"] == "", "what was mended is ended by the next run"


def test_notes_that_a_change_brought_go_with_its_undo_are_told_and_come_back(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))))
    path = stage.drop("b.ris", PLAIN.format(more=f"VL  - 8\n{LONG}"))
    second = stage.sync(str(path), "--collection", "Other")
    (note,) = notes(stage)
    found = told(stage, "undo", second["run"])
    assert {one["did"] for one in found.values()} == {"restored", "trashed"}
    assert found[note]["did"] == "trashed"
    assert notes(stage) == []
    again = stage.sync(str(path), "--collection", "Other")
    assert outcomes(again) == {"updated": 1}
    assert notes(stage) == [note], "what was taken back may come again, its text too"
    assert told(stage, "undo", again["run"])[note]["did"] == "trashed"
    assert notes(stage) == []


def test_an_undo_of_a_change_with_notes_can_be_taken_back_itself(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))))
    second = stage.sync(str(stage.drop("b.ris", PLAIN.format(more=f"VL  - 8\n{LONG}"))))
    (note,) = notes(stage)
    undone = json.loads(stage.run("undo", second["run"], "--yes", "--json").stdout)
    assert notes(stage) == []
    assert told(stage, "undo", undone["run"])[note]["did"] == "brought-back"
    assert notes(stage) == [note]


def test_a_withdrawn_drop_takes_the_notes_along_that_it_gave_to_anothers_item(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))))
    stage.sync(str(stage.drop("b.ris", PLAIN.format(more=f"VL  - 8\n{LONG}"))))
    (note,) = notes(stage)
    assert told(stage, "withdraw", "b.ris")[note]["did"] == "trashed"
    assert notes(stage) == []
    assert len(stage.items()) == 1


def test_a_note_of_a_change_that_a_person_threw_away_stays_away(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", PLAIN.format(more=""))))
    path = stage.drop("b.ris", PLAIN.format(more=f"VL  - 8\n{LONG}"))
    second = stage.sync(str(path))
    (note,) = notes(stage)
    edit(stage, note, deleted=1)
    assert told(stage, "undo", second["run"])[note]["why"] == "in the trash already"
    stage.sync(str(path))
    assert notes(stage) == []
