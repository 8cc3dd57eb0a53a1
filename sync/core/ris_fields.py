"""An entry of RIS to a record in Zotero's words. What has no place goes to `unmapped`, never away.

As Zotero's own import does (`ris_tables`), except for this list:
* a DOI, PMID or PMCID is found wherever an export hides it (UR, M3, N1, L3, ID, AN, C2, C3, U1), not in DO alone;
* WoS writes article numbers into C7: they are pages where SP gives none;
* several ISSNs (print and electronic) are all kept;
* authors joined by semicolons in one value are told apart;
* what Zotero drops, or puts into Extra, is kept in `unmapped`;
* placeholders (NA, n/a, No-Specified) are no values.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from sync.core import dates, schema
from sync.core.identifiers import doi_key, find_doi, parse_doi, parse_isbn, parse_issn, parse_pmcid, parse_pmid
from sync.core.names import parse_names
from sync.core.record import Attachment, Creator, Entry, Problem, Reading, Record, Tagged
from sync.core.ris_tables import ITEM_TYPES, SECOND_RANK, target

_RAW = frozenset({"N1", "RN", "AB", "N2"})  # tags whose entities stand for themselves
_PLACEHOLDERS = frozenset({"na", "n/a", "no-specified", "null", "none", "<br />", "[no abstract available]"})
_NUM_PAGES = frozenset({"book", "manuscript", "thesis"})
_WRAPPED = 60  # letters: a line at least this long was wrapped by the program that wrote it
_PUBMED = re.compile(r"\b(?:PUBMED|PMID|MEDLINE)[\s:=-]*(\d{5,8})\b", re.IGNORECASE)
_MEDLINE = re.compile(r"^(?:ovid )?(?:medline|pubmed|nlm)\b", re.IGNORECASE)
_TAIL_DOI = re.compile(r"^\s*(?:doi|electronic-resource-num)\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class _Draft:
    """A record in the making."""

    kind: str
    fields: dict[str, str] = field(default_factory=dict)
    creators: list[Creator] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    identifiers: dict[str, str] = field(default_factory=dict)
    unmapped: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    container: str = ""
    year: str = ""
    end_page: str = ""

    def put(self, name: str, value: str) -> bool:
        """Fill a field (base fields under the type's own name) unless it has a value or the type has no such field."""
        own = schema.own_field(self.kind, name)
        if own is None or not value:
            return False
        if own in self.fields:
            return self.fields[own] == value
        self.fields[own] = value
        return True


def to_reading(entry: Entry) -> Reading:
    """The record of an entry. An entry in which nothing is said has no record."""
    said = [one for one in entry.tagged if one.tag not in {"TY", "ER", ""} and one.value.strip()]
    if not any(one.tag == "TY" for one in entry.tagged) and not said:
        return Reading(entry, None, (*entry.problems, Problem("empty", "nothing is said in this reference", entry.lines[0])))
    draft = _Draft(*_kind(entry))
    for one in _in_order(said, draft.kind):
        if not _place(draft, one):
            draft.unmapped.append((one.tag, _clean(one)))
    _finish(draft, entry)
    for one in entry.tagged:
        if one.tag == "" and one.value.strip():
            draft.unmapped.append(("", one.value.strip()))
        if one.tag == "ER" and one.value.strip():
            draft.unmapped.append(("ER", one.value.strip()))
    return Reading(entry, _record(draft), (*entry.problems, *_type_problems(entry), *draft.problems))


def _kind(entry: Entry) -> tuple[str]:
    word = next((one.value.strip().upper() for one in entry.tagged if one.tag == "TY"), "")
    return (ITEM_TYPES.get(word, "journalArticle"),)


def _type_problems(entry: Entry) -> list[Problem]:
    types = [one for one in entry.tagged if one.tag == "TY"]
    return [
        Problem("type-unknown", f"RIS has no type {one.value.strip()!r}; read as a journal article", one.line)
        for one in types[:1]
        if one.value.strip().upper() not in ITEM_TYPES
    ]


def _in_order(said: list[Tagged], kind: str) -> list[Tagged]:
    """First the tags that stand for themselves, then the stand-ins, those of titles in a fixed order."""
    first = [one for one in said if not target(one.tag, kind)[1]]
    second = [one for one in said if target(one.tag, kind)[1]]
    return first + sorted(second, key=lambda one: SECOND_RANK.get(one.tag, len(SECOND_RANK)))


def _place(draft: _Draft, one: Tagged) -> bool:
    """Whether a value found its place."""
    goal, _ = target(one.tag, draft.kind)
    value = _clean(one)
    if value.lower() in _PLACEHOLDERS:
        return False
    if not goal:
        return _hidden(draft, one.tag, value)
    if goal.startswith("@"):
        return _people(draft, goal[1:], value)
    if goal.startswith("!"):
        return _ACTIONS[goal](draft, one, value)
    placed = draft.put(goal, value)
    return _hidden(draft, one.tag, value) or placed


def _people(draft: _Draft, role: str, value: str) -> bool:
    roles = schema.creator_types(draft.kind)
    if role not in roles and role != "author":
        role = "contributor" if "contributor" in roles else roles[0]
    people = parse_names(value, role)
    draft.creators += people
    return bool(people)


def _hidden(draft: _Draft, tag: str, value: str) -> bool:
    """Identifiers in tags that are for something else. Whether the value is nothing but the identifier."""
    if tag in {"ID", "AN", "U1", "U2", "C2", "C3", "C5", "LB", "L3", "SE", "VL"}:
        doi = parse_doi(value) if re.match(r"\s*(?:info:doi/|doi:|https?://(?:dx\.)?doi\.org/|10\.\d{4,9}/)", value, re.I) else None
        if doi:
            return _identify(draft, "DOI", doi)
    pmcid = parse_pmcid(value) if tag in {"C2", "U1", "U2", "AN", "ID"} else None
    if pmcid:
        return _identify(draft, "PMCID", pmcid)
    found = _PUBMED.search(value) if tag in {"AN", "ID", "C2", "C3", "C5", "U1"} else None
    if found:
        _identify(draft, "PMID", found.group(1))
    if tag == "U1" and "[pmid]" in value.lower() and (pmid := parse_pmid(value)):
        return _identify(draft, "PMID", pmid)
    return False


def _identify(draft: _Draft, name: str, value: str) -> bool:
    """Note an identifier; whether it is the record's (a second, other one is not)."""
    known = draft.identifiers.setdefault(name, value)
    return doi_key(known) == doi_key(value)


def _abstract(draft: _Draft, _: Tagged, value: str) -> bool:
    return draft.put("abstractNote", value)


def _date(draft: _Draft, _: Tagged, value: str) -> bool:
    return draft.put("date", dates.from_ris(value))


def _year(draft: _Draft, _: Tagged, value: str) -> bool:
    """PY is used where no other date is (see `_finish`)."""
    if draft.year:
        return draft.year == value
    draft.year = value
    return True


def _doi(draft: _Draft, one: Tagged, value: str) -> bool:
    doi = parse_doi(value)
    if doi:
        return _identify(draft, "DOI", doi)
    found = find_doi(value) if one.tag in {"DO", "DOI"} else None
    return _identify(draft, "DOI", found) if found else False


def _keywords(draft: _Draft, _: Tagged, value: str) -> bool:
    words = [" ".join(word.split()) for word in re.split(r"[\n;]", value)]
    draft.tags += [word for word in words if word]
    return any(words)


def _attachment(draft: _Draft, one: Tagged, value: str) -> bool:
    for line in value.split("\n"):
        if line.strip():
            draft.attachments.append(Attachment({"L1": "Full Text (PDF)", "L2": "Full Text (HTML)"}.get(one.tag, "Image"), line.strip()))
    return True


def _note(draft: _Draft, _: Tagged, value: str) -> bool:
    lines = "<br/>".join(html.escape(line, quote=False) for line in value.split("\n"))
    draft.notes.append(f"<p>{lines}</p>")
    doi = find_doi(value) if len(value) < 400 else None  # long notes are reference lists: their DOIs are others'
    tail = _TAIL_DOI.search(value)
    found = (parse_doi(tail.group(1)) if tail else None) or (doi if value.lower().count("10.") == 1 else None)
    if found and "DOI" not in draft.identifiers:
        draft.identifiers["DOI"] = found
    return True


def _number(draft: _Draft, _: Tagged, value: str) -> bool:
    """SN: an ISBN of a book, an ISSN of a journal, the number of a report or patent."""
    kind = draft.kind
    name = {"patent": "patentNumber", "report": "reportNumber"}.get(kind) or ("ISBN" if "ISBN" in schema.fields(kind) else "ISSN")
    if name in {"ISSN", "ISBN"} and schema.own_field(kind, name):
        numbers = [part.strip() for part in re.split(r"[\n,;]", value) if part.strip()]
        parse = parse_issn if name == "ISSN" else parse_isbn
        good = [number if parse(number) else None for number in numbers]
        if name in draft.fields and all(good):
            have = draft.fields[name].split(", ")
            draft.fields[name] = ", ".join([*have, *(n for n in map(str, good) if n not in have)])
            return True
        if numbers and all(good):
            return draft.put(name, ", ".join(map(str, good)))
    return draft.put(name, " ".join(value.split()))


def _pages(draft: _Draft, _: Tagged, value: str) -> bool:
    if draft.kind in _NUM_PAGES:
        return draft.put("numPages", value)
    return draft.put("runningTime" if draft.kind == "film" else "pages", value)


def _end_page(draft: _Draft, _: Tagged, value: str) -> bool:
    if draft.end_page:
        return draft.end_page == value
    draft.end_page = value
    return True


def _article_number(draft: _Draft, _: Tagged, value: str) -> bool:
    return draft.put("pages", value)


def _url(draft: _Draft, one: Tagged, value: str) -> bool:
    """The first address is the item's; addresses of doi.org and PubMed say the identifier too."""
    pm = re.match(r"PM:\s*(\d+)", value)
    if pm:
        return _identify(draft, "PMID", pm.group(1))
    lines = [line.strip() for line in re.split(r"[\n]", value) if line.strip()]
    for line in lines:
        _identify_url(draft, line)
    if draft.put("url", lines[0] if lines else ""):
        draft.unmapped += [(one.tag, line) for line in lines[1:]]
        return True
    return False


def _identify_url(draft: _Draft, url: str) -> None:
    if re.match(r"https?://", url) is None:
        return
    found = {"DOI": find_doi(url), "PMID": parse_pmid(url), "PMCID": parse_pmcid(url)}
    for name, value in found.items():
        if value:
            draft.identifiers.setdefault(name, value)


def _accessed(draft: _Draft, _: Tagged, value: str) -> bool:
    date = dates.from_ris(value)
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date)) and draft.put("accessDate", date)


