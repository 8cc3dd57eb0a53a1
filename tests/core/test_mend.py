"""What a library refuses comes in a form that it can take: nothing is lost, what was moved is said, and it comes to an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core import schema
from sync.core.mend import FIELD_BYTES, NAME_CHARACTERS, Mended, fitted, label, mended, shortened

ARTICLE: dict[str, Any] = {
    "itemType": "journalArticle",
    "title": "Ward rounds",
    "PMID": "123",
    "extra": "tex.ids: old",
    "collections": ["CCCC2222", "DDDD2222"],
}


def codes(found: Mended | None) -> list[str]:
    return [problem.code for problem in found.problems] if found else []


@pytest.mark.parametrize(
    "message", ["Invalid property 'PMID'", "'PMID' is not a valid field for type 'journalArticle'"]
)
def test_a_field_that_is_not_known_becomes_a_line_of_extra(message: str) -> None:
    found = mended(ARTICLE, {}, 400, message)
    assert found
    assert found.data == {**{k: v for k, v in ARTICLE.items() if k != "PMID"}, "extra": "tex.ids: old\nPMID: 123"}
    assert codes(found) == ["field-in-extra"]


def test_an_update_keeps_the_lines_that_the_item_has() -> None:
    held = {**ARTICLE, "extra": "mine\nCitation Key: a2020"}
    found = fitted({"PMID": "123", "citationKey": "b"}, held, {"PMID", "citationKey"})
    assert found
    assert found.data == {"extra": "mine\nCitation Key: a2020\nPMID: 123"}, "somebody's line stays as it is"


def test_what_stands_in_extra_already_is_not_sent_again() -> None:
    found = fitted({"PMID": "123"}, {**ARTICLE, "extra": "pmid: 123"}, {"PMID"})
    assert found
    assert found.data == {}


def test_a_value_of_several_lines_is_one_line() -> None:
    found = fitted({"itemType": "book", "title": "A", "originalPlace": "Bonn\n Berlin"}, {}, {"originalPlace"})
    assert found
    assert found.data["extra"] == "Original Place: Bonn Berlin"


def test_a_type_that_is_not_known_is_a_document_that_names_it() -> None:
    sent = {
        "itemType": "preprint",
        "title": "Early",
        "repository": "medRxiv",
        "genre": "Preprint",
        "archiveID": "10.1/x",
        "creators": [{"creatorType": "author", "firstName": "A", "lastName": "B"}],
        "tags": [{"tag": "a"}],
    }
    found = mended(sent, {}, 400, "'preprint' is not a valid itemType")
    assert found
    assert found.data == {
        "itemType": "document",
        "title": "Early",
        "publisher": "medRxiv",
        "type": "Preprint",
        "creators": sent["creators"],
        "tags": [{"tag": "a"}],
        "extra": "Type: preprint\nArchive ID: 10.1/x",
    }
    assert codes(found) == ["type-in-extra"]


def test_the_other_roles_of_an_unknown_type_are_those_of_a_document() -> None:
    sent = {"itemType": "podcast", "title": "Air", "creators": [{"creatorType": "podcaster", "name": "Studio"}]}
    found = mended(sent, {}, 400, "'podcast' is not a valid itemType")
    assert found
    assert found.data["creators"] == [{"creatorType": "author", "name": "Studio"}]


def test_a_long_text_is_a_note_and_a_long_title_is_cut_as_well() -> None:
    text = "Water & <salt>. " * 6_000
    found = mended({"itemType": "book", "title": text, "abstractNote": text}, {}, 413, "too long")
    assert found
    assert set(found.data) == {"itemType", "title"}
    assert found.data["title"].endswith("…")
    assert len(found.data["title"].encode()) <= FIELD_BYTES
    assert {note.about for note in found.notes} == {
        f"too-long:{name}:{number}" for name in ("title", "abstractNote") for number in (1, 2)
    }
    assert sum(note.html.count("&lt;salt&gt;") for note in found.notes) >= 2 * 6_000 - 2
    assert codes(found) == ["field-too-long"] * 2
    assert shortened(found.data) is None


def test_a_long_tag_is_parted_where_something_parts_it() -> None:
    words = [f"word {number}" for number in range(40)]
    found = shortened({"itemType": "book", "tags": [{"tag": "; ".join(words), "type": 1}, {"tag": "short"}]})
    assert found
    assert found.data["tags"] == [*({"tag": word, "type": 1} for word in words), {"tag": "short"}]
    assert found.notes == ()
    assert codes(found) == ["tag-too-long"]


def test_a_long_tag_that_nothing_parts_is_a_line_of_a_note() -> None:
    found = shortened({"itemType": "book", "tags": [{"tag": "x" * 300}, {"tag": "a,b" * 84 + ";c, d"}]})
    assert found
    assert [tag["tag"] for tag in found.data["tags"]] == ["a,b" * 84, "c, d"]
    [note] = found.notes
    assert "x" * 300 in note.html


def test_a_long_name_is_cut_and_whole_in_a_note() -> None:
    people = [{"creatorType": "author", "name": "Group of " + "many " * 80}, {"creatorType": "author", "name": "Short"}]
    found = shortened({"itemType": "book", "creators": people})
    assert found
    assert [len(person["name"]) <= NAME_CHARACTERS for person in found.data["creators"]] == [True, True]
    assert found.data["creators"][1] == people[1]
    assert found.notes[0].html.count("many") == 80


def test_a_collection_that_is_gone_is_left_out() -> None:
    found = mended(ARTICLE, {}, 409, "Collection CCCC2222 not found")
    assert found
    assert found.data["collections"] == ["DDDD2222"]
    assert codes(found) == ["collection-gone"]


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (ARTICLE, 400, "Invalid property 'volume'"),
        (ARTICLE, 400, "Invalid property 'extra'"),
        (ARTICLE, 400, "Invalid property 'collections'"),
        (ARTICLE, 400, "'creators' property must be an array"),
        (ARTICLE, 409, "Collection EEEE2222 not found"),
        (ARTICLE, 409, "Parent item EEEE2222 not found"),
        (ARTICLE, 413, "Request Entity Too Large"),
        ({"itemType": "note", "note": "x" * 600_000, "parentItem": "AAAA2222"}, 413, "Note 'x...' too long"),
        ({"itemType": "attachment", "title": "x"}, 400, "Invalid property 'title'"),
        (ARTICLE, 500, "An error occurred"),
    ],
)
def test_what_cannot_be_mended_stays_refused(data: dict[str, Any], code: int, message: str) -> None:
    assert mended(data, {}, code, message) is None


def test_an_item_that_exists_does_not_change_its_type() -> None:
    assert mended({"title": "x"}, ARTICLE, 400, "'journalArticle' is not a valid itemType") is None


@given(
    st.dictionaries(st.sampled_from(sorted(schema.fields("book"))), st.text(min_size=1, max_size=9), min_size=1),
    st.sets(st.sampled_from(sorted(schema.fields("book") - {"extra"}))),
)
def test_every_value_is_in_a_field_or_in_extra_and_trying_again_ends(fields: dict[str, str], unknown: set[str]) -> None:
    data: dict[str, Any] = {"itemType": "book", **fields}
    rounds = 0
    while lacking := sorted(unknown & data.keys()):
        found = mended(data, {}, 400, f"Invalid property '{lacking[0]}'")
        assert found
        data, rounds = dict(found.data), rounds + 1
    assert rounds == len(unknown & fields.keys())
    lines = str(data.get("extra", ""))
    had = str(fields.get("extra", ""))
    for name, value in fields.items():
        moved = f"{label(name)}: {' '.join(value.split())}"
        assert data.get(name) == value or name == "extra" or moved in lines or ":" in had, name
