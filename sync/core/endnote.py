"""EndNote's tagged text (`.enw`; Refer, BibIX) to records.

Tags and types: https://support.clarivate.com/Endnote (EndNote Import). The mapping is that of Zotero's own import (Refer/BibIX), except: an
unknown type is a document; ISSNs are told from ISBNs, DOIs are identifiers; subsidiary authors (`%?`), editors of series and what Zotero puts into Extra
or drops are kept in `unmapped` or have their role; several dates and pages are not joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sync.core import dates, schema, tagged
from sync.core.draft import Draft
from sync.core.identifiers import is_only_pmid, parse_doi, parse_isbn, parse_issn, parse_pmcid, parse_pmid, stands_alone
from sync.core.names import parse_names
from sync.core.notes import hides_text, to_note
from sync.core.record import Attachment, Entry, Gap, Problem, Reading, SourceLine
from sync.core.ris_lines import has_type_line
from sync.core.text import CONTROL
from sync.core.tidy import MESSAGES

_TAG = re.compile(r"[ \t\ufeff]*%([0-9A-Z@*?~+!$&(<>=^#:|,;)])(?:[ \t]+(.*)|\s*)", re.DOTALL)
_BEGINS = re.compile(r"^[ \t\ufeff]*%0 +\w", re.MULTILINE)

_TYPES: Mapping[str, str] = {
    "Ancient Text": "book",
    "Artwork": "artwork",
    "Audiovisual Material": "videoRecording",
    "Bill": "bill",
    "Blog": "blogPost",
    "Book": "book",
    "Book Section": "bookSection",
    "Case": "case",
    "Chart or Table": "artwork",
    "Classical Work": "book",
    "Computer Program": "computerProgram",
    "Conference Paper": "conferencePaper",
    "Conference Proceedings": "conferencePaper",
    "Dataset": "dataset",
    "Dictionary": "dictionaryEntry",
    "Edited Book": "book",
    "Electronic Article": "journalArticle",
    "Electronic Book": "book",
    "Electronic Source": "webpage",
    "Encyclopedia": "encyclopediaArticle",
    "Equation": "artwork",
    "Figure": "artwork",
    "Film or Broadcast": "film",
    "Generic": "book",
    "Government Document": "document",
    "Grant": "document",
    "Hearing": "hearing",
    "Journal Article": "journalArticle",
    "Legal Rule or Regulation": "statute",
    "Magazine Article": "magazineArticle",
    "Manuscript": "manuscript",
    "Map": "map",
    "Newspaper Article": "newspaperArticle",
    "Online Database": "webpage",
    "Online Multimedia": "webpage",
    "Pamphlet": "manuscript",
    "Patent": "patent",
    "Personal Communication": "letter",
    "Report": "report",
    "Standard": "standard",
    "Statute": "statute",
    "Thesis": "thesis",
    "Unpublished Work": "manuscript",
    "Web Page": "webpage",
}
_BY_NAME = {name.lower(): kind for name, kind in _TYPES.items()}

# Tags that fill a field of the type; a second value is kept, unless the field is one that joins them.
_FIELDS: Mapping[str, str] = {
    "T": "title",
    "J": "publicationTitle",
    "B": "publicationTitle",
    "S": "series",
    "V": "volume",
    "N": "issue",
    "C": "place",
    "I": "publisher",
    "P": "pages",
    "W": "archiveLocation",
    "*": "rights",
    "L": "callNumber",
    "7": "edition",
    "6": "numberOfVolumes",
    "9": "type",
    "X": "abstractNote",
    "G": "language",
    "!": "shortTitle",
    "~": "libraryCatalog",
    "1": "accessDate",
}
_JOINED = frozenset({"G"})
_ROLES: Mapping[str, str] = {"A": "author", "E": "editor", "Y": "translator", "?": "contributor", "H": "translator"}


def looks_like(head: str) -> bool:
    """Whether a text begins like EndNote's tagged text: a line `%0 Journal Article`."""
    return _BEGINS.search(head) is not None and not has_type_line(head)


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file."""
    return tagged.read(lines, _STYLE)


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; every value is in it, at least in `unmapped`."""
    values = [(tag[1:], value) for tag, value, _ in entry.tagged if value]
    kind = next((value for tag, value in values if tag == "0"), "")
    draft = Draft(_BY_NAME.get(" ".join(kind.split()).lower(), "document"))
    for tag, value in values:
        if not _place(draft, tag, value):
            draft.keep(f"%{tag}", tagged.clean(value))
    return Reading(entry, draft.record(), (*entry.problems, *_problems(entry, draft, kind)))


