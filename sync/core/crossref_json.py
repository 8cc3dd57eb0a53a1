"""Crossref's works as records: from an answer of the REST API, or from a file that holds such an answer.

Field names: https://github.com/CrossRef/rest-api-doc and recorded answers of 2022 to 2026. The mapping is that of Zotero's
own translator (Crossref REST), except, on purpose:

* Authors of a chapter are its authors (the translator files them as authors of the book, and lets every work after a
  chapter inherit that).
* Abstracts keep their paragraphs and set headings apart; titles keep one blank for a run of white space, formulae are
  readable, escaped markup is markup, UTF-8 read as cp1252 is repaired; "title: subtitle" has no stop before its colon.
* Names in capitals are set in small letters; other names stay as they are (the translator makes `Van Tooren` of `van Tooren`
  and `Yl` of `YL`).
* What has no place in the item type (ISSN of a chapter, publisher beside an institution, a second container title, a generation
  like `Jr`, ORCIDs) stands in `unmapped`; the translator drops it, or hands Zotero fields that are dropped there. A
  preprint's repository is who keeps it, not the subject group it is filed under.
* Retractions, corrections, versions and preprints are notices of the record; the translator knows none.
* The date is that of print where there is one, else the earliest that is known (`issued`), as the translator has it: it is the one
  that works are cited by. Of a thesis it is the day of approval.
* A work without title gets Zotero's placeholder only when it is read from a file: a source must not fill it in as a fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from sync.core import dates, markup, notices, schema, text
from sync.core.crossref_spans import work_spans
from sync.core.crossref_works import Body, Date, Person, Texts, Work, sound
from sync.core.folding import fold
from sync.core.identifiers import doi_key, parse_doi, parse_orcid
from sync.core.record import Creator, Entry, Gap, Notice, Problem, Reading, Record, SourceLine
from sync.core.sheet import Sheet

NO_TITLE = "[No title found]"
CATALOG = "Crossref"


_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("journal", "journal-article", "journal-volume", "journal-issue"), "journalArticle"),
    **dict.fromkeys(("report", "report-series", "report-component"), "report"),
    **dict.fromkeys(
        ("book", "book-series", "book-set", "book-track", "monograph", "reference-book", "edited-book"), "book"
    ),
    **dict.fromkeys(("book-chapter", "book-part", "book-section", "reference-entry"), "bookSection"),
    **dict.fromkeys(("proceedings", "proceedings-article", "proceedings-series"), "conferencePaper"),
    **dict.fromkeys(("dataset", "database"), "dataset"),
    "standard": "standard",
    "dissertation": "thesis",
    "peer-review": "manuscript",
    "posted-content": "blogPost",
}
# Types that hold other works, or parts of works: never the item of a reference.
CONTAINERS = frozenset(
    {
        "journal",
        "journal-volume",
        "journal-issue",
        "proceedings",
        "proceedings-series",
        "component",
        "grant",
        "peer-review",
    }
)
_ROLES = (("author", "author"), ("editor", "editor"), ("chair", "contributor"), ("translator", "translator"))
# Types whose publisher is the institution, where one is named.
_KEPT_BY = frozenset({"report", "thesis", "preprint", "dataset", "manuscript"})
_ANONYMOUS = "Anonymous Reviewer"


def dois(work: Work) -> frozenset[str]:
    """The keys of the DOIs under which a work is known: its own, and those it superseded."""
    parsed = (parse_doi(doi) for doi in [work.DOI or "", *_texts(work.aliases)])
    return frozenset(doi_key(doi) for doi in parsed if doi)


def work_to_record(work: Work | Mapping[str, Any]) -> Record:
    """The record of a work. Works come from `decode`; JSON that was read as plain values is taken too."""
    if not isinstance(work, Work):
        work, _ = sound(msgspec.json.encode(work))
    item_type = _item_type(work)
    fields, unmapped = _placed(item_type, _values(work, item_type))
    doi = parse_doi(work.DOI or "")
    return Record(
        item_type=item_type,
        fields=fields,
        creators=tuple(_creators(work, item_type)),
        notes=tuple(_notes(work)),
        identifiers={"DOI": doi} if doi else {},
        unmapped=(*unmapped, *_suffixes(work), *_orcids(work)),
        notices=notices.joined(_notices(work)),
    )


# ---- one work -----------------------------------------------------------------------------------------------------


def _item_type(work: Work) -> str:
    if work.type == "posted-content" and work.subtype == "preprint":
        return "preprint"
    if work.type == "other" and _texts(work.ISBN) and _texts(work.container_title):
        return "bookSection"
    return _TYPES.get(work.type or "", "document")


def _values(work: Work, item_type: str) -> Iterator[tuple[str, str]]:
    """Zotero's (base) field and value, all that the work says."""
    keeper = _first(_institution(work).name)
    container = [markup.plain(name) for name in _texts(work.container_title)]
    yield "title", _title(work)
    yield "date", _date(work, item_type)
    yield "DOI", text.squeeze(work.DOI or "")
    yield from _container(item_type, container, keeper)
    yield "publisher", keeper if item_type in _KEPT_BY and keeper else _first(work.publisher)
    if item_type in _KEPT_BY and keeper:
        yield "publisher", _first(work.publisher)
    yield "place", _place(work)
    yield "conferenceName", _first(work.event.name if work.event else None)
    yield "abstractNote", markup.abstract(text.mojibake(work.abstract or ""))
    yield "pages", _first(work.page) or _first(work.article_number)
    for name, value in (("volume", work.volume), ("issue", work.issue), ("edition", work.edition_number)):
        yield name, _first(value)
    yield "language", _first(work.language)
    yield "type", _kind(work)
    yield "ISSN", ", ".join(_texts(work.ISSN))
    yield "ISBN", ", ".join(_texts(work.ISBN))
    short = _first(work.short_container_title)
    yield "journalAbbreviation", short if container and short != container[0] else ""
    yield "url", _web(_first(work.resource.primary.URL if work.resource and work.resource.primary else None))
    yield "rights", next((link.URL for link in work.license or () if link.URL), "")
    yield "libraryCatalog", CATALOG


