"""What was taken back stays so: nothing is filled, decided or tried again into it, until its file is dropped once more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sync import orders
from sync.config import load
from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from sync.report import RunReport, as_text
from sync.state.figures import read_figures
from sync.state.ledger import Ledger
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(6, seed=41)
AT = "2027-01-01T08:00:00Z"
NOWHERE = "http://127.0.0.1:9"
TITLE = "Effect of altitude and of blood pressure on midwives of Lortornes"
PERSONS = {
    "itemType": "journalArticle",
    "title": TITLE,
    "date": "2019",
    "publicationTitle": "J of X",
    "volume": "4",
    "creators": [{"creatorType": "author", "firstName": "Ann", "lastName": "Meyer"}],
}
ASKED = f"TY  - JOUR\nTI  - {TITLE}\nPY  - 2019\nAU  - Meyer, Ann\nAU  - Schmidt, B\nT2  - J of X\nVL  - 3\nER  - \n"
UNREADABLE = "TY  - JOUR\nER  - \n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0)
        yield made


def carry(stage: Scene, *paths: Path, **order: Any) -> RunReport:
    asked = orders.Order(paths=tuple(map(str, paths)), **order)
    (report,) = orders.carry_out(load(stage.config, {}), asked, kind="sync", stop=Event(), tell=lambda *_: None)
    return report


def persons_item(stage: Scene, **data: Any) -> str:
    """An item that somebody else made."""
    library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
    (answer,) = library.write([Write("ABCD2345", 0, data)])
    library.close()
    assert isinstance(answer, Receipt)
    return "ABCD2345"


def items(stage: Scene) -> dict[str, dict[str, Any]]:
    library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
    found = {item.key: dict(item.data) for item in library.items()}
    library.close()
    return found


def owed(stage: Scene) -> tuple[bool, int]:
    ledger = Ledger.open(stage.folder / "state" / "zotdrop.sqlite")
    found = ledger.records.any_owed(), ledger.waits()["items that a service still owes values"]
    ledger.close()
    figures = read_figures(stage.folder / "state" / "zotdrop.sqlite")
    assert sum(figures.owed.values()) == found[1]
    return found


def ended(report: RunReport) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.outcome, line.reasons) for drop in report.drops for line in drop.records]


@pytest.mark.parametrize("how", ["undo", "withdraw"])
def test_a_source_that_was_away_fills_nothing_that_was_taken_back(stage: Scene, how: str) -> None:
    said = {tag: re.search(rf"{tag}  - (.*)", to_ris(WORKS[:1])) for tag in ("TI", "DO")}
    title, doi = (found[1].strip() for found in said.values() if found)
    key = persons_item(stage, itemType="journalArticle", title=title, DOI=doi)
    theirs = items(stage)[key]
    stage.write_config(use=["crossref"], crossref_url=NOWHERE, inbox_settle_seconds=0.0)
    run = carry(stage, stage.drop("a.ris", f"TY  - JOUR\nTI  - {title}\nDO  - {doi}\nPY  - 2021\nER  - \n")).run
    assert owed(stage) == (True, 1)
    back = carry(stage, **({"undo": run} if how == "undo" else {"withdraw": "a.ris"}))
    assert owed(stage) == (False, 0)
    stage.write_config(use=["crossref"], inbox_settle_seconds=0.0)
    assert carry(stage, owed_only=True).written == 0
    now = items(stage)[key]
    assert all(now.get(name) == value for name, value in theirs.items() if name not in {"version", "dateModified"})
    assert "volume" not in {name for name, value in now.items() if value}
    carry(stage, undo=back.run)
    assert owed(stage) == (True, 1)
    carry(stage, owed_only=True)
    assert items(stage)[key]["volume"]
    assert owed(stage) == (False, 0)


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_question_of_a_run_that_was_taken_back_is_decided_and_its_file_may_come_again(
    stage: Scene, verdict: str
) -> None:
    persons_item(stage, **PERSONS)
    file = stage.drop("a.ris", to_ris(WORKS[:2]) + ASKED)
    run = carry(stage, file)
    assert [outcome for outcome, _ in ended(run)] == ["created", "created", "asked"]
    carry(stage, undo=run.run)
    stage.run("review", verdict, "3")
    assert len([item for item in items(stage).values() if item["title"] == TITLE]) == (1 if verdict == "accept" else 2)
    assert {item["volume"] for item in items(stage).values() if item["title"] == TITLE} == (
        {"4"} if verdict == "accept" else {"4", "3"}
    )
    again = carry(stage, file)
    assert all("same-drop" not in reasons for _, reasons in ended(again))
    assert [outcome for outcome, _ in ended(again)].count("asked") == 0
    assert len(items(stage)) == 2 + (1 if verdict == "accept" else 2)


@pytest.mark.parametrize("how", ["undo", "withdraw"])
def test_retry_does_not_bring_back_what_was_taken_back_and_lies_in_held(stage: Scene, how: str) -> None:
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]) + UNREADABLE)
    run = carry(stage)
    (held,) = (stage.inbox / "held").glob("*.ris")
    carry(stage, **({"undo": run.run} if how == "undo" else {"withdraw": str(stage.inbox / "a.ris")}))
    assert items(stage) == {}
    for _ in range(2):
        told = carry(stage, retry=True)
        assert items(stage) == {}
        assert told.written == 0
        assert [outcome for outcome, _ in ended(told)] == ["left", "left", "unreadable"]
        assert "was taken back" in as_text(told)
        assert held.exists()
    held.rename(stage.inbox / "a.ris")
    carry(stage)
    assert len(items(stage)) == 2
