"""MEDLINE as PubMed and ERIC write it, whole and damaged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sync import drops
from sync.core import pubmed_xml
from sync.core.medline import looks_like, read, to_reading
from sync.core.record import Attachment, Creator, Entry, Gap, Reading, Record, SourceLine
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


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("PMID- 29999999\nOWN - NLM\n", True),
        ("\ufeff\n\nPMID-29999999\n", True),
        ("\n1. PMID- 29999999\n", True),
        ("PMID- \nOWN - KoreaMed\n", True),
        ("OWN - ERIC\nTI  - Walls\n", True),
        ("TY  - JOUR\nPMID  - 29999999\nER  - \n", False),
        ("TY  - JOUR\nPMID- 29999999\nER  - \n", False),
        ("T1  - Walls\nPMID - 29999999\nER  - \n", False),
        ("PMID  - 29999999\nT1  - Walls\n", False),
        ("PMID-based search of walls\n", False),
        ("Title,PMID\nWalls,29999999\n", False),
    ],
)
def test_medline_is_told_by_its_first_tag_and_ris_is_not_taken_for_it(head: str, told: bool) -> None:
    assert looks_like(head) is told


def test_a_byte_order_mark_and_odd_blanks_do_not_hide_tags() -> None:
    made = record("\ufeff PMID- 1\nTI - One.\n  JT\t- Walls\nIP  -7\nVI\u00a0 - 3\n")
    assert dict(made.fields) == {
        "PMID": "1",
        "title": "One.",
        "publicationTitle": "Walls",
        "issue": "7",
        "volume": "3",
    }


def test_words_with_a_hyphen_at_the_head_of_a_line_are_no_tags() -> None:
    text = "PMID- 1\nAB  - Walls have\nTNF-alpha, IL-6,\nAD-related lichens and\nTI-based stones,\nSARS-2 and\nIP-10.\nPG  - 3\n"
    made = record(text)
    assert made.fields["abstractNote"].split()[-1] == "IP-10."
    assert made.fields["pages"] == "3"
    assert made.unmapped == ()


def test_where_the_number_has_no_blank_no_tag_needs_one() -> None:
    made = record("PMID-1\nTI-One.\nFAU-Moss, Ada\n")
    assert made.title == "One."
    assert made.creators == (Creator("author", "Moss", "Ada"),)


def test_an_unknown_tag_is_kept_as_it_is_laid_out() -> None:
    assert record("PMID- 1\nZZZZ- strange\nTI  - One.\n").unmapped == (("ZZZZ", "strange"),)
    assert record("PMID- 1\nTI - One.\nZZ - strange\n").unmapped == (("ZZ", "strange"),)


def test_a_paragraph_behind_an_empty_line_stays_in_the_abstract_and_is_reported() -> None:
    (found,) = readings("PMID- 1\nAB  - Walls.\n\nThey stand.\n\n      They grow.\nFAU - Moss, Ada\n")
    assert found.record
    assert found.record.fields["abstractNote"] == "Walls. They stand. They grow."
    assert [(problem.code, problem.line) for problem in found.problems] == [("blank-inside", 3)]
    assert 0.7 <= found.entry.confidence < 1


def test_an_indented_line_behind_an_empty_one_stays_in_any_value() -> None:
    (found,) = readings("PMID- 1\nTI  - Walls\n\n      and roofs.\nFAU - Moss, Ada\n")
    assert found.record
    assert found.record.title == "Walls and roofs."


@pytest.mark.parametrize("after", ["PMID- 2\nTI  - Two.\n", "TI  - Two.\n", ""])
def test_text_before_the_next_record_or_the_end_is_a_gap(after: str) -> None:
    found = parts(f"PMID- 1\nTI  - One.\nAB  - Walls.\n\nPage 2 of 3\n\n{after}")
    assert [type(part) for part in found][:2] == [Entry, Gap]
    assert found[1] == Gap((5, 5), (33, 45), "Page 2 of 3")


def test_each_empty_line_is_reported_with_its_own_record() -> None:
    one = "PMID- {0}\nAB  - Walls.\n\n      They stand.\nFAU - Moss, Ada\n\n"
    first, second = readings(one.format(1) + one.format(2))
    assert [problem.line for problem in first.problems] == [3]
    assert [problem.line for problem in second.problems] == [9]


def test_a_counter_behind_a_record_is_no_part_of_it() -> None:
    found = parts("1. PMID- 1\nSO  - Walls. 2011\n2.\nPMID- 2\nSO  - Roofs. 2012\n")
    assert [part.text for part in found if isinstance(part, Gap)] == ["2."]
    assert [part.tagged[-1][1] for part in found if isinstance(part, Entry)] == ["Walls. 2011", "Roofs. 2012"]


def test_a_number_alone_on_a_line_inside_a_value_belongs_to_it() -> None:
    made = record("PMID- 1\nAB  - Walls of\n12\nstones.\nPG  - 3\n")
    assert made.fields["abstractNote"] == "Walls of 12 stones."


def test_text_without_end_behind_an_empty_line_is_not_held_in_memory() -> None:
    seen = 0

    def lines() -> Iterator[SourceLine]:
        nonlocal seen
        for number, text in enumerate(chain(["PMID- 1", "AB  - Walls.", ""], repeat("words", 5000)), start=1):
            seen = number
            yield SourceLine(number, number, number + 1, text)

    stream = read(lines())
    assert isinstance(next(stream), Entry)
    assert seen < 500
    rest = list(stream)
    assert sum(part.text.count("words") for part in rest) == 5000
    assert all(isinstance(part, Gap) for part in rest)


@pytest.mark.parametrize(
    ("line", "last", "first"),
    [
        ("FAU - Moss, Ada B", "Moss", "Ada B."),
        ("FAU - Moss, AB", "Moss", "A. B."),
        ("FAU - Moss, J-P", "Moss", "J.-P."),
        ("FAU - Moss, Chin-I", "Moss", "Chin-I."),
        ("FAU - Moss, Ada e Silva", "Moss", "Ada e Silva"),
        ("FAU - Moss, A.B.", "Moss", "A. B."),
        ("FAU - MOSS, ADA", "MOSS", "ADA"),
        ("FAU - van der Moss, T J H M", "van der Moss", "T. J. H. M."),
        ("FAU - Moss, Ada B 3rd", "Moss", "Ada B. 3rd"),
        ("AU  - Moss AB", "Moss", "A. B."),
        ("AU  - Moss AB 3rd", "Moss", "A. B. 3rd"),
        ("AU  - van der Moss A", "van der Moss", "A."),
        ("AU  - Moss, Ada B", "Moss", "Ada B."),
        ("AU  - Moss, Ada B.", "Moss", "Ada B."),
    ],
)
def test_names_are_divided_and_their_initials_have_stops(line: str, last: str, first: str) -> None:
    assert record(f"PMID- 1\n{line}\n").creators == (Creator("author", last, first),)


@pytest.mark.parametrize("name", ["Suharto", "World Wall Office", "Moss,", "[Anonymous]"])
def test_a_name_of_one_part_stays_one(name: str) -> None:
    assert record(f"PMID- 1\nFAU - {name}\n").creators == (Creator("author", name=name.strip(",")),)


def test_what_stands_behind_a_second_comma_is_kept() -> None:
    made = record("PMID- 1\nAU  - Moss, Ada B., Jr.\n")
    assert made.creators == (Creator("author", "Moss", "Ada B."),)
    assert made.unmapped == (("AU", "Moss, Ada B., Jr."),)


def test_a_name_without_letters_is_kept_and_no_creator() -> None:
    made = record("PMID- 1\nFAU - , ,\n")
    assert made.creators == ()
    assert made.unmapped == (("FAU", ", ,"),)


def test_a_short_name_counts_for_the_one_who_has_no_full_one() -> None:
    made = record("PMID- 1\nFAU - Moss, Ada\nAU  - Moss A\nAU  - Reed CD\nFAU - Fern, Bo\nAU  - Fern B\n")
    assert [creator.last for creator in made.creators] == ["Moss", "Reed", "Fern"]
    assert made.unmapped == (("AU", "Moss A"), ("AU", "Fern B"))


def test_short_names_apart_from_the_full_ones_are_not_added() -> None:
    made = record("PMID- 1\nFAU - Moss, Ada\nFAU - Fern, Bo\nAU  - Moss A\nAU  - Fern B\nAU  - Reed C\n")
    assert [creator.last for creator in made.creators] == ["Moss", "Fern"]


def test_editors_do_not_hide_authors() -> None:
    made = record("PMID- 1\nFED - Brick, Carla\nED  - Brick C\nAU  - Moss AB\nPT  - Book Chapter\n")
    assert made.creators == (Creator("editor", "Brick", "Carla"), Creator("author", "Moss", "A. B."))


def test_a_role_that_a_type_does_not_have_is_a_contributor() -> None:
    assert record("PMID- 1\nFED - Brick, Carla\nPT  - Legal Case\n").creators == (
        Creator("contributor", "Brick", "Carla"),
    )


@pytest.mark.parametrize(
    ("pages", "whole"),
    [("475-82", "475-482"), ("S475-82", "S475-482"), ("412-20.e2", "412-420.e2"), ("9-12, 101-3", "9-12, 101-103")],
)
def test_pages_are_written_out(pages: str, whole: str) -> None:
    assert record(f"PMID- 1\nPG  - {pages}\n").fields["pages"] == whole


def test_issns_of_is_are_all_the_journals_and_of_issn_the_last_one_counts() -> None:
    made = record("PMID- 1\nIS  - 2049-3630 (Electronic)\nIS  - 1234-5679 (Linking)\nIS  - 2049-3630 (Print)\n")
    assert made.fields["ISSN"] == "2049-3630 1234-5679"
    eric = record("OWN - ERIC\nISSN - ISSN-1234-5679\nISSN - EISSN-2049-3630\nISSN - EISSN-2049-3630\n")
    assert eric.fields["ISSN"] == "2049-3630"
    assert eric.unmapped == (("OWN", "ERIC"), ("ISSN", "1234-5679"))


def test_a_number_that_cannot_be_right_is_kept() -> None:
    made = record("PMID- 1\nIS  - 1234-5678\nISSN - none\n")
    assert "ISSN" not in made.fields
    assert made.unmapped == (("IS", "1234-5678"), ("ISSN", "none"))


def test_the_isbn_of_a_book_is_one() -> None:
    made = record("PMID- 1\nPT  - Book\nIS  - 9780306406157\nIS  - 0306406152\n")
    assert made.fields["ISBN"] == "9780306406157"
    assert made.unmapped[1:] == (("IS", "0306406152"),)


def kinds() -> list[Record]:
    return [found.record for found in readings((CORPUS / "kinds.nbib").read_text("utf-8")) if found.record]


def test_a_work_with_a_book_around_it_is_a_chapter_where_no_type_says_more() -> None:
    made = kinds()[0]
    assert made.item_type == "bookSection"
    assert dict(made.fields) == {
        "title": "Roofs and what grows on them",
        "bookTitle": "The house from outside",
        "series": "Houses",
        "date": "2014",
        "language": "eng",
        "place": "Oslo",
        "publisher": "House Press",
        "ISBN": "9780306406157",
    }
    assert made.creators == (Creator("editor", "Brick", "Carla D."), Creator("author", "Slate", "Edgar F. 3rd"))
    assert record("PMID- 1\nBTI - Whole\nPT  - Review\n").item_type == "book"
    assert record("PMID- 1\nTI  - One\nBTI - Whole\nJT  - Walls\n").item_type == "journalArticle"


def test_the_journal_of_a_technical_report_is_no_institution() -> None:
    made = kinds()[1]
    assert made.item_type == "report"
    assert "institution" not in made.fields
    assert ("JT", "Annals of stone") in made.unmapped


def test_a_thesis_of_eric_has_university_and_archive() -> None:
    made = kinds()[2]
    assert made.item_type == "thesis"
    assert (made.fields["university"], made.fields["archive"]) == ("Wall University", "ProQuest LLC")
    assert made.creators[-1] == Creator("author", name="Office of Walls")


def test_the_vernacular_title_stands_where_there_is_no_other() -> None:
    assert kinds()[3].title == "Mauern im Norden."
    made = record("PMID- 1\nTI  - [Walls].\nTT  - Mauern.\n")
    assert made.title == "[Walls]."
    assert made.unmapped == (("TT", "Mauern."),)


def test_a_report_of_a_journal_of_eric_is_an_article() -> None:
    made = record("OWN - ERIC\nTI  - One\nOID - EJ0000001\nJT  - Walls\nPT  - Reports - Research\n")
    assert made.item_type == "journalArticle"
    assert made.fields["publicationTitle"] == "Walls"


def test_a_value_that_is_displaced_is_kept_under_its_own_tag() -> None:
    made = record("PMID- 1\nBTI - Whole\nJT  - Journal\nTI  - Part\nPT  - Book Chapter\n")
    assert made.fields["bookTitle"] == "Whole"
    assert ("JT", "Journal") in made.unmapped


def test_a_tag_that_stands_twice_and_should_not_is_reported() -> None:
    (found,) = readings("PMID- 1\nTI  - One.\nTI  - Two.\nLA  - eng\nLA  - fre\n")
    assert [(problem.code, problem.line) for problem in found.problems] == [("value-twice", 3)]
    assert found.record
    assert found.record.title == "Two."
    assert ("TI", "One.") in found.record.unmapped


def test_a_pmid_that_is_none_is_kept_and_reported() -> None:
    (found,) = readings("PMID- 123 in press\nTI  - One.\n")
    assert found.record
    assert found.record.identifiers == {}
    assert ("PMID", "123 in press") in found.record.unmapped
    assert [problem.code for problem in found.problems] == ["pmid-odd"]


def test_a_second_address_or_doi_is_kept() -> None:
    made = record(
        "PMID- 1\nAID - https://a.example/1\nAID - https://a.example/2\nAID - 10.5555/a [doi]\nAID - 10.5555/b [doi]\nAID - 7 [pii]\n"
    )
    assert made.fields["url"] == "https://a.example/1"
    assert made.identifiers["DOI"] == "10.5555/a"
    assert made.unmapped == (("AID", "https://a.example/2"), ("AID", "10.5555/b [doi]"), ("AID", "7 [pii]"))


def test_blanks_and_breaks_do_not_change_what_is_read() -> None:
    found = [
        (made.title, made.creators)
        for r in readings((CORPUS / "blanks-and-breaks.nbib").read_text())
        if (made := r.record)
    ]
    assert found == [
        ("Moss between the stones of one wall", (Creator("author", "Moss", "J.-P."),)),
        ("Fern on the other wall", (Creator("author", "Fern", "B."),)),
        ("A third wall", ()),
    ]


XML = """<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>29999999</PMID><Article>
<Journal><ISSN IssnType="Electronic">2049-3630</ISSN><JournalIssue><Volume>7</Volume><Issue>2</Issue><PubDate><Year>2011</Year><Month>Feb</Month>
<Day>12</Day></PubDate></JournalIssue><Title>Annals of stone</Title><ISOAbbreviation>Ann Stone</ISOAbbreviation></Journal>
<ArticleTitle>Lichens of quiet walls, and what they want.</ArticleTitle><Pagination><MedlinePgn>475-82</MedlinePgn></Pagination>
<ELocationID EIdType="doi">10.5555/walls.1</ELocationID><Abstract><AbstractText>We looked at walls in the north.</AbstractText></Abstract>
<AuthorList><Author><LastName>Moss</LastName><ForeName>Ada B</ForeName></Author><Author><LastName>Fern</LastName><ForeName>Bo</ForeName></Author>
<Author><CollectiveName>The Wall Consortium</CollectiveName></Author></AuthorList><Language>eng</Language></Article>
<KeywordList><Keyword>walls</Keyword></KeywordList></MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pmc">PMC123456</ArticleId>
</ArticleIdList></PubmedData></PubmedArticle></PubmedArticleSet>"""


def test_an_article_agrees_with_pubmeds_xml_where_both_say_the_same() -> None:
    (article,) = pubmed_xml.parse(XML.encode())
    other, made = pubmed_xml.article_to_record(article), tidied(fixture()[0]).record
    assert made
    same = "volume issue pages abstractNote language journalAbbreviation DOI PMID PMCID"
    assert [made.fields[name] for name in same.split()] == [other.fields[name] for name in same.split()]
    assert (made.creators, dict(made.identifiers)) == (other.creators, dict(other.identifiers))
    assert made.title == f"{other.title}."
    assert other.fields["ISSN"] in made.fields["ISSN"].split()
    assert set(other.tags) <= set(made.tags)


NAMES = (
    "TI VI IP PL PB BTI JT TA PG CI ISBN ISSN LA EN AB CTI PT FAU FED AU ED OID PMC IS AID DP SO LID MH OT KW CN TT AD RN GR JID"
    " PMID STAT EDAT PHST ZZ"
)
SHAPES = (
    "{}", "Word {} and more words", "Moss{}, Ada", "Moss{} AB", "Moss, Ada {}, Jr", "10.5555/{} [doi]", "{} [pii]", "https://a.example/{}",
    "https://doi.org/10.5555/{}", "2011 Feb {}", "{}-9", "S1{}", "1234-5679 ({})", "Reports {}", "Dissertation {}", "v1, {} University",
)  # fmt: skip
FIXED = (
    "Book",
    "Book Chapter",
    "Journal Article",
    "Preprint",
    "Technical Report",
    "Dissertations/Theses",
    "Legal Case",
)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[tuple[str, str]], str]:
    """Tags with values that each hold a word of their own, and a record of them; `PT` may say what type it is."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(NAMES.split()), st.sampled_from(SHAPES)), min_size=1, max_size=14))
    pairs = [(tag, shape.format(f"q{number:03}x")) for number, (tag, shape) in enumerate(drawn)]
    kind = draw(st.sampled_from(FIXED))
    break_at = draw(st.sampled_from([" ", "\n      ", "\r\n      "]))
    lines = [f"{tag:4}- {value.replace(' ', break_at)}" for tag, value in pairs if tag != "PMID"]
    numbers = [value for tag, value in pairs if tag == "PMID"][:1] or ["29999999"]
    pairs = [pair for pair in pairs if pair[0] != "PMID"] + [("PMID", numbers[0])]
    return pairs, "\n".join([f"PMID- {numbers[0]}", *lines, f"PT  - {kind}", ""])


