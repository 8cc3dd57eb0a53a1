"""MEDLINE, as PubMed's `.nbib` files and ERIC's have it, to records.

Tags: https://www.nlm.nih.gov/bsd/mms/medlineelements.html. The mapping is that of Zotero's own import, except: PMID and PMCID are
identifiers (and fields where the type has them); what it drops is kept in `unmapped`; a DOI that only LID names is taken too.
What it leaves out and a library should have (group authors, the DOI in ERIC's address) `tidy` adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sync.core import schema, tagged
from sync.core.draft import Draft
from sync.core.identifiers import is_only_pmid, parse_doi, parse_isbn, parse_issn, parse_pmcid, parse_pmid, stands_alone
from sync.core.names import initials_dotted
from sync.core.record import Attachment, Creator, Entry, Gap, Problem, Reading, SourceLine
from sync.core.ris_lines import has_type_line
from sync.core.text import whole_pages
from sync.core.tidy import MESSAGES

_TAG = re.compile(r"[ \ufeff]?(?=.{2,4} {0,2}-)([A-Z][A-Z0-9]{1,3}) {0,2}-(?: |$|(?=\d))(.*)", re.DOTALL)
_BEGINS = re.compile(r"^\ufeff?[ \t]*(?:PMID ?- ?\d|OWN {0,2}- *ERIC)", re.MULTILINE)

_TYPES: Mapping[str, str] = {
    "Book": "book",
    "Books": "book",
    "Book Chapter": "bookSection",
    "Case Report": "journalArticle",
    "Case Reports": "journalArticle",
    "Journal Article": "journalArticle",
    "Newspaper Article": "newspaperArticle",
    "Video-Audio Media": "videoRecording",
    "Technical Report": "report",
    "Legal Case": "case",
    "Preprint": "preprint",
    "Legislation": "statute",
}
_ERIC_JOURNAL = re.compile(r"EJ\d")

# Tags that fill a field; where a tag comes twice the last counts, as in Zotero's import.
_FIELDS: Mapping[str, str] = {
    "TI": "title",
    "VI": "volume",
    "IP": "issue",
    "PB": "publisher",
    "BTI": "bookTitle",
    "JT": "publicationTitle",
    "TA": "journalAbbreviation",
    "PG": "pages",
    "CI": "rights",
    "LA": "language",
    "EN": "edition",
    "CTI": "series",
    "AB": "abstractNote",
    "DP": "date",
}
_KEYWORDS = frozenset({"MH", "OT", "KW"})
_PEOPLE = {"FAU": "author", "FED": "editor"}
_SHORT_NAMES = {"AU": "author", "ED": "editor"}
_NUMBER = re.compile(r"(?:(?:E?ISSN|ISBN)-)?[\dXx -]+(?:\((?:Print|Electronic|Linking|Undetermined)\))?", re.IGNORECASE)
_UNIVERSITY = re.compile(r",\s*([^,]+ University)")


def looks_like(head: str) -> bool:
    """Whether a text begins like MEDLINE: a line with a PMID, or ERIC's first line, and no TY of RIS."""
    return _BEGINS.search(head) is not None and not has_type_line(head)


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file."""
    return tagged.read(lines, _STYLE)


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; every value is in it, at least in `unmapped`."""
    values = [(tag, tagged.clean(value), line) for tag, value, line in entry.tagged if value]
    draft = Draft(_item_type(values))
    full = any(tag in _PEOPLE for tag, _, _ in values)
    for tag, value, line in values:
        draft.line = line
        if not _place(draft, tag, value, has_full_names=full):
            draft.keep(tag, value)
    _finish(draft, values)
    doubts = [Problem(code, MESSAGES[code], line) for code, line in draft.doubts.items()]
    return Reading(entry, draft.record(), (*entry.problems, *doubts))


def _tag(line: str) -> tuple[str, str] | None:
    found = _TAG.fullmatch(line)
    return (found.group(1), found.group(2)) if found else None


_STYLE = tagged.Style(tag=_tag, starts=frozenset({"PMID", "OWN"}), blank_parts=True)


def _item_type(values: Iterable[tuple[str, str, int]]) -> str:
    """The last type that we know; a report only where nothing else is said, and no journal (ERIC's EJ numbers)."""
    kinds = [value for tag, value, _ in values if tag == "PT"]
    known = [_TYPES.get(kind) or ("thesis" if "Dissertation" in kind else "") for kind in kinds]
    named = [kind for kind in known if kind]
    if named:
        return named[-1]
    journal = any(tag == "OID" and _ERIC_JOURNAL.match(value) for tag, value, _ in values)
    return "report" if not journal and any("Report" in kind for kind in kinds) else "journalArticle"


def _place(draft: Draft, tag: str, value: str, *, has_full_names: bool) -> bool:
    """Whether a value found its place."""
    if tag in _FIELDS:
        return _field(draft, tag, value)
    if tag in _KEYWORDS:
        draft.tags.append(value)
        return True
    if tag in _PEOPLE:
        draft.creators.append(_person(draft, value, _PEOPLE[tag]))
        return True
    if tag in _SHORT_NAMES:
        if not has_full_names:
            draft.creators.append(_person(draft, re.sub(r"\s([A-Z]+)$", r", \1", value), _SHORT_NAMES[tag]))
        return not has_full_names
    return tag in _ACTIONS and _ACTIONS[tag](draft, value)


