"""What a drop says, made fit for a library: the places where Zotero's own import keeps what no library should hold.

Readers take a value as it stands, which is what Zotero's import does, and name with a Problem what they doubt. `tidied` acts on
these codes, one rule each; what a rule takes away is in `unmapped` afterwards. The Problem stays with the record and is its because.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sync.core import schema
from sync.core.identifiers import parse_doi, plain_issns, says_more
from sync.core.names import as_one_text, parse_names
from sync.core.record import Creator, Entry, Problem, Reading, Record

_WORDS = (
    "na", "n/a", "#n/a", "null", "none", "undefined", "no-specified", "not specified", "n.pag", "n.pag.", "<br>", "<br />", "<br/>",
    "no abstract available", "[no abstract available]", "no abstract", "[no abstract]",
)  # fmt: skip
# Words that stand where an export had nothing to say, in every case that is seen.
PLACEHOLDERS = frozenset(form for word in _WORDS for form in (word, word.upper(), word.capitalize(), word.title()))
LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS))
_GROUP = "CN"  # MEDLINE's tag for group authors
_YEARLESS = "0000 "  # how Zotero's import begins a date without a year
_NEXT_ADDRESS = re.compile(r"\s+(?=https?://)")
_ARTICLE_NUMBER = re.compile(r".*[^\W\d].*|\d{5,}")  # not a page, so that a range of it says nothing
_HYPHENS = str.maketrans("\u2010\u2011\u2212", "---")
_RUNS = re.compile(r"(?:javascript|vbscript|data|file|blob|about):", re.IGNORECASE)
_NO_DIGITS = re.compile(r"\D")
_PAGE_WORD = re.compile(r"^pp?\.?\s+(?=\d)")

MESSAGES: Mapping[str, str] = {
    "placeholder": "a value says only that there is none (NA, n/a ...); the library does not get it",
    "names-joined": "several names stand in one value, parted by semicolons; the library gets each by itself",
    "name-undivided": "a name has no comma; the library gets it divided before or after its initials",
    "issue-odd": "M1 does not look like the number of an issue; it is kept, and the library does not get it",
    "addresses-joined": "several addresses stand in one value; the library gets the first, the others are kept",
    "group-author": "a group is named apart from the authors; the library gets it as their last",
    "identifier-in-address": "an address holds a DOI; the library gets it as the item's",
    "issn-odd": "an ISSN is written without its hyphen or with words beside it; the library gets it plainly",
    "pages-odd": "the pages are written oddly (an article number as a range, other hyphens); the library gets them plainly",
}


def tidied(reading: Reading) -> Reading:
    """The reading with every rule applied that its problems call for. Tidying twice changes nothing more."""
    reading = _without_scripts(reading)
    record = reading.record
    if record is None or not reading.problems:
        return reading
    for code in dict.fromkeys(problem.code for problem in reading.problems):
        record = _RULES[code](record) if code in _RULES else record
    if record is reading.record:
        return reading
    return replace(reading, record=_with_lost(record, reading.entry))


def _without_scripts(reading: Reading) -> Reading:
    """A reading whose address leads nowhere on the web but runs, or opens, what somebody wrote: no library should offer that to be clicked."""
    record = reading.record
    address = record.fields.get("url", "") if record else ""
    if record is None or not address or address.startswith("http") or not _runs(address):
        return reading
    problem = Problem(
        "address-runs", "an address is a script or a local file; it is kept, and the library does not get it"
    )
    without = replace(record.with_fields({"url": ""}), unmapped=(*record.unmapped, ("UR", address)))
    return replace(reading, record=without, problems=(*reading.problems, problem))


def _runs(address: str) -> bool:
    return _RUNS.match(re.sub(r"[\x00-\x20]+", "", address)) is not None


def _with_lost(record: Record, entry: Entry) -> Record:
    """The record, with the placeholders of its entry among what is kept."""
    said = [(tag, value) for tag, value, _ in entry.tagged if value in PLACEHOLDERS or not re.search(r"\w", value)]
    lost = tuple(pair for pair in said if pair[1] and pair not in record.unmapped and pair[0] not in {"TY", "ER"})
    return replace(record, unmapped=(*record.unmapped, *lost)) if lost else record


def odd_pages(pages: str) -> bool:
    """Whether `plain_pages` would write these pages differently."""
    first, dash, last = pages.partition("-")
    if first.isdecimal() and (last.isdecimal() if dash else True) and first != last:
        return False  # as most are
    return plain_pages(pages) != pages


def plain_pages(pages: str) -> str:
    """Pages with plain hyphens, without `pp`, and an article number once: `e17-e17` is `e17`."""
    pages = _PAGE_WORD.sub("", pages).translate(_HYPHENS)
    first, dash, last = pages.partition("-")
    if dash and first == last and _ARTICLE_NUMBER.fullmatch(first):
        return first
    return first if dash and first and last in PLACEHOLDERS else pages


def _without_placeholders(record: Record) -> Record:
    record = _pages(record)
    fields = {
        name: "" if value.removeprefix(_YEARLESS).strip(" -") in PLACEHOLDERS else value
        for name, value in record.fields.items()
    }
    people = tuple(creator for creator in record.creators if not _says_nothing(creator))
    tags = tuple(tag for tag in record.tags if tag not in PLACEHOLDERS)
    return replace(record, fields=fields, creators=people, tags=tags)


def _says_nothing(creator: Creator) -> bool:
    return bool(creator.name) and (creator.name in PLACEHOLDERS or not re.search(r"\w", creator.name))


def _names(record: Record) -> Record:
    people: list[Creator] = []
    for creator in record.creators:
        text = as_one_text(creator)
        whole = not creator.name and ";" not in text and not text.endswith(" and")
        people += [creator] if whole else parse_names(text, creator.creator_type) or [creator]
    return replace(record, creators=tuple(people))


def _issue(record: Record) -> Record:
    number = record.fields.get("issue", "")
    return replace(record.with_fields({"issue": ""}), unmapped=(*record.unmapped, ("M1", number))) if number else record


def _groups(record: Record) -> Record:
    groups = [value for tag, value in record.unmapped if tag == _GROUP]
    people = (*record.creators, *(Creator("author", name=group) for group in groups))
    return replace(record, creators=people, unmapped=tuple(pair for pair in record.unmapped if pair[0] != _GROUP))


def _identified(record: Record) -> Record:
    doi = parse_doi(record.fields.get("url", ""))
    if not doi or "DOI" in record.identifiers:
        return record
    fields = {"DOI": doi} if "DOI" in schema.fields(record.item_type) else {}
    return replace(record.with_fields(fields), identifiers={**record.identifiers, "DOI": doi})


def _url(record: Record) -> Record:
    first, *more = _NEXT_ADDRESS.split(record.fields.get("url", ""))
    if not more:
        return record
    return replace(record.with_fields({"url": first}), unmapped=(*(("UR", each) for each in more), *record.unmapped))


def _pages(record: Record) -> Record:
    own = schema.own_field(record.item_type, "pages") or ""
    pages = record.fields.get(own, "")
    plain = plain_pages(pages)
    return record if plain == pages else record.with_fields({own: plain})


def _issns(record: Record) -> Record:
    said = record.fields.get("ISSN", "")
    plain = plain_issns(said)
    kept = (("SN", said),) if says_more(said) or _NO_DIGITS.sub("", said) != _NO_DIGITS.sub("", plain) else ()
    return replace(record.with_fields({"ISSN": plain}), unmapped=(*record.unmapped, *kept))


_RULES: Mapping[str, Callable[[Record], Record]] = {
    "placeholder": _without_placeholders,
    "names-joined": _names,
    "name-undivided": _names,
    "issue-odd": _issue,
    "addresses-joined": _url,
    "issn-odd": _issns,
    "pages-odd": _pages,
    "group-author": _groups,
    "identifier-in-address": _identified,
}
