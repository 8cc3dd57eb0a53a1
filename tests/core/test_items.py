"""A record as Zotero's item JSON, and back."""

from __future__ import annotations

import pytest

from sync.core.items import from_item, identifiers_of, is_regular, keyword_tags, new_item, note_item, to_item
from sync.core.record import Attachment, Creator, Record, from_json, to_json

RECORD = Record(
    "journalArticle",
    fields={"title": "Kelp", "DOI": "10.1000/x"},
    creators=(Creator("author", "Berg", "A."), Creator("editor", name="A Group")),
    tags=("algae",),
    notes=("<p>n</p>",),
    attachments=(Attachment("PDF", "x.pdf"),),
    identifiers={"DOI": "10.1000/x", "PMID": "7"},
    unmapped=(("X1", "v"),),
)


def test_a_record_becomes_item_json_without_empty_fields() -> None:
    assert to_item(RECORD) == {
        "itemType": "journalArticle",
        "title": "Kelp",
        "DOI": "10.1000/x",
        "PMID": "7",
        "creators": [
            {"creatorType": "author", "firstName": "A.", "lastName": "Berg"},
            {"creatorType": "editor", "name": "A Group"},
        ],
        "tags": [{"tag": "algae"}],
    }


def test_identifiers_that_the_type_has_no_field_for_become_lines_of_extra_once() -> None:
    book = Record("book", fields={"extra": "PMID: 7"}, identifiers={"PMID": "7", "PMCID": "PMC5"})
    assert new_item(book)["extra"] == "PMID: 7\nPMCID: PMC5"
    assert "extra" not in new_item(RECORD)


def test_an_inboxs_tag_is_not_put_beside_the_same_keyword() -> None:
    item = new_item(RECORD, tags=("algae", "review"), collections=("CCCC2222",))
    assert item["tags"] == [{"tag": "algae"}, {"tag": "review"}]
    assert item["collections"] == ["CCCC2222"]


@pytest.mark.parametrize(
    ("how", "expected"), [("automatic", [{"tag": "a", "type": 1}]), ("manual", [{"tag": "a"}]), ("off", [])]
)
def test_keywords_are_automatic_manual_or_off(how: str, expected: list[dict[str, object]]) -> None:
    assert keyword_tags(["a"], how) == expected


def test_an_item_is_read_back_with_what_the_schema_knows() -> None:
    data = {
        "itemType": "journalArticle",
        "title": "Kelp",
        "volume": "",
        "newField": "x",
        "key": "ABCD2345",
        "creators": [
            {"creatorType": "author", "firstName": "A.", "lastName": "Berg"},
            {"creatorType": "wizard", "name": "Merlin"},
            {"creatorType": "author", "firstName": "", "lastName": ""},
        ],
        "tags": [{"tag": "algae", "type": 1}],
        "extra": "PMID: 7\nsomething: else\nDOI: 10.1000/x",
    }
    record = from_item(data)
    assert (record.title, record.tags) == ("Kelp", ("algae",))
    assert record.creators == (Creator("author", "Berg", "A."), Creator("author", name="Merlin"))
    assert dict(record.identifiers) == {"PMID": "7", "DOI": "10.1000/x"}


def test_a_field_goes_before_a_line_of_extra_and_nonsense_is_no_identifier() -> None:
    assert identifiers_of({"DOI": "10.1000/field", "extra": "DOI: 10.1000/line"}) == {"DOI": "10.1000/field"}
    assert identifiers_of({"extra": "PMID: none"}) == {}


def test_notes_and_attachments_are_no_items_of_their_own() -> None:
    assert is_regular({"itemType": "book"})
    assert not is_regular({"itemType": "note"})
    assert not is_regular({})
    assert note_item("<p>n</p>", "ABCD2345")["parentItem"] == "ABCD2345"


def test_a_record_survives_the_ledger() -> None:
    assert from_json(to_json(RECORD)) == RECORD


def test_a_record_is_checked_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="has no field volume"):
        Record("webpage", fields={"volume": "1"})
    with pytest.raises(ValueError, match="no creator type inventor"):
        Record("book", creators=(Creator("inventor", "A", ""),))
    with pytest.raises(ValueError, match="no item type"):
        Record("nothing")
    with pytest.raises(ValueError, match="either a name"):
        Creator("author", "A", "B", "C")
    with pytest.raises(ValueError, match="either a name"):
        Creator("author")


def test_base_fields_are_read_under_the_types_own_names() -> None:
    assert Record("bookSection", fields={"bookTitle": "Seas"}).base("publicationTitle") == "Seas"
    assert Record("case", fields={"caseName": "A v. B"}).title == "A v. B"
    assert Record("book").base("publicationTitle") == ""
    assert dict(Record("book", fields={"title": "a", "volume": ""}).fields) == {"title": "a"}
    changed = Record("book", fields={"title": "a", "volume": "1"}).with_fields({"volume": "", "series": "s"})
    assert dict(changed.fields) == {"title": "a", "series": "s"}