def _field(draft: Draft, tag: str, value: str) -> bool:
    """The last value of a tag counts; the one before it is kept."""
    own = schema.own_fields(draft.kind).get(_FIELDS[tag])
    if own is None:
        return False
    before = draft.fields.get(own, value)
    draft.fields[own] = value
    if before != value:
        draft.keep(tag, before)
    return True


def _person(draft: Draft, text: str, role: str) -> Creator:
    role = role if role in (*schema.creator_types(draft.kind), "author") else "contributor"
    last, _, first = (part.strip() for part in text.partition(","))
    return (
        Creator(role, last=last, first=initials_dotted(first)) if last and first else Creator(role, name=last or first)
    )


def _pmid(draft: Draft, value: str) -> bool:
    pmid = parse_pmid(value)
    return pmid is not None and draft.identify("PMID", pmid) and is_only_pmid(value)


def _pmcid(draft: Draft, value: str) -> bool:
    pmcid = parse_pmcid(value)
    return pmcid is not None and draft.identify("PMCID", pmcid) and is_only_pmid(value)


def _number(draft: Draft, value: str) -> bool:
    """IS and ISSN: `1476-5616 (Electronic)`, `EISSN-2375-5636`; several are all kept."""
    plain = re.sub(r"^(?:E?ISSN|ISBN)-", "", value)
    for name, found in (("ISSN", parse_issn(plain)), ("ISBN", parse_isbn(plain))):
        if found and name in schema.fields(draft.kind):
            known = draft.fields.get(name, "").split()
            draft.fields[name] = " ".join(dict.fromkeys([*known, found]))
            return _NUMBER.fullmatch(value) is not None
    return False


def _identifier(draft: Draft, value: str) -> bool:
    """AID: the DOI, or ERIC's address of the text. PubMed's other numbers are for itself."""
    if value.endswith("[doi]"):
        said = value.removesuffix("[doi]")
        doi = parse_doi(said)
        return doi is not None and draft.identify("DOI", doi) and stands_alone(said)
    if not value.lower().startswith("http"):
        return False
    if parse_doi(value):
        draft.doubt("identifier-in-address")
    return draft.put("url", value)


def _location(draft: Draft, value: str) -> bool:
    """LID: an address; a DOI where no AID says it; the publisher's number, which stands for pages where there are none."""
    if value.lower().startswith("http"):
        draft.attachments.append(Attachment("Catalog Link", value))
        return True
    if value.endswith("[doi]"):
        said = value.removesuffix("[doi]")
        doi = parse_doi(said)
        return doi is not None and draft.identify("DOI", doi) and stands_alone(said)
    if value.endswith("[pii]"):
        draft.end_page = value.removesuffix("[pii]").strip()
    return False


def _place_name(draft: Draft, value: str) -> bool:
    """PL is the country of a journal, which nobody cites, and the town of a book."""
    return draft.kind != "journalArticle" and draft.put("place", value)


def _group(draft: Draft, _value: str) -> bool:
    draft.doubt("group-author")
    return False


_ACTIONS: Mapping[str, Callable[[Draft, str], bool]] = {
    "PMID": _pmid,
    "PMC": _pmcid,
    "IS": _number,
    "ISSN": _number,
    "ISBN": _number,
    "AID": _identifier,
    "LID": _location,
    "PL": _place_name,
    "CN": _group,
}


def _finish(draft: Draft, values: Iterable[tuple[str, str, int]]) -> None:
    """What can be said only when all values are known."""
    pages = schema.own_fields(draft.kind).get("pages")
    if pages and pages in draft.fields:
        draft.fields[pages] = whole_pages(draft.fields[pages])
    elif pages and draft.end_page:
        draft.fields[pages] = draft.end_page
    said = {tag: value for tag, value, _ in values}
    if draft.kind in {"book", "report"} and "JT" in said:
        _instead(draft, "JT", "publisher", said["JT"])
    if draft.kind == "book" and "BTI" in said:
        _instead(draft, "BTI", "title", said["BTI"])
    if draft.kind == "thesis":
        _instead(draft, "JT", "archive", said.get("JT", ""))
        school = _UNIVERSITY.search(said.get("SO", ""))
        draft.put("university", school.group(1) if school else "")


def _instead(draft: Draft, tag: str, name: str, value: str) -> None:
    """A value that in this type means something else than in an article."""
    own = schema.own_fields(draft.kind).get(name)
    if not own or not value:
        return
    before = draft.fields.get(own)
    draft.fields[own] = value
    draft.unmapped = [pair for pair in draft.unmapped if pair != (tag, value)]
    if before and before != value:
        draft.keep(_tag_of(name), before)


def _tag_of(name: str) -> str:
    return next((tag for tag, field in _FIELDS.items() if field == name), name)