def _tag(line: str) -> tuple[str, str] | None:
    found = _TAG.fullmatch(line)
    return (f"%{found.group(1)}", found.group(2) or "") if found else None


_STYLE = tagged.Style(tag=_tag, starts=frozenset({"%0"}), blank_parts=True)


def _problems(entry: Entry, draft: Draft, kind: str) -> Iterator[Problem]:
    yield from (Problem(code, MESSAGES[code], entry.lines[0]) for code in draft.doubts)
    if " ".join(kind.split()).lower() not in _BY_NAME:
        yield Problem("type-unknown", f"there is no reference type {kind[:40]!r}; read as a document", entry.lines[0])


def _place(draft: Draft, tag: str, value: str) -> bool:
    """Whether a value found its place."""
    text = tagged.clean(value)
    if tag == "0":
        return text.lower() in _BY_NAME
    if tag in _FIELDS:
        return _field(draft, tag, text)
    if tag in _ROLES:
        role = _ROLES[tag] if _ROLES[tag] in (*schema.creator_types(draft.kind), "author") else "contributor"
        people = parse_names(CONTROL.sub("", value), role)
        draft.creators += people
        return bool(people)
    if tag in _LINED:
        return _LINED[tag](draft, value)
    return tag in _ACTIONS and _ACTIONS[tag](draft, text)


def _field(draft: Draft, tag: str, text: str) -> bool:
    own = schema.own_fields(draft.kind).get(_FIELDS[tag])
    if own and tag in _JOINED and own in draft.fields:
        draft.fields[own] += f", {text}"
        return True
    if tag == "1":
        day = dates.from_ris(text)
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day)) and dates.says(day, text) and draft.put("accessDate", day)
    return draft.put(_FIELDS[tag], text)


def _keywords(draft: Draft, value: str) -> bool:
    words = [tagged.clean(word) for word in re.split(r"[\n;]", value) if word.strip()]
    draft.tags += words
    return bool(words)


def _note(draft: Draft, value: str) -> bool:
    text = CONTROL.sub("", value)
    draft.notes.append(to_note(text))
    return not hides_text(text)


def _file(draft: Draft, value: str) -> bool:
    draft.attachments += [Attachment("Attachment", line.strip()) for line in value.split("\n") if line.strip()]
    return True


def _number(draft: Draft, text: str) -> bool:
    """%@: ISSN or ISBN, or the number of a patent or report."""
    if draft.kind in {"patent", "report"}:
        return draft.put("number", text)
    for name, found in (("ISSN", parse_issn(text)), ("ISBN", parse_isbn(text))):
        if found and name in schema.fields(draft.kind):
            known = draft.fields.get(name, "").split(", ")
            draft.fields[name] = ", ".join(dict.fromkeys([*filter(None, known), text]))
            return True
    return draft.put("ISSN", text) or draft.put("ISBN", text)


def _year(draft: Draft, text: str) -> bool:
    """%D is the year, %8 the day or the month; the one that says more wins, and takes the year of the other."""
    date, known = dates.from_ris(text), draft.get("date")
    own = schema.own_fields(draft.kind).get("date")
    if not own or not date:
        return False
    if not known or known in date:
        draft.fields[own] = date
    elif date.startswith(dates.NO_YEAR):
        draft.fields[own] = dates.with_year(date, known)
    elif known.startswith(dates.NO_YEAR):
        draft.fields[own] = dates.with_year(known, date)
    return dates.says(draft.fields[own], text)


def _doi(draft: Draft, text: str) -> bool:
    """%R is EndNote's electronic resource number: mostly a DOI."""
    doi = parse_doi(text)
    return doi is not None and draft.identify("DOI", doi) and stands_alone(text)


def _accession(draft: Draft, text: str) -> bool:
    """%M: an accession number; a PMID where it says so."""
    pmid = parse_pmid(text) if "pm" in text.lower() else None
    return pmid is not None and draft.identify("PMID", pmid) and is_only_pmid(text)


def _pmcid(draft: Draft, text: str) -> bool:
    pmcid = parse_pmcid(text)
    return pmcid is not None and draft.identify("PMCID", pmcid) and is_only_pmid(text)


def _url(draft: Draft, text: str) -> bool:
    if len(text.split()) > 1:
        draft.doubt("addresses-joined")
    return draft.put("url", text)


_LINED: Mapping[str, Callable[[Draft, str], bool]] = {"K": _keywords, "Z": _note, ">": _file}
_ACTIONS: Mapping[str, Callable[[Draft, str], bool]] = {
    "@": _number,
    "D": _year,
    "8": _year,
    "R": _doi,
    "M": _accession,
    "2": _pmcid,
    "U": _url,
}
