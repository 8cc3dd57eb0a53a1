"""Crossref's works become records: types, fields, people, files. Works, people and publishers are invented."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from sync import drops
from sync.core.crossref_json import (
    NO_TITLE,
    dois,
    looks_like,
    read,
    to_reading,
    work_to_record,
)
from sync.core.crossref_works import agency, decode, is_refusal
from sync.core.record import Creator, Entry, Gap, Notice, Reading, Record


def work(**fields: Any) -> dict[str, Any]:
    """A work in Crossref's words; `container_title` for `container-title`."""
    plain = {
        "DOI": "10.5555/x",
        "type": "journal-article",
        "title": ["A title"],
        "indexed": {},
        "is-referenced-by-count": 0,
    }
    return plain | {name.replace("_", "-"): value for name, value in fields.items()}


def record_of(**fields: Any) -> Record:
    return work_to_record(work(**fields))


def parts(*numbers: int | None) -> dict[str, Any]:
    return {"date-parts": [list(numbers)]}


# ---- fields -------------------------------------------------------------------------------------------------------


def test_an_article_with_everything() -> None:
    record = record_of(
        container_title=["Journal of Applied Tidal Biology"],
        short_container_title=["J Appl Tidal Biol"],
        volume="12",
        issue="3",
        page="117-124",
        article_number="e9",
        ISSN=["9999-0013", "9999-0021"],
        publisher="Example University Press",
        language="en",
        abstract="<jats:p>We looked.</jats:p>",
        published_print=parts(2021, 5),
        issued=parts(2020, 12, 1),
        resource={"primary": {"URL": "https://x.example/1"}},
        license=[{"URL": None}, {"URL": "https://l.example/by"}],
        author=[{"family": "Tanwar", "given": "Ila"}],
        editor=[{"family": "Røed", "given": "Ane"}],
        translator=[{"name": "The Translators"}],
        chair=[{"family": "Li", "given": "Q"}],
    )
    assert record.item_type == "journalArticle"
    assert dict(record.fields) == {
        "title": "A title",
        "date": "2021-05",
        "DOI": "10.5555/x",
        "publicationTitle": "Journal of Applied Tidal Biology",
        "journalAbbreviation": "J Appl Tidal Biol",
        "publisher": "Example University Press",
        "abstractNote": "We looked.",
        "pages": "117-124",
        "volume": "12",
        "issue": "3",
        "language": "en",
        "ISSN": "9999-0013, 9999-0021",
        "url": "https://x.example/1",
        "rights": "https://l.example/by",
        "libraryCatalog": "Crossref",
    }
    assert record.creators == (
        Creator("author", last="Tanwar", first="Ila"),
        Creator("editor", last="Røed", first="Ane"),
        Creator("contributor", last="Li", first="Q"),
        Creator("translator", name="The Translators"),
    )
    assert dict(record.identifiers) == {"DOI": "10.5555/x"}
    assert record.unmapped == ()


@pytest.mark.parametrize(
    ("kind", "item_type"),
    [
        ("journal-article", "journalArticle"),
        ("journal-issue", "journalArticle"),
        ("report-component", "report"),
        ("monograph", "book"),
        ("edited-book", "book"),
        ("book-chapter", "bookSection"),
        ("reference-entry", "bookSection"),
        ("proceedings-article", "conferencePaper"),
        ("database", "dataset"),
        ("standard", "standard"),
        ("dissertation", "thesis"),
        ("peer-review", "manuscript"),
        ("posted-content", "blogPost"),
        ("component", "document"),
        ("grant", "document"),
        ("something-new", "document"),
        (None, "document"),
    ],
)
def test_types(kind: str | None, item_type: str) -> None:
    assert record_of(type=kind).item_type == item_type


def test_posted_content_is_a_preprint_where_it_says_so() -> None:
    record = record_of(
        type="posted-content",
        subtype="preprint",
        institution=[{"name": "TideRxiv"}],
        publisher="P",
        group_title="Ecology",
    )
    assert (record.item_type, record.fields["repository"]) == ("preprint", "TideRxiv")
    assert ("publisher", "P") in record.unmapped


def test_other_with_isbn_and_container_is_a_chapter() -> None:
    assert record_of(type="other", ISBN=["9780000000002"], container_title=["A Book"]).fields["bookTitle"] == "A Book"
    assert record_of(type="other", container_title=["A Book"]).item_type == "document"


