"""Where items go and with which tags: by the database of a drop, its review, its search, and the table of keywords."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sync.state.ledger import Ledger
from sync.state.routes import Route
from tests.desk import Desk
from tests.scene import outcomes
from tests.servers.works import Work, make_works, to_ris
from tests.test_review import ONE, OTHER

WORKS = make_works(6, seed=11)
REVIEWS = """
[review.icbt]
title = "iCBT in adults"
[review.icbt.search.embase-2026]
database = "Embase"
platform = "Ovid"
date = 2026-11-20
expected = 7
[review.other]
"""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def configure(desk: Desk, more: str = REVIEWS, **inbox: Any) -> None:
    desk.configure("\n".join(f"{name} = {json.dumps(value)}" for name, value in inbox.items()))
    desk.config.write_text(desk.config.read_text() + more)


def sync(desk: Desk, *words: str) -> dict[str, Any]:
    report: dict[str, Any] = desk.run("sync", "--json", *words).json()
    return report


def marked(works: Sequence[Work], *lines: str) -> str:
    """These works as RIS, each with these lines before its end."""
    return to_ris(works).replace("ER  -", "\n".join([*lines, "ER  -"]))


def paths(desk: Desk) -> set[str]:
    """The paths of the collections that items lie in."""
    held = sqlite3.connect(desk.folder / "library.sqlite")
    rows = {key: (parent, name) for key, parent, name in held.execute("SELECT key, parent, name FROM collections")}
    held.close()

    def path(key: str) -> str:
        parent, name = rows[key]
        return f"{path(parent)}/{name}" if parent else str(name)

    return {path(key) for item in desk.items() for key in item["collections"]}


def routes(desk: Desk) -> list[Route]:
    ledger = Ledger.open(desk.folder / "state" / "zotdrop.sqlite")
    found = [ledger.routes.of(row.id) for row in ledger.records.drops()]
    ledger.close()
    return found


def test_the_database_is_told_by_the_records_and_is_left_out_where_they_do_not_tell(desk: Desk) -> None:
    configure(desk, collection="Searches/{database}/{drop}")
    sync(desk, str(desk.drop("one.ris", marked(WORKS[:3], "DB  - Embase"))))
    assert paths(desk) == {"Searches/Embase/one"}
    sync(desk, str(desk.drop("two.ris", to_ris(WORKS[3:5]))))
    assert paths(desk) == {"Searches/Embase/one", "Searches/two"}


def test_a_slash_in_the_name_of_a_database_makes_no_collection(desk: Desk) -> None:
    configure(desk, collection="{database}")
    sync(desk, str(desk.drop("one.ris", marked(WORKS[:1], "DB  - ABI/INFORM Global"))))
    assert paths(desk) == {"ABI-INFORM Global"}


@pytest.mark.parametrize(
    ("inbox", "subfolder", "switches", "path"),
    [
        ("icbt/embase-2026", "", (), "icbt/Embase"),
        ("icbt", "Embase-2026", (), "icbt/Embase"),
        ("", "icbt/embase-2026", (), "icbt/Embase"),
        ("icbt", "week-1", (), "icbt/Scopus"),
        ("", "week-1", (), "Scopus"),
        ("icbt", "", ("--review", "other"), "other/Scopus"),
        ("other", "embase-2026", ("--review", "icbt"), "icbt/Embase"),
    ],
)
def test_a_drop_belongs_to_a_review_by_inbox_subfolder_or_command(
    desk: Desk, inbox: str, subfolder: str, switches: tuple[str, ...], path: str
) -> None:
    configure(desk, collection="{review}/{database}", review=inbox)
    place = desk.inbox / subfolder
    place.mkdir(parents=True, exist_ok=True)
    (place / "a.ris").write_text(marked(WORKS[:2], "DB  - Scopus"))
    sync(desk, *switches)
    assert paths(desk) == {path}


@pytest.mark.parametrize("folder", ["done", "held"])
@pytest.mark.parametrize("subfolder", ["", "week-1"])
def test_a_file_that_was_put_away_and_is_named_by_hand_has_the_subfolder_that_it_had(
    desk: Desk, folder: str, subfolder: str
) -> None:
    configure(desk, collection="Drops/{subfolder}")
    place = desk.inbox / folder / subfolder
    place.mkdir(parents=True, exist_ok=True)
    (place / "a.ris").write_text(to_ris(WORKS[:2]))
    sync(desk, str(place / "a.ris"))
    assert paths(desk) == {f"Drops/{subfolder}" if subfolder else "Drops"}


def test_the_search_of_a_drop_is_noted_and_told_with_what_was_expected(desk: Desk) -> None:
    configure(desk, review="icbt/embase-2026")
    report = sync(desk, str(desk.drop("a.ris", to_ris(WORKS[:5]))))
    (route,) = routes(desk)
    assert (route.assigned.search, route.assigned.platform, route.assigned.date) == (
        "embase-2026",
        "Ovid",
        "2026-11-20",
    )
    assert report["drops"][0]["review"] == "icbt"
    assert report["drops"][0]["search"] == {
        "name": "embase-2026", "database": "Embase", "platform": "Ovid", "date": "2026-11-20", "expected": 7,
    }  # fmt: skip
    said = desk.run("sync", str(desk.drop("b.ris", "\n" + to_ris(WORKS[:5])))).out
    assert "search embase-2026 of the review icbt (Embase, Ovid, 2026-11-20): 5 of 7 expected records" in said


def test_a_review_that_is_used_is_no_longer_warned_about(desk: Desk) -> None:
    configure(desk)
    assert "no effect" not in desk.run("status").err


def test_a_review_that_is_not_there_is_refused_before_anything_is_read(desk: Desk) -> None:
    configure(desk)
    path = str(desk.drop("a.ris", to_ris(WORKS[:1])))
    said = desk.run("sync", path, "--review", "icbt/medline", code=2).err
    assert "there is no [review.icbt.search.medline]; there is embase-2026" in said
    assert "there is icbt, other" in desk.run("sync", path, "--review", "ibct", code=2).err


def test_the_same_file_for_another_search_is_another_drop(desk: Desk) -> None:
    configure(desk, collection="{review}")
    path = str(desk.drop("a.ris", to_ris(WORKS[:1])))
    sync(desk, path, "--review", "icbt")
    assert outcomes(sync(desk, path, "--review", "other")) == {"updated": 1}
    assert paths(desk) == {"icbt", "other"}


def test_what_is_decided_later_goes_where_its_drop_went(desk: Desk) -> None:
    configure(desk)
    sync(desk, str(desk.drop("a.ris", ONE)), "--collection", "First")
    report = sync(desk, str(desk.drop("b.ris", OTHER)), "--collection", "Second/{drop}")
    assert outcomes(report) == {"asked": 1}
    number = desk.run("review", "list", "--json").json()["number"]
    desk.run("review", "reject", str(number))
    assert paths(desk) == {"First", "Second/b"}


def test_keywords_become_the_tags_of_the_inbox_s_table(desk: Desk) -> None:
    configure(
        desk, "[inbox.default.keyword_map]\ntides = 'Sea'\nkelp = ''\n", keywords="mapped", other_keywords="automatic"
    )
    text = marked(WORKS[:1], "KW  - Tídes", "KW  - KELP", "KW  - Urchins")
    sync(desk, str(desk.drop("a.ris", text)))
    (item,) = desk.items()
    assert {"tag": "Sea"} in item["tags"]
    assert {"tag": "Urchins", "type": 1} in item["tags"]
    assert not {"KELP", "Tídes"} & {tag["tag"] for tag in item["tags"]}
