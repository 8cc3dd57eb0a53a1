"""What is done with the tags whose place is not simply a field: dates, pages, numbers, keywords, notes, identifiers.

An action takes the draft, the tagged value and its clean text, and says whether the value found its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from sync.core import dates, schema
from sync.core.draft import Draft, table
from sync.core.identifiers import (
    find_doi,
    is_only_pmid,
    parse_doi,
    parse_isbn,
    parse_issn,
    parse_pmcid,
    parse_pmid,
    plain_issns,
    says_more,
    stands_alone,
)
from sync.core.notes import hides_text, to_note
from sync.core.record import Attachment

NUM_PAGES = frozenset({"book", "manuscript", "thesis"})  # SP is their number of pages
# Tags in which exports are seen to hide an identifier, whatever else the tag is for.
_HIDE = table(
    {
        "DOI": "AN C2 C3 C5 ID IS L1 L2 L3 L4 LB LK M3 SE SN U1 U2 VL",
        "PMID": "AN C2 C3 C5 ID U1 U2",
        "PMCID": "AN C2 ID U1 U2",
    }
)
_DOI_ONLY = re.compile(r"\s*(?:info:doi/|doi\b|https?://(?:dx\.)?doi\.org/|10\.\d{4,9}/)\S*\s*\S*$", re.IGNORECASE)
_BARE_DOI = re.compile(r"(?<![\w/.])10\.\d{4,9}/\S+")
_HINT = re.compile(r"10\.\d{4}|pmc?\s?\d|pmid|pubmed|medline", re.IGNORECASE)  # without one of these nothing is hidden
_SHORT_VALUE = 30  # letters; what was found in a shorter value is remembered
_TAIL = 120  # letters at the end of an abstract in which its own DOI may stand
_LAST_DOI = re.compile(r"\b(?:doi\s*[:.]?\s*|https?://(?:dx\.)?doi\.org/)(10\.\d{4,9}/\S+)\s*$", re.IGNORECASE)
_PLAIN_DOI = re.compile(r"10\.\d{4,9}/[\w.()/:-]*\w", re.ASCII)  # as most exports write it: no label, no escapes
_LABELLED_PMID = re.compile(r"\b(?:PUBMED|PMID|MEDLINE)[\s:=-]*(\d{5,8})\b|\b(\d{5,8})\s*\[pmid\]", re.IGNORECASE)
_NOTE_DOI = re.compile(r"^\s*(?:doi|electronic-resource-num)\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_SHORT_NOTE = 400  # letters; longer notes are reference lists, and the DOIs in them those of others
# Notes that name another work's DOI.
_OTHERS = re.compile(
    r"\b(?:comment|errat|corr(?:ected|igend)|repl(?:y|ies)|retract|republi|update|cit|refer|see also|related|preprint)",
    re.IGNORECASE,
)
# M1 holds accession numbers, query dates and affiliations too; `tidy` asks for this.
_ISSUE = re.compile(r"(?!.*\d{6}|.*:)(?:\S{1,25}|(?=.*\d).{1,25})")
_TITLES = {"L1": "Full Text (PDF)", "L2": "Full Text (HTML)", "L3": "Related"}
_LINK = re.compile(r"(?:https?|ftp|file|internal-pdf):|[a-z]:[\\/]|\S*[\\/].*\.\w{2,5}$", re.IGNORECASE)
_NEXT_ADDRESS = re.compile(r"\n|\s+(?=https?://)")
_NUMBERED = {"patent": "patentNumber", "report": "reportNumber"}
_PARSE = {"ISSN": parse_issn, "ISBN": parse_isbn}


@lru_cache(maxsize=5_000)
def _hints(value: str) -> bool:
    """Whether an identifier may be hidden in a value: numbers of journals, volumes and pages come again and again."""
    return _HINT.search(value) is not None


def hidden(draft: Draft, tag: str, value: str) -> bool:
    """Take identifiers out of a tag that is for something else. Whether the value says nothing but the identifier."""
    if not (_hints(value) if len(value) < _SHORT_VALUE else _HINT.search(value)):
        return False
    doi = parse_doi(value) if tag in _HIDE["DOI"] and _DOI_ONLY.match(value) else None
    if doi:
        return draft.identify("DOI", doi) and stands_alone(value)
    pmcid = parse_pmcid(value) if tag in _HIDE["PMCID"] else None
    if pmcid:
        return draft.identify("PMCID", pmcid)
    found = _LABELLED_PMID.search(value) if tag in _HIDE["PMID"] else None
    if found is None:
        return False
    mine = draft.identify("PMID", found.group(1) or found.group(2))
    return mine and parse_pmid(value.replace("PUBMED", "PMID")) is not None


def _date(draft: Draft, tag: str, value: str) -> bool:
    """Words that the date does not take (a season, a status) are kept beside it."""
    date = dates.from_ris(value)
    if not draft.put("date", date):
        return bool(date) and dates.says(draft.get("date"), value)
    if not dates.says(date, value):
        draft.keep(tag, value)
    return True


def _year(draft: Draft, _: str, value: str) -> bool:
    """PY is used where no other date is: see `finish`."""
    draft.year = draft.year or value
    return draft.year == value


def _doi(draft: Draft, tag: str, value: str) -> bool:
    """A tag for the DOI may say more (`ARTN 107353`, and the DOI in the next line); M3 and L3 may be no DOI at all."""
    if _PLAIN_DOI.fullmatch(value) and not value.startswith("10.1002/central"):
        return draft.identify("DOI", value)
    doi = parse_doi(value)
    if doi is None and tag in {"DO", "DOI"}:
        bare = _BARE_DOI.search(value)
        doi = parse_doi(bare.group()) if bare else None
    if doi is not None and not stands_alone(value):
        draft.keep(tag, value)
    return doi is not None and draft.identify("DOI", doi)


def _keywords(draft: Draft, _: str, value: str) -> bool:
    if "\n" not in value and ";" not in value:
        draft.tags.append(value)
        return True
    words = [word for part in re.split(r"[\n;]", value) if (word := part.strip())]
    draft.tags += words
    return bool(words)


def _attachment(draft: Draft, tag: str, value: str) -> bool:
    for line in _NEXT_ADDRESS.split(value):
        draft.attachments.append(Attachment(_TITLES.get(tag, "Image"), line))
        hidden(draft, tag, line)
    return True


def _related(draft: Draft, tag: str, value: str) -> bool:
    """L3: a DOI in EBSCO's exports, links to what belongs to the work in others."""
    return _doi(draft, tag, value) or (bool(_LINK.match(value)) and _attachment(draft, tag, value))