def test_authors_of_a_chapter_are_its_authors_and_so_are_those_of_what_follows() -> None:
    chapter = work(type="book-chapter", author=[{"family": "A", "given": "B"}], editor=[{"family": "C", "given": "D"}])
    article = work(author=[{"family": "E", "given": "F"}])
    answer = json.dumps({"message": {"items": [chapter, article]}})
    records = [work_to_record(one) for one in decode(answer)]
    assert [[c.creator_type for c in record.creators] for record in records] == [["author", "editor"], ["author"]]


def test_a_role_that_the_type_lacks_is_a_contributor() -> None:
    assert record_of(type="dissertation", editor=[{"family": "A", "given": "B"}]).creators == (
        Creator("contributor", last="A", first="B"),
    )


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ({"published_print": parts(2021, 5, 3), "issued": parts(2020, 1, 1)}, "2021-05-03"),
        ({"issued": parts(2020, 1)}, "2020-01"),
        ({"issued": parts(2020)}, "2020"),
        ({"issued": parts(None)}, ""),
        ({"issued": {"date-parts": []}}, ""),
        ({"issued": {}}, ""),
        ({"issued": parts(2020, 0, 0)}, "2020"),
        ({"issued": {"date-parts": [["2020", "2"]]}}, "2020-02"),
        ({"type": "dissertation", "approved": parts(2019), "issued": parts(2020)}, "2019"),
        ({"type": "report", "approved": parts(2019), "issued": parts(2020)}, "2020"),
    ],
)
def test_dates(fields: dict[str, Any], date: str) -> None:
    assert record_of(**fields).fields.get("date", "") == date


@pytest.mark.parametrize(
    ("title", "subtitle", "wanted"),
    [
        ("Bread", "A study", "Bread: A study"),
        ("Bread.", "A study", "Bread: A study"),
        ("Bread?", "A study", "Bread? A study"),
        ("Bread: a study", "A Study", "Bread: a study"),
        ("<i>Bread</i>\n      .", "", "<i>Bread</i>."),
        ("MÃ´re &amp; less", "", "Môre & less"),
        ("", "A study", ""),
    ],
)
def test_titles(title: str, subtitle: str, wanted: str) -> None:
    assert record_of(title=[title], subtitle=[subtitle]).title == wanted


def test_the_article_number_stands_in_for_pages() -> None:
    assert record_of(article_number="e12").fields["pages"] == "e12"


def test_an_abbreviation_that_only_repeats_the_name_is_left_out() -> None:
    assert (
        "journalAbbreviation"
        not in record_of(container_title=["Nature &amp; Bread"], short_container_title=["Nature & Bread"]).fields
    )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (
            {
                "event": {"name": "E", "location": "Oslo"},
                "institution": [{"place": ["Bergen"]}],
                "publisher_location": "Paris",
            },
            "Oslo",
        ),
        ({"institution": {"name": "I", "place": ["Bergen"]}, "publisher_location": "Paris"}, "Bergen"),
        ({"institution": [], "publisher_location": "Paris"}, "Paris"),
    ],
)
def test_places(fields: dict[str, Any], place: str) -> None:
    assert record_of(type="proceedings-article", **fields).fields["place"] == place


def test_a_paper_has_its_conference_and_proceedings() -> None:
    fields = record_of(type="proceedings-article", event={"name": "Tides 2020"}, container_title=["Proc. Tides"]).fields
    assert (fields["conferenceName"], fields["proceedingsTitle"]) == ("Tides 2020", "Proc. Tides")


def test_a_book_stands_in_a_series_and_has_an_edition() -> None:
    fields = record_of(type="book", container_title=["Tidal Series"], edition_number="2", ISBN=["9780000000002"]).fields
    assert (fields["series"], fields["edition"], fields["ISBN"]) == ("Tidal Series", "2", "9780000000002")


def test_what_a_type_has_no_place_for_is_kept_aside() -> None:
    assert record_of(type="book-chapter", ISSN=["9999-0013"]).unmapped == (("ISSN", "9999-0013"),)


def test_a_second_container_is_kept_aside() -> None:
    record = record_of(type="book-chapter", container_title=["Lecture Notes", "The Book"])
    assert record.fields["bookTitle"] == "Lecture Notes"
    assert record.unmapped == (("publicationTitle", "The Book"),)


