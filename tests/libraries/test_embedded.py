"""The library in a file: what only it has, its file and its own hand on the rules."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.core.keys import derived_key
from sync.errors import Outage, StateFault
from sync.libraries import rules
from sync.libraries.base import Conflict, Receipt, Refusal, Write
from sync.libraries.embedded import Embedded

KEY, OTHER = derived_key("test", 1), derived_key("test", 2)


class Clock:
    """A minute passes at each look."""

    def __init__(self) -> None:
        self.minute = 0

    def now(self) -> str:
        self.minute += 1
        return f"2026-11-23T08:{self.minute:02}:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "below" / "library.sqlite"


@pytest.fixture
def library(path: Path) -> Iterator[Embedded]:
    made = Embedded(path, now=Clock().now)
    yield made
    made.close()


def book(key: str = KEY, version: int = 0, **fields: Any) -> Write:
    return Write(key, version, {"itemType": "book", "title": "Quiet wards", **fields} if version == 0 else fields)


def landed(library: Embedded, write: Write) -> Receipt:
    [answer] = library.write([write])
    assert isinstance(answer, Receipt), answer
    return answer


def test_the_identity_lives_in_the_file(path: Path, library: Embedded, tmp_path: Path) -> None:
    again = Embedded(path, now=lambda: "")
    other = Embedded(tmp_path / "other.sqlite", now=lambda: "")
    assert again.identity == library.identity
    assert other.identity != library.identity
    assert library.identity.startswith("embedded:")
    again.close()
    other.close()


def test_the_file_is_written_through(library: Embedded) -> None:
    assert library._sql.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert library._sql.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_batch_survives_a_killed_program_whole_or_not_at_all(path: Path) -> None:
    code = (
        "import os, sys; from sync.libraries.embedded import Embedded; from sync.libraries.base import Write\n"
        "library = Embedded(sys.argv[1], now=lambda: '2026-11-23T08:00:00Z')\n"
        f"library.write([Write('{KEY}', 0, {{'itemType': 'book', 'title': 'one'}})])\n"
        "library._put = lambda *_: os._exit(9)\n"
        f"library.write([Write('{OTHER}', 0, {{'itemType': 'book', 'title': 'two'}})])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 9
    library = Embedded(path, now=lambda: "")
    assert [item.key for item in library.items()] == [KEY]
    library.close()


def test_a_rule_that_breaks_down_leaves_the_library_as_it_was(
    library: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_parts: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(rules, "merged", broken)
    with pytest.raises(RuntimeError, match="broken"):
        library.write([book()])
    monkeypatch.undo()
    assert not list(library.items())
    landed(library, book())


def test_dates_of_making_and_changing_are_kept(library: Embedded) -> None:
    first = landed(library, book())
    assert first.data["dateAdded"] == first.data["dateModified"] == "2026-11-23T08:01:00Z"
    after = landed(library, book(version=first.version, publisher="Ward Press"))
    assert after.data["dateAdded"] == first.data["dateAdded"]
    assert after.data["dateModified"] > first.data["dateModified"]


def test_a_collection_makes_no_item_modified(library: Embedded) -> None:
    first = landed(library, book())
    after = landed(library, book(version=first.version, collections=[library.collection(["a"])]))
    assert after.version > first.version
    assert after.data["dateModified"] == first.data["dateModified"]


def test_a_sent_date_added_is_kept(library: Embedded) -> None:
    assert landed(library, book(dateAdded="2020-01-01T00:00:00Z")).data["dateAdded"] == "2020-01-01T00:00:00Z"


def test_an_access_date_is_written_as_zotero_writes_it(library: Embedded) -> None:
    assert landed(library, book(accessDate="2026-11-02 10:30:00")).data["accessDate"] == "2026-11-02T10:30:00Z"
    assert landed(library, book(OTHER, accessDate="CURRENT_TIMESTAMP")).data["accessDate"] == "2026-11-23T08:02:00Z"


def test_another_item_type_keeps_what_fits(library: Embedded) -> None:
    first = landed(library, book(numPages="80", publisher="Ward Press"))
    after = landed(library, book(version=first.version, itemType="journalArticle"))
    assert (after.data["itemType"], after.data["title"], after.data["publisher"]) == (
        "journalArticle",
        "Quiet wards",
        "Ward Press",
    )
    assert "numPages" not in after.data


def test_relations_are_sets_and_one_alone_stands_bare(library: Embedded) -> None:
    one, two = (f"http://zotero.org/users/1/items/{key}" for key in (KEY, OTHER))
    first = landed(library, book(relations={"dc:relation": [one, one]}))
    assert first.data["relations"] == {"dc:relation": one}
    after = landed(library, book(version=first.version, relations={"dc:relation": [one, two]}))
    assert after.data["relations"] == {"dc:relation": [one, two]}


def test_a_child_is_in_no_collection(library: Embedded) -> None:
    inside = library.collection(["a"])
    first = landed(library, Write(OTHER, 0, {"itemType": "note", "note": "<p>alone</p>", "collections": [inside]}))
    landed(library, book())
    after = landed(library, Write(OTHER, first.version, {"parentItem": KEY}))
    assert "collections" not in after.data
    assert [item.key for item in library.items()] == [KEY, OTHER]


def test_deleting_an_item_takes_its_notes_along(library: Embedded) -> None:
    library.write([book(), Write(OTHER, 0, {"itemType": "note", "parentItem": KEY, "note": "<p>kept</p>"})])
    library.delete([KEY, "ZZZZZZZZ"])
    assert set(list(library.changes(0))[-1].gone) == {KEY, OTHER}


def test_a_version_from_the_future_passes_as_it_does_at_zotero(library: Embedded) -> None:
    first = landed(library, book())
    assert landed(library, book(version=first.version + 100, title="Later")).data["title"] == "Later"


FAULTS: dict[str, tuple[Write, int, str]] = {
    "key": (Write("ABCO0123", 0, {"itemType": "book"}), 400, "not a valid item key"),
    "no type": (Write(KEY, 0, {"title": "x"}), 400, "'itemType' property not provided"),
    "old notes": (book(notes=[]), 400, "notes"),
    "note on a book": (book(note="<p>x</p>"), 400, "'note' property is valid only"),
    "tags no list": (book(tags="a"), 400, "'tags' property must be an array"),
    "tag no object": (book(tags=["a"]), 400, "Tag must be an object"),
    "tag with colour": (book(tags=[{"tag": "a", "color": "red"}]), 400, "Invalid tag property 'color'"),
    "tag without name": (book(tags=[{"type": 1}]), 400, "'tag' property not provided"),
    "collections no list": (book(collections="a"), 400, "'collections' property must be an array"),
    "collection no key": (book(collections=["nope"]), 400, "'nope' is not a valid collection key"),
    "collection away": (book(collections=[OTHER]), 409, f"Collection {OTHER} not found"),
    "relations no object": (book(relations="a"), 400, "'relations' property must be an object"),
    "predicate": (book(relations={"dc:source": "x"}), 400, "Unsupported predicate 'dc:source'"),
    "no uri": (book(relations={"dc:relation": "x"}), 400, "must be Zotero item URIs"),
    "deleted": (book(deleted="yes"), 400, "'deleted'"),
    "parent no key": (Write(KEY, 0, {"itemType": "note", "parentItem": "nope"}), 400, "'parentItem' must be"),
    "book as child": (book(parentItem=OTHER), 400, "Child item must be note"),
    "child collected": (
        Write(KEY, 0, {"itemType": "note", "parentItem": OTHER, "collections": [OTHER]}),
        400,
        "Child items cannot be assigned",
    ),
    "date added": (book(dateAdded="soon"), 400, "'dateAdded' must be"),
    "creators no list": (book(creators="a"), 400, "'creators' property must be an array"),
    "creator no object": (book(creators=["a"]), 400, "Creator must be an object"),
    "creator with orcid": (
        book(creators=[{"creatorType": "author", "name": "A", "orcid": "0"}]),
        400,
        "Invalid creator property 'orcid'",
    ),
    "creator without type": (book(creators=[{"name": "A"}]), 400, "must contain 'creatorType'"),
    "unknown creator": (
        book(creators=[{"creatorType": "wizard", "name": "A"}]),
        400,
        "'wizard' is not a valid creator type",
    ),
    "two kinds of name": (
        book(creators=[{"creatorType": "author", "name": "A", "lastName": "B", "firstName": ""}]),
        400,
        "mutually exclusive",
    ),
    "link mode": (Write(KEY, 0, {"itemType": "attachment", "linkMode": "nope"}), 400, "'nope' is not a valid linkMode"),
    "no link mode": (Write(KEY, 0, {"itemType": "attachment"}), 400, "'linkMode' property not provided"),
    "long note": (Write(KEY, 0, {"itemType": "note", "note": "n" * 500_001}), 413, "too long"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_kept_is_refused_in_zoteros_words(library: Embedded, case: str) -> None:
    write, code, words = FAULTS[case]
    [answer] = library.write([write])
    assert isinstance(answer, Refusal), answer
    assert (answer.key, answer.code) == (write.key, code)
    assert words in answer.message
    assert not list(library.items())


def test_a_note_below_a_note_is_refused(library: Embedded) -> None:
    landed(library, Write(OTHER, 0, {"itemType": "note", "note": "<p>alone</p>"}))
    [answer] = library.write([Write(KEY, 0, {"itemType": "note", "parentItem": OTHER, "note": ""})])
    assert isinstance(answer, Refusal)
    assert answer.code == 409


def test_an_empty_foreign_field_is_taken(library: Embedded) -> None:
    assert "runningTime" not in landed(library, book(runningTime="")).data


def test_a_linked_attachment_is_taken(library: Embedded) -> None:
    link = {"itemType": "attachment", "linkMode": "linked_url", "title": "PDF", "url": "https://example.org/a.pdf"}
    landed(library, book())
    child = landed(library, Write(OTHER, 0, {**link, "parentItem": KEY}))
    assert (child.data["url"], child.data["linkMode"]) == ("https://example.org/a.pdf", "linked_url")


def test_two_writers_of_one_file_meet_as_a_conflict(path: Path, library: Embedded) -> None:
    first = landed(library, book())
    other = Embedded(path, now=lambda: "2026-11-23T09:00:00Z")
    landed(other, book(version=first.version, title="Theirs"))
    [answer] = library.write([book(version=first.version, title="Ours")])
    other.close()
    assert isinstance(answer, Conflict)
    assert answer.theirs is not None
    assert answer.theirs["title"] == "Theirs"


def test_a_file_that_somebody_holds_is_an_outage(path: Path, library: Embedded) -> None:
    library._sql.execute("PRAGMA busy_timeout = 0")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Outage, match="held by another program"):
        library.write([book()])
    holder.execute("ROLLBACK")
    holder.close()
    landed(library, book())


def test_a_file_of_a_newer_zotdrop_is_left_alone(path: Path, library: Embedded) -> None:
    library._sql.execute("PRAGMA user_version = 99")
    with pytest.raises(StateFault, match="newer zotdrop"):
        Embedded(path, now=lambda: "")


def test_a_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_text("TY  - JOUR\nER  - \n" * 100)
    with pytest.raises(StateFault, match=r"library\.sqlite cannot be used"):
        Embedded(path, now=lambda: "")
    assert path.read_text().startswith("TY  - JOUR")


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateFault, match="cannot be used"):
        Embedded(tmp_path / "file" / "library.sqlite", now=lambda: "")


def test_children_are_found_by_their_index(library: Embedded) -> None:
    seen: list[str] = []
    library._sql.set_trace_callback(seen.append)
    landed(library, book())
    list(library.items())
    library._sql.set_trace_callback(None)
    [asked] = [text for text in seen if "WHERE parent = '" in text]
    plan = library._sql.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall()
    assert any("items_parent" in row["detail"] for row in plan)