def _note(draft: Draft, tag: str, value: str) -> bool:
    draft.notes.append(to_note(value))
    if hides_text(value):
        draft.keep(tag, value)
    named = _NOTE_DOI.search(value.replace("<br/>", "\n"))
    doi = parse_doi(named.group(1).partition("<")[0]) if named else None
    if doi is None and len(value) < _SHORT_NOTE and value.count("10.") == 1 and not _OTHERS.search(value):
        doi = find_doi(value)
    if doi and "DOI" not in draft.identifiers:
        draft.identify("DOI", doi)
    return True


def _number(draft: Draft, tag: str, value: str) -> bool:
    """SN: the number of a report or patent, else ISSNs and ISBNs, several in one value or in several."""
    if draft.kind in _NUMBERED:
        return draft.put(_NUMBERED[draft.kind], " ".join(value.split()))
    name, spelled = _numbers(draft.kind, value)
    if "(" in value and "(" not in spelled and says_more(value):
        draft.keep(tag, value)
    known = schema.fields(draft.kind)
    if name == "ISSN" and _odd(spelled):
        draft.doubt("issn-odd")
    if name not in draft.fields:
        return draft.put(name or ("ISBN" if "ISBN" in known else "ISSN"), spelled)
    if spelled not in draft.fields[name]:
        draft.fields[name] += f", {spelled}"
    return True


@lru_cache(maxsize=5_000)
def _numbers(kind: str, value: str) -> tuple[str, str]:
    """What a value is in this type, ISSN or ISBN, and how it is spelled as such; no name where its check digits are wrong."""
    known = schema.fields(kind)
    found = (
        (name, _spelled(value, parse)) for name, parse in _PARSE.items() if name in known and _all_are(value, parse)
    )
    return next(found, ("", " ".join(value.split())))


@lru_cache(maxsize=5_000)
def _odd(issns: str) -> bool:
    return plain_issns(issns) != issns