def test_the_institution_is_who_keeps_a_report_and_the_publisher_is_not_lost() -> None:
    record = record_of(
        type="report", institution=[{"name": "A Laboratory"}], publisher="A Press", container_title=["Reports"]
    )
    assert (record.fields["institution"], record.fields["seriesTitle"]) == ("A Laboratory", "Reports")
    assert record.unmapped == (("publisher", "A Press"),)
    assert record_of(type="report", publisher="A Press").fields["institution"] == "A Press"
    same = record_of(type="report", institution=[{"name": "A Press"}], publisher="A Press")
    assert same.unmapped == ()


def test_a_thesis_has_its_degree_without_its_short_form() -> None:
    assert record_of(type="dissertation", degree=["Master of Bread (MBr)"]).fields["thesisType"] == "Master of Bread"


def test_a_blog_post_stands_in_the_blog_that_its_institution_names() -> None:
    assert record_of(type="posted-content", institution=[{"name": "Tide Notes"}]).fields["blogTitle"] == "Tide Notes"


def test_a_review_names_what_it_reviews() -> None:
    relation = {
        "is-review-of": [
            {"id": "10.5555/a<b", "id-type": "doi"},
            {"id": "9999-0013", "id-type": "issn"},
            {"id-type": "doi"},
        ]
    }
    record = record_of(type="peer-review", relation=relation)
    assert record.notes == (
        '<p>Review of <a href="https://doi.org/10.5555/a&lt;b">https://doi.org/10.5555/a&lt;b</a></p>',
    )
    assert record.creators == (Creator("author", name="Anonymous Reviewer"),)
    assert record.fields["manuscriptType"] == "peer review"


def test_a_dataset_keeps_its_description_as_a_safe_note() -> None:
    assert record_of(type="dataset", description="Tides & <b>more</b>").notes == ("<p>Tides &amp; more</p>",)
    assert record_of(description="Tides").notes == ()


@pytest.mark.parametrize(
    ("person", "creator"),
    [
        ({"family": "O'NEILL", "given": "ANN"}, Creator("author", last="O'Neill", first="Ann")),
        ({"family": "van Tooren", "given": "Michelle YL"}, Creator("author", last="van Tooren", first="Michelle YL")),
        ({"family": "Ramesha"}, Creator("author", name="Ramesha")),
        ({"given": "Only"}, Creator("author", name="Only")),
        ({"name": "The  Tide\n Group"}, Creator("author", name="The Tide Group")),
        ({}, None),
        ({"family": " "}, None),
    ],
)
def test_people(person: dict[str, str], creator: Creator | None) -> None:
    assert record_of(author=[person]).creators == ((creator,) if creator else ())


def test_a_generation_is_kept_aside() -> None:
    record = record_of(author=[{"family": "Hughes", "given": "Claude L.", "suffix": "Jr."}])
    assert record.creators == (Creator("author", last="Hughes", first="Claude L."),)
    assert record.unmapped == (("suffix", "Hughes, Jr."),)


def test_a_retraction_told_twice_is_kept_once_and_a_version_of_itself_not_at_all() -> None:
    told = [
        {"DOI": "10.5555/r", "type": "retraction", "updated": parts(2021, 2)},
        {"DOI": "10.5555/R", "type": "retraction", "updated": parts(2021, 3)},
        {"DOI": "10.5555/X", "type": "new_version"},
        {"DOI": "10.5555/c", "type": "correction"},
        {"type": "correction"},
    ]
    assert record_of(updated_by=told).notices == (
        Notice("retraction", doi="10.5555/r", date="2021-02"),
        Notice("correction", doi="10.5555/c"),
    )


def test_what_a_work_is_about_another_and_its_other_versions_are_notices() -> None:
    record = record_of(
        update_to=[
            {"DOI": "10.5555/Old", "type": "retraction"},
            {"DOI": "10.5555/fixed", "type": "erratum"},
            {"DOI": "10.5555/v1", "type": "new_version"},
        ],
        relation={
            "is-preprint-of": [{"id": "10.5555/Article", "id-type": "doi"}, {"id": "http://x", "id-type": "uri"}],
            "has-preprint": [{"id": "10.5555/x", "id-type": "doi"}],
            "cites": [{"id": "10.5555/other", "id-type": "doi"}],
        },
    )
    assert record.notices == (
        Notice("published", doi="10.5555/article"),
        Notice("retraction-of", doi="10.5555/old"),
        Notice("correction-of", doi="10.5555/fixed"),
    )