def _container(draft: _Draft, _: Tagged, value: str) -> bool:
    if draft.container:
        return draft.container == value
    draft.container = value
    return True


def _pmid(draft: _Draft, _: Tagged, value: str) -> bool:
    pmid = parse_pmid(value)
    return bool(pmid) and _identify(draft, "PMID", pmid or "")


def _pmcid(draft: _Draft, _: Tagged, value: str) -> bool:
    pmcid = parse_pmcid(value)
    return bool(pmcid) and _identify(draft, "PMCID", pmcid or "")


_ACTIONS = {
    "!abstract": _abstract, "!accessed": _accessed, "!articlenumber": _article_number, "!attachment": _attachment,
    "!container": _container, "!date": _date, "!doi": _doi, "!endpage": _end_page, "!keywords": _keywords, "!note": _note,
    "!number": _number, "!pages": _pages, "!pmcid": _pmcid, "!pmid": _pmid, "!url": _url, "!year": _year,
}  # fmt: skip


def _finish(draft: _Draft, entry: Entry) -> None:
    """What can be said only when all values are known."""
    _finish_date(draft)
    _finish_pages(draft)
    _finish_titles(draft)
    _finish_tags(draft)
    _finish_identifiers(draft)
    word = next((one.value.strip().upper() for one in entry.tagged if one.tag == "TY"), "")
    if word == "EDBOOK":
        draft.creators = [Creator("editor", c.last, c.first, c.name) if c.creator_type == "author" else c for c in draft.creators]
    title = draft.fields.get(schema.own_field(draft.kind, "title") or "", "")
    draft.notes = [note for note in draft.notes if note != f"<p>{html.escape(title, quote=False)}</p>"]


