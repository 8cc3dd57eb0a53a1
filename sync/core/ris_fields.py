"""An entry of RIS to a record in Zotero's words. What has no place goes to `unmapped`, never away.

Each value is taken as Zotero's own import takes it (`ris_tables`), except where that loses or spoils something. What it merely
keeps though no library should hold it (NA, several names in one value, a query date for an issue) is read as it stands and named with a
Problem, and `tidy` says what the library gets instead. The differences in reading:

* a DOI, PMID or PMCID is found wherever exports hide it (UR, M3, N1, L1 to L4, LB, ID, AN, C2, C3, C5, U1, U2, an abstract's end), not
  in DO alone; Cochrane's register numbers, which look like DOIs, are none;
* PMID and PMCID go into their fields, and always into `identifiers`;
* what Zotero drops, or puts into Extra, is kept in `unmapped`; so are second values of a field that holds one;
* several ISSNs (print and electronic, in one value or two) are all kept, and a book's ISSN is no ISBN;
* the article number that Web of Science writes into C7 is the pages where SP is missing;
* values that stand in one line with another (`UR  - https://a.example     U2  - 1`) are told apart;
* a role that the type does not have is a contributor's;
* in EBSCO's exports T2 may be another title of the article: where JF or JO names the journal, that is believed;
* entities and markup in abstracts are resolved; letters whose encoding was spoilt are mended, composed letters are one (NFC);
* dates: words beside a date are kept and no part of it, a range of months stays whole, a status (`in press`) stays text, and a day
  inside other words is found (`Start Date 20170812`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sync.core import dates, schema
from sync.core.draft import Draft, clean, is_plain
from sync.core.identifiers import parse_pmid
from sync.core.names import names_as_written
from sync.core.record import Creator, Entry, Problem, Reading, Tagged
from sync.core.ris_actions import ACTIONS, NUM_PAGES, Action, at_the_end, hidden, hides
from sync.core.ris_lines import KNOWN, LONG
from sync.core.ris_tables import ITEM_TYPES, SECOND_RANK, target
from sync.core.text import GARBLED, fold, mojibake
from sync.core.tidy import LONGEST_PLACEHOLDER, MESSAGES, PLACEHOLDERS, odd_pages

_FRAME = frozenset({"TY", "ER"})
_KNOWN = KNOWN | LONG
_LAST_RANK = len(SECOND_RANK) + 1
# Databases whose accession numbers are PubMed's (the short ones are EBSCO's names for MEDLINE).
_PUBMED = re.compile(r"(?:ovid )?(?:medline|pubmed)\b.*|nlm|cmedm|mdc|mnh", re.IGNORECASE)
_EMBASE = re.compile(r"embase\b.*|medline\b.*", re.IGNORECASE)


class _Step(NamedTuple):
    """What is done with a tag in one item type: a field to fill, a role to give, or an action; else the value is kept.

    rank: 0 for the tags that stand for themselves, then the stand-ins in their order.
    """

    rank: int = _LAST_RANK
    field: str = ""
    role: str = ""
    act: Action | None = None
    hides: bool = False


class _Table(NamedTuple):
    """What is done with the tags in one item type. simple: those that just fill a field.  stand_ins: those that come second."""

    steps: Mapping[str, _Step]
    simple: Mapping[str, str]
    stand_ins: frozenset[str]


class _Own(NamedTuple):
    """What one item type calls the fields that are looked at in the end; empty where it has none."""

    date: str
    pages: str
    title: str
    container: str


_NOWHERE = _Step()


def to_reading(entry: Entry) -> Reading:
    """The record of an entry. Where only its type stands, the record says no more; a Problem `empty` tells."""
    word = next((value.strip().upper() for tag, value, _ in entry.tagged if tag == "TY"), "")
    draft = Draft(ITEM_TYPES.get(word, "journalArticle"), word)
    said = [row for row in entry.tagged if row[1] and row[0] not in _FRAME]
    _place_all(draft, said, plain=is_plain(entry))
    _finish(draft, said)
    problems = _problems(draft, entry, said)
    return Reading(entry, draft.record(), (*entry.problems, *problems) if problems else entry.problems)


def _place_all(draft: Draft, said: Sequence[Tagged], *, plain: bool) -> None:
    """Every value to its place, or to what is kept: first the tags that stand for themselves, then the stand-ins."""
    table = _table(draft.kind)
    later = _place(draft, said, table, table.stand_ins, plain=plain)
    if later:
        later.sort(key=lambda row: table.steps.get(row[0], _NOWHERE).rank)
        _place(draft, later, table, frozenset(), plain=plain)


def _place(draft: Draft, rows: Iterable[Tagged], table: _Table, wait: frozenset[str], *, plain: bool) -> list[Tagged]:
    """Place these values; those of tags that must wait are given back. Called for every value of a drop: no call too many."""
    fields, unmapped, simple, later = draft.fields, draft.unmapped, table.simple, []
    for row in rows:
        tag, value, line = row
        if tag in wait:
            later.append(row)
            continue
        if not plain or "\n" in value or "  " in value:
            value = clean(tag, value, plain=plain)
        draft.line = line
        if len(value) <= LONGEST_PLACEHOLDER and value in PLACEHOLDERS:
            draft.doubt("placeholder")
        if tag in simple:
            if value and fields.setdefault(simple[tag], value) != value:
                unmapped.append((tag, value))
        elif not _act(draft, table.steps.get(tag, _NOWHERE), tag, value):
            unmapped.append((tag, value))
    return later


def _act(draft: Draft, step: _Step, tag: str, value: str) -> bool:
    """Whether a value found its place."""
    _, field, role, act, may_hide = step
    if role:
        placed = _people(draft, role, value)
    elif act is not None:
        placed = act(draft, tag, value)
    else:
        placed = bool(field) and draft.fields.setdefault(field, value) == value
    return (may_hide and hidden(draft, tag, value)) or placed


@cache
def _table(kind: str) -> _Table:
    steps = _steps(kind)
    return _Table(
        steps,
        {tag: step.field for tag, step in steps.items() if step.field and not step.hides},
        frozenset(tag for tag, step in steps.items() if step.rank),
    )


@cache
def _steps(kind: str) -> Mapping[str, _Step]:
    """What is done with every tag that has a place in a type."""
    return {tag: _step(tag, kind) for tag in _KNOWN - _FRAME}


def _step(tag: str, kind: str) -> _Step:
    goal, stands_in = target(tag, kind)
    rank = 1 + SECOND_RANK.get(tag, len(SECOND_RANK)) if stands_in else 0
    if goal.startswith("@"):
        role = goal[1:]
        known = role == "author" or role in schema.creator_types(kind)
        return _Step(rank, role=role if known else "contributor", hides=hides(tag))
    if goal.startswith("!"):
        return _Step(rank, act=ACTIONS[goal], hides=hides(tag))
    return _Step(rank, field=schema.own_field(kind, goal) or "" if goal else "", hides=hides(tag))


@cache
def _own(kind: str) -> _Own:
    return _Own(*(schema.own_field(kind, name) or "" for name in ("date", "pages", "title", "publicationTitle")))


def _people(draft: Draft, role: str, value: str) -> bool:
    people, doubt = names_as_written(value, role)
    draft.creators += people
    if doubt:
        draft.doubt(doubt)
    return bool(people)


def _problems(draft: Draft, entry: Entry, said: Sequence[Tagged]) -> list[Problem]:
    """What is strange about the reference; words after TY and ER that say more than that it begins or ends are kept."""
    problems = []
    if not said:
        problems.append(Problem("empty", "nothing is said in this reference but its type", entry.lines[0]))
    for tag, raw, line in entry.tagged:
        if tag in _FRAME and raw and not (tag == "TY" and raw.strip().upper() in ITEM_TYPES):
            draft.keep(tag, raw.strip())
        if tag == "TY" and draft.word not in ITEM_TYPES and not any(known.code == "type-unknown" for known in problems):
            message = f"RIS has no type {raw.strip()[:40]!r}; read as a journal article"
            problems.append(Problem("type-unknown", message, line))
    if not entry.text.isascii() and GARBLED.search(entry.text) and mojibake(entry.text) != entry.text:
        message = "letters were spoilt (UTF-8 that was read as another encoding); they are mended"
        problems.append(Problem("mojibake", message, entry.lines[0]))
    strange = {tag: line for tag, _, line in reversed(said) if tag not in _KNOWN}
    for tag, line in strange.items():
        problems.append(Problem("tag-unknown", f"{tag} has no place in a reference; its value is kept", line))
    return problems + [Problem(code, MESSAGES[code], line) for code, line in draft.doubts.items()]


def _finish(draft: Draft, said: Sequence[Tagged]) -> None:
    """What can be said only when all values are known."""
    own = _own(draft.kind)
    _finish_date(draft, own)
    if draft.end_page or own.pages in draft.fields:
        _finish_pages(draft, own)
    _finish_titles(draft, own, said)
    if draft.word == "EDBOOK":
        _finish_editors(draft)
    _finish_tags(draft)
    _finish_identifiers(draft, said)


def _finish_date(draft: Draft, own: _Own) -> None:
    if not draft.year:
        return
    date, year = draft.fields.get(own.date, ""), dates.from_ris(draft.year)
    if own.date and year and not date:
        date = draft.fields[own.date] = year
    elif year and date.startswith(dates.NO_YEAR):
        date = draft.fields[own.date] = dates.with_year(date, year)
    if not dates.says(date, draft.year):
        draft.keep("PY", draft.year)


def _finish_pages(draft: Draft, own: _Own) -> None:
    first, last = draft.fields.get(own.pages, ""), draft.end_page
    placeable = own.pages and draft.kind not in NUM_PAGES
    if placeable and last and not (first and "-" in first):
        draft.fields[own.pages] = f"{first}-{last}" if first else last
    elif last and not (first.endswith(last) and "-" in first):
        draft.keep("EP", last)
    if placeable and odd_pages(draft.fields.get(own.pages, "")):
        draft.doubt("pages-odd")


def _finish_titles(draft: Draft, own: _Own, said: Sequence[Tagged]) -> None:
    fields = draft.fields
    if draft.databases and any(name.startswith("EBSCO") for name in draft.databases):
        _finish_ebsco(draft, own, said)
    if draft.container and not draft.put("publicationTitle", draft.container):
        draft.keep("T2", draft.container)
    if own.container and own.container not in fields and "journalAbbreviation" in fields:
        fields[own.container] = fields["journalAbbreviation"]
    if own.title not in fields and "shortTitle" in fields:
        fields[own.title] = fields["shortTitle"]


def _finish_ebsco(draft: Draft, own: _Own, said: Sequence[Tagged]) -> None:
    """EBSCO's T2 may be a translated title of the article; the journal then stands in JF or JO alone."""
    journals = [clean(tag, value) for tag, value, _ in said if tag in {"JF", "JO"}]
    others = {fold(clean(tag, value)) for tag, value, _ in said if tag == "T2"}
    if own.container and journals and others and not others & {fold(journal) for journal in journals}:
        draft.keep("T2", draft.fields[own.container])
        draft.fields[own.container] = journals[0]
        draft.unmapped = [pair for pair in draft.unmapped if pair[1] != journals[0]]


