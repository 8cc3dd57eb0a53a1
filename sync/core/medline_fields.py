"""MEDLINE's tags to records.

Tags: https://www.nlm.nih.gov/bsd/mms/medlineelements.html. The mapping is that of Zotero's own import (MEDLINE/nbib): the last value
of a tag counts. Except, on purpose:

* PMID and PMCID are identifiers (and fields where the type has them); a DOI that only LID names is taken too.
* What Zotero drops or overwrites is kept in `unmapped`: short names beside full ones, the country of a journal, `Jr` after a comma.
* Short names count for those who have no full one; editors do not hide authors. A suffix (`Moss AB 3rd`) is no surname.
* A book keeps its own title and publisher where no BTI and JT replace them; a work with a BTI that nothing else calls by a type is
  a chapter, or a book if it has no title of its own; a title that only TT says is the title.

What it leaves out and a library should have (group authors, the DOI in ERIC's address) `tidy` adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from sync.core import schema, tagged
from sync.core.draft import Draft
from sync.core.identifiers import is_only_pmid, parse_doi, parse_isbn, parse_issn, parse_pmcid, parse_pmid, stands_alone
from sync.core.record import Attachment, Creator, Entry, Problem, Reading, Tagged
from sync.core.tidy import MESSAGES

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
_TECHNICAL = "Technical Report"
_ERIC_JOURNAL = re.compile(r"EJ\d")

# Tags that fill a field.
_FIELDS: Mapping[str, str] = {
    "TI": "title",
    "VI": "volume",
    "IP": "issue",
    "PL": "place",
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
# Where a type means something else by a tag; these win over the tags above. PL of an article is its journal's country.
_INSTEAD: Mapping[str, Mapping[str, str]] = {
    "journalArticle": {"PL": ""},
    "book": {"BTI": "title", "JT": "publisher"},
    "bookSection": {"BTI": "publicationTitle"},
    "report": {"JT": "publisher"},
    "thesis": {"JT": "archive"},
}
_ONCE = frozenset({"TI", "JT", "VI", "IP", "PG", "DP", "AB"})  # one of each is what a work has

_KEYWORDS = frozenset({"MH", "OT", "KW"})
_PEOPLE: Mapping[str, str] = {"FAU": "author", "AU": "author", "FED": "editor", "ED": "editor"}
_FULL_NAMES: Mapping[str, str] = {"AU": "FAU", "ED": "FED"}

_NUMBER = re.compile(r"(?:(?:E?ISSN|ISBN)-)?[\dXx -]+(?:\((?:Print|Electronic|Linking|Undetermined)\))?", re.IGNORECASE)
_NUMBER_LABEL = re.compile(r"(?:E?ISSN|ISBN)-", re.IGNORECASE)
_PAGE_RANGE = re.compile(r"(\d+)-(\d+)")
_UNIVERSITY = re.compile(r",\s*([^,]+ University)")
_SUFFIX = r"(?: (?:Jr|Sr|\d(?:st|nd|rd|th))\.?)?"
_SHORT = re.compile(rf"(.+?)\s([A-Z]+{_SUFFIX})")
_INITIALS = re.compile(rf"([^\W\d_]{{1,3}})({_SUFFIX})")
_LONE_LETTER = re.compile(r"(?<![^\s.-])[^\W\d_](?![^\s-])")
_GLUED_STOP = re.compile(r"\.(?=[^\W\d_])")


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; every value is in it, at least in `unmapped`."""
    values = [(tag, text, line) for tag, value, line in entry.tagged if (text := tagged.clean(value))]
    draft = Draft(_item_type(values))
    places = _places(draft.kind, values)
    draft.fields.update(_filled(places, _INSTEAD.get(draft.kind, {}), values))
    covered = _covered(values)
    for index, (tag, value, line) in enumerate(values):
        draft.line = line
        if tag in places:
            placed = draft.fields[places[tag]] == value
        else:
            placed = index not in covered and _place(draft, tag, value)
        if not placed:
            draft.keep(tag, value)
    _finish(draft, values)
    doubts = [Problem(code, MESSAGES[code], line) for code, line in draft.doubts.items()]
    return Reading(entry, draft.record(), (*entry.problems, *_problems(values), *doubts))


