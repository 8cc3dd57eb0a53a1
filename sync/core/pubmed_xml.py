"""PubMed's articles and book chapters as records: from an answer of efetch, or from a file that holds such an answer.

Elements: NLM's DTD of 2025 (https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd). The mapping is that of Zotero's own
translator (PubMed XML), except, on purpose:

* Titles keep italics, sub and superscript, as rich text; formulae are readable; white space is one blank.
* What the translator drops stands in `unmapped`: a generation (`Jr`), ORCIDs, the season of an issue, and whatever has no place
  in the item type (ISSN of a preprint).
* Retractions, expressions of concern, corrections and versions are notices of the record; the translator knows none.
* No link to the entry at PubMed is attached, and the PMID of a book is an identifier, not a line of Extra.
* Small words of other languages (`de`, `und`) stay small when a journal's name is set in title case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeAlias

from lxml import etree

from sync.core import dates, markup, notices, schema, sheet, text
from sync.core.casing import title_case
from sync.core.identifiers import doi_key, parse_arxiv, parse_doi, parse_orcid, parse_pmcid, parse_pmid
from sync.core.names import lone_initials_dotted
from sync.core.record import Creator, Entry, Gap, Notice, Problem, Reading, Record, SourceLine

Element: TypeAlias = Any  # lxml's own class is private
CATALOG = "PubMed"

PREPRINT, RETRACTED = "D000076942", "D016441"  # MeSH numbers of publication types
_DOI_INSIDE = re.compile(r"\bdoi:?\s*(10\.\S+)", re.IGNORECASE)  # in a citation
_MATHML = "http://www.w3.org/1998/Math/MathML"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def parse(data: bytes) -> Sequence[Element]:
    """The articles of an answer, in its order. Raises ValueError if it is no set of articles (an error, a web page)."""
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as fault:
        raise ValueError(f"no XML: {fault}") from None
    if root.tag not in {"PubmedArticleSet", "PubmedBookArticleSet"}:
        error = root.findtext(".//ERROR") or root.findtext(".//error") or str(root.tag)
        raise ValueError(text.squeeze(error))
    return [child for child in root if child.tag in {"PubmedArticle", "PubmedBookArticle"}]


def pmid_of(article: Element) -> str:
    """The article's own PMID, empty if it has none."""
    return parse_pmid(_text(article, "MedlineCitation/PMID") or _text(article, "BookDocument/PMID")) or ""


def dois(article: Element) -> frozenset[str]:
    """The keys of the DOIs that are the article's own: never one of its references."""
    parsed = (parse_doi(value) for value in _ids(article).get("doi", ()))
    return frozenset(doi_key(doi) for doi in parsed if doi)


def article_to_record(article: Element) -> Record:
    """The record of a `PubmedArticle` or `PubmedBookArticle` element."""
    document = article.find("BookDocument")
    if document is not None:
        item_type = "book" if document.find("ArticleTitle") is None else "bookSection"
        values, people = _book_values(document, item_type), _book_people(document)
    else:
        item_type = "preprint" if PREPRINT in _kinds(article) else "journalArticle"
        values, people = (
            _article_values(article, item_type),
            _people(article.iterfind(".//Article/AuthorList"), "author"),
        )
    fields, unmapped = _placed(item_type, values)
    identifiers = _identifiers(article, item_type)
    known = schema.fields(item_type)
    return Record(
        item_type=item_type,
        fields={**fields, **{name: value for name, value in identifiers.items() if name in known}},
        creators=tuple(people),
        tags=tuple(dict.fromkeys(_keywords(article))),
        identifiers=identifiers,
        unmapped=(*unmapped, *_suffixes(article), *_orcids(article)),
        notices=notices.joined(_notices(article, item_type)),
    )


# ---- one article --------------------------------------------------------------------------------------------------