def _finish_date(draft: _Draft) -> None:
    own = schema.own_field(draft.kind, "date") or "date"
    date = draft.fields.get(own, "")
    year = dates.from_ris(draft.year)
    if not date:
        draft.put("date", year)
    elif year and not dates.year_of(date) and re.fullmatch(r"\d{4}", year[:4]):
        draft.fields[own] = dates.with_year(date, year[:4])
    elif year and dates.year_of(date) != year[:4]:
        draft.unmapped.append(("PY", draft.year))


def _finish_pages(draft: _Draft) -> None:
    if not draft.end_page:
        return
    own = "pages" if draft.kind not in _NUM_PAGES else "numPages"
    own = schema.own_field(draft.kind, own) or ""
    first = draft.fields.get(own, "")
    if first == draft.end_page or (first and "-" in first and first.endswith(draft.end_page)):
        return
    if own and first and "-" not in first:
        draft.fields[own] = f"{first}-{draft.end_page}"
    elif not own or first or not draft.put(own, draft.end_page):
        draft.unmapped.append(("EP", draft.end_page))


def _finish_titles(draft: _Draft) -> None:
    if draft.container and not draft.put("publicationTitle", draft.container):
        draft.unmapped.append(("T2", draft.container))
    if draft.fields.get("journalAbbreviation"):
        draft.put("publicationTitle", draft.fields["journalAbbreviation"])
    own = schema.own_field(draft.kind, "title") or "title"
    if own not in draft.fields and "shortTitle" in draft.fields:
        draft.fields[own] = draft.fields.pop("shortTitle")


