"""A library looked at again: ours gain what is new, others are told of, and what came in confidence is not asked for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene, outcomes, scene
from tests.servers.base import Handle, Reply, Request
from tests.servers.works import make_works, to_ris
from tests.servers.works_special import SPECIAL

WORKS = [work for work in make_works(30, seed=11) if work.pmid and work.volume]
OPEN = replace(SPECIAL["retracted"], title="Tidal water and the healing of sprains")
NEW = ("updated-by", "volume", "issue", "page")  # what Crossref comes to know only later


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        made.write_config("user", use=["crossref"])
        yield made


def younger(handle: Handle, request: Request) -> Reply:
    """Crossref's answer as it was before the work was retracted, and got its volume and pages."""
    reply = handle(request)
    data = json.loads(reply.body)
    for item in data["message"]["items"]:
        for name in NEW:
            item.pop(name, None)
    return replace(reply, body=json.dumps(data).encode())


def before(stage: Scene, *words: str, works: Any = (OPEN, *WORKS[:3])) -> dict[str, Any]:
    """A drop that is synced while Crossref knows less than it will; its answers are forgotten then."""
    stage.crossref.twist(younger, None)
    report = stage.sync(*words, str(stage.drop("first.ris", to_ris(works, without={"VL", "IS", "SP", "EP", "AN"}))))
    stage.crossref.heal()
    forget(stage)
    return report


def forget(stage: Scene) -> None:
    ledger = sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite")
    ledger.execute("DELETE FROM answers")
    ledger.commit()
    ledger.close()


def refresh(stage: Scene, *words: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(stage.run("refresh", "--json", *words).stdout)
    return report


def test_ours_gain_volume_and_pages_and_are_marked_as_retracted(stage: Scene) -> None:
    assert outcomes(before(stage)) == {"created": 4}
    assert not any(item.get("volume") for item in stage.items())
    assert {"tag": "Retracted"} not in [tag for item in stage.items() for tag in item["tags"]]
    report = refresh(stage)
    assert report["refresh"]["items"] == 4
    assert all(one["ours"] for one in report["refresh"]["seen"])
    items = {item["title"]: item for item in stage.items()}
    for work in WORKS[:3]:
        assert items[work.plain_title]["volume"] == work.volume
    sprains = items[OPEN.plain_title]
    assert {"tag": "Retracted"} in sprains["tags"]
    (seen,) = [one for one in report["refresh"]["seen"] if one["key"] == sprains["key"]]
    assert [problem["code"] for problem in seen["problems"]] == ["retracted"]
    notes = [item for item in stage.zotero.library().items() if item["itemType"] == "note"]
    assert [note["parentItem"] for note in notes] == [sprains["key"]]


def test_what_was_gained_can_say_where_it_came_from(stage: Scene) -> None:
    before(stage)
    refresh(stage)
    item = next(item for item in stage.items() if item["title"] == WORKS[0].plain_title)
    (story,) = [json.loads(line) for line in stage.run("show", "--json", item["key"]).stdout.decode().splitlines()]
    assert story["item"]["volume"] == WORKS[0].volume
    assert story["origins"]["volume"][:2] == ["crossref", "doi"]


def test_a_second_look_changes_nothing_and_asks_nothing(stage: Scene) -> None:
    before(stage)
    refresh(stage)
    versions = [(item["key"], item["version"]) for item in stage.zotero.library().items()]
    asked = len(stage.crossref.log)
    again = refresh(stage)
    assert (again["changed"], again["refresh"]["items"]) == (False, 4)
    assert len(stage.crossref.log) == asked
    forget(stage)
    assert refresh(stage)["changed"] is False
    assert len(stage.crossref.log) == asked + 1
    assert [(item["key"], item["version"]) for item in stage.zotero.library().items()] == versions


def test_what_a_person_changed_or_emptied_stays(stage: Scene) -> None:
    before(stage)
    refresh(stage)
    library = stage.zotero.library()
    items = {item["title"]: item for item in library.items() if item["itemType"] == "journalArticle"}
    library.edit(items[OPEN.plain_title]["key"], tags=[])
    library.edit(items[WORKS[0].plain_title]["key"], volume="")
    library.edit(items[WORKS[1].plain_title]["key"], volume="my own")
    forget(stage)
    refresh(stage)
    items = {item["title"]: item for item in library.items() if item["itemType"] == "journalArticle"}
    assert items[OPEN.plain_title]["tags"] == []
    assert items[WORKS[0].plain_title].get("volume", "") == ""
    assert items[WORKS[1].plain_title]["volume"] == "my own"


def test_for_items_of_others_changes_are_proposed_and_not_made(stage: Scene) -> None:
    library = stage.zotero.library()
    mine = {"itemType": "journalArticle", "title": OPEN.plain_title, "DOI": OPEN.doi}
    key = library.add(**mine)
    assert library.items()
    version = library.items()[0]["version"]
    report = refresh(stage)
    (seen,) = report["refresh"]["seen"]
    assert (seen["key"], seen["ours"]) == (key, False)
    assert seen["changes"]["volume"] == OPEN.volume
    assert [problem["code"] for problem in seen["problems"]] == ["retracted"]
    assert report["changed"] is False
    assert library.items()[0]["version"] == version
    said = stage.run("refresh").stdout.decode()
    assert f"{key} Tidal water and the healing of sprains: could gain" in said
    assert "was retracted" in said


def test_what_came_in_confidence_is_not_asked_for(stage: Scene) -> None:
    before(stage, "--no-enrich")
    assert refresh(stage)["refresh"]["items"] == 0
    assert stage.crossref.log == []


def test_items_of_others_are_not_asked_for_where_an_inbox_of_their_library_is_confidential(stage: Scene) -> None:
    library = stage.zotero.library()
    library.add(itemType="journalArticle", title=OPEN.plain_title, DOI=OPEN.doi)
    stage.config.write_text(
        stage.config.read_text() + '[inbox.secret]\npath = "secret"\nsources = []\n[inbox.secret2]\npath = "s2"\n'
    )
    assert refresh(stage)["refresh"]["items"] == 0
    assert stage.crossref.log == []


def test_a_dry_run_says_what_would_change(stage: Scene) -> None:
    before(stage)
    items = stage.zotero.library().items()
    report = refresh(stage, "--dry-run")
    assert (report["dry"], report["refresh"]["items"]) == (True, 4)
    assert stage.zotero.library().items() == items
    said = stage.run("refresh", "--dry-run").stdout.decode()
    assert "would gain something" in said


def test_a_service_that_is_away_is_said_and_nothing_is_lost(stage: Scene) -> None:
    before(stage)
    stage.crossref.fail(None, status=503)
    report = refresh(stage)
    assert "503" in report["away"]["crossref"]
    stage.crossref.heal()
    assert refresh(stage)["changed"] is True


def test_an_unknown_library_is_a_usage_fault(stage: Scene) -> None:
    assert b"library.none" in stage.run("refresh", "--library", "none", code=2).stderr
