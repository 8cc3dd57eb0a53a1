"""Web of Science's tagged text, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import drops
from sync.core import tagged
from sync.core.isi import read, to_reading
from sync.core.record import Creator, Entry, Gap, Reading, Record

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def parts(text: str) -> list[Entry | Gap]:
    return list(read(drops.lines_of(text.encode())))


def readings(text: str) -> list[Reading]:
    return [to_reading(part) for part in parts(text) if isinstance(part, Entry)]


def record(*lines: str, kind: str = "J") -> Record:
    (found,) = readings("\n".join([f"PT {kind}", *lines, "ER", ""]))
    assert found.record
    return found.record


def fixture() -> list[Reading]:
    return readings((CORPUS / "walls.ciw").read_text("utf-8"))


def test_an_article_is_whole() -> None:
    made = fixture()[0].record
    assert made
    assert dict(made.fields) == {
        "title": "Lichens of quiet walls",
        "publicationTitle": "Annals of Stone",
        "language": "English",
        "abstractNote": "We looked at walls.",
        "ISSN": "1234-5679, 2049-3630",
        "date": "FEB 12 2011",
        "volume": "7",
        "issue": "2",
        "pages": "e17",
        "DOI": "10.5555/walls.1",
        "PMID": "29999999",
    }
    assert made.creators == (Creator("author", "Moss", "Ada B."), Creator("author", "Fern", "Bo"))
    assert made.tags == ("walls", "lichens", "quiet")
    assert ("UT", "WOS:000286597100004") in made.unmapped


def test_the_frame_of_the_file_is_between_the_records() -> None:
    found = parts((CORPUS / "walls.ciw").read_text("utf-8"))
    assert [type(part) for part in found] == [Gap, Entry, Entry, Gap]
    assert found[0].text.startswith("FN Clarivate")
    assert found[-1].text == "EF"


def test_a_record_without_er_ends_where_the_next_begins_and_says_so() -> None:
    assert [problem.code for problem in fixture()[1].problems] == ["end-missing"]
    first, second = readings("PT J\nTI One\nPT J\nTI Two\nER\n")
    assert [problem.code for problem in first.problems] == ["end-missing"]
    assert second.problems == ()


def test_two_files_pasted_together_are_read_as_two() -> None:
    text = "FN x\nVR 1.0\nPT J\nTI One\nER\n\nEF\n"
    assert len(readings(text + text)) == 2


def test_short_names_count_where_there_are_no_full_ones() -> None:
    assert record("AU Moss, AB", "   Fern, B").creators == (
        Creator("author", "Moss", "A. B."),
        Creator("author", "Fern", "B."),
    )


def test_pages_are_first_and_last_page_and_the_article_number_is_kept() -> None:
    made = record("BP 11", "EP 19", "AR e17")
    assert made.fields["pages"] == "11-19"
    assert made.unmapped == (("AR", "e17"),)


@pytest.mark.parametrize(
    ("kind", "document", "item_type"),
    [
        ("J", "Article", "journalArticle"),
        ("J", "Article; Proceedings Paper", "conferencePaper"),
        ("S", "Article; Book Chapter", "bookSection"),
        ("B", "Book", "book"),
        ("P", "", "patent"),
    ],
)
def test_types_tell_the_item_type(kind: str, document: str, item_type: str) -> None:
    assert record("TI One", f"DT {document}", kind=kind).item_type == item_type


def test_an_unknown_type_is_an_article_and_reported() -> None:
    (found,) = readings("PT X\nTI One\nER\n")
    assert found.record
    assert found.record.item_type == "journalArticle"
    assert [problem.code for problem in found.problems] == ["type-unknown"]


def test_inventors_invent() -> None:
    assert record("AU Moss, Ada", kind="P").creators == (Creator("inventor", "Moss", "Ada"),)


def test_groups_and_editors_have_their_roles() -> None:
    made = record("CA Wall Consortium", "BE Fern, Bo")
    assert made.creators == (Creator("author", name="Wall Consortium"), Creator("editor", "Fern", "Bo"))


def test_a_year_that_the_day_says_too_stands_once() -> None:
    assert record("PD FEB 2011", "PY 2011").fields["date"] == "FEB 2011"


def test_a_wrong_issn_is_kept_and_no_field() -> None:
    made = record("SN 1111-1111")
    assert "ISSN" not in made.fields
    assert made.unmapped == (("SN", "1111-1111"),)


def test_words_beside_an_identifier_are_kept() -> None:
    made = record("DI 10.5555/walls.1 and more", "PM 29999999 see there")
    assert made.identifiers["DOI"] == "10.5555/walls.1"
    assert ("DI", "10.5555/walls.1 and more") in made.unmapped
    assert ("PM", "29999999 see there") in made.unmapped


def test_a_record_that_is_longer_than_any_ends_and_its_rest_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagged, "MOST_LINES", 4)
    first, rest, second = parts("PT J\n" + "TI Walls\n" * 10 + "ER\nPT J\nTI Roofs\nER\n")
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert [problem.code for problem in first.problems] == ["too-long", "end-missing"]
    assert first.doubtful
    assert rest.text.count("Walls") == 7
    assert second.tagged[1][1] == "Roofs"