def _finish_tags(draft: _Draft) -> None:
    if len(draft.tags) == 1:
        draft.tags = [word.strip() for word in draft.tags[0].split(",") if word.strip()]
    draft.tags = list(dict.fromkeys(draft.tags))


def _finish_identifiers(draft: _Draft) -> None:
    catalogue = draft.fields.get("libraryCatalog", "") or draft.fields.get("archive", "")
    number = draft.fields.get("archiveLocation", "")
    if "PMID" not in draft.identifiers and _MEDLINE.match(catalogue) and (pmid := parse_pmid(number)):
        draft.identifiers["PMID"] = pmid
    known = schema.fields(draft.kind)
    for name, value in draft.identifiers.items():
        if name in known:
            draft.fields.setdefault(name, value)


def _record(draft: _Draft) -> Record:
    return Record(
        item_type=draft.kind,
        fields=draft.fields,
        creators=tuple(draft.creators),
        tags=tuple(draft.tags),
        notes=tuple(draft.notes),
        attachments=tuple(draft.attachments),
        identifiers=draft.identifiers,
        unmapped=tuple(draft.unmapped),
    )


def _clean(one: Tagged) -> str:
    """A value without the damage of its line: continuation lines joined, entities resolved, blanks folded."""
    text = one.value if one.tag in _RAW else html.unescape(one.value)
    if one.tag in {"KW", "L1", "L2", "L3", "L4", "UR", "SN"}:
        return "\n".join(line.strip() for line in text.split("\n")).strip()
    if one.tag in _RAW:
        return _unwrap(text)
    return " ".join(text.split())


def _unwrap(text: str) -> str:
    """Lines that were wrapped are joined again; short lines are paragraphs and stay."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    out = lines[0]
    for before, line in zip(lines, lines[1:], strict=False):
        wrapped = len(before) >= _WRAPPED and line
        out += (" " if wrapped else "\n") + line
    return re.sub(r"\n{3,}", "\n\n", out).strip()
