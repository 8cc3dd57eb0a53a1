"""The record as it stood in the drop, kept with its new item: once, whole, and not again once a person deleted it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.core.originals import MOST_NOTE
from sync.libraries.embedded import Embedded
from tests.desk import Desk
from tests.scene import Scene, outcomes, scene
from tests.servers.zotero import USER

TEXT = "TY  - JOUR\nTI  - Walls <b>of</b> the northern coast & kelp\nAU  - Berg, Ada\nPY  - 2020\nER  -"
TWICE = f"{TEXT}\n\n{TEXT.replace('ER  -', 'KW  - moss' + chr(10) + 'ER  -')}\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def children(stage: Scene, kind: str) -> list[dict[str, Any]]:
    lines = stage.run("export").stdout.decode().splitlines()
    return [item for item in map(json.loads, lines) if item["itemType"] == kind]


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_a_note_shows_the_record_and_those_that_joined_it(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[], inbox_original="note")
    assert outcomes(stage.sync(str(stage.drop("a.ris", TWICE)))) == {"created": 1, "merged": 1}
    (note,) = children(stage, "note")
    assert "TI  - Walls &lt;b&gt;of&lt;/b&gt; the northern coast &amp; kelp\n" in note["note"]
    assert note["note"].count("TY  - JOUR") == 2
    assert "KW  - moss" in note["note"]
    assert note["parentItem"] == stage.items()[0]["key"]


def test_an_attachment_holds_the_text_as_it_stood(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_original="attachment")
    stage.sync(str(stage.drop("a.ris", TEXT)))
    (item,) = children(stage, "attachment")
    assert (item["filename"], item["contentType"]) == ("original.ris", "text/plain")
    assert stage.zotero.library(f"users/{USER}").file(item["key"]) == f"{TEXT}\n".encode()
    assert children(stage, "note") == []


def test_what_is_too_long_for_a_note_becomes_a_file(stage: Scene) -> None:
    stage.write_config(use=[], inbox_original="note")
    long = TEXT.replace("ER  -", f"ZZ  - {'wall ' * (MOST_NOTE // 5)}\nER  -")
    stage.sync(str(stage.drop("a.ris", long)))
    assert children(stage, "note") == []
    assert [item["filename"] for item in children(stage, "attachment")] == ["original.ris"]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A library that takes no files."""
    monkeypatch.setattr(Embedded, "takes_files", property(lambda _: False))
    return Desk(tmp_path, capsys)


def test_a_library_that_takes_no_files_gets_a_note_instead(desk: Desk) -> None:
    desk.configure('original = "attachment"')
    desk.run("sync", str(desk.drop("a.ris", TEXT)))
    assert [item["itemType"] for item in desk.items()] == ["journalArticle", "note"]


def test_what_is_too_long_for_a_note_where_no_files_are_taken_is_told(desk: Desk) -> None:
    desk.configure('original = "note"')
    long = TEXT.replace("ER  -", f"ZZ  - {'wall ' * (MOST_NOTE // 5)}\nER  -")
    said = desk.run("sync", str(desk.drop("a.ris", long))).out
    assert "! original-too-long: its original text has" in said
    assert [item["itemType"] for item in desk.items()] == ["journalArticle"]


def test_an_original_that_a_person_deleted_does_not_come_again(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_original="note")
    stage.sync(str(stage.drop("a.ris", TEXT)))
    (note,) = children(stage, "note")
    stage.zotero.library(f"users/{USER}").delete(note["key"])
    assert outcomes(stage.sync(str(stage.drop("b.ris", f"\n{TEXT}")))) == {"updated": 1}
    assert children(stage, "note") == []


def test_a_drop_that_comes_again_writes_no_second_original(stage: Scene) -> None:
    stage.write_config(use=[], inbox_original="note")
    path = str(stage.drop("a.ris", TEXT))
    stage.sync(path)
    stage.sync(path)
    stage.sync(path, "--collection", "elsewhere")
    assert len(children(stage, "note")) == 1


def test_an_undo_takes_the_original_away_with_its_item(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_original="attachment")
    report = stage.sync(str(stage.drop("a.ris", TEXT)))
    told = json.loads(stage.run("undo", report["run"], "--yes", "--json").stdout)
    assert [one["did"] for one in told["undo"]["objects"]] == ["trashed"]
    assert stage.items() == []