def _article_values(article: Element, item_type: str) -> Iterator[tuple[str, str]]:
    """Zotero's (base) field and value, all that the article says."""
    body = _first(article, "MedlineCitation/Article")
    issue = _first(body, "Journal/JournalIssue")
    journal, place = _journal(
        _text(body, "Journal/Title") or _text(article, "MedlineCitation/MedlineJournalInfo/MedlineTA")
    )
    of_preprint = item_type == "preprint"
    yield "title", _title(body)
    yield "publisher" if of_preprint else "publicationTitle", journal
    yield "place", place
    abbreviation = _text(body, "Journal/ISOAbbreviation") or _text(
        article, "MedlineCitation/MedlineJournalInfo/MedlineTA"
    )
    yield "journalAbbreviation", "" if of_preprint else abbreviation
    yield "volume", _text(issue, "Volume")
    yield "issue", _text(issue, "Issue")
    yield "date", _date(issue)
    yield "season", _text(issue, "PubDate/Season")
    yield "ISSN", _text(body, "Journal/ISSN")
    pii = next((_said(node) for node in body.iterfind("ELocationID") if _is_pii(node)), "")
    yield "pages", _pages(_first(body, "Pagination")) or ("" if of_preprint else pii)
    yield "number", pii if of_preprint else ""
    yield "abstractNote", _abstract(body)
    yield "language", ", ".join(_said(node) for node in body.iterfind("Language"))
    yield "rights", _text(body, "Abstract/CopyrightInformation")
    yield "libraryCatalog", CATALOG


def _book_values(document: Element, item_type: str) -> Iterator[tuple[str, str]]:
    book = _first(document, "Book")
    chapter = item_type == "bookSection"
    yield "title", _title(document) if chapter else _stopless(_text(book, "BookTitle"))
    yield "publicationTitle", _plain(_text(book, "BookTitle")) if chapter else ""
    yield "series", _text(book, "CollectionTitle")
    yield "volume", _text(book, "Volume")
    yield "edition", _text(book, "Edition")
    yield "date", _date(book)
    yield "place", _text(book, "Publisher/PublisherLocation")
    yield "publisher", _text(book, "Publisher/PublisherName")
    yield "ISBN", " ".join(_said(node) for node in book.iterfind("Isbn"))
    yield "pages", _pages(_first(document, "Pagination"))
    yield "abstractNote", _abstract(document)
    yield "language", ", ".join(_said(node) for node in document.iterfind("Language"))
    yield "rights", _text(document, "Abstract/CopyrightInformation")
    number = next((_said(node) for node in document.iterfind("ArticleIdList/ArticleId[@IdType='bookaccession']")), "")
    yield "callNumber", number
    yield "url", f"https://www.ncbi.nlm.nih.gov/books/{number}/" if number else ""
    yield "libraryCatalog", CATALOG


