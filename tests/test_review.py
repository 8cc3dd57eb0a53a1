"""A person decides: what was asked is carried out, remembered, and not asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scene import CORPUS, Scene, outcomes, scene

ARTICLE = """TY  - JOUR
AU  - Berg, Ada
AU  - Li, Bo
TI  - Kelp forests of the northern coast and their urchins
JO  - Journal of Applied Tidal Biology
PY  - 2020
VL  - 8
IS  - 2
SP  - {page}
ER  -
"""
ONE, OTHER = ARTICLE.format(page="117"), ARTICLE.format(page="317")
MISPRINT = ARTICLE.format(page="717")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[])
        yield made


def questions(stage: Scene) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stage.run("review", "list", "--json").stdout.decode().splitlines()]


def decide(stage: Scene, verdict: str, *numbers: int) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(stage.run("review", verdict, "--json", *map(str, numbers)).stdout)
    return report


def asked_in_a_drop(stage: Scene) -> dict[str, Any]:
    report = stage.sync(str(stage.drop("both.ris", ONE + "\n" + OTHER)))
    assert outcomes(report) == {"created": 1, "asked": 1}
    (question,) = questions(stage)
    return question


def asked_of_the_library(stage: Scene) -> dict[str, Any]:
    stage.sync(str(stage.drop("one.ris", ONE)))
    assert outcomes(stage.sync(str(stage.drop("other.ris", OTHER)))) == {"asked": 1}
    (question,) = questions(stage)
    return question


@pytest.mark.parametrize("ask", [asked_in_a_drop, asked_of_the_library])
def test_yes_joins_it_to_the_item(stage: Scene, ask: Any) -> None:
    question = ask(stage)
    (item,) = stage.items()
    assert (question["other"]["title"], question["other"]["key"]) == (item["title"], item["key"])
    assert question["other"]["cited"].startswith("Berg A, Li B (2020). Journal of Applied Tidal Biology 8(2):")
    assert "page-differs" in question["reasons"]
    report = decide(stage, "accept", question["number"])
    assert sum(outcomes(report).values()) == 1
    assert not {"created", "asked"} & outcomes(report).keys()
    assert [one["key"] for one in stage.items()] == [item["key"]]
    assert questions(stage) == []
    assert stage.items()[0]["pages"] == item["pages"]


@pytest.mark.parametrize("ask", [asked_in_a_drop, asked_of_the_library])
def test_no_makes_an_item_of_its_own(stage: Scene, ask: Any) -> None:
    question = ask(stage)
    assert outcomes(decide(stage, "reject", question["number"])) == {"created": 1}
    assert len(stage.items()) == 2
    assert questions(stage) == []


def test_what_was_decided_is_not_asked_again(stage: Scene) -> None:
    decide(stage, "reject", asked_of_the_library(stage)["number"])
    again = stage.sync(str(stage.drop("again.ris", "\n" + OTHER)))
    assert outcomes(again) == {"updated": 1}  # its own item, in one more collection
    assert len(stage.items()) == 2


def test_what_the_library_surely_holds_is_no_question_because_of_another_record_of_its_drop(stage: Scene) -> None:
    stage.sync(str(stage.drop("one.ris", OTHER)))
    (item,) = stage.items()
    report = stage.sync(str(stage.drop("both.ris", ONE + "\n" + OTHER)))
    assert outcomes(report) == {"asked": 1, "updated": 1}, "the second record is the item; the first may be"
    (question,) = questions(stage)
    assert (question["other"]["key"], question["reasons"]) == (item["key"], ["page-differs", f"item:{item['key']}"])


def test_a_question_about_a_record_that_became_part_of_an_item_shows_the_item(stage: Scene) -> None:
    stage.sync(str(stage.drop("one.ris", OTHER)))
    (item,) = stage.items()
    report = stage.sync(str(stage.drop("both.ris", MISPRINT + "\n" + ONE)))
    assert outcomes(report) == {"asked": 2}
    first, second = (question["number"] for question in questions(stage))
    assert f"decide on {first} first" in stage.run("review", "accept", str(second), code=2).stderr.decode()
    decide(stage, "accept", first)
    (question,) = questions(stage)
    assert (question["number"], question["other"]["key"]) == (second, item["key"])
    assert "8(2):317" in question["other"]["cited"], "the item's page, not that of the record that joined it"


def test_a_drop_that_was_taken_back_and_came_again_asks_once(stage: Scene) -> None:
    both = stage.drop("both.ris", ONE + "\n" + OTHER)
    stage.run("undo", stage.sync(str(both))["run"], "--yes")
    assert outcomes(stage.sync(str(both)))["asked"] == 1
    (question,) = questions(stage)
    decide(stage, "accept", question["number"])
    assert questions(stage) == []
    assert json.loads(stage.run("status", "--json").stdout)["waits"].get("records for a person's decision", 0) == 0


def test_a_new_record_that_may_be_either_is_a_new_question(stage: Scene) -> None:
    decide(stage, "reject", asked_of_the_library(stage)["number"])
    assert outcomes(stage.sync(str(stage.drop("third.ris", MISPRINT)))) == {"asked": 1}


def test_a_reading_that_was_doubtful_is_taken_or_left_out(stage: Scene) -> None:
    path = str(CORPUS / "cut-off.ris")
    before = outcomes(stage.sync(path))
    assert before["asked"] == 1
    (question,) = questions(stage)
    assert question["reasons"] == ["repair-doubtful"]
    assert question["other"] is None
    items = len(stage.items())
    stage.run("review", "reject", str(question["number"]))
    assert len(stage.items()) == items
    facts = json.loads(stage.run("status", "--json").stdout)
    assert facts["outcomes"] == {**{k: v for k, v in before.items() if k != "asked"}, "left": 1}
    assert questions(stage) == []


def test_a_reading_that_is_accepted_becomes_an_item(stage: Scene) -> None:
    stage.sync(str(CORPUS / "cut-off.ris"))
    items = len(stage.items())
    assert outcomes(decide(stage, "accept", questions(stage)[0]["number"])) == {"created": 1}
    assert len(stage.items()) == items + 1


def test_the_list_says_what_to_do(stage: Scene) -> None:
    question = asked_in_a_drop(stage)
    said = stage.run("review", "list").stdout.decode()
    assert f"zotdrop -c {stage.config} review accept {question['number']} (yes)" in said
    assert "record 2 of" in said
    assert "asked because the pages differ" in said
    assert "    against: page differ (-7.1)" in said
    assert len({line.split(":")[-1] for line in said.splitlines() if "Tidal Biology" in line}) == 2, (
        "both sides, with their pages"
    )
    decide(stage, "accept", question["number"])
    assert b"decided before" in stage.run("review", "accept", str(question["number"]), code=2).stderr
    assert b"nothing waits for you" in stage.run("review", "list").stderr


def test_the_report_says_where_to_look(stage: Scene) -> None:
    said = stage.run("sync", str(stage.drop("both.ris", ONE + "\n" + OTHER))).stdout.decode()
    assert f"1 record waits for you: zotdrop -c {stage.config} review list" in said


def test_what_was_not_asked_cannot_be_decided(stage: Scene) -> None:
    said = stage.run("review", "accept", "4711", code=2).stderr.decode()
    assert f"zotdrop -c {stage.config} review list" in said


def test_of_several_decisions_all_hold_or_none(stage: Scene) -> None:
    number = asked_in_a_drop(stage)["number"]
    stage.run("review", "accept", str(number), "4711", code=2)
    assert [question["number"] for question in questions(stage)] == [number]


def test_a_decision_survives_a_run_that_could_not_carry_it_out(stage: Scene) -> None:
    stage.write_config("user", use=[])
    number = asked_in_a_drop(stage)["number"]
    stage.zotero.fail(None, status=503)
    stage.run("review", "reject", str(number), code=4)
    stage.zotero.heal()
    assert outcomes(stage.sync()) == {"created": 1}
    assert len(stage.items()) == 2


def test_yes_holds_though_the_item_was_changed_beyond_recognition_since(stage: Scene) -> None:
    stage.write_config("user", use=[])
    question = asked_of_the_library(stage)
    key = question["other"]["key"]
    stage.zotero.library().edit(key, title="Quite something else", volume="", pages="", creators=[], date="1999")
    decide(stage, "accept", question["number"])
    assert [item["key"] for item in stage.items()] == [key]
    assert stage.items()[0]["title"] == "Quite something else"


@pytest.mark.parametrize("ask", [asked_in_a_drop, asked_of_the_library])
def test_a_yes_may_become_a_no_and_the_record_an_item(stage: Scene, ask: Any) -> None:
    number = str(ask(stage)["number"])
    stage.run("review", "accept", number)
    assert len(stage.items()) == 1
    assert outcomes(decide(stage, "reject", int(number))) == {"created": 1}
    assert len(stage.items()) == 2
    assert outcomes(stage.sync(str(stage.drop("again.ris", OTHER + "\n")))).get("asked") is None
    assert len(stage.items()) == 2


def test_a_no_becomes_a_yes_once_the_item_that_it_made_is_taken_back(stage: Scene) -> None:
    number = asked_of_the_library(stage)["number"]
    made = decide(stage, "reject", number)
    assert len(stage.items()) == 2
    told = stage.run("review", "accept", str(number), code=2).stderr.decode()
    assert f"undo {made['run']} takes that back; then decide anew" in told
    stage.run("undo", made["run"], "--yes")
    decide(stage, "accept", number)
    assert len(stage.items()) == 1
    assert questions(stage) == []
