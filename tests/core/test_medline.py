"""MEDLINE as PubMed and ERIC write it, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import drops
from sync.core.medline import read, to_reading
from sync.core.record import Attachment, Creator, Entry, Gap, Reading, Record
from sync.core.tidy import tidied

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def parts(text: str) -> list[Entry | Gap]:
    return list(read(drops.lines_of(text.encode())))


def readings(text: str) -> list[Reading]:
    return [to_reading(part) for part in parts(text) if isinstance(part, Entry)]


def record(text: str) -> Record:
    (found,) = readings(text)
    assert found.record
    return found.record


def fixture() -> list[Reading]:
    return readings((CORPUS / "walls.nbib").read_text("utf-8"))


def test_an_article_of_pubmed_is_whole() -> None:
    made = fixture()[0].record
    assert made
    assert made.item_type == "journalArticle"
    assert dict(made.fields) == {
        "title": "Lichens of quiet walls, and what they want.",
        "abstractNote": "We looked at walls in the north.",
        "publicationTitle": "Annals of stone",
        "journalAbbreviation": "Ann Stone",
        "volume": "7",
        "issue": "2",
        "pages": "475-482",
        "date": "2011 Feb 12",
        "language": "eng",
        "ISSN": "2049-3630 1234-5679",
        "DOI": "10.5555/walls.1",
        "PMID": "29999999",
        "PMCID": "PMC123456",
    }
    assert made.creators == (Creator("author", "Moss", "Ada B."), Creator("author", "Fern", "Bo"))
    assert made.tags == ("*Lichens/growth & development", "walls")
    assert {("PL", "Norway"), ("AU", "Moss AB"), ("CN", "The Wall Consortium")} <= set(made.unmapped)


def test_the_library_gets_groups_as_authors() -> None:
    made = tidied(fixture()[0]).record
    assert made
    assert made.creators[-1] == Creator("author", name="The Wall Consortium")
    assert "CN" not in dict(made.unmapped)


def test_short_names_count_where_there_are_no_full_ones_and_pii_where_there_are_no_pages() -> None:
    made = fixture()[1].record
    assert made
    assert made.creators == (Creator("author", "Reed", "C. D."),)
    assert made.fields["pages"] == "S0000-1"


def test_a_report_of_eric_has_its_institution_and_its_link() -> None:
    made = fixture()[2].record
    assert made
    assert made.item_type == "report"
    assert made.fields["institution"] == "Wall Office"
    assert made.attachments == (Attachment("Catalog Link", "http://eric.example/?id=ED000001"),)
    assert ("OID", "ED000001") in made.unmapped


def test_the_library_gets_the_doi_in_erics_address() -> None:
    reading = fixture()[2]
    assert reading.record
    assert "DOI" not in reading.record.identifiers
    made = tidied(reading).record
    assert made
    assert made.identifiers["DOI"] == "10.5555/walls.3"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_do_not_matter(end: str) -> None:
    text = (CORPUS / "walls.nbib").read_text("utf-8")
    assert [r.record for r in readings(text.replace("\n", end))] == [r.record for r in readings(text)]


def test_a_new_pmid_begins_a_record_without_an_empty_line() -> None:
    first, second = readings("PMID- 1\nTI  - One.\nPMID- 2\nTI  - Two.\n")
    assert first.record
    assert second.record
    assert (first.record.title, second.record.title) == ("One.", "Two.")


def test_an_empty_line_inside_a_record_does_not_part_it_and_is_reported() -> None:
    (found,) = readings("PMID- 1\nTI  - One.\n\nAB  - Words.\n")
    assert found.record
    assert found.record.fields["abstractNote"] == "Words."
    assert [problem.code for problem in found.problems] == ["blank-inside"]


def test_lines_that_are_not_indented_belong_to_the_value_before() -> None:
    assert record("PMID- 1\nAB  - First\nsecond words.\n").fields["abstractNote"] == "First second words."


def test_text_between_records_is_a_gap() -> None:
    found = parts("1. \n\nPMID- 1\nTI  - One.\n\n2. next\n\nPMID- 2\nTI  - Two.\n")
    assert [type(part) for part in found] == [Gap, Entry, Gap, Entry]
    assert found[2] == Gap((6, 6), (25, 33), "2. next")


def test_a_tag_without_blank_is_a_tag() -> None:
    assert record("PMID-123\nTI  - One.\n").identifiers == {"PMID": "123"}


def test_a_record_that_begins_in_the_middle_is_read_and_reported() -> None:
    (found,) = readings("TI  - One.\nAU  - Moss A\n\nPMID- 2\nTI  - Two.\n")[:1]
    assert [problem.code for problem in found.problems] == ["start-missing"]
    assert found.record
    assert found.record.title == "One."


@pytest.mark.parametrize(
    ("kind", "item_type"),
    [
        ("Journal Article", "journalArticle"),
        ("Book", "book"),
        ("Book Chapter", "bookSection"),
        ("Preprint", "preprint"),
        ("Academic Dissertation", "thesis"),
        ("Technical Report", "report"),
        ("Comment", "journalArticle"),
    ],
)
def test_the_publication_type_tells_the_item_type(kind: str, item_type: str) -> None:
    assert record(f"PMID- 1\nTI  - One\nPT  - {kind}\n").item_type == item_type


def test_a_book_has_its_title_in_bti() -> None:
    made = record("PMID- 1\nTI  - Part\nBTI - Whole\nPT  - Book\nJT  - Press\nPL  - Oslo\nFED - Moss, Ada\n")
    assert made.fields["title"] == "Whole"
    assert made.fields["publisher"] == "Press"
    assert made.fields["place"] == "Oslo"
    assert ("TI", "Part") in made.unmapped
    assert made.creators == (Creator("editor", "Moss", "Ada"),)


def test_a_thesis_names_its_university() -> None:
    made = record("PMID- 1\nTI  - One\nPT  - Dissertation/Thesis\nJT  - Archive\nSO  - 2011, Wall University, 1 p\n")
    assert made.fields["university"] == "Wall University"
    assert made.fields["archive"] == "Archive"


def test_the_last_of_two_values_counts_and_the_first_is_kept() -> None:
    made = record("PMID- 1\nLA  - eng\nLA  - fre\n")
    assert made.fields["language"] == "fre"
    assert made.unmapped == (("LA", "eng"),)
