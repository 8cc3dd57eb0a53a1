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
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from sync.core import dates, schema
from sync.core.draft import Draft, clean, is_plain
from sync.core.folding import fold
from sync.core.identifiers import parse_pmid
from sync.core.names import names_as_written
from sync.core.record import Creator, Entry, Problem, Reading, Rows, Tagged
from sync.core.ris_actions import ACTIONS, NUM_PAGES, Action, at_the_end, hidden, hides
from sync.core.ris_lines import KNOWN, LONG
from sync.core.ris_tables import ITEM_TYPES, SECOND_RANK, target
from sync.core.text import GARBLED, mojibake
from sync.core.tidy import LONGEST_PLACEHOLDER, MESSAGES, PLACEHOLDERS, odd_pages

_FRAME = frozenset({"TY", "ER"})
_KNOWN = KNOWN | LONG
_MOST_ROWS = 100  # of an entry whose plan is remembered
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


# How a value is placed: most fill a field, name people or are keywords, and need no more; the others are acted on.
_FILL, _FILL_OR_HIDE, _NAME, _WORD, _ACT, _ANY = range(6)
_Line: TypeAlias = tuple[int, str, int, str, _Step]  # which row, its tag, how it is placed, the field or role, the step


class _Plan(NamedTuple):
    """What is done with the rows of an entry, told by its type and the order of its tags: found once for each that occurs.

    lines: one for each row, first the tags that stand for themselves, then the stand-ins.  strange: tags that nobody knows.
    framed: whether TY begins, ER ends, and neither stands anywhere else.
    """

    kind: str
    lines: tuple[_Line, ...]
    strange: tuple[str, ...]
    framed: bool


class _Own(NamedTuple):
    """What one item type calls the fields that are looked at in the end; empty where it has none."""

    date: str
    pages: str
    title: str
    container: str


_NOWHERE = _Step(rank=0)  # a tag that nobody knows


def to_reading(entry: Entry) -> Reading:
    """The record of an entry. Where only its type stands, the record says no more; a Problem `empty` tells."""
    rows, plain = Rows.of(entry.tagged), is_plain(entry)
    first = rows.tags.index("TY") if "TY" in rows.tags else -1
    word = rows.values[first].strip().upper() if first >= 0 else ""
    find = _plan if len(rows.tags) < _MOST_ROWS else _plan.__wrapped__
    plan = find(word, "\n".join(rows.tags))
    draft = Draft(plan.kind, word)
    _place_all(draft, plan, rows, plain=plain)
    _finish(draft, plan, rows)
    problems = _problems(draft, entry, plan, rows, plain=plain)
    return Reading(entry, draft.record(), (*entry.problems, *problems) if problems else entry.problems)


def _place_all(draft: Draft, plan: _Plan, rows: Rows, *, plain: bool) -> None:
    """Every value to its place, or to what is kept. Walks over every value of a drop: no call too many."""
    fields, creators, words, unmapped, values = draft.fields, draft.creators, draft.tags, draft.unmapped, rows.values
    easy = plain and PLACEHOLDERS.isdisjoint(values)
    for place, tag, how, goal, step in plan.lines:
        value = values[place]
        if not easy or "\n" in value or "  " in value:
            draft.line = rows.lines[place]
            value = _looked_at(draft, tag, value, plain=plain)
        if not value and (how == _FILL or not values[place]):
            continue
        if how == _FILL or (how == _FILL_OR_HIDE and value.isdecimal()):
            if fields.setdefault(goal, value) != value:
                unmapped.append((tag, value))
        elif how == _NAME:
            people, doubt = names_as_written(value, goal)
            creators += people
            if doubt or not people:
                _doubt_people(draft, tag, value, doubt, rows.lines[place])
        elif how == _WORD and ";" not in value and "\n" not in value:
            words.append(value)
        else:
            draft.line = rows.lines[place]
            if not (step.act(draft, tag, value) if how == _ACT and step.act else _act(draft, step, tag, value)):
                unmapped.append((tag, value))


def _looked_at(draft: Draft, tag: str, value: str, *, plain: bool) -> str:
    """A value that may need care, cleaned."""
    if value and (not plain or "\n" in value or "  " in value):
        value = clean(tag, value, plain=plain)
    if len(value) <= LONGEST_PLACEHOLDER and value in PLACEHOLDERS:
        draft.doubt("placeholder")
    return value


def _doubt_people(draft: Draft, tag: str, value: str, doubt: str, line: int) -> None:
    draft.line = line
    if doubt:
        draft.doubt(doubt)
    else:
        draft.keep(tag, value)


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


@lru_cache(maxsize=2_000)
def _plan(word: str, tags: str) -> _Plan:
    """The plan for the entries of this type whose tags, joined by newlines, are these."""
    kind, order = ITEM_TYPES.get(word, "journalArticle"), tags.split("\n")
    steps = _steps(kind)
    lines = [_line(place, tag, steps.get(tag, _NOWHERE)) for place, tag in enumerate(order) if tag not in _FRAME]
    ranked = sorted(lines, key=lambda line: line[4].rank)
    frame = [tag for tag in order if tag in _FRAME]
    framed = frame == ["TY", "ER"] and order[0] == "TY" and order[-1] == "ER" and word in ITEM_TYPES
    return _Plan(kind, tuple(ranked), tuple({tag for _, tag, *_ in lines if tag not in _KNOWN}), framed)