def _placed(item_type: str, values: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The values under the names of the type; those that have no place, or find it taken, apart."""
    fields: dict[str, str] = {}
    left: list[tuple[str, str]] = []
    for name, value in values:
        own = schema.own_field(item_type, name)
        if own and value and own not in fields:
            fields[own] = value
        elif value and (own is None or fields[own] != value) and name not in _UNWANTED:
            left.append((name, value))
    return fields, left


_UNWANTED = frozenset({"libraryCatalog", "journalAbbreviation"})


def _container(item_type: str, names: Sequence[str], keeper: str) -> Iterator[tuple[str, str]]:
    """The first container is the one; a second may be the series or the book itself: Crossref's order does not tell."""
    if item_type == "blogPost":
        names = [keeper, *names]
    own = "series" if item_type == "book" else "publicationTitle"
    if schema.own_field(item_type, own) is None:
        own = "seriesTitle"
    yield from ((own, name) for name in names)


def _title(work: Work) -> str:
    title, subtitle = (markup.rich(text.mojibake(_head(part))) for part in (work.title, work.subtitle))
    if not title or not subtitle or fold(subtitle) in fold(title):
        return title
    return f"{title} {subtitle}" if title[-1] in "?!" else f"{title.rstrip('.: ')}: {subtitle}"


def _date(work: Work, item_type: str) -> str:
    approved = _iso(work.approved) if item_type == "thesis" else ""
    return approved or _iso(work.published_print) or _iso(work.issued)


def _iso(date: Date | None) -> str:
    parts = date.date_parts[0] if date and date.date_parts else []
    year, month, day = (*parts, None, None, None)[:3]
    return dates.iso(year, month, day)


def _place(work: Work) -> str:
    event = work.event.location if work.event else None
    return _first(event) or _first(_institution(work).place) or _first(work.publisher_location)


def _institution(work: Work) -> Body:
    if isinstance(work.institution, list):
        return work.institution[0] if work.institution else Body()
    return work.institution or Body()


def _kind(work: Work) -> str:
    if work.type == "peer-review":
        return "peer review"
    degree = _first(work.degree) if work.type == "dissertation" else ""
    return re.sub(r"\s*\(.+\)", "", degree)


def _creators(work: Work, item_type: str) -> Iterator[Creator]:
    roles = schema.creator_types(item_type)
    if work.type == "peer-review" and not work.author:
        yield Creator("author", name=_ANONYMOUS)
    for source, role in _ROLES:
        for person in getattr(work, source) or ():
            made = _creator(person, role if role in roles else "contributor")
            if made:
                yield made


def _creator(person: Person, role: str) -> Creator | None:
    last, first = text.cased(_first(person.family)), text.cased(_first(person.given))
    if last and first:
        return Creator(role, last=last, first=first)
    name = last or first or _first(person.name)
    return Creator(role, name=name) if name else None


def _suffixes(work: Work) -> Iterator[tuple[str, str]]:
    for source, _ in _ROLES:
        for person in getattr(work, source) or ():
            if person.suffix:
                yield "suffix", f"{_first(person.family)}, {_first(person.suffix)}"


def _notes(work: Work) -> Iterator[str]:
    if work.type == "dataset" and work.description:
        yield f"<p>{text.safe_html(markup.plain(work.description))}</p>"
    for other in (work.relation or {}).get("is-review-of", ()) if work.type == "peer-review" else ():
        doi = parse_doi(other.id or "") if other.id_type == "doi" else None
        if doi:
            url = text.safe_html(f"https://doi.org/{doi}")
            yield f'<p>Review of <a href="{url}">{url}</a></p>'


def _orcids(work: Work) -> Iterator[tuple[str, str]]:
    for source, _ in _ROLES:
        for person in getattr(work, source) or ():
            orcid = parse_orcid(person.ORCID or "")
            if orcid:
                yield "ORCID", f"{_first(person.family) or _first(person.name)}, {_first(person.given)}: {orcid}"


def _notices(work: Work) -> Iterator[Notice]:
    """What was published about the work, and what it is about itself. A version that is the work itself is none."""
    mine = doi_key(work.DOI or "")
    for update in work.updated_by or ():
        kind, doi = notices.CROSSREF.get(update.type or ""), _key(update.DOI)
        if kind and doi != mine:
            yield Notice(kind, doi=doi, date=_iso(update.updated))
    for update in work.update_to or ():
        kind, doi = notices.about(notices.CROSSREF.get(update.type or "", "new-version")), _key(update.DOI)
        if kind and doi and doi != mine:
            yield Notice(kind, doi=doi)
    for relation, kind in notices.CROSSREF_RELATIONS.items():
        for other in (work.relation or {}).get(relation, ()):
            doi = _key(other.id) if other.id_type == "doi" else ""
            if doi and doi != mine:
                yield Notice(kind, doi=doi)


def _key(doi: str | None) -> str:
    return doi_key(parse_doi(doi or "") or "")


def _texts(value: Texts) -> list[str]:
    values = [value] if isinstance(value, str) else value or []
    return [text.squeeze(part) for part in values if part and part.strip()]


def _head(value: Texts) -> str:
    """The first text, its line ends untouched."""
    values = [value] if isinstance(value, str) else value or []
    return next((part for part in values if part and part.strip()), "")


def _web(address: str) -> str:
    """An address of the web; empty for anything else, such as a script."""
    return address if re.match(r"(?:https?|ftp)://", address, re.IGNORECASE) else ""


def _first(value: Texts) -> str:
    """The first text, without markup, on one line."""
    return markup.plain(text.mojibake(_head(value)))


# ---- a file -------------------------------------------------------------------------------------------------------

_MESSAGE = re.compile(r'"message-type"\s*:\s*"work(?:-list)?"')
_OF_A_WORK = re.compile(
    r'"(?:is-referenced-by-count|references?-count|content-domain|published-(?:print|online)|issn-type|short-container-title)"\s*:'
)


def looks_like(head: str) -> bool:
    """Whether a text begins like works of Crossref: an answer, a bare work, a list of works, or a work a line."""
    return head.lstrip("\ufeff \t\r\n")[:1] in {"{", "["} and bool(_MESSAGE.search(head) or _OF_A_WORK.search(head))


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """The works of a file, one entry each, their JSON untouched; text between them is a gap, a broken end a damaged entry.

    The whole text is held in memory: JSON often is one line.
    """
    sheet = Sheet(list(lines))
    ordinal = 0
    for start, end in work_spans(sheet.text):
        if sheet.text[start] != "{":
            yield sheet.gap(start, end)
            continue
        ordinal += 1
        numbers, place = sheet.span(start, end)
        yield Entry(ordinal, numbers, place, place[0], (), sheet.text[start:end])


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; None, with a Problem, where its JSON is damaged or is no work."""
    line = entry.lines[0]
    try:
        work, bad = sound(entry.text.encode("utf-8", "replace"))
    except (msgspec.MsgspecError, RecursionError) as fault:
        problem = Problem("json-damaged", f"this is no whole JSON object ({fault}); was the file cut off?", line)
        return Reading(entry, None, (*entry.problems, problem))
    if not (work.DOI or work.title):
        problem = Problem("json-no-work", "this JSON object has neither DOI nor title: it is no work of Crossref", line)
        return Reading(entry, None, (*entry.problems, problem))
    record = work_to_record(work)
    problems = (*entry.problems, *_problems(bad, record, line))
    if not record.title:
        record = replace(record, fields={**record.fields, "title": NO_TITLE})
    return Reading(entry, record, problems)


def _problems(bad: Sequence[str], record: Record, line: int) -> Iterator[Problem]:
    for name in bad:
        yield Problem("field-unreadable", f"{name} has a shape that is not known; it was left out", line)
    if not record.title:
        yield Problem("title-missing", "the work has no title", line)
    for problem in notices.problems(record.notices):
        yield replace(problem, line=line)
