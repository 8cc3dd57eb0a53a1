"""What the tags of a reference become in Zotero's words, and that nothing of them is lost."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sync import drops
from sync.core import schema
from sync.core.record import Attachment, Creator, Entry, Reading, Record
from sync.core.ris import read
from sync.core.ris_fields import to_reading
from sync.core.ris_lines import KNOWN
from sync.core.ris_tables import ITEM_TYPES, target
from sync.core.tidy import tidied
from sync.steps.intake import readings as intake_readings

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def readings(data: bytes) -> list[Reading]:
    """As the library gets them."""
    return [tidied(to_reading(part)) for part in read(drops.lines_of(data)) if isinstance(part, Entry)]


def fixture(name: str) -> list[Record]:
    records = [reading.record for reading in readings((CORPUS / f"{name}.ris").read_bytes())]
    assert all(records)
    return [record for record in records if record]


def reading(*lines: str, kind: str = "JOUR") -> Reading:
    text = "\n".join([f"TY  - {kind}", *lines, "ER  - ", ""])
    return readings(text.encode())[0]


def record(*lines: str, kind: str = "JOUR") -> Record:
    made = reading(*lines, kind=kind).record
    assert made is not None
    return made


# ---- the sample ---------------------------------------------------------------------------------------------------


def test_the_sample_becomes_one_whole_article() -> None:
    (made,) = fixture("jmir-one-line")
    assert made.item_type == "journalArticle"
    assert [creator.last for creator in made.creators] == [
        "Thapar", "Nguyen", "Khan", "Fanaieyan", "Kishimoto", "Liu", "Bolea-Alamañac", "Leon-Carlyle", "O’Riordan", "Keresteci", "Bhattacharyya",
    ]  # fmt: skip
    assert made.title.startswith("Patient and Therapist Perceptions of a Publicly Funded")
    expected = {
        "publicationTitle": "JMIR Form Res",
        "volume": "8",
        "pages": "e50113",
        "date": "2024-02-19",
        "DOI": "10.2196/50113",
        "PMID": "38373027",
        "ISSN": "2561-326X",
        "url": "https://formative.jmir.org/2024/1/e50113",
    }
    assert expected.items() <= made.fields.items()
    assert len(made.tags) == 12
    assert made.fields["abstractNote"].startswith("Background:")
    assert made.fields["abstractNote"].endswith("would make them better.")
    assert made.identifiers == {"DOI": "10.2196/50113", "PMID": "38373027"}


# ---- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(ITEM_TYPES))
def test_every_reference_type_becomes_its_item_type(word: str) -> None:
    made = record("TI  - Walls", kind=word.lower())
    assert made.item_type == ITEM_TYPES[word]
    assert made.title == "Walls"
    assert [problem.code for problem in reading("TI  - Walls", kind=word).problems] == []


@pytest.mark.parametrize("word", ["CITATION", "PDF", "NA", ""])
def test_an_unknown_type_is_an_article_and_reported(word: str) -> None:
    found = reading("TI  - Walls", kind=word)
    assert found.record
    assert found.record.item_type == "journalArticle"
    assert [problem.code for problem in found.problems] == ["type-unknown"]
    assert (("TY", word) in found.record.unmapped) == bool(word)


@pytest.mark.parametrize("word", sorted(ITEM_TYPES))
def test_every_tag_of_every_type_is_placed_or_kept(word: str) -> None:
    values = {tag: f"Value {tag}, x" for tag in sorted(KNOWN - {"TY", "ER"})}
    made = record(*(f"{tag}  - {value}" for tag, value in values.items()), kind=word)
    people = " ".join(f"{c.last}, {c.first} {c.name}" for c in made.creators)
    kept = " ".join(
        [*made.fields.values(), *made.tags, *made.notes, people]
        + [attachment.url for attachment in made.attachments]
        + [value for _, value in made.unmapped]
    )
    assert [tag for tag, value in values.items() if f"Value {tag}" not in kept] == []


@pytest.mark.parametrize("kind", sorted(set(ITEM_TYPES.values())))
def test_the_tables_name_fields_and_roles_that_exist(kind: str) -> None:
    everywhere = set().union(*(schema.fields(name) for name in schema.ITEM_TYPES))
    bases = {"publisher", "publicationTitle", "title", "pages", "volume", "medium"}
    for tag in KNOWN:
        goal, _ = target(tag, kind)
        if goal and goal[0] not in "@!":
            assert goal in everywhere | bases, (tag, goal)


@pytest.mark.parametrize(
    ("kind", "tag", "name"),
    [
        ("CHAP", "T2", "bookTitle"),
        ("CONF", "T2", "conferenceName"),
        ("CONF", "C3", "proceedingsTitle"),
        ("CONF", "C1", "place"),
        ("BOOK", "T2", "series"),
        ("BOOK", "BT", "title"),
        ("RPRT", "SN", "reportNumber"),
        ("RPRT", "PB", "institution"),
        ("THES", "PB", "university"),
        ("THES", "M3", "thesisType"),
        ("CASE", "A2", "reporter"),
        ("CASE", "TI", "caseName"),
        ("PAT", "SN", "patentNumber"),
        ("STAT", "T2", "code"),
        ("DATA", "PB", "repository"),
        ("MPCT", "SP", "runningTime"),
        ("THES", "SP", "numPages"),
        ("JOUR", "M1", "issue"),
        ("JOUR", "H2", "callNumber"),
        ("SLIDE", "T2", "meetingName"),
    ],
)
def test_a_tag_means_what_its_type_makes_of_it(kind: str, tag: str, name: str) -> None:
    assert record(f"{tag}  - 12", kind=kind).fields[name] == "12"


@pytest.mark.parametrize(
    ("kind", "tag", "role"),
    [
        ("JOUR", "AU", "author"),
        ("JOUR", "A2", "editor"),
        ("BOOK", "A2", "seriesEditor"),
        ("BOOK", "A3", "editor"),
        ("BOOK", "ED", "editor"),
        ("EDBOOK", "AU", "editor"),
        ("CHAP", "C2", "bookAuthor"),
        ("PAT", "AU", "inventor"),
        ("PAT", "ED", "contributor"),
        ("MPCT", "AU", "director"),
        ("BILL", "AU", "author"),
        ("JOUR", "A4", "translator"),
        ("CASE", "A4", "counsel"),
    ],
)
def test_a_person_has_the_role_that_the_tag_means_in_this_type(kind: str, tag: str, role: str) -> None:
    assert record(f"{tag}  - Moss, Ada", kind=kind).creators == (Creator(role, "Moss", "Ada"),)


def test_a_reference_of_which_only_the_type_stands_is_reported() -> None:
    found = reading("TI  - ")
    assert found.record == Record("journalArticle")
    assert [problem.code for problem in found.problems] == ["empty"]


def test_a_tag_that_nobody_knows_is_kept_and_reported_once() -> None:
    found = reading("TI  - Walls", "ZZ  - one", "ZZ  - two")
    assert found.record
    assert found.record.unmapped == (("ZZ", "one"), ("ZZ", "two"))
    assert [(problem.code, problem.line) for problem in found.problems] == [("tag-unknown", 3)]


def test_words_after_the_end_are_kept() -> None:
    second = fixture("several-types")[1]
    assert second.unmapped == (("ER", "done"),)


# ---- titles -------------------------------------------------------------------------------------------------------


def test_the_first_title_wins_and_the_second_is_kept() -> None:
    made = record("T1  - Second rank", "TI  - Walls", "TI  - Roofs")
    assert made.title == "Walls"
    assert made.unmapped == (("TI", "Roofs"), ("T1", "Second rank"))


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["JA  - Wall Stud", "JF  - Wall Studies", "T2  - Studies of Walls"]))
)
def test_the_order_of_tags_does_not_choose_the_journal(order: tuple[str, ...]) -> None:
    made = record(*order)
    assert made.fields["publicationTitle"] == "Studies of Walls"
    assert made.fields["journalAbbreviation"] == "Wall Stud"


def test_an_abbreviation_stands_in_for_a_missing_journal() -> None:
    assert record("JO  - Wall Stud").fields == {"publicationTitle": "Wall Stud", "journalAbbreviation": "Wall Stud"}


def test_a_short_title_stands_in_for_a_missing_title() -> None:
    assert record("ST  - Walls").title == "Walls"


def test_a_title_above_a_work_that_has_no_field_for_it_is_kept() -> None:
    assert record("T2  - Collected letters", "BT  - Another", kind="PCOMM").unmapped == (
        ("BT", "Another"),
        ("T2", "Collected letters"),
    )


def test_ebscos_second_title_is_not_the_journal() -> None:
    (made,) = fixture("ebsco-title")
    assert made.fields["publicationTitle"] == "Wall Studies"
    assert ("T2", "Flechten stiller Mauern.") in made.unmapped
    assert made.identifiers == {"DOI": "10.5555/walls.3"}
    assert made.fields["abstractNote"] == "Walls are slow."
    assert ("AB", "Copyright of Wall Studies is the property of Stone Press.") in made.unmapped


def test_ebscos_second_title_is_the_journal_where_it_says_so() -> None:
    made = record("T2  - Wall Studies", "JF  - Wall studies", "DP  - EBSCOhost")
    assert made.fields["publicationTitle"] == "Wall Studies"


def test_markup_in_titles_is_zoteros() -> None:
    (made,) = fixture("notes-markup")
    assert made.title == "Lichens of <i>quiet</i> walls & roofs"
    assert made.fields["abstractNote"] == "Aim: To look, p<0.05."


# ---- people and keywords ------------------------------------------------------------------------------------------


def test_joined_authors_are_told_apart_and_dots_are_no_author() -> None:
    assert fixture("notes-markup")[0].creators == (Creator("author", "Moss", "Ada"), Creator("author", "Fern", "Bo"))
    (made,) = fixture("scholar-tool")
    assert made.creators == (Creator("author", "Moss", "A"),)
    assert ("AU", "...") in made.unmapped


@pytest.mark.parametrize(
    ("lines", "tags"),
    [
        (["KW  - lichen", "KW  - wall"], ("lichen", "wall")),
        (["KW  - lichen; wall;"], ("lichen", "wall")),
        (["KW  - lichen", "slow growth"], ("lichen", "slow growth")),
        (["KW  - lichen, wall"], ("lichen", "wall")),
        (["KW  - lichen, wall", "KW  - roof"], ("lichen, wall", "roof")),
        (["KW  - lichen", "KW  - lichen"], ("lichen",)),
        (["KW  - ;"], ()),
    ],
)
def test_keywords_are_told_apart(lines: list[str], tags: tuple[str, ...]) -> None:
    assert record(*lines).tags == tags


# ---- dates and pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "date", "kept"),
    [
        (["PY  - 2024", "DA  - 2024/2/19"], "2024-02-19", ()),
        (["PY  - 2024", "Y1  - 2024/02//"], "2024-02", ()),
        (["Y1  - 2024/02//", "DA  - Jan 2024"], "Jan 2024", (("Y1", "2024/02//"),)),
        (["PY  - 2011", "DA  - FEB"], "2011 FEB", ()),
        (["PY  - 2011", "DA  - FEB-MAR"], "2011 FEB-MAR", ()),
        (["DA  - FEB"], "0000 FEB", ()),
        (["DA  - Start of spring", "PY  - 2011"], "2011 Start", (("DA", "Start of spring"),)),
        (["PY  - 2011", "Y1  - 2012"], "2012", (("PY", "2011"),)),
        (["PY  - 2011", "PY  - 2013"], "2011", (("PY", "2013"),)),
        (["PY  - in press"], "in press", ()),
        (["Y1  - 2015///Spring2015"], "2015", (("Y1", "2015///Spring2015"),)),
        (["PY  - NA"], "", (("PY", "NA"),)),
    ],
)
def test_the_date_is_that_which_says_most(lines: list[str], date: str, kept: tuple[tuple[str, str], ...]) -> None:
    made = record(*lines)
    assert made.base("date") == date
    assert made.unmapped == kept


def test_the_date_of_access_is_a_whole_day() -> None:
    assert record("Y2  - 2024/02/19").fields == {"accessDate": "2024-02-19"}
    assert record("Y2  - 2024/02//").unmapped == (("Y2", "2024/02//"),)


@pytest.mark.parametrize(
    ("lines", "pages", "kept"),
    [
        (["SP  - 1", "EP  - 9"], "1-9", ()),
        (["EP  - 9", "SP  - 1"], "1-9", ()),
        (["SP  - 1-9", "EP  - 9"], "1-9", ()),
        (["SP  - 1-9", "EP  - 12"], "1-9", (("EP", "12"),)),
        (["SP  - 19", "EP  - 19"], "19-19", ()),
        (["SP  - e17332", "EP  - e17332"], "e17332", ()),
        (["SP  - 20171935", "EP  - 20171935"], "20171935", ()),
        (["EP  - 9"], "9", ()),
        (["EP  - 9", "EP  - 10", "SP  - 1"], "1-9", (("EP", "10"),)),
        (["SP  - 43\u201058"], "43-58", ()),
        (["SP  - pp 37-64"], "37-64", ()),
        (["SP  - No-Specified"], "", (("SP", "No-Specified"),)),
        (["C7  - 107986"], "107986", ()),
        (["C7  - 107986", "SP  - 5"], "5", (("C7", "107986"),)),
    ],
)
def test_pages_are_put_together(lines: list[str], pages: str, kept: tuple[tuple[str, str], ...]) -> None:
    made = record(*lines)
    assert made.fields.get("pages", "") == pages
    assert made.unmapped == kept


def test_the_end_page_of_a_book_has_no_place() -> None:
    made = record("SP  - 97", "EP  - 115", kind="BOOK")
    assert made.fields == {"numPages": "97"}
    assert made.unmapped == (("EP", "115"),)


@pytest.mark.parametrize("issue", ["4", "Suppl. 2", "S1", "12 December", "Winter"])
def test_m1_is_an_issue_where_it_looks_like_one(issue: str) -> None:
    assert record(f"M1  - {issue}").fields["issue"] == issue


@pytest.mark.parametrize(
    "other",
    [
        "Query date: 2022-03-14",
        "1228150341",
        "(Moss A., moss@wall.example) School of Walls, Stonetown",
        "Journal Article",
    ],
)
def test_m1_is_kept_where_it_is_something_else(other: str) -> None:
    made = record(f"M1  - {other}")
    assert made.fields == {}
    assert made.unmapped == (("M1", other),)


# ---- numbers and identifiers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "lines", "fields"),
    [
        ("JOUR", ["SN  - 1999-7779", "SN  - 0222-6669"], {"ISSN": "1999-7779, 0222-6669"}),
        ("JOUR", ["SN  - 1999-7779", "SN  - 1999-7779"], {"ISSN": "1999-7779"}),
        ("JOUR", ["SN  - 1999-7779(Electronic),0222-6669(Print)"], {"ISSN": "1999-7779, 0222-6669"}),
        ("JOUR", ["SN  - 1999-7779", "0222-6669"], {"ISSN": "1999-7779 0222-6669"}),
        ("JOUR", ["SN  - unknown"], {"ISSN": "unknown"}),
        ("BOOK", ["SN  - 978-3-16-148410-0"], {"ISBN": "978-3-16-148410-0"}),
        ("BOOK", ["SN  - 978-3-16-148410-0", "SN  - 1999-7779"], {"ISBN": "978-3-16-148410-0", "ISSN": "1999-7779"}),
        ("CHAP", ["SN  - 978-3-16-148410-0; 0-306-40615-2"], {"ISBN": "978-3-16-148410-0; 0-306-40615-2"}),
    ],
)
def test_serial_and_book_numbers_are_told_by_their_check_digits(
    kind: str, lines: list[str], fields: dict[str, str]
) -> None:
    assert record(*lines, kind=kind).fields == fields


@pytest.mark.parametrize(
    "line",
    [
        "DO  - 10.5555/walls.1",
        "DO  - https://doi.org/10.5555/walls.1",
        "M3  - doi: 10.5555/walls.1",
        "L3  - 10.5555/walls.1",
        "LB  -  10.5555/walls.1 ",
        "ID  - info:doi/10.5555/walls.1",
        "AN  - 10.5555/walls.1",
        "UR  - http://dx.doi.org/10.5555/walls.1",
        "UR  - https://press.example/doi/full/10.5555/walls.1",
        "L2  - http://dx.doi.org/10.5555/walls.1",
        "N1  - doi: 10.5555/walls.1",
        "N1  - Free at https://doi.org/10.5555/walls.1",
        "N1  - No field:<br/>electronic-resource-num: 10.5555/walls.1<br/>x: y",
        "SE  - 10.5555/walls.1",
        "VL  - 10.5555/walls.1",
        "DOI  - 10.5555/walls.1",
        "DO  - ARTN 7 10.5555/walls.1",
    ],
)
def test_a_doi_is_found_wherever_exports_hide_it(line: str) -> None:
    made = record("TI  - Walls", line)
    assert made.identifiers == {"DOI": "10.5555/walls.1"}
    assert made.fields["DOI"] == "10.5555/walls.1"


@pytest.mark.parametrize(
    "line",
    [
        "DO  - 10.1002/central/CN-00778158",
        "UR  - https://library.example/central/doi/10.1002/central/CN-00778158/full",
        "N1  - References: Fern B., doi: 10.5555/a.1; Moss A., doi: 10.5555/a.2",
        f"N1  - {'A long list of references. ' * 20} doi: 10.5555/a.1",
        "N1  - Erratum in: Wall Stud. 2020. https://doi.org/10.5555/other.1",
        "N1  - Comment on doi:10.5555/other.1",
        "M3  - Article",
        "UR  - ORCID: 0000-0002-1825-0097",
        "AB  - as in 10.5555/a.1",
    ],
)
def test_what_is_not_the_works_own_doi_is_not_taken(line: str) -> None:
    assert record("TI  - Walls", line).identifiers == {}


@pytest.mark.parametrize(
    "line",
    [
        "PMID  - 29999999",
        "UR  - PM:29999999",
        "UR  - http://www.ncbi.nlm.nih.gov/pubmed/29999999",
        "C3  - PUBMED 29999999,EMBASE 600000001",
        "U1  - 29999999[pmid]",
        "AN  - MEDLINE:29999999",
        "ID  - PMID: 29999999",
    ],
)
def test_a_pubmed_number_is_found_wherever_exports_hide_it(line: str) -> None:
    made = record("TI  - Walls", line)
    assert made.identifiers == {"PMID": "29999999"}
    assert made.fields["PMID"] == "29999999"


@pytest.mark.parametrize(
    "line", ["PMCID  - PMC1234567", "AN  - PMC1234567", "U2  - PMC1234567[pmcid]", "C2  - PMC1234567"]
)
def test_a_pmc_number_is_found_wherever_exports_hide_it(line: str) -> None:
    assert record("TI  - Walls", line).identifiers == {"PMCID": "PMC1234567"}


@pytest.mark.parametrize("name", ["PubMed", "Ovid MEDLINE(R) <2019>", "NLM", "cmedm"])
def test_the_accession_number_of_pubmed_is_a_pubmed_number(name: str) -> None:
    assert record("AN  - 29999999", f"DB  - {name}").identifiers == {"PMID": "29999999"}


def test_another_databases_accession_number_is_none() -> None:
    assert record("AN  - 29999999", "DB  - Wall Index").identifiers == {}


def test_embases_c5_is_a_pubmed_number() -> None:
    (made,) = fixture("embase")
    assert made.identifiers == {"DOI": "10.5555/walls.2", "PMID": "38999999"}
    assert not [tag for tag, _ in made.unmapped if tag == "C5"]


def test_where_the_type_has_no_field_the_number_is_an_identifier_alone() -> None:
    made = record("TI  - Walls", "PMID  - 29999999", kind="BOOK")
    assert made.identifiers == {"PMID": "29999999"}
    assert "PMID" not in made.fields


def test_a_second_doi_does_not_replace_the_first_and_is_kept() -> None:
    made = record("DO  - 10.5555/A", "DO  - 10.5555/b", "DO  - 10.5555/a")
    assert made.identifiers == {"DOI": "10.5555/A"}
    assert made.unmapped == (("DO", "10.5555/b"),)


@pytest.mark.parametrize("tag", ["PMID", "PMCID"])
def test_a_long_tag_whose_value_is_no_number_is_kept(tag: str) -> None:
    assert record(f"{tag}  - none such").unmapped == ((tag, "none such"),)


# ---- addresses, attachments, notes --------------------------------------------------------------------------------


def test_the_first_address_is_the_items_and_the_others_are_kept() -> None:
    made = record("UR  - https://a.example/1", "https://a.example/2", "UR  - https://a.example/3 https://a.example/4")
    assert made.fields["url"] == "https://a.example/1"
    assert made.unmapped == (("UR", "https://a.example/2"), ("UR", "https://a.example/3 https://a.example/4"))


def test_links_and_files_are_attachments() -> None:
    made = record(
        "L1  - internal-pdf://1/a.pdf",
        "internal-pdf://1/b.pdf",
        "L2  - https://a.example/x https://a.example/y",
        "L4  - fig.png",
    )
    assert made.attachments == (
        Attachment("Full Text (PDF)", "internal-pdf://1/a.pdf"),
        Attachment("Full Text (PDF)", "internal-pdf://1/b.pdf"),
        Attachment("Full Text (HTML)", "https://a.example/x"),
        Attachment("Full Text (HTML)", "https://a.example/y"),
        Attachment("Image", "fig.png"),
    )


@pytest.mark.parametrize(
    ("value", "attached"), [("https://a.example/z", True), ("files\\1\\map.png", True), ("see also", False)]
)
def test_l3_is_an_attachment_where_it_names_a_place(value: str, attached: bool) -> None:
    made = record("TI  - Walls", "DO  - 10.5555/walls.1", f"L3  - {value}")
    assert made.attachments == ((Attachment("Related", value),) if attached else ())
    assert made.unmapped == (() if attached else (("L3", value),))


def test_notes_are_safe_html() -> None:
    (made,) = fixture("notes-markup")
    assert made.notes[:2] == ("<p>Seen by <b>us</b> <a>here</a></p>", "<p>a &lt; b</p>")


def test_a_note_that_repeats_the_title_is_dropped() -> None:
    assert record("TI  - Walls & roofs", "N1  - Walls & roofs", "RN  - Seen").notes == ("<p>Seen</p>",)


# ---- the damage of lines ------------------------------------------------------------------------------------------


def test_wrapped_lines_are_joined_and_paragraphs_stay() -> None:
    (made,) = fixture("continued")
    assert made.title == "Lichens of quiet walls that nobody had ever looked at before this study was made"
    assert made.fields["abstractNote"] == (
        "BACKGROUND: Walls are slow, and few have looked at them for long enough to say more.\n\nMETHODS: We looked."
    )
    assert made.tags == ("lichen", "slow growth", "patience")
    assert made.fields["DOI"] == "10.5555/walls.5"
    assert made.fields["date"] == "2024 Mar"


def test_placeholders_are_no_values_but_kept() -> None:
    (made,) = fixture("scholar-tool")
    assert not {"abstractNote", "issue"} & made.fields.keys()
    assert {("AB", "NA"), ("IS", "NA")} <= set(made.unmapped)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("TI  - Walls &amp; roofs", "Walls & roofs"),
        ("TI  - Walls\x00 and \x1froofs", "Walls and roofs"),
        ("TI  - Walls\u2028and\u00a0 roofs", "Walls and roofs"),
        ("TI  - MÃ¤uerchen", "Mäuerchen"),
        ("TI  - p < 0.05 walls", "p < 0.05 walls"),
    ],
)
def test_values_are_made_fit(line: str, title: str) -> None:
    assert record(line).title == title


def test_another_encoding_is_read_rightly() -> None:
    (made,) = fixture("cp1252")
    assert made.title == "Flechten über Mäuerchen"
    assert made.creators == (Creator("author", "Möß", "Ada"),)


@pytest.mark.parametrize(("tag", "value"), [("C3", "10.5555/x.1 walls"), ("DO", "10.5555/x.1 walls")])
def test_words_beside_an_identifier_are_kept(tag: str, value: str) -> None:
    found = record("TI  - Kelp", f"{tag}  - {value}")
    assert "walls" in f"{dict(found.fields)} {found.unmapped}"
    assert found.identifiers["DOI"] == "10.5555/x.1"


# ---- whole files of the corpus --------------------------------------------------------------------------------------


def through(name: str) -> list[Reading]:
    """As `parse` reads them: format and encoding found."""
    data = (CORPUS / f"{name}.ris").read_bytes()
    return [part for part in intake_readings(drops.lines_of(data)) if isinstance(part, Reading)]


def titles(name: str) -> list[str]:
    return [found.record.title for found in through(name) if found.record]


@pytest.mark.parametrize(
    ("name", "expected", "codes"),
    [
        ("nfd", ["Über stille Wände"], [set()]),
        (
            "mojibake",
            ["Über stille Wände – eine “Schau”", "SÃO PAULO e as paredes de Ângelo"],
            [{"mojibake"}, set()],
        ),
        ("mixed-encodings", ["安静的墙", "Über stille Wände", "Über laute Wände"], [set(), {"encoding-mixed"}, set()]),
        ("utf-16", ["Лишайники на стенах"], [set()]),
        ("mac-roman", ["Étude des murs près de l’été"], [{"encoding-guessed"}]),
        ("tags-in-an-abstract", ["Walls and receptors"], [{"line-breaks-lost"}]),
        ("pasted-twice", ["Walls, twice", "Walls, twice"], [set(), set()]),
        ("cut-off", ["A whole one", "One that was c"], [set(), {"cut-off", "end-missing"}]),
        ("odd-blanks", ["Walls and roofs"], [{"tag-shape"}]),
    ],
)
def test_damaged_files_are_read_and_say_what_was_done(name: str, expected: list[str], codes: list[set[str]]) -> None:
    found = through(name)
    assert titles(name) == expected
    assert [{problem.code for problem in reading.problems} for reading in found] == codes


def test_an_abstract_keeps_what_looks_like_tags() -> None:
    (found,) = through("tags-in-an-abstract")
    assert found.record
    assert found.record.fields["abstractNote"].endswith("PR - negative ones and a TY - like sign; OS - was short.")
    assert found.record.identifiers == {"DOI": "10.5555/walls.7"}


def test_identifiers_are_found_where_they_hide_and_those_of_others_are_not() -> None:
    assert [dict(found.record.identifiers) for found in through("hidden-identifiers") if found.record] == [
        {"DOI": "10.5555/l3.1"},
        {"DOI": "10.5555/ab.1"},
        {"PMID": "29999990"},
        {"PMID": "29999991", "PMCID": "PMC9999991"},
        {},
        {"PMID": "29999992"},
        {"DOI": "10.5555/m3.1"},
        {"DOI": "10.5555/n1.1"},
        {"DOI": "10.5555/id.1"},
        {},
    ]


def test_keywords_are_told_apart_and_a_second_abstract_is_kept() -> None:
    first, second = (found.record for found in through("keywords-and-abstracts"))
    assert first
    assert second
    assert first.tags == ("*Walls", "Roofs", "Quiet", "Lichens", "Moss")
    assert first.fields["abstractNote"] == "The first abstract."
    assert first.unmapped == (("AB", "Copyright of walls is theirs."),)
    assert second.tags == ("roofs", "tiles", "rain")