def _line(place: int, tag: str, step: _Step) -> _Line:
    if step.field:
        return place, tag, _FILL_OR_HIDE if step.hides else _FILL, step.field, step
    if step.role and not step.hides:
        return place, tag, _NAME, step.role, step
    return place, tag, _WORD if tag == "KW" else _ANY if step.hides else _ACT, "", step


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


def _problems(draft: Draft, entry: Entry, plan: _Plan, rows: Rows, *, plain: bool) -> list[Problem]:
    """What is strange about the reference; words after TY and ER that say more than that it begins or ends are kept."""
    problems = []
    if not any(rows.values[1:-1]) and next(_said(rows), None) is None:
        problems.append(Problem("empty", "nothing is said in this reference but its type", entry.lines[0]))
    if not plan.framed or rows.values[-1]:
        problems += _of_frame(draft, rows)
    if not plain and not entry.text.isascii() and GARBLED.search(entry.text) and mojibake(entry.text) != entry.text:
        message = "letters were spoilt (UTF-8 that was read as another encoding); they are mended"
        problems.append(Problem("mojibake", message, entry.lines[0]))
    if plan.strange:
        strange = {tag: line for tag, _, line in reversed(list(_said(rows))) if tag in plan.strange}
        for tag, line in strange.items():
            problems.append(Problem("tag-unknown", f"{tag} has no place in a reference; its value is kept", line))
    if draft.doubts:
        problems += (Problem(code, MESSAGES[code], line) for code, line in draft.doubts.items())
    return problems


def _of_frame(draft: Draft, rows: Rows) -> Iterator[Problem]:
    """What TY and ER say beside that a reference begins and ends."""
    told = False
    for tag, raw, line in rows:
        if tag in _FRAME and raw and not (tag == "TY" and raw.strip().upper() in ITEM_TYPES):
            draft.keep(tag, raw.strip())
        if tag == "TY" and draft.word not in ITEM_TYPES and not told:
            told = True
            message = f"RIS has no type {raw.strip()[:40]!r}; read as a journal article"
            yield Problem("type-unknown", message, line)


def _said(rows: Rows) -> Iterator[Tagged]:
    """The rows that say something."""
    return (row for row in rows if row[1] and row[0] not in _FRAME)


def _finish(draft: Draft, plan: _Plan, rows: Rows) -> None:
    """What can be said only when all values are known."""
    own = _own(draft.kind)
    _finish_date(draft, own)
    if (draft.end_page or own.pages in draft.fields) and _finish_pages(draft, own):
        draft.line = next(rows.lines[place] for place, *_ in reversed(plan.lines) if rows.values[place])
        draft.doubt("pages-odd")
    _finish_titles(draft, own, rows)
    if draft.word == "EDBOOK":
        _finish_editors(draft)
    _finish_tags(draft)
    _finish_identifiers(draft, rows)


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


def _finish_pages(draft: Draft, own: _Own) -> bool:
    """Put the last page to the first. Whether they are written oddly."""
    first, last = draft.fields.get(own.pages, ""), draft.end_page
    placeable = own.pages and draft.kind not in NUM_PAGES
    if placeable and last and not (first and "-" in first):
        draft.fields[own.pages] = f"{first}-{last}" if first else last
    elif last and not (first.endswith(last) and "-" in first):
        draft.keep("EP", last)
    return bool(placeable and odd_pages(draft.fields.get(own.pages, "")))


def _finish_titles(draft: Draft, own: _Own, rows: Rows) -> None:
    fields = draft.fields
    for name in draft.databases:
        if name.startswith("EBSCO"):
            _finish_ebsco(draft, own, list(_said(rows)))
            break
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


def _finish_identifiers(draft: Draft, rows: Rows) -> None:
    """Bare numbers are PubMed's where the database says so: AN of MEDLINE and PubMed, C5 of Embase."""
    for tag in _numbered(tuple(draft.databases)) if draft.databases else ():
        numbers = [clean(name, value) for name, value, _ in _said(rows) if name == tag]
        pmid = parse_pmid(numbers[0]) if numbers else None
        if pmid and "PMID" not in draft.identifiers:
            draft.identify("PMID", pmid)
            draft.unmapped = [pair for pair in draft.unmapped if pair != (tag, numbers[0])]
    if "DOI" not in draft.identifiers and "abstractNote" in draft.fields:
        doi = at_the_end(draft.fields["abstractNote"])
        if doi:
            draft.identify("DOI", doi)


@lru_cache(maxsize=1_000)
def _numbered(databases: tuple[str, ...]) -> tuple[str, ...]:
    """The tags whose bare numbers are PubMed's in entries of these databases."""
    told = (("AN", _PUBMED), ("C5", _EMBASE))
    return tuple(tag for tag, known in told if any(known.fullmatch(name) for name in databases))
