"""A run taken back: what it made goes to the trash, what it changed is restored, what a person touched stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from tests.scene import Scene, outcomes, scene

ONE = """TY  - JOUR
AU  - Berg, Anna
TI  - Tides and the people who read them in the north
T2  - Journal of Coasts
PY  - 2019
SP  - 11
EP  - 29
DO  - 10.5555/tides
{more}ER  -
"""
OTHER = ONE.replace("Tides and the people who read them in the north", "Kelp forests under a warming sky").replace(
    "tides", "kelp"
)


@pytest.fixture(params=["embedded", "user"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(request.param, use=[])
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
        library = Embedded(self._stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
        (answer,) = library.write([Write(key, 10**9, changes)])
        assert isinstance(answer, Receipt)
        library.close()

    def add_note(self, parent: str) -> None:
        note = {"itemType": "note", "parentItem": parent, "note": "<p>mine</p>"}
        if not self._embedded:
            self._stage.zotero.library().add(**note)
            return
        library = Embedded(self._stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
        (answer,) = library.write([Write("PERS2222", 0, note)])
        assert isinstance(answer, Receipt)
        library.close()


def undo(stage: Scene, run: str, *words: str) -> dict[str, dict[str, Any]]:
    report = json.loads(stage.run("undo", run, "--yes", "--json", *words).stdout)
    return {one["key"]: one for one in report["undo"]["objects"]} | {"run": report["run"]}


def test_what_a_run_made_goes_to_the_trash_and_comes_back_with_the_next_drop(stage: Scene) -> None:
    path = stage.drop("a.ris", ONE.format(more="N1  - A remark\n") + OTHER.format(more=""))
    first = stage.sync(str(path))
    assert outcomes(first) == {"created": 2}
    told = undo(stage, first["run"])
    assert [one["did"] for key, one in told.items() if key != "run"] == ["trashed", "trashed"]
    assert stage.items() == []
    assert "left: 2" not in stage.run("status").stdout.decode()
    again = stage.sync(str(path))
    assert outcomes(again) == {"updated": 2}
    assert {reason for line in again["drops"][0]["records"] for reason in line["reasons"]} >= {"restored"}
    assert len(stage.items()) == 2
    assert {line["key"] for line in first["drops"][0]["records"]} == {item["key"] for item in stage.items()}


def test_an_undo_can_be_taken_back_itself(stage: Scene) -> None:
    path = stage.drop("a.ris", ONE.format(more=""))
    first = stage.sync(str(path))
    told = undo(stage, first["run"])
    back = undo(stage, str(told["run"]))
    assert [one["did"] for key, one in back.items() if key != "run"] == ["brought-back"]
    assert len(stage.items()) == 1
    assert outcomes(stage.sync(str(path))) == {"left": 1}, "the same drop as before: nothing to do"


def test_what_a_person_changed_noted_or_what_another_drop_brought_stays(stage: Scene) -> None:
    third = ONE.replace("Tides and the people who read them in the north", "Salt in the soils of river mouths")
    text = "".join(one.format(more="") for one in (ONE, OTHER, third.replace("tides", "salt")))
    fourth = ONE.replace(
        "Tides and the people who read them in the north", "Wind, dunes and the grasses that hold them"
    )
    first = stage.sync(str(stage.drop("a.ris", text + fourth.replace("tides", "wind").format(more=""))))
    edited, noted, shared, free = [line["key"] for line in first["drops"][0]["records"]]
    Person(stage).edit(edited, title="My own title")
    Person(stage).add_note(noted)
    stage.sync(str(stage.drop("b.ris", third.replace("tides", "salt").format(more="C1  - from another base\n"))))
    told = undo(stage, first["run"])
    assert {key: told[key]["did"] for key in (edited, noted, shared, free)} == {
        edited: "kept",
        noted: "kept",
        shared: "kept",
        free: "trashed",
    }
    assert told[edited]["why"] == "changed since: title"
    assert "notes" in told[noted]["why"]
    assert "b.ris" in told[shared]["why"]
    assert {item["key"] for item in stage.items()} == {edited, noted, shared}


def test_values_that_a_run_filled_are_taken_out_again_and_a_persons_are_not(stage: Scene) -> None:
    first = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    (item,) = stage.items()
    fuller = stage.sync(
        str(stage.drop("b.ris", ONE.format(more="VL  - 8\nIS  - 2\nAB  - About tides.\n"))), "--collection", "Second"
    )
    assert outcomes(fuller) == {"updated": 1}
    Person(stage).edit(item["key"], volume="9")
    told = undo(stage, fuller["run"])[item["key"]]
    assert told["did"] == "restored"
    assert told["left"] == ["volume"]
    (now,) = stage.items()
    assert (now["volume"], now.get("issue", ""), now.get("abstractNote", "")) == ("9", "", "")
    assert now["collections"] == item["collections"]
    again = stage.sync(str(stage.drop("b.ris", ONE.format(more="VL  - 8\nIS  - 2\nAB  - About tides.\n"))))
    assert outcomes(again) == {"updated": 1}, "what was taken back may come again"
    assert stage.items()[0]["issue"] == "2"
    assert stage.items()[0]["volume"] == "9"
    assert first["run"] != fuller["run"]


def test_a_dry_undo_changes_nothing_and_says_what_it_would_do(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    told = json.loads(stage.run("undo", report["run"], "--dry-run", "--json").stdout)
    assert (told["dry"], told["changed"]) == (True, False)
    assert [one["did"] for one in told["undo"]["objects"]] == ["trashed"]
    assert len(stage.items()) == 1


def test_what_a_person_threw_away_is_no_undo_of_ours_and_stays_away(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    key = report["drops"][0]["records"][0]["key"]
    Person(stage).edit(key, deleted=1)
    again = stage.sync(str(stage.drop("b.ris", ONE.format(more="VL  - 8\n"))))
    assert again["drops"][0]["records"][0]["reasons"][-1] == "in-trash"
    told = undo(stage, report["run"])
    assert told[key]["why"] == "in the trash already"
    assert stage.items() == []


def test_history_names_the_runs_and_a_wrong_name_is_told(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    undo(stage, report["run"])
    lines = stage.run("history").stdout.decode().splitlines()
    assert len(lines) == 2, "the run that changed nothing is not told"
    assert report["run"] in lines[0]
    assert lines[1].startswith(report["run"])
    assert "1 created" in lines[1]
    assert len(stage.run("history", "-v").stdout.decode().splitlines()) == 3
    assert f"zotdrop -c {stage.config} history" in stage.run("undo", "nothing", "--yes", code=2).stderr.decode()
    assert b"--yes" in stage.run("undo", report["run"], code=2).stderr


def test_history_marks_what_was_taken_back_and_no_longer_what_came_back(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    undo(stage, report["run"])
    back, first = stage.run("history").stdout.decode().splitlines()
    assert first.endswith(f"(taken back by {back.split()[0]})")
    undo(stage, back.split()[0])
    again, back, first = stage.run("history").stdout.decode().splitlines()
    assert back.endswith(f"(taken back by {again.split()[0]})")
    assert "taken back" not in first
    marked = [json.loads(line)["taken_back_by"] for line in stage.run("--json", "history").stdout.splitlines()]
    assert marked == ["", again.split()[0], ""]


def marks(stage: Scene) -> dict[str, str]:
    """By run: which one took it back."""
    lines = map(json.loads, stage.run("--json", "history", "-v").stdout.splitlines())
    return {run["id"]: run["taken_back_by"] for run in lines}


def test_an_undo_that_took_nothing_marks_nothing(stage: Scene) -> None:
    run = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))["run"]
    back = str(undo(stage, run)["run"])
    undo(stage, run)
    assert marks(stage)[run] == back
    again = str(undo(stage, back)["run"])
    assert marks(stage)[run] == ""
    assert marks(stage)[back] == again


def test_an_undo_that_left_all_to_a_person_marks_nothing(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", ONE.format(more=""))))
    Person(stage).edit(report["drops"][0]["records"][0]["key"], title="What somebody wrote")
    told = undo(stage, report["run"])
    assert [one["did"] for key, one in told.items() if key != "run"] == ["kept"]
    assert marks(stage)[report["run"]] == ""


def test_history_counts_the_drops_that_it_does_not_name(stage: Scene) -> None:
    paths = [str(stage.drop(f"{n}.ris", ONE.format(more="").replace("tides", f"tides-{n}"))) for n in range(5)]
    stage.sync(*paths[:3])
    assert stage.run("history").stdout.decode().splitlines()[0].endswith(", ".join(paths[:3]))
    stage.sync(*paths[:3], *paths[3:])
    assert ", ".join(paths[:3]) + ", and 2 more" in stage.run("history", "-v").stdout.decode().splitlines()[0]