def _spelled(value: str, parse: Callable[[str], str | None]) -> str:
    if "(" in value and len(value.split(",")) > 1:  # `1999-7777(Electronic),0222-6666(Print)`
        return ", ".join(str(parse(part)) for part in value.split(","))
    return " ".join(value.split())


def _all_are(value: str, parse: Callable[[str], str | None]) -> bool:
    """Whether a value is such a number, or a list of them; it is kept as it was written."""
    lists = (re.split(r"[\n,;]", value), value.split())
    return any(all(parse(part) for part in parts if part.strip()) for parts in lists)


def _pages(draft: Draft, _: str, value: str) -> bool:
    if draft.kind in NUM_PAGES:
        return draft.put("numPages", value)
    return draft.put("runningTime" if draft.kind == "film" else "pages", value)


def _end_page(draft: Draft, _: str, value: str) -> bool:
    draft.end_page = draft.end_page or value
    return draft.end_page == value


def _article_number(draft: Draft, _: str, value: str) -> bool:
    return draft.put("pages", value)


def _issue(draft: Draft, _: str, value: str) -> bool:
    placed = draft.put("issue", value)
    if placed and not _ISSUE.fullmatch(value):
        draft.doubt("issue-odd")
    return placed


def _url(draft: Draft, _: str, value: str) -> bool:
    """Addresses of doi.org, PubMed and PMC say the identifier too."""
    if value.startswith("PM:") and value[3:].strip().isdecimal():
        return draft.identify("PMID", value[3:].strip())
    if value.startswith("ORCID"):
        return False
    if "\n" not in value and " http" not in value:
        _identify_by_address(draft, value)
        return draft.put("url", value)
    addresses = _NEXT_ADDRESS.split(value)
    for address in addresses:
        _identify_by_address(draft, address)
    if len(addresses) > 1:
        draft.doubt("addresses-joined")
    return draft.put("url", " ".join(addresses))


def _identify_by_address(draft: Draft, address: str) -> None:
    spelled = address.lower()
    if "doi" not in spelled and "ncbi" not in spelled and "pubmed" not in spelled:
        return  # it says no identifier
    found = {"DOI": find_doi(address), "PMID": parse_pmid(address), "PMCID": parse_pmcid(address)}
    for name, value in found.items():
        if value and address.lower().startswith("http"):
            draft.identifiers.setdefault(name, value)


def _accessed(draft: Draft, tag: str, value: str) -> bool:
    """Zotero wants a whole day here; words beside it are kept."""
    date = dates.from_ris(value)
    placed = bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date)) and draft.put("accessDate", date)
    if placed and not dates.says(date, value):
        draft.keep(tag, value)
    return placed


def _container(draft: Draft, _: str, value: str) -> bool:
    draft.container = draft.container or value
    return draft.container == value


def _database(draft: Draft, tag: str, value: str) -> bool:
    draft.databases.append(value)
    return draft.put("archive" if tag == "DB" else "libraryCatalog", value)


def _pmid(draft: Draft, _: str, value: str) -> bool:
    pmid = parse_pmid(value)
    return pmid is not None and draft.identify("PMID", pmid) and is_only_pmid(value)


def _pmcid(draft: Draft, _: str, value: str) -> bool:
    pmcid = parse_pmcid(value)
    return pmcid is not None and draft.identify("PMCID", pmcid) and is_only_pmid(value)


def at_the_end(abstract: str) -> str | None:
    """The DOI that an abstract ends with, where it is named as such: `... of walls. doi: 10.5555/walls.1`."""
    tail = abstract[-_TAIL:]
    found = _LAST_DOI.search(tail) if "10." in tail else None
    return parse_doi(found.group(1)) if found else None


def hides(tag: str) -> bool:
    """Whether exports are seen to hide an identifier in this tag."""
    return any(tag in tags for tags in _HIDE.values())


Action: TypeAlias = Callable[[Draft, str, str], bool]

ACTIONS: Mapping[str, Action] = {
    "!accessed": _accessed,
    "!articlenumber": _article_number,
    "!attachment": _attachment,
    "!container": _container,
    "!database": _database,
    "!date": _date,
    "!doi": _doi,
    "!endpage": _end_page,
    "!issue": _issue,
    "!keywords": _keywords,
    "!note": _note,
    "!number": _number,
    "!pages": _pages,
    "!pmcid": _pmcid,
    "!pmid": _pmid,
    "!related": _related,
    "!url": _url,
    "!year": _year,
}
