"""PubMed's articles become records. Articles, people and journals are invented; elements are those of NLM's DTD."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from lxml import etree

from sync import drops
from sync.core.pubmed_xml import article_to_record, dois, looks_like, parse, pmid_of, read, to_reading
from sync.core.record import Creator, Entry, Gap, Notice, Reading, Record

ISSUE = "<Volume>12</Volume><Issue>3</Issue><PubDate><Year>2021</Year><Month>May</Month><Day>3</Day></PubDate>"
JOURNAL = (
    f'<Journal><ISSN IssnType="Print">9999-0013</ISSN><JournalIssue>{ISSUE}</JournalIssue>'
    "<Title>Annals of lighthouse medicine</Title><ISOAbbreviation>Ann Lighth Med</ISOAbbreviation></Journal>"
)


def article(
    body: str = "<ArticleTitle>A title.</ArticleTitle>", *, after: str = "", data: str = "", journal: str = JOURNAL
) -> str:
    """An article: what stands in `Article`, after it in `MedlineCitation`, and in `PubmedData`."""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">90000001</PMID><Article PubModel="Print">{journal}{body}'
        f"</Article><MedlineJournalInfo><MedlineTA>Ann Lighth</MedlineTA></MedlineJournalInfo>{after}</MedlineCitation>"
        f"<PubmedData>{data}</PubmedData></PubmedArticle>"
    )


def record_of(*args: str, **more: str) -> Record:
    return article_to_record(etree.fromstring(article(*args, **more)))


def field(name: str, *args: str, **more: str) -> str:
    return record_of(*args, **more).fields.get(name, "")


# ---- articles -----------------------------------------------------------------------------------------------------


def test_an_article_with_everything() -> None:
    body = (
        "<ArticleTitle>Tides of <i>Ulva</i> &amp; H<sub>2</sub>O.</ArticleTitle><Pagination><MedlinePgn>117-24</MedlinePgn></Pagination>"
        '<ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID><ELocationID EIdType="doi" ValidYN="Y">10.5555/Mine</ELocationID>'
        '<Abstract><AbstractText Label="AIM" NlmCategory="OBJECTIVE">To <b>look</b>.</AbstractText>'
        '<AbstractText Label="UNLABELLED">More.</AbstractText><AbstractText/><CopyrightInformation>(c) Us</CopyrightInformation></Abstract>'
        "<AuthorList><Author><LastName>Røed</LastName><ForeName>Ane B</ForeName><Initials>AB</Initials></Author>"
        "<Author><CollectiveName>The Tide Group</CollectiveName></Author></AuthorList><Language>eng</Language><Language>nor</Language>"
    )
    after = (
        "<MeshHeadingList><MeshHeading><DescriptorName>Tides</DescriptorName><QualifierName>history</QualifierName></MeshHeading>"
        "<MeshHeading><DescriptorName>Humans</DescriptorName></MeshHeading></MeshHeadingList>"
        "<KeywordList><Keyword>sea <i>salt</i></Keyword><Keyword>Tides</Keyword><Keyword> </Keyword></KeywordList>"
    )
    data = '<ArticleIdList><ArticleId IdType="pubmed">90000001</ArticleId><ArticleId IdType="pmc">PMC9000001</ArticleId></ArticleIdList>'
    record = record_of(body, after=after, data=data)
    assert record.item_type == "journalArticle"
    assert dict(record.fields) == {
        "title": "Tides of <i>Ulva</i> & H<sub>2</sub>O",
        "publicationTitle": "Annals of Lighthouse Medicine",
        "journalAbbreviation": "Ann Lighth Med",
        "volume": "12",
        "issue": "3",
        "date": "2021-05-03",
        "ISSN": "9999-0013",
        "pages": "117-124",
        "abstractNote": "AIM: To look.\nMore.",
        "language": "eng, nor",
        "rights": "(c) Us",
        "libraryCatalog": "PubMed",
        "DOI": "10.5555/Mine",
        "PMID": "90000001",
        "PMCID": "PMC9000001",
    }
    assert record.creators == (Creator("author", last="Røed", first="Ane B."), Creator("author", name="The Tide Group"))
    assert record.tags == ("Tides", "Humans", "sea salt")
    assert dict(record.identifiers) == {"DOI": "10.5555/Mine", "PMID": "90000001", "PMCID": "PMC9000001"}


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("<ArticleTitle>A title.</ArticleTitle>", "A title"),
        ("<ArticleTitle>[A translated title].</ArticleTitle>", "[A translated title]"),
        ("<ArticleTitle>And then ...</ArticleTitle>", "And then ..."),
        ("<ArticleTitle>Why?</ArticleTitle>", "Why?"),
        ("<ArticleTitle/><VernacularTitle>Ein Titel.</VernacularTitle>", "Ein Titel"),
        ("<ArticleTitle>[English].</ArticleTitle><VernacularTitle>Deutsch.</VernacularTitle>", "[English]"),
        ('<ArticleTitle>p &lt; <mml:math xmlns:mml="m"><mml:mn>1</mml:mn></mml:math>.</ArticleTitle>', "p < 1"),
        ("<ArticleTitle>escaped &amp;lt;i&amp;gt;x&amp;lt;/i&amp;gt;</ArticleTitle>", "escaped <i>x</i>"),
        ("", ""),
    ],
)
def test_titles(title: str, wanted: str) -> None:
    assert field("title", title) == wanted


@pytest.mark.parametrize(
    ("pagination", "pages"),
    [
        ("<MedlinePgn>615-9</MedlinePgn>", "615-619"),
        ("<MedlinePgn>88-97</MedlinePgn>", "88-97"),
        ("<MedlinePgn>1-4, 17-9; discussion 20-1</MedlinePgn>", "1-4, 17-19; discussion 20-21"),
        ("<MedlinePgn>E368-72</MedlinePgn>", "E368-72"),
        ("<MedlinePgn>s12-s15</MedlinePgn>", "s12-s15"),
        ("<MedlinePgn>e1001</MedlinePgn>", "e1001"),
        ("<StartPage>21</StartPage><EndPage>6</EndPage>", "21-26"),
        ("<StartPage>21</StartPage><EndPage>21</EndPage>", "21"),
        ("<StartPage>21</StartPage>", "21"),
    ],
)
def test_pages_are_written_out(pagination: str, pages: str) -> None:
    assert field("pages", f"<Pagination>{pagination}</Pagination>") == pages


def test_the_publishers_number_stands_in_for_pages_if_it_is_valid() -> None:
    assert field("pages", '<ELocationID EIdType="pii" ValidYN="Y">e12</ELocationID>') == "e12"
    assert field("pages", '<ELocationID EIdType="pii" ValidYN="N">e12</ELocationID>') == ""


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        ("<Year>1999</Year><Month>06</Month>", "1999-06"),
        ("<Year>1999</Year><Month>Jun</Month><Day>07</Day>", "1999-06-07"),
        ("<Year>1999</Year>", "1999"),
        ("<Year>2003</Year><Season>Fall</Season>", "2003"),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "1998 Dec-1999 Jan"),
        ("", ""),
    ],
)
def test_dates(date: str, wanted: str) -> None:
    journal = f"<Journal><JournalIssue><PubDate>{date}</PubDate></JournalIssue></Journal>"
    record = record_of(journal=journal)
    assert record.fields.get("date", "") == wanted
    assert (("season", "Fall") in record.unmapped) == ("Season" in date)


@pytest.mark.parametrize(
    ("name", "title", "place"),
    [
        ("Human mutation", "Human Mutation", ""),
        ("Nursing management (Harrow, London, England : 1994)", "Nursing Management", "Harrow, London, England : 1994"),
        ("Toxicon : official journal of the Society", "Toxicon: Official Journal of the Society", ""),
        ("Journal of the eBook", "Journal of the eBook", ""),
        ("Zeitschrift für klinische Medizin", "Zeitschrift für Klinische Medizin", ""),
        ("Revista de saude publica", "Revista de Saude Publica", ""),
        ("PLoS one", "PLoS One", ""),
        ("Gait & posture, in motion", "Gait & Posture, in Motion", ""),
        ("BMJ (Clinical research ed.)", "BMJ", "Clinical research ed."),
        ("Child-care quarterly", "Child-care Quarterly", ""),
    ],
)
def test_journal_names(name: str, title: str, place: str) -> None:
    journal = f"<Journal><Title>{name.replace('&', '&amp;')}</Title></Journal>"
    record = record_of(journal=journal)
    assert (record.fields["publicationTitle"], record.fields.get("place", "")) == (title, place)
    assert record.fields["journalAbbreviation"] == "Ann Lighth"


def test_a_journal_without_name_has_its_abbreviation() -> None:
    assert field("publicationTitle", journal="") == "Ann Lighth"


@pytest.mark.parametrize(
    ("person", "creator"),
    [
        ("<LastName>DE SEZE</LastName><ForeName>S</ForeName>", Creator("author", last="De Seze", first="S.")),
        ("<LastName>Xu</LastName><ForeName>Jing-Yi</ForeName>", Creator("author", last="Xu", first="Jing-Yi")),
        ("<LastName>Bean</LastName><ForeName>Lora JH</ForeName>", Creator("author", last="Bean", first="Lora JH")),
        ("<LastName>Bean</LastName><Initials>LJ</Initials>", Creator("author", last="Bean", first="L. J.")),
        ("<LastName>Stone</LastName><ForeName>A.B.</ForeName>", Creator("author", last="Stone", first="A.B.")),
        ("<LastName>Mononym</LastName>", Creator("author", name="Mononym")),
        ("<ForeName>Given</ForeName>", Creator("author", name="Given")),
        ("<Identifier Source='ORCID'>0000</Identifier>", None),
    ],
)
def test_people(person: str, creator: Creator | None) -> None:
    made = record_of(f"<AuthorList><Author>{person}</Author></AuthorList>").creators
    assert made == ((creator,) if creator else ())


def test_a_generation_is_kept_aside() -> None:
    record = record_of(
        "<AuthorList><Author><LastName>Lim</LastName><ForeName>R</ForeName><Suffix>Jr</Suffix></Author></AuthorList>"
    )
    assert record.creators == (Creator("author", last="Lim", first="R."),)
    assert record.unmapped == (("suffix", "Lim, Jr"),)


def test_notices_about_an_article_are_kept_aside() -> None:
    after = (
        "<CommentsCorrectionsList>"
        '<CommentsCorrections RefType="RetractionIn"><RefSource>Ann Lighth. 2022;1:2</RefSource><PMID>90000002</PMID></CommentsCorrections>'
        '<CommentsCorrections RefType="ErratumIn"><RefSource>Ann Lighth. 2023</RefSource></CommentsCorrections>'
        '<CommentsCorrections RefType="Cites"><RefSource>Other</RefSource></CommentsCorrections></CommentsCorrectionsList>'
    )
    assert record_of(after=after).notices == (
        Notice("retraction", pmid="90000002", said="Ann Lighth. 2022;1:2"),
        Notice("correction", said="Ann Lighth. 2023"),
    )


def test_a_retraction_that_is_told_twice_is_one_notice_with_its_doi() -> None:
    body = '<ArticleTitle>T</ArticleTitle><PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList>'
    said = "Ann Lighth. 2022;1:2. doi: 10.5555/Retract.1."
    after = (
        f'<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>{said}</RefSource>'
        "<PMID>90000002</PMID></CommentsCorrections></CommentsCorrectionsList>"
    )
    assert record_of(body, after=after).notices == (
        Notice("retraction", doi="10.5555/retract.1", pmid="90000002", said=said),
    )
    assert record_of(body).notices == (Notice("retraction"),)


@pytest.mark.parametrize(
    ("preprint", "kind"),
    [("", "new-version"), ('<PublicationType UI="D000076942">Preprint</PublicationType>', "published")],
)
def test_what_updates_a_preprint_is_its_article(preprint: str, kind: str) -> None:
    body = f"<ArticleTitle>T</ArticleTitle><PublicationTypeList>{preprint}</PublicationTypeList>"
    after = (
        '<CommentsCorrectionsList><CommentsCorrections RefType="UpdateIn"><RefSource>J</RefSource><PMID>7</PMID>'
        "</CommentsCorrections></CommentsCorrectionsList>"
    )
    assert record_of(body, after=after).notices == (Notice(kind, pmid="7", said="J"),)


def test_orcids_are_kept_aside() -> None:
    record = record_of(
        "<AuthorList><Author><LastName>Lim</LastName><ForeName>Rae</ForeName>"
        '<Identifier Source="ORCID">https://orcid.org/0000-0002-1825-0097</Identifier></Author></AuthorList>'
    )
    assert record.unmapped == (("ORCID", "Lim, Rae: 0000-0002-1825-0097"),)


def test_of_each_author_the_first_orcid_and_the_first_generation_count() -> None:
    one, two = (
        f'<Identifier Source="ORCID">{orcid}</Identifier>' for orcid in ("0000-0002-1825-0097", "0000-0001-5109-3700")
    )
    other = '<Identifier Source="ISNI">0000000121032683</Identifier>'
    record = record_of(
        f"<AuthorList><Author><LastName>Lim</LastName><ForeName>Rae</ForeName><Suffix>Jr</Suffix><Suffix>3rd</Suffix>{other}{one}{two}"
        f"</Author><Author><LastName>Berg</LastName><ForeName>Ada</ForeName><Suffix/><Suffix>2nd</Suffix>"
        f'<Identifier Source="ORCID">0000</Identifier>{one}</Author>'
        f"<Author><LastName>Stone</LastName><ForeName>Al</ForeName><Suffix>Sr</Suffix>{two}</Author></AuthorList>"
    )
    assert record.unmapped == (
        ("suffix", "Lim, Jr"),
        ("suffix", "Stone, Sr"),
        ("ORCID", "Lim, Rae: 0000-0002-1825-0097"),
        ("ORCID", "Stone, Al: 0000-0001-5109-3700"),
    )


def test_a_preprint_has_its_server_and_number() -> None:
    body = (
        '<ArticleTitle>T.</ArticleTitle><ELocationID EIdType="pii" ValidYN="Y">arXiv:2304.02112v2</ELocationID>'
        '<PublicationTypeList><PublicationType UI="D000076942">Preprint</PublicationType></PublicationTypeList>'
    )
    record = record_of(body)
    assert record.item_type == "preprint"
    assert (record.fields["repository"], record.fields["archiveID"]) == (
        "Annals of Lighthouse Medicine",
        "arXiv:2304.02112v2",
    )
    assert dict(record.identifiers) == {"PMID": "90000001", "arXiv": "2304.02112"}
    assert ("ISSN", "9999-0013") in record.unmapped


# ---- identifiers --------------------------------------------------------------------------------------------------

REFERENCES = (
    '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.5555/cited</ArticleId>'
    '<ArticleId IdType="pubmed">7</ArticleId></ArticleIdList></Reference></ReferenceList>'
)


def test_identifiers_of_references_are_not_the_articles() -> None:
    data = f'{REFERENCES}<ArticleIdList><ArticleId IdType="doi">10.5555/Own</ArticleId></ArticleIdList>'
    element: Any = etree.fromstring(article(data=data))
    assert (set(dois(element)), pmid_of(element)) == ({"10.5555/own"}, "90000001")
    assert article_to_record(element).identifiers["DOI"] == "10.5555/Own"
    assert dois(etree.fromstring(article(data=REFERENCES))) == frozenset()


def test_a_doi_that_is_marked_as_wrong_is_not_the_articles() -> None:
    assert (
        dois(etree.fromstring(article('<ELocationID EIdType="doi" ValidYN="N">10.5555/wrong</ELocationID>')))
        == frozenset()
    )


# ---- books --------------------------------------------------------------------------------------------------------


def book(chapter: str = "") -> str:
    return (
        "<PubmedBookArticle><BookDocument><PMID>90000009</PMID><ArticleIdList><ArticleId IdType='bookaccession'>NBK9</ArticleId></ArticleIdList>"
        "<Book><Publisher><PublisherName>Example Press</PublisherName><PublisherLocation>Oslo</PublisherLocation></Publisher>"
        "<BookTitle><i>Ulva</i> II</BookTitle><PubDate><Year>1997</Year></PubDate><CollectionTitle>Tidal Series</CollectionTitle>"
        "<AuthorList Type='editors'><Author><LastName>Li</LastName><ForeName>Q R</ForeName></Author></AuthorList>"
        "<Volume>4</Volume><Edition>2nd</Edition><Isbn>9780000000002</Isbn><Isbn>0000000000</Isbn></Book>"
        f"{chapter}<Language>eng</Language><Abstract><AbstractText>We wrote.</AbstractText></Abstract>"
        "<KeywordList><Keyword>sea</Keyword></KeywordList></BookDocument></PubmedBookArticle>"
    )


def test_a_book() -> None:
    record = article_to_record(etree.fromstring(book()))
    assert record.item_type == "book"
    assert dict(record.fields) == {
        "title": "<i>Ulva</i> II",
        "series": "Tidal Series",
        "volume": "4",
        "edition": "2nd",
        "date": "1997",
        "place": "Oslo",
        "publisher": "Example Press",
        "ISBN": "9780000000002 0000000000",
        "abstractNote": "We wrote.",
        "language": "eng",
        "callNumber": "NBK9",
        "url": "https://www.ncbi.nlm.nih.gov/books/NBK9/",
        "libraryCatalog": "PubMed",
    }
    assert record.creators == (Creator("editor", last="Li", first="Q. R."),)
    assert dict(record.identifiers) == {"PMID": "90000009"}
    assert record.tags == ("sea",)


def test_a_chapter_stands_in_its_book_and_has_authors_of_its_own() -> None:
    chapter = (
        "<ArticleTitle>The genome.</ArticleTitle><AuthorList Type='authors'><Author><LastName>Røed</LastName><ForeName>A</ForeName></Author></AuthorList>"
        "<Pagination><MedlinePgn>23-9</MedlinePgn></Pagination>"
    )
    record = article_to_record(etree.fromstring(book(chapter)))
    assert record.item_type == "bookSection"
    assert (record.title, record.fields["bookTitle"], record.fields["pages"]) == ("The genome", "Ulva II", "23-29")
    assert [(c.creator_type, c.last) for c in record.creators] == [("author", "Røed"), ("editor", "Li")]


# ---- answers ------------------------------------------------------------------------------------------------------

HEAD = '<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://dtd.example/p.dtd">\n'


def test_an_answer_is_the_articles_of_its_set() -> None:
    answer = (
        f"{HEAD}<PubmedArticleSet>{article()}{book()}<DeleteCitation><PMID>1</PMID></DeleteCitation></PubmedArticleSet>"
    )
    assert [pmid_of(one) for one in parse(answer.encode())] == ["90000001", "90000009"]
    assert parse(b"<PubmedArticleSet></PubmedArticleSet>") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<eFetchResult><ERROR>Invalid  db</ERROR></eFetchResult>", "Invalid db"),
        ("<html><body>x</body></html>", "html"),
        ('{"error":"x"}', "no XML"),
        ("", "no XML"),
        ("<PubmedArticleSet><PubmedArticle>", "no XML"),
    ],
)
def test_what_is_no_set_is_refused(body: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(body.encode())


def test_an_entity_bomb_stays_unlit() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;">]>'
    answer = f"{bomb}<PubmedArticleSet>{article('<ArticleTitle>x &b;</ArticleTitle>')}</PubmedArticleSet>"
    (one,) = parse(answer.encode())
    assert "boom" not in article_to_record(one).title


# ---- files --------------------------------------------------------------------------------------------------------


def parsed(text: str) -> tuple[list[Reading], list[Gap], bytes]:
    data = text.encode()
    found = list(read(drops.lines_of(data)))
    return (
        [to_reading(part) for part in found if isinstance(part, Entry)],
        [part for part in found if isinstance(part, Gap)],
        data,
    )


A, B = article("<ArticleTitle>Größe eins.</ArticleTitle>"), book()
SHAPES = {
    "an article a line": f"{HEAD}<PubmedArticleSet>\n{A}\n{B}\n</PubmedArticleSet>\n",
    "one line": f"{HEAD}<PubmedArticleSet>{A}{B}</PubmedArticleSet>",
    "an article begins where another ends": f"<PubmedArticleSet>{A.replace('><', '>' + chr(10) + '<')}{B.replace('><', '>' + chr(10) + '<')}</PubmedArticleSet>",
    "bare": f"{A}\n{B}",
    "windows": f"{HEAD}<PubmedArticleSet>\n{A}\n{B}\n</PubmedArticleSet>\n".replace("\n", "\r\n"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_articles_in_any_shape_is_read(shape: str) -> None:
    readings, gaps, data = parsed(SHAPES[shape])
    assert [reading.record.title for reading in readings if reading.record] == ["Größe eins", "<i>Ulva</i> II"]
    assert gaps == []
    for number, reading in enumerate(readings, 1):
        begin, end = reading.entry.bytes
        assert (reading.entry.ordinal, reading.entry.anchor) == (number, begin)
        assert data[begin:end].decode().replace("\r\n", "\n") == reading.entry.text
        assert data[:begin].count(b"\n") + 1 == reading.entry.lines[0]
    assert all(before.entry.bytes[1] <= after.entry.bytes[0] for before, after in pairwise(readings))


def test_memory_does_not_grow_with_the_file() -> None:
    """The first article comes out before the second is read."""
    lines = iter(drops.lines_of(SHAPES["an article a line"].encode()))
    assert isinstance(next(iter(read(lines))), Entry)
    assert next(lines).text.startswith("<PubmedBookArticle")


def test_an_article_that_was_cut_off_is_kept_and_told_of() -> None:
    text = SHAPES["an article a line"]
    readings, gaps, _ = parsed(text[: text.index("Tidal Series")])
    assert [reading.record is None for reading in readings] == [False, True]
    assert [problem.code for problem in readings[1].problems] == ["xml-damaged"]
    assert gaps == []


def test_what_stands_between_articles_is_a_gap() -> None:
    _, gaps, _ = parsed(
        f"<PubmedArticleSet>\n{A}\n<DeleteCitation><PMID>1</PMID></DeleteCitation>\n{B}\n</PubmedArticleSet> the end"
    )
    assert [gap.text for gap in gaps] == ["<DeleteCitation><PMID>1</PMID></DeleteCitation>", "the end"]


def test_a_prefix_that_the_set_declared_is_known_in_each_article() -> None:
    math = article("<ArticleTitle>p = <mml:math><mml:mn>1</mml:mn></mml:math></ArticleTitle>")
    readings, _, _ = parsed(
        f'<PubmedArticleSet xmlns:mml="http://www.w3.org/1998/Math/MathML">{math}</PubmedArticleSet>'
    )
    assert [reading.record.title for reading in readings if reading.record] == ["p = 1"]


def test_problems_are_told_with_their_line() -> None:
    body = '<ArticleTitle/><PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList>'
    readings, _, _ = parsed(f"<PubmedArticleSet>\n\n{article(body)}</PubmedArticleSet>")
    assert [(problem.code, problem.line) for problem in readings[0].problems] == [
        ("title-missing", 3),
        ("retracted", 3),
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_files_of_articles_are_recognised(shape: str) -> None:
    assert looks_like(SHAPES[shape])


@pytest.mark.parametrize("head", ["", "<html>", "TY  - JOUR", "<PubmedArticles>", "PubmedArticleSet"])
def test_other_files_are_not(head: str) -> None:
    assert not looks_like(head)