def _finish_editors(draft: Draft) -> None:
    draft.creators = [
        Creator("editor", c.last, c.first, c.name) if c.creator_type == "author" else c for c in draft.creators
    ]


def _finish_tags(draft: Draft) -> None:
    if len(draft.tags) == 1:
        draft.tags = [word.strip() for word in draft.tags[0].split(",") if word.strip()]
    draft.tags = list(dict.fromkeys(draft.tags))


def _finish_identifiers(draft: Draft, said: Sequence[Tagged]) -> None:
    """Bare numbers are PubMed's where the database says so: AN of MEDLINE and PubMed, C5 of Embase."""
    for tag, known in (("AN", _PUBMED), ("C5", _EMBASE)):
        if not any(known.fullmatch(name) for name in draft.databases):
            continue
        numbers = [clean(name, value) for name, value, _ in said if name == tag]
        pmid = parse_pmid(numbers[0]) if numbers else None
        if pmid and "PMID" not in draft.identifiers:
            draft.identify("PMID", pmid)
            draft.unmapped = [pair for pair in draft.unmapped if pair != (tag, numbers[0])]
    if "DOI" not in draft.identifiers and "abstractNote" in draft.fields:
        doi = at_the_end(draft.fields["abstractNote"])
        if doi:
            draft.identify("DOI", doi)