def test_orcids_are_kept_aside() -> None:
    record = record_of(author=[{"family": "Lim", "given": "R.", "ORCID": "http://orcid.org/0000-0002-1825-0097"}])
    assert record.unmapped == (("ORCID", "Lim, R.: 0000-0002-1825-0097"),)


def test_a_field_of_another_shape_is_left_out_and_the_others_are_read() -> None:
    record = record_of(volume=3, author="nobody", issued=[2020], title="One title", issue="4")
    assert (record.title, record.fields["issue"], record.creators) == ("One title", "4", ())
    assert "volume" not in record.fields


def test_nulls_are_nothing() -> None:
    record = record_of(
        title=[None, "Second"], subtitle=None, container_title=[None], author=None, event=None, license=None
    )
    assert record.title == "Second"


def test_a_doi_that_is_none_is_no_identifier() -> None:
    assert dict(work_to_record(work(DOI="none")).identifiers) == {}


# ---- answers ------------------------------------------------------------------------------------------------------


def test_an_answer_holds_one_work_or_a_list() -> None:
    assert [one.DOI for one in decode(json.dumps({"message": work()}))] == ["10.5555/x"]
    assert [one.DOI for one in decode(json.dumps({"message": {"items": [work(), work(DOI="10.5555/y")]}}))] == [
        "10.5555/x",
        "10.5555/y",
    ]
    assert decode(b'{"message":{"items":[]}}') == ()