def _placed(item_type: str, values: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The values under the names of the type; those that have no place apart."""
    fields: dict[str, str] = {}
    left: list[tuple[str, str]] = []
    for name, value in values:
        own = schema.own_field(item_type, name)
        if value and own:
            fields[own] = value
        elif value:
            left.append((name, value))
    return fields, left


def _title(node: Element) -> str:
    """The title without its final stop; the vernacular one where there is no other."""
    return _stopless(_text(node, "ArticleTitle") or _text(node, "VernacularTitle"))


def _stopless(title: str) -> str:
    return title if title.endswith("..") else title.removesuffix(".")


def _journal(name: str) -> tuple[str, str]:
    """A journal's name in title case, and the place that NLM puts behind it: `Nursing management (Harrow, England : 1994)`."""
    found = re.fullmatch(r"(.+?)\s*\(([^()]+)\)", name)
    title, place = (found.group(1), found.group(2)) if found else (name, "")
    return title_case(title.replace(" : ", ": ")), place


def _date(parent: Element) -> str:
    """The date of the issue: ISO as far as it goes, NLM's own words (`1998 Dec-1999 Jan`) where it is a span."""
    date = _first(parent, "PubDate")
    month = _text(date, "Month")
    said = dates.iso(_text(date, "Year"), month if month.isdecimal() else dates.month_number(month), _text(date, "Day"))
    return said or _text(date, "MedlineDate")


def _pages(pagination: Element) -> str:
    """The pages with abbreviated ends written out (`615-9` is `615-619`), as the start and end page say it."""
    start, end = _text(pagination, "StartPage"), _text(pagination, "EndPage")
    given = _text(pagination, "MedlinePgn") or (f"{start}-{end}" if end and end != start else start)
    return text.whole_pages(given)


def _abstract(node: Element) -> str:
    """The paragraphs, their labels before them."""
    return "\n".join(filter(None, map(_paragraph, node.iterfind("Abstract/AbstractText"))))


def _paragraph(node: Element) -> str:
    label, said = text.squeeze(node.get("Label", "")), _plain(_said(node))
    return f"{label}: {said}" if said and label and label.upper() != "UNLABELLED" else said


def _people(lists: Iterable[Element], role: str) -> Iterator[Creator]:
    for person in chain.from_iterable(part.iterfind("Author") for part in lists):
        group, last = _plain(_text(person, "CollectiveName")), text.cased(_plain(_text(person, "LastName")))
        first = lone_initials_dotted(_plain(_text(person, "ForeName") or " ".join(_text(person, "Initials"))))
        if last and first:
            yield Creator(role, last=last, first=first)
        elif group or last or first:
            yield Creator(role, name=group or last or first)


def _suffixes(article: Element) -> Iterator[tuple[str, str]]:
    for person, node in _firsts(article.iter("Suffix")):
        suffix = _said(node)
        if suffix:
            yield "suffix", f"{_plain(_text(person, 'LastName'))}, {suffix}"


def _firsts(nodes: Iterable[Element]) -> Iterator[tuple[Element, Element]]:
    """The authors of the article or of its book, each with the first of these elements that is theirs."""
    before = None
    for node in nodes:  # of one author one after the other
        person = node.getparent()
        if person is not None and person is not before and _is_of_a_list(person):
            before = person
            yield person, node


def _is_of_a_list(person: Element) -> bool:
    above = person.getparent()
    return person.tag == "Author" and above is not None and above.tag == "AuthorList"


def _book_people(document: Element) -> Iterator[Creator]:
    """The authors, then the editors; lists that do not say whose they are are the authors'."""
    lists = [*document.iterfind("AuthorList"), *document.iterfind("Book/AuthorList")]
    yield from _people((part for part in lists if part.get("Type") != "editors"), "author")
    yield from _people((part for part in lists if part.get("Type") == "editors"), "editor")


def _keywords(article: Element) -> Iterator[str]:
    for path in ("MedlineCitation/MeshHeadingList/MeshHeading/DescriptorName", ".//KeywordList/Keyword"):
        yield from filter(None, (_plain(_said(node)) for node in article.iterfind(path)))


def _identifiers(article: Element, item_type: str) -> dict[str, str]:
    ids = _ids(article)
    found: dict[str, str | None] = {
        "DOI": next((doi for value in ids.get("doi", ()) if (doi := parse_doi(value))), None),
        "PMID": pmid_of(article),
        "PMCID": next((pmcid for value in ids.get("pmc", ()) if (pmcid := parse_pmcid(value))), None),
    }
    if item_type == "preprint":
        found["arXiv"] = next((arxiv for value in ids.get("pii", ()) if (arxiv := parse_arxiv(value))), None)
    return {name: value for name, value in found.items() if value}


def _ids(article: Element) -> dict[str, list[str]]:
    """The article's own identifiers by their kind, the publisher's valid ones first."""
    found: dict[str, list[str]] = {}
    for path in ("MedlineCitation/Article/ELocationID", "BookDocument/Book/ELocationID", "BookDocument/ELocationID"):
        for node in article.iterfind(path):
            if _valid(node):
                found.setdefault(node.get("EIdType", ""), []).append(_said(node))
    for path in ("PubmedData/ArticleIdList", "BookDocument/ArticleIdList", "PubmedBookData/ArticleIdList"):
        for node in article.iterfind(f"{path}/ArticleId"):
            found.setdefault(node.get("IdType", ""), []).append(_said(node))
    return found


def _is_pii(node: Element) -> bool:
    return _valid(node) and node.get("EIdType") == "pii"


def _valid(node: Element) -> bool:
    return bool(node.get("ValidYN", "Y") == "Y")


def _kinds(article: Element) -> set[str]:
    return {node.get("UI", "") for node in article.iter("PublicationType")}


def _orcids(article: Element) -> Iterator[tuple[str, str]]:
    for person, node in _firsts(node for node in article.iter("Identifier") if node.get("Source") == "ORCID"):
        orcid = parse_orcid(_said(node))
        if orcid:
            name = f"{_plain(_text(person, 'LastName'))}, {_plain(_text(person, 'ForeName'))}"
            yield "ORCID", f"{name}: {orcid}"


def _notices(article: Element, item_type: str) -> Iterator[Notice]:
    """What was published about the article. A preprint is updated by the article that it became."""
    for node in article.iterfind("MedlineCitation/CommentsCorrectionsList/CommentsCorrections"):
        kind, said = notices.PUBMED.get(node.get("RefType", "")), _plain(_text(node, "RefSource"))
        if kind:
            kind = "published" if kind == "new-version" and item_type == "preprint" else kind
            named = _DOI_INSIDE.search(said)
            doi = doi_key(parse_doi(named.group(1)) or "") if named else ""
            yield Notice(kind, doi=doi, pmid=parse_pmid(_text(node, "PMID")) or "", said=said)
    if RETRACTED in _kinds(article):
        yield Notice("retraction")


def _first(node: Element, path: str) -> Element:
    """The element at a path, or an empty one."""
    found = node.find(path)
    return etree.Element("none") if found is None else found


def _text(node: Element, path: str) -> str:
    found = node.find(path)
    return "" if found is None else _said(found)


def _said(node: Element) -> str:
    """What an element says, as rich text on one line."""
    said = node.text or ""
    if not len(node):
        return markup.rich(said) if "<" in said or "&" in said else text.squeeze(said)
    return markup.rich(etree.tostring(node, encoding="unicode", with_tail=False))


def _plain(rich: str) -> str:
    return markup.plain(rich) if "<" in rich else rich


# ---- a file -------------------------------------------------------------------------------------------------------

_ARTICLE = re.compile(r"<(Pubmed(?:Book)?Article)(?=[\s>]).*?(?:</\1\s*>|\Z)", re.DOTALL)
_OPENS = re.compile(r"<Pubmed(?:Book)?Article[\s>]")
_CLOSES = re.compile(r"</Pubmed(?:Book)?Article\s*>")
_AROUND = re.compile(
    r"(?:\s|\ufeff|<\?.*?\?>|<!DOCTYPE[^>]*>|<!--.*?-->|</?Pubmed(?:Book)?ArticleSet[^>]*>)*", re.DOTALL
)


def looks_like(head: str) -> bool:
    """Whether a text begins like a set of PubMed's articles, or like one of them."""
    return bool(re.search(r"<Pubmed(?:Book)?Article(?:Set)?[\s>]", head))


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """The articles of a file, one entry each, their XML untouched; what else stands in it is a gap.

    Memory does not grow with the file where articles end at line ends; an article that is cut off is an entry all the same.
    """
    held: list[SourceLine] = []
    ordinal = 0
    for line in chain(lines, (None,)):
        if line is not None:
            held.append(line)
        if held and (line is None or _ends_here(line.text)):
            for part in _parts(sheet.Sheet(held), ordinal):
                ordinal += isinstance(part, Entry)
                yield part
            held = []


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; None, with a Problem, where its XML is damaged."""
    line = entry.lines[0]
    try:
        wrapped = f'<r xmlns:mml="{_MATHML}">{entry.text}</r>'
        article = etree.fromstring(wrapped.encode("utf-8", "replace"), _PARSER)[0]
    except etree.XMLSyntaxError as fault:
        problem = Problem("xml-damaged", f"this article's XML is damaged ({fault}); was the file cut off?", line)
        return Reading(entry, None, (*entry.problems, problem))
    record = article_to_record(article)
    return Reading(entry, record, (*entry.problems, *_problems(record, line)))


def _problems(record: Record, line: int) -> Iterator[Problem]:
    if not record.title:
        yield Problem("title-missing", "the article has no title", line)
    for problem in notices.problems(record.notices):
        yield replace(problem, line=line)


def _ends_here(line: str) -> bool:
    """Whether an article ends in this line and none begins after it."""
    ends = [found.end() for found in _CLOSES.finditer(line)]
    return bool(ends) and _OPENS.search(line, ends[-1]) is None


def _parts(sheet: sheet.Sheet, ordinal: int) -> Iterator[Entry | Gap]:
    at = 0
    for found in _ARTICLE.finditer(sheet.text):
        yield from _between(sheet, at, found.start())
        ordinal += 1
        at = found.end()
        numbers, place = sheet.span(found.start(), at)
        yield Entry(ordinal, numbers, place, place[0], (), found.group())
    yield from _between(sheet, at, len(sheet.text))


def _between(sheet: sheet.Sheet, start: int, end: int) -> Iterator[Gap]:
    """Text between articles, if it is more than what a set is made of."""
    wrapping = _AROUND.match(sheet.text, start, end)
    start = wrapping.end() if wrapping else start
    rest = sheet.text[start:end].rstrip()
    if rest:
        yield sheet.gap(start, start + len(rest))
