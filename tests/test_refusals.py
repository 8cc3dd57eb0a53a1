"""What a library refuses, through real runs: it comes in another form, once, nothing is lost, and the report says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scene import Scene, outcomes, scene
from tests.servers.base import Reply, Request
from tests.servers.zotero import writes_of
from tests.servers.zotero_older import OlderSchema

NO_PMID = frozenset({"PMID", "PMCID"})
BOTH = pytest.mark.parametrize("library", ["embedded", "user"])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config("user", use=[], inbox_collection="Drops")
        yield made


def ris(*more: str, kind: str = "JOUR", title: str = "Tides and the people who read them") -> str:
    lines = [f"TY  - {kind}", f"TI  - {title}", "AU  - Berg, Anna", "T2  - Journal of Coasts", "PY  - 2019", "SP  - 11"]
    return "\n".join([*lines, *more, "ER  - ", ""])


def problems(report: dict[str, Any]) -> list[str]:
    return [problem["code"] for drop in report["drops"] for record in drop["records"] for problem in record["problems"]]


def everything(stage: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The one item of the library, and what hangs from it."""
    held = stage.zotero.library().items()
    [item] = [each for each in held if each["itemType"] not in {"note", "attachment"}]
    return item, [each for each in held if each.get("parentItem") == item["key"]]


def sent(stage: Scene) -> list[list[dict[str, Any]]]:
    """The objects of each write of items."""
    return [r.json() for r in stage.zotero.log if writes_of(r) and r.path.endswith("/items")]


def failed(stage: Scene) -> Callable[[], int]:
    """Counts the objects that the server refuses from now on."""
    codes: list[int] = []

    def twist(handle: Callable[[Request], Reply], request: Request) -> Reply:
        reply = handle(request)
        codes.extend([1] * reply.body.count(b'"code":'))
        return reply

    stage.zotero.twist(twist, None, lambda request: writes_of(request) and request.path.endswith("/items"))
    return lambda: len(codes)


@pytest.mark.parametrize(
    ("older", "refusals"),
    [
        (OlderSchema(everywhere=NO_PMID), 0),
        (OlderSchema(of={"journalArticle": NO_PMID}), 0),
        (OlderSchema(everywhere=NO_PMID, whole=False), 0),
        (OlderSchema(of={"journalArticle": NO_PMID}, whole=False), 2),
        (OlderSchema(everywhere=NO_PMID, whole=False, says_so=False), 2),
    ],
    ids=["all-told", "of-a-type-told", "fields-told", "of-a-type-refused", "refused"],
)
def test_a_server_that_knows_fewer_fields_gets_what_it_knows_and_the_rest_in_extra(
    stage: Scene, older: OlderSchema, refusals: int
) -> None:
    stage.zotero.older = older
    count = failed(stage)
    text = ris("AN  - PMID: 12345678", "C2  - PMC1234567", "DB  - PubMed", "N1  - A note that hangs from it")
    report = stage.sync(str(stage.drop("a.ris", text)))
    item, below = everything(stage)
    assert outcomes(report) == {"created": 1}
    assert "PMID: 12345678" in item["extra"].splitlines()
    assert not item.get("PMID")
    assert [each["itemType"] for each in below] == ["note"]
    assert "field-in-extra" in problems(report)
    assert "note-refused-409" not in problems(report)
    assert count() == (refusals and refusals + refusals)  # the item, and each time the note with it


def test_what_went_to_extra_is_not_written_again(stage: Scene) -> None:
    stage.zotero.older = OlderSchema(everywhere=NO_PMID, whole=False, says_so=False)
    for name, outcome in (("a.ris", "created"), ("b.ris", "left")):
        text = ris("AN  - PMID: 12345678", "DB  - PubMed", f"ID  - {name}")
        assert outcomes(stage.sync(str(stage.drop(name, text)))) == {outcome: 1}
    assert everything(stage)[0]["extra"].count("PMID") == 1


def test_an_update_of_an_item_that_is_not_ours_adds_a_line_once(stage: Scene) -> None:
    stage.zotero.older = OlderSchema(everywhere=NO_PMID)
    shelf = stage.zotero.library()
    key = shelf.add(
        itemType="journalArticle", title="Tides and the people who read them", DOI="10.5555/tides", extra="mine"
    )
    for name in ("a.ris", "b.ris"):
        stage.sync(
            str(stage.drop(name, ris("DO  - 10.5555/tides", "AN  - PMID: 12345678", "DB  - PubMed", f"ID  - {name}")))
        )
        assert shelf.item(key)["extra"] == "mine\nPMID: 12345678"
    assert len(shelf.items()) == 1