@pytest.mark.parametrize(
    "body",
    [b"<html></html>", b"", b"[]", b'{"status":"failed"}', b'{"message":[{"type":"x"}]}', b'{"message":{"items":[1]}}'],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no answer of Crossref"):
        decode(body)


def test_a_work_is_known_by_its_doi_and_those_it_superseded() -> None:
    (one,) = decode(json.dumps({"message": work(DOI="10.5555/New", aliases=["10.5555/OLD", "junk"])}))
    assert dois(one) == {"10.5555/new", "10.5555/old"}


# ---- files --------------------------------------------------------------------------------------------------------


def parsed(text: str) -> tuple[list[Reading], list[Gap], bytes]:
    data = text.encode()
    found = list(read(drops.lines_of(data)))
    readings = [to_reading(part) for part in found if isinstance(part, Entry)]
    return readings, [part for part in found if isinstance(part, Gap)], data


ONE, TWO = (
    work(DOI="10.5555/1", title=["Größe eins"]),
    work(DOI="10.5555/2", reference=[{"unstructured": 'a "}" and ]'}]),
)
SHAPES = {
    "list answer": json.dumps(
        {"status": "ok", "message-type": "work-list", "message": {"facets": {}, "items": [ONE, TWO], "total": 2}}
    ),
    "list answer, sorted": json.dumps(
        {"message": {"a": [1], "items": [ONE, TWO], "z": {}}, "message-type": "work-list"}, indent=1
    ),
    "list answer, umlauts as they are": json.dumps(
        {"message": {"items": [ONE, TWO]}, "message-type": "work-list"}, ensure_ascii=False
    ),
    "array": json.dumps([ONE, TWO], indent=2, ensure_ascii=False),
    "a work a line": f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
    "answers a line": f"{json.dumps({'message': ONE, 'status': 'ok'})}\r\n{json.dumps({'message': TWO})}\r\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_works_in_any_shape_is_read(shape: str) -> None:
    readings, gaps, data = parsed(SHAPES[shape])
    assert [reading.record.identifiers["DOI"] for reading in readings if reading.record] == ["10.5555/1", "10.5555/2"]
    assert gaps == []
    for number, reading in enumerate(readings, 1):
        begin, end = reading.entry.bytes
        assert reading.entry.ordinal == number
        assert reading.entry.anchor == begin
        assert json.loads(data[begin:end]) == json.loads(reading.entry.text)
        assert data[:begin].count(b"\n") + 1 == reading.entry.lines[0]
    assert all(before.entry.bytes[1] <= after.entry.bytes[0] for before, after in pairwise(readings))


def test_a_single_work_is_one_entry() -> None:
    for text in (json.dumps(ONE), json.dumps({"status": "ok", "message-type": "work", "message": ONE})):
        readings, gaps, _ = parsed(text)
        assert [reading.record.title for reading in readings if reading.record] == ["Größe eins"]
        assert gaps == []


def test_a_file_that_was_cut_off_keeps_its_whole_works_and_tells_of_the_rest() -> None:
    text = SHAPES["list answer"]
    readings, gaps, _ = parsed(text[: text.index("10.5555/2") + 40])
    assert [reading.record is not None for reading in readings] == [True, False]
    assert [problem.code for problem in readings[1].problems] == ["json-damaged"]
    assert readings[1].entry.text.startswith('{"DOI"')
    assert gaps == []


@pytest.mark.parametrize("cut", range(0, len(SHAPES["list answer"]), 7))
def test_wherever_a_file_is_cut_nothing_breaks(cut: int) -> None:
    readings, _, _ = parsed(SHAPES["list answer"][:cut])
    assert len(readings) <= 2


def test_text_around_the_works_is_a_gap() -> None:
    readings, gaps, _ = parsed(f"Your export:\n{json.dumps(ONE)}\nEnd of file")
    assert len(readings) == 1
    assert [gap.text.strip() for gap in gaps] == ["Your export:", "End of file"]


def test_what_is_no_work_inside_a_list_is_a_gap_and_an_empty_object_a_problem() -> None:
    readings, gaps, _ = parsed(json.dumps([7, ONE, {}, None]))
    assert [[problem.code for problem in reading.problems] for reading in readings] == [[], ["json-no-work"]]
    assert [gap.text for gap in gaps] == ["7", "null"]


def test_a_message_that_is_no_object_holds_no_work() -> None:
    assert parsed('{"status":"failed","message":[{"value":"x"}],"a":1}')[0] == []


def test_problems_are_told_with_their_line() -> None:
    told = work(
        title=[],
        volume=3,
        updated_by=[{"DOI": f"10.5555/{kind}", "type": kind} for kind in ("correction", "retraction")],
    )
    readings, _, _ = parsed(f"\n\n{json.dumps(told)}")
    assert [(problem.code, problem.line) for problem in readings[0].problems] == [
        ("field-unreadable", 3),
        ("title-missing", 3),
        ("retracted", 3),
        ("corrected", 3),
    ]


def test_only_a_file_gets_the_placeholder_for_a_missing_title() -> None:
    readings, _, _ = parsed(json.dumps(work(title=[])))
    assert readings[0].record is not None
    assert readings[0].record.title == NO_TITLE
    assert record_of(title=[]).title == ""


def test_bottomless_nesting_is_damage() -> None:
    readings, _, _ = parsed('{"DOI":"10.5555/x","title":["T"],"a":' + "[" * 200_000 + "]" * 200_000 + "}")
    assert [reading.record for reading in readings] == [None]


@pytest.mark.parametrize("shape", SHAPES)
def test_files_of_works_are_recognised(shape: str) -> None:
    assert looks_like("\ufeff\n" + SHAPES[shape])


@pytest.mark.parametrize(
    "head",
    [
        "TY  - JOUR\nTI  - is-referenced-by-count\n",
        '[{"id":"x","type":"article-journal","title":"CSL","container-title":"J","DOI":"10.5555/x"}]',
        '{"items":[]}',
        "",
        '<x "message-type":"work"/>',
    ],
)
def test_other_files_are_not(head: str) -> None:
    assert not looks_like(head)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (b'{"status":"ok","message-type":"work-agency","message":{"DOI":"10.5281/z","agency":{"id":"DataCite","label":"DataCite"}}}', "datacite"),
        (b'{"message":{"DOI":"10.5281/z"}}', ""),
        (b'{"message":"no"}', ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)  # fmt: skip
def test_who_registered_a_doi_is_read_or_nobody_is_named(answer: bytes, named: str) -> None:
    assert agency(answer) == named


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [(b'{"status":"failed","message-type":"validation-failure","message":[]}', True), (b'{"status":"ok"}', False), (b"<html>", False), (b"[]", False)],
)  # fmt: skip
def test_the_validators_refusal_is_told_from_other_answers(answer: bytes, *, refusal: bool) -> None:
    assert is_refusal(answer) is refusal
