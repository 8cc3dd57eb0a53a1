"""EndNote's tagged text, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import drops
from sync.core.endnote import read, to_reading
from sync.core.record import Attachment, Creator, Entry, Gap, Reading, Record

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def parts(text: str) -> list[Entry | Gap]:
    return list(read(drops.lines_of(text.encode())))


def readings(text: str) -> list[Reading]:
    return [to_reading(part) for part in parts(text) if isinstance(part, Entry)]


def record(*lines: str, kind: str = "Journal Article") -> Record:
    (found,) = readings("\n".join([f"%0 {kind}", *lines, ""]))
    assert found.record
    return found.record


def test_an_article_is_whole() -> None:
    made = readings((CORPUS / "walls.enw").read_text("utf-8"))[0].record
    assert made
    assert dict(made.fields) == {
        "title": "Lichens of quiet walls",
        "publicationTitle": "Annals of Stone",
        "volume": "7",
        "issue": "2",
        "pages": "11-19",
        "date": "2011-02-12",
        "ISSN": "1234-5679",
        "abstractNote": "We looked at walls.",
        "url": "https://a.example/1",
        "DOI": "10.5555/walls.1",
    }
    assert made.creators == (Creator("author", "Moss", "Ada B."), Creator("author", "Fern", "Bo"))
    assert made.tags == ("walls", "lichens")
    assert made.notes == ("<p>A note</p>",)
    assert made.unmapped == (("%M", "WOS:1"), ("%F", "12"))


def test_an_unknown_type_is_a_document_and_reported() -> None:
    found = readings((CORPUS / "walls.enw").read_text("utf-8"))[1]
    assert found.record
    assert found.record.item_type == "document"
    assert [problem.code for problem in found.problems] == ["type-unknown"]
    assert ("%0", "Curious Thing") in found.record.unmapped


@pytest.mark.parametrize(
    ("kind", "item_type"),
    [("Book", "book"), ("book section", "bookSection"), ("Thesis", "thesis"), ("Conference Proceedings", "conferencePaper"), ("Web Page", "webpage"), ("Dataset", "dataset")],
)  # fmt: skip
def test_types_tell_the_item_type(kind: str, item_type: str) -> None:
    assert record("%T One", kind=kind).item_type == item_type


def test_a_new_type_begins_a_record_without_an_empty_line() -> None:
    first, second = readings("%0 Book\n%T One\n%0 Book\n%T Two\n")
    assert first.record
    assert second.record
    assert (first.record.title, second.record.title) == ("One", "Two")


def test_roles_and_joined_names() -> None:
    made = record("%A Moss, Ada; Fern, Bo", "%E Reed, Cy", "%Y Dell, Di")
    assert [(c.creator_type, c.last) for c in made.creators] == [
        ("author", "Moss"), ("author", "Fern"), ("editor", "Reed"), ("translator", "Dell"),
    ]  # fmt: skip


def test_languages_are_joined_and_a_second_title_is_kept() -> None:
    made = record("%G eng", "%G fre", "%T One", "%T Two")
    assert made.fields["language"] == "eng, fre"
    assert made.unmapped == (("%T", "Two"),)


@pytest.mark.parametrize(
    ("lines", "date"),
    [
        (("%D 2011",), "2011"),
        (("%D 2011", "%8 2011/02/12/"), "2011-02-12"),
        (("%D 2011", "%8 Feb 12"), "2011 Feb 12"),
        (("%8 Feb 12", "%D 2011"), "2011 Feb 12"),
    ],
)
def test_the_date_is_that_which_says_most(lines: tuple[str, ...], date: str) -> None:
    assert record(*lines).fields["date"] == date


def test_numbers_are_told_apart() -> None:
    assert record("%@ 978-3-16-148410-0", kind="Book").fields["ISBN"] == "978-3-16-148410-0"
    assert record("%@ US1234", kind="Patent").fields["patentNumber"] == "US1234"
    assert record("%M PMID: 29999999").identifiers == {"PMID": "29999999"}
    assert record("%2 PMC123456").identifiers == {"PMCID": "PMC123456"}


def test_files_are_attachments_and_a_day_of_access_is_one() -> None:
    made = record("%> internal-pdf://1/a.pdf", "%1 2011-02-12", "%1 yesterday")
    assert made.attachments == (Attachment("Attachment", "internal-pdf://1/a.pdf"),)
    assert made.fields["accessDate"] == "2011-02-12"
    assert made.unmapped == (("%1", "yesterday"),)