def test_every_value_has_a_place_or_is_kept() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(written())
    def accounts(drawn: tuple[list[tuple[str, str]], str]) -> None:
        pairs, text = drawn
        (found,) = readings(text)
        made = found.record
        assert made
        assert Counter(tag for tag, _, _ in found.entry.tagged) == Counter(tag for tag, _ in [*pairs, ("PT", "")])
        told = Counter(set(words(said(made))))
        assert Counter(word for _, value in pairs for word in words(value)) - told == Counter()
        event(made.item_type)
        met[made.item_type] += 1

    accounts()
    assert len(met) >= 5


def said(made: Record) -> str:
    people = [f"{creator.last} {creator.first} {creator.name}" for creator in made.creators]
    links = [attachment.url for attachment in made.attachments]
    kept = [value for _, value in made.unmapped]
    return " ".join([*made.fields.values(), *made.identifiers.values(), *made.tags, *people, *links, *kept])


def words(text: str) -> list[str]:
    return re.findall(r"q\d{3}x", text)


LINES = (
    "", "PMID- 1", "PMID-2", "OWN - NLM", "TI  - One", "AB  - Words", "FAU - Moss, Ada", "      more", "more words", "2.", "3", "1. PMID- 4", "\t", "ZZ  - x", "Page 3",
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(st.sampled_from(LINES), max_size=20))
def test_every_line_is_in_one_entry_or_gap_in_the_order_of_the_file(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = parts(text)
    assert [part.bytes for part in found] == sorted(part.bytes for part in found)
    for before, after in pairwise(found):
        assert before.bytes[1] <= after.bytes[0]
        assert before.lines[1] < after.lines[0]
    kept = "\n".join(part.text for part in found)
    assert kept.split() == text.split()
    for part in found:
        assert text[part.bytes[0] : part.bytes[1]].split() == part.text.split()
    assert [part.ordinal for part in found if isinstance(part, Entry)] == [
        number + 1 for number in range(sum(isinstance(part, Entry) for part in found))
    ]