def _item_type(values: Sequence[Tagged]) -> str:
    """The last type that we know; else a report, where one is said and it is no journal's (ERIC's EJ numbers), or what BTI tells."""
    kinds = [value for tag, value, _ in values if tag == "PT"]
    named = [_TYPES.get(kind) or "thesis" for kind in kinds if kind in _TYPES or "Dissertation" in kind]
    if named:
        return named[-1]
    tags = {tag for tag, _, _ in values}
    journal = any(tag == "OID" and _ERIC_JOURNAL.match(value) for tag, value, _ in values)
    if not journal and any("Report" in kind for kind in kinds):
        return "report"
    if "BTI" in tags and not tags & {"JT", "TA"}:
        return "bookSection" if "TI" in tags else "book"
    return "journalArticle"


def _places(kind: str, values: Sequence[Tagged]) -> dict[str, str]:
    """Which field of this type each tag fills."""
    tags = {tag for tag, _, _ in values}
    names = {**_FIELDS, **_INSTEAD.get(kind, {})}
    if "TI" not in tags and not (kind == "book" and "BTI" in tags):
        names["TT"] = "title"
    if kind == "report" and any(tag == "PT" and value == _TECHNICAL for tag, value, _ in values):
        del names["JT"]  # a journal that printed the report, and no institution
    own = schema.own_fields(kind)
    return {tag: own[name] for tag, name in names.items() if name in own}


def _filled(places: Mapping[str, str], strong: Iterable[str], values: Iterable[Tagged]) -> dict[str, str]:
    """The fields and their values: the last one of a tag, and that of a strong tag before all others."""
    fields: dict[str, str] = {}
    for tag, value, _ in sorted(values, key=lambda each: each[0] in strong):
        if tag in places:
            fields[places[tag]] = value
    return fields


def _covered(values: Sequence[Tagged]) -> set[int]:
    """Places of the short names that a full name says already: all where full names stand, but for those that follow none.

    PubMed writes each short name behind its full one; where a file does otherwise nobody can tell who is missing.
    """
    covered: set[int] = set()
    for short, full in _FULL_NAMES.items():
        names = [(index, tag) for index, (tag, _, _) in enumerate(values) if tag in {short, full}]
        pairs = {index for (_, before), (index, tag) in pairwise(names) if (before, tag) == (full, short)}
        fulls = sum(tag == full for _, tag in names)
        covered |= pairs if len(pairs) == fulls else {index for index, tag in names if tag == short}
    return covered


def _place(draft: Draft, tag: str, value: str) -> bool:
    """Whether a value that fills no field of its own found its place."""
    if tag in _KEYWORDS:
        draft.tags.append(value)
        return True
    if tag in _PEOPLE:
        return _person(draft, tag, value)
    return tag in _ACTIONS and _ACTIONS[tag](draft, value)


def _person(draft: Draft, tag: str, value: str) -> bool:
    """Whether all of a name is said: what stands behind a second comma is not."""
    short = _SHORT.fullmatch(value) if tag in _FULL_NAMES and "," not in value else None
    parts = [short[1], short[2]] if short else [part for each in value.split(",") if (part := each.strip(" /:[]"))]
    if not parts:
        return False
    role = _PEOPLE[tag] if _PEOPLE[tag] in (*schema.creator_types(draft.kind), "author") else "contributor"
    if len(parts) == 1:
        draft.creators.append(Creator(role, name=value.strip(" ,")))
        return True
    draft.creators.append(Creator(role, last=parts[0], first=_given(parts[1], parts[0])))
    return len(parts) == 2


def _given(first: str, last: str) -> str:
    """A given name whose initials have their stops, as Zotero's import writes it: `AB` is `A. B.`, `J-P` is `J.-P.`."""
    initials = _INITIALS.fullmatch(first)
    if initials and initials[1].isupper() and (len(initials[1]) == 1 or last != last.upper()):
        return f"{'. '.join(initials[1])}.{initials[2]}"
    return _LONE_LETTER.sub(_stopped, _GLUED_STOP.sub(". ", first))


