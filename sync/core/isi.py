"""Web of Science's tagged text (`.ciw`, "other file format") to records.

Tags: https://images.webofknowledge.com/images/help/WOS/hs_wos_fieldtags.html. The mapping is that of Zotero's own import
(Web of Science Tagged), except: the publisher's town (PI) is the place and no author's address; second ISSNs and article numbers are kept where they belong; DOIs of
books and PMIDs are taken; group authors are authors; counts, addresses and categories are in `unmapped`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sync.core import schema, tagged
from sync.core.casing import title_case
from sync.core.draft import Draft
from sync.core.identifiers import is_only_pmid, parse_doi, parse_isbn, parse_issn, parse_pmid, stands_alone
from sync.core.names import initials_dotted
from sync.core.record import Creator, Entry, Gap, Problem, Reading, SourceLine
from sync.core.ris_lines import has_type_line

_TAG = re.compile(r"\ufeff?[ \t]?([A-Z][A-Z0-9])(?: (.*)|\s*)", re.DOTALL)
_BEGINS = re.compile(r"^\ufeff?[ \t]?PT [JBSPCD]\w*\s*$", re.MULTILINE)
_KNOWN = frozenset(
    [
        "PT",
        "AU",
        "AF",
        "BA",
        "BF",
        "BE",
        "CA",
        "GP",
        "ED",
        "TI",
        "SO",
        "SE",
        "BS",
        "LA",
        "DT",
        "CT",
        "CY",
        "CL",
        "SP",
        "HO",
        "DE",
        "ID",
        "AB",
        "C1",
        "C3",
        "RP",
        "EM",
        "RI",
        "OI",
        "FU",
        "FX",
        "CR",
        "NR",
        "TC",
        "Z9",
        "U1",
        "U2",
        "PU",
        "PI",
        "PA",
        "SN",
        "EI",
        "BN",
        "J9",
        "JI",
        "PD",
        "PY",
        "VL",
        "IS",
        "PN",
        "SU",
        "SI",
        "MA",
        "BP",
        "EP",
        "AR",
        "DI",
        "DL",
        "D2",
        "EA",
        "EY",
        "PG",
        "P2",
        "WC",
        "WE",
        "SC",
        "GA",
        "UT",
        "PM",
        "OA",
        "HC",
        "HP",
        "DA",
        "ER",
        "PS",
        "DG",
        "AE",
        "PL",
        "PC",
        "BD",
        "OR",
        "MC",
        "MQ",
    ]
)

_TYPES: Mapping[str, str] = {
    "J": "journalArticle",
    "S": "bookSection",
    "P": "patent",
    "B": "book",
    "C": "conferencePaper",
}
_DOCUMENT_TYPES: Mapping[str, str] = {"proceedings paper": "conferencePaper", "book chapter": "bookSection"}

# Tags that fill a field of the type.
_FIELDS: Mapping[str, str] = {
    "TI": "title",
    "SO": "publicationTitle",
    "JI": "journalAbbreviation",
    "SE": "series",
    "CT": "conferenceName",
    "LA": "language",
    "AB": "abstractNote",
    "PU": "publisher",
    "PI": "place",
    "VL": "volume",
    "IS": "issue",
    "DG": "date",
    "PN": "patentNumber",
    "AE": "assignee",
    "PL": "priorityNumbers",
    "PC": "country",
}
_ROLES: Mapping[str, str] = {
    "AF": "author",
    "BF": "author",
    "BE": "editor",
    "ED": "editor",
    "CA": "author",
    "GP": "author",
}
_SHORT_NAMES: Mapping[str, str] = {"AU": "AF", "BA": "BF"}  # used only where the full names are missing
_KEYWORDS = frozenset({"DE", "ID", "BD", "OR", "MC", "MQ"})
_IN_CAPITALS = ("publisher", "publicationTitle", "place")


def looks_like(head: str) -> bool:
    """Whether a text begins like Web of Science's tagged text: a line `PT J`."""
    return _BEGINS.search(head) is not None and not has_type_line(head)


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file."""
    return tagged.read(lines, _STYLE)


def to_reading(entry: Entry) -> Reading:
    """The record of an entry; every value is in it, at least in `unmapped`."""
    values = [(tag, value) for tag, value, _ in entry.tagged if value]
    said = dict(reversed(values))
    draft = Draft(_item_type(said))
    for tag, value in values:
        text = tagged.clean(value)
        if tag not in {"PT", "ER"} and not _place(draft, tag, value, text, said):
            draft.keep(tag, text)
    _finish(draft, said)
    return Reading(entry, draft.record(), (*entry.problems, *_problems(entry, said)))


def _tag(line: str) -> tuple[str, str] | None:
    found = _TAG.fullmatch(line)
    return (found.group(1), found.group(2) or "") if found and found.group(1) in _KNOWN | _STYLE_FRAME else None


_STYLE_FRAME = frozenset({"FN", "VR", "EF"})
_STYLE = tagged.Style(tag=_tag, starts=frozenset({"PT"}), end="ER", frame=_STYLE_FRAME)


def _item_type(said: Mapping[str, str]) -> str:
    named = _TYPES.get(said.get("PT", "").strip()[:1], "journalArticle")
    kinds = [kind.strip().lower() for kind in said.get("DT", "").split(";")]
    return next((_DOCUMENT_TYPES[kind] for kind in kinds if kind in _DOCUMENT_TYPES), named)


def _problems(entry: Entry, said: Mapping[str, str]) -> Iterator[Problem]:
    kind = said.get("PT", "").strip()
    if kind[:1] not in _TYPES:
        yield Problem(
            "type-unknown", f"there is no publication type {kind!r}; read as a journal article", entry.lines[0]
        )


def _place(draft: Draft, tag: str, value: str, text: str, said: Mapping[str, str]) -> bool:
    """Whether a value found its place. value: with its lines.  text: without."""
    if tag in _FIELDS:
        return draft.put(_FIELDS[tag], _sized(draft, tag, text))
    if tag in _KEYWORDS:
        draft.tags += [_quiet(word) for part in text.split(";") if (word := part.strip())]
        return True
    role = _ROLES.get(tag) or (
        _ROLES[_SHORT_NAMES[tag]] if tag in _SHORT_NAMES and _SHORT_NAMES[tag] not in said else ""
    )
    if role:
        lines = [line for line in value.split("\n") if line.strip()]
        draft.creators += [_person(draft, line, role) for line in lines]
        for line in lines:
            if "(" in line:  # what stands in brackets is no part of the name
                draft.keep(tag, tagged.clean(line))
        return True
    return tag in _ACTIONS and _ACTIONS[tag](draft, text)


def _sized(draft: Draft, tag: str, text: str) -> str:
    """Publishers, journals and towns stand in capitals."""
    if _FIELDS[tag] not in _IN_CAPITALS or text != text.upper() or draft.kind == "patent":
        return text
    return title_case(text.lower())


def _quiet(word: str) -> str:
    return word.lower() if word == word.upper() else word


def _person(draft: Draft, text: str, role: str) -> Creator:
    if draft.kind == "patent" and role == "author":
        role = "inventor"
    role = role if role in (*schema.creator_types(draft.kind), "author") else "contributor"
    name = re.sub(r"\s+\(.*", "", tagged.clean(text)) or tagged.clean(text)
    last, _, first = (part.strip() for part in name.partition(","))
    return (
        Creator(role, last=last, first=initials_dotted(first))
        if last and first
        else Creator(role, name=last or first or name)
    )


def _numbers(draft: Draft, text: str, name: str, parsed: str | None) -> bool:
    if parsed is None or name not in schema.fields(draft.kind):
        return False
    known = draft.fields.get(name, "").split(", ")
    draft.fields[name] = ", ".join(dict.fromkeys([*filter(None, known), text]))
    return True


def _issn(draft: Draft, text: str) -> bool:
    return _numbers(draft, text, "ISSN", parse_issn(text))


def _isbn(draft: Draft, text: str) -> bool:
    return _numbers(draft, text, "ISBN", parse_isbn(text.split(";", maxsplit=1)[0]))


def _doi(draft: Draft, text: str) -> bool:
    doi = parse_doi(text)
    return doi is not None and draft.identify("DOI", doi) and stands_alone(text)


def _pmid(draft: Draft, text: str) -> bool:
    pmid = parse_pmid(text)
    return pmid is not None and draft.identify("PMID", pmid) and is_only_pmid(text)


def _date(draft: Draft, text: str) -> bool:
    """PD (`FEB 12`) and PY (`2011`), together `FEB 12 2011`; a year that both say stands once."""
    known = draft.get("date")
    year = re.search(r"\d{4}", known)
    if year and year.group() in text:
        text = text.replace(year.group(), "").strip()
    if not draft.put("date", text):
        own = schema.own_fields(draft.kind).get("date", "date")
        draft.fields[own] = f"{known} {text}".strip()
    return True


def _pages(draft: Draft, text: str) -> bool:
    return draft.put("pages", text)


def _end_page(draft: Draft, text: str) -> bool:
    draft.end_page = draft.end_page or text
    return draft.end_page == text


def _article_number(draft: Draft, text: str) -> bool:
    """Pages where there are no others: see `_finish`."""
    draft.container = draft.container or text
    return draft.container == text


_ACTIONS: Mapping[str, Callable[[Draft, str], bool]] = {
    "SN": _issn,
    "EI": _issn,
    "BN": _isbn,
    "DI": _doi,
    "D2": _doi,
    "PM": _pmid,
    "PD": _date,
    "PY": _date,
    "BP": _pages,
    "PS": _pages,
    "EP": _end_page,
    "AR": _article_number,
}


def _finish(draft: Draft, said: Mapping[str, str]) -> None:
    own = schema.own_fields(draft.kind).get("pages", "")
    first, last = draft.fields.get(own, ""), draft.end_page
    if own and last:
        draft.fields[own] = f"{first}-{last}" if first and first != last else last
    elif last:
        draft.keep("EP", last)
    if draft.container and not (own and draft.fields.setdefault(own, draft.container) == draft.container):
        draft.keep("AR", draft.container)
    draft.tags = list(dict.fromkeys(draft.tags))
    if draft.kind == "book" and "SO" in said:  # a book's own title may stand in SO
        draft.put("title", tagged.clean(said["SO"]))