def test_a_type_that_the_server_does_not_know_is_a_document(stage: Scene) -> None:
    stage.zotero.older = OlderSchema(types=frozenset({"dataset"}))
    report = stage.sync(str(stage.drop("a.ris", ris("DO  - 10.5555/data", kind="DATA"))))
    item, _ = everything(stage)
    assert outcomes(report) == {"created": 1}
    assert item["itemType"] == "document"
    assert "Type: dataset" in item["extra"].splitlines()
    assert "type-in-extra" in problems(report)


@BOTH
def test_a_text_that_is_too_long_is_a_note_and_the_item_is_there(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[], inbox_collection="Drops")
    words = " ".join(f"{'salt' * 20}{number}" for number in range(900))
    report = stage.sync(str(stage.drop("a.ris", ris(f"N2  - {words}"))))
    assert outcomes(report) == {"created": 1}
    assert "field-too-long" in problems(report)
    lines = stage.run("export").stdout.decode()
    assert "salt899" in lines
    [item] = stage.items()
    assert not item.get("abstractNote")
    again = stage.sync(str(stage.drop("b.ris", ris(f"N2  - {words}", "ID  - 2"))))
    assert outcomes(again) == {"left": 1}
    assert stage.run("export").stdout.decode().count("salt899") == 1


@BOTH
def test_a_keyword_that_is_too_long_is_parted_or_a_line_in_a_note(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[], inbox_collection="Drops")
    words = " | ".join(f"tide {number}" for number in range(60))
    report = stage.sync(str(stage.drop("a.ris", ris(f"KW  - {words}", f"KW  - {'salt' * 70}"))))
    assert outcomes(report) == {"created": 1}
    assert "tag-too-long" in problems(report)
    [item] = stage.items()
    assert {"tide 0", "tide 59"} <= {tag["tag"] for tag in item["tags"]}
    assert "salt" * 70 in stage.run("export").stdout.decode()


def test_undo_takes_the_notes_of_a_mended_item_back_with_it(stage: Scene) -> None:
    words = " ".join(f"{'salt' * 20}{number}" for number in range(900))
    report = stage.sync(str(stage.drop("a.ris", ris(f"N2  - {words}"))))
    stage.run("undo", report["run"], "--yes")
    assert [item["itemType"] for item in stage.zotero.library().items(trashed=True) if item.get("deleted")] != []
    assert stage.items() == []


@pytest.mark.parametrize("on_purpose", [True, False], ids=["deleted", "lost"])
def test_a_collection_that_is_gone_in_the_middle(stage: Scene, on_purpose: bool) -> None:
    shelf = stage.zotero.library()

    def gone(handle: Callable[[Request], Reply], request: Request) -> Reply:
        [made] = shelf.collections()
        (shelf.delete if on_purpose else shelf.lose)(made["key"], "collections")
        return handle(request)

    stage.zotero.twist(gone, 1, lambda request: writes_of(request) and request.path.endswith("/items"))
    report = stage.sync(str(stage.drop("a.ris", ris())))
    item, _ = everything(stage)
    assert outcomes(report) == {"created": 1}
    assert len(item["collections"]) == len(shelf.collections()) == (0 if on_purpose else 1)
    assert problems(report) == (["collection-gone"] if on_purpose else [])


@pytest.mark.parametrize("first", ["long", "short"])
def test_of_records_that_meet_in_somebodys_item_the_one_whose_text_fits_gives_it(stage: Scene, first: str) -> None:
    shelf = stage.zotero.library()
    title = "Tides and the people who read them"
    key = shelf.add(itemType="journalArticle", title=title, DOI="10.5555/tides", extra="PMID: 12345678")
    long = f"TY  - JOUR\nTI  - {title}\nDO  - 10.5555/tides\nVL  - 31\nAU  - Berg, Anna\nAB  - {'salt ' * 20_000}\nER  - \n"
    short = f"TY  - JOUR\nTI  - {title}\nAN  - 12345678\nDB  - MEDLINE\nIS  - 6\nPY  - 2021\nAB  - Tides were read.\nER  - \n"
    report = stage.sync(str(stage.drop("a.ris", long + short if first == "long" else short + long)))
    item = shelf.item(key)
    assert (item["abstractNote"], item["volume"], item["issue"]) == ("Tides were read.", "31", "6")
    assert outcomes(report) == {"updated": 2}
    assert ("text-left-out" in problems(report)) is (first == "long")
    assert len(shelf.items()) == 1