def _stopped(letter: re.Match[str]) -> str:
    return f"{letter.group()}." if letter.group().isupper() else letter.group()


def _pmid(draft: Draft, value: str) -> bool:
    pmid = parse_pmid(value)
    return pmid is not None and draft.identify("PMID", pmid) and is_only_pmid(value)


def _pmcid(draft: Draft, value: str) -> bool:
    pmcid = parse_pmcid(value)
    return pmcid is not None and draft.identify("PMCID", pmcid) and is_only_pmid(value)


def _doi(draft: Draft, value: str) -> bool:
    said = value.removesuffix("[doi]")
    doi = parse_doi(said)
    return doi is not None and draft.identify("DOI", doi) and stands_alone(said)


def _numbers(draft: Draft, value: str) -> bool:
    """IS: `1476-5616 (Electronic)`. Several ISSNs are all the journal's; of ISBNs the first counts."""
    name, found = _number(draft.kind, value)
    if name == "ISSN":
        draft.fields[name] = " ".join(dict.fromkeys([*draft.fields.get(name, "").split(), found]))
    return bool(name) and (name == "ISSN" or draft.put(name, found)) and _NUMBER.fullmatch(value) is not None


def _last_number(draft: Draft, value: str) -> bool:
    """ISSN and ISBN, `EISSN-2375-5636`: the last one counts."""
    name, found = _number(draft.kind, value)
    if not name:
        return False
    before = draft.fields.get(name, found)
    draft.fields[name] = found
    if before != found:
        draft.keep(name, before)
    return _NUMBER.fullmatch(value) is not None


def _number(kind: str, value: str) -> tuple[str, str]:
    """The field and the ISSN or ISBN for it, both empty where there is none."""
    plain = _NUMBER_LABEL.sub("", value)
    found = (("ISSN", parse_issn(plain)), ("ISBN", parse_isbn(plain)))
    return next(((name, number) for name, number in found if number and name in schema.fields(kind)), ("", ""))


def _identifier(draft: Draft, value: str) -> bool:
    """AID: the DOI, or ERIC's address of the text. PubMed's other numbers are for itself."""
    if value.endswith("[doi]"):
        return _doi(draft, value)
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
    if value.endswith("[pii]"):
        draft.end_page = value.removesuffix("[pii]").strip()
    return value.endswith("[doi]") and _doi(draft, value)


def _group(draft: Draft, _value: str) -> bool:
    draft.doubt("group-author")
    return False


_ACTIONS: Mapping[str, Callable[[Draft, str], bool]] = {
    "PMID": _pmid,
    "PMC": _pmcid,
    "IS": _numbers,
    "ISSN": _last_number,
    "ISBN": _last_number,
    "AID": _identifier,
    "LID": _location,
    "CN": _group,
}


def _finish(draft: Draft, values: Iterable[Tagged]) -> None:
    """What can be said only when all values are known."""
    if not draft.get("pages"):
        draft.put("pages", draft.end_page)
    elif own := schema.own_fields(draft.kind).get("pages"):
        draft.fields[own] = _PAGE_RANGE.sub(_whole_range, draft.fields[own])
    if draft.kind == "thesis":
        sources = [found[1] for tag, value, _ in values if tag == "SO" and (found := _UNIVERSITY.search(value))]
        draft.put("university", sources[-1] if sources else "")


def _whole_range(found: re.Match[str]) -> str:
    """`475-82` is `475-482`, also with a letter before or behind it (`S475-82`, `412-20.e2`)."""
    start, end = found.groups()
    return f"{start}-{start[: max(len(start) - len(end), 0)]}{end}"


def _problems(values: Sequence[Tagged]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for tag, value, line in values:
        if tag in _ONCE and first.setdefault(tag, value) != value:
            yield Problem("value-twice", f"{tag} stands twice in the record; the last counts, the other is kept", line)
        if tag == "PMID" and parse_pmid(value) is None:
            yield Problem("pmid-odd", f"{value[:40]!r} is no number of PubMed's; it is kept", line)
