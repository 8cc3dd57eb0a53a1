"""An entry of RIS to a record in Zotero's words. What has no place goes to `unmapped`, never away.

As Zotero's own import does (`ris_tables`), except where that loses or spoils something:

* a DOI, PMID or PMCID is found wherever exports hide it (UR, M3, N1, L1 to L4, LB, ID, AN, C2, C3, C5, U1, U2), not in DO
  alone; Cochrane's register numbers, which look like DOIs, are none;
* PMID and PMCID go into their fields, and always into `identifiers`;
* what Zotero drops, or puts into Extra, is kept in `unmapped`; so are second values of a field that holds one;
* several ISSNs (print and electronic, in one value or two) are all kept, and a book's ISSN is no ISBN;
* the article number that Web of Science writes into C7 is the pages where SP is missing;
* an article number is no range (`e17332`, not `e17332-e17332`); odd hyphens in pages are hyphens;
* M1 is an issue only where it looks like one: exports put affiliations, query dates and accession numbers there;
* authors joined by semicolons in one value are told apart, and initials tell the parts of a name (`Moss C D`, `C. Moss`);
* an author that the type has no role for is a contributor;
* in EBSCO's exports T2 may be another title of the article: where JF or JO names the journal, that is believed;
* placeholders (NA, n/a, No-Specified) are no values; `...` is no name;
* entities and markup in abstracts are resolved; text whose encoding was spoilt is mended;
* dates that name no year stay text where they say a status (`in press`);
* UNPB, the old spelling of UNPD, is a manuscript.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from sync.core import dates, schema
from sync.core.identifiers import parse_pmid
from sync.core.names import names_as_written
from sync.core.record import Creator, Entry, Problem, Reading, Record, Tagged
from sync.core.ris_actions import ACTIONS, NUM_PAGES, hidden, hides
from sync.core.ris_draft import Draft, clean, is_plain
from sync.core.ris_lines import KNOWN, LONG
from sync.core.ris_tables import ITEM_TYPES, SECOND_RANK, target
from sync.core.text import fold
from sync.core.tidy import MESSAGES, PLACEHOLDERS, odd_pages

_FRAME = frozenset({"TY", "ER"})
_KNOWN = KNOWN | LONG
# Databases whose accession numbers are PubMed's (the short ones are EBSCO's names for MEDLINE).
_PUBMED = re.compile(r"(?:ovid )?(?:medline|pubmed)\b.*|nlm|cmedm|mdc|mnh", re.IGNORECASE)
_EMBASE = re.compile(r"embase\b.*|medline\b.*", re.IGNORECASE)


class _Step(NamedTuple):
    """What is done with a tag in one item type: a field to fill, a role to give, or an action; else the value is kept.

    rank: 0 for the tags that stand for themselves, then the stand-ins in their order.
    """

    rank: int
    field: str = ""
    role: str = ""
    act: Callable[[Draft, Tagged, str], bool] | None = None
    hides: bool = False


_NOWHERE = _Step(len(SECOND_RANK) + 1)


def to_reading(entry: Entry) -> Reading:
    """The record of an entry. Where only its type stands, the record says no more; a Problem `empty` tells."""
    word = next((one.value.strip().upper() for one in entry.tagged if one.tag == "TY"), "")
    draft = Draft(ITEM_TYPES.get(word, "journalArticle"), word)
    said = [one for one in entry.tagged if one.value and one.tag not in _FRAME]
    _place(draft, said, plain=is_plain(entry))
    _finish(draft, said)
    _keep_frame(draft, entry)
    return Reading(entry, _record(draft), (*entry.problems, *_problems(entry, said), *_doubts(draft)))


def _place(draft: Draft, said: Sequence[Tagged], *, plain: bool) -> None:
    """Every value to its place, or to what is kept: first the tags that stand for themselves, then the stand-ins."""
    steps, fields = _steps(draft.kind), draft.fields
    for one in sorted(said, key=lambda one: steps[one.tag].rank if one.tag in steps else _NOWHERE.rank):
        tag, value, line = one
        step = steps.get(tag, _NOWHERE)
        if not plain or "\n" in value:
            value = clean(one)
        if value in PLACEHOLDERS:
            draft.doubts.setdefault("placeholder", line)
        if step.field:
            placed = not value or fields.setdefault(step.field, value) == value
        elif step.role:
            placed = _people(draft, step.role, one, value)
        else:
            placed = step.act is not None and step.act(draft, one, value)
        if not (step.hides and hidden(draft, tag, value)) and not placed:
            draft.unmapped.append((tag, value))


@cache
def _steps(kind: str) -> dict[str, _Step]:
    """What is done with every tag that has a place in a type."""
    return {tag: _step(tag, kind) for tag in KNOWN | LONG if tag not in _FRAME}


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


def _people(draft: Draft, role: str, one: Tagged, value: str) -> bool:
    people, doubt = names_as_written(value, role)
    draft.creators += people
    if doubt:
        draft.doubts.setdefault(doubt, one.line)
    return bool(people)


def _doubts(draft: Draft) -> list[Problem]:
    return [Problem(code, MESSAGES[code], line) for code, line in draft.doubts.items()]


def _problems(entry: Entry, said: Sequence[Tagged]) -> list[Problem]:
    problems = []
    if not any(one.value.strip() for one in said):
        problems.append(Problem("empty", "nothing is said in this reference but its type", entry.lines[0]))
    first = next((one for one in entry.tagged if one.tag == "TY"), None)
    if first and first.value.strip().upper() not in ITEM_TYPES:
        message = f"RIS has no type {first.value.strip()[:40]!r}; read as a journal article"
        problems.append(Problem("type-unknown", message, first.line))
    strange = {one.tag: one for one in reversed(said) if one.tag not in _KNOWN}
    return problems + [
        Problem("tag-unknown", f"{tag} has no place in a reference; its value is kept", one.line)
        for tag, one in strange.items()
    ]


def _finish(draft: Draft, said: list[Tagged]) -> None:
    """What can be said only when all values are known."""
    _finish_date(draft)
    _finish_pages(draft)
    _finish_titles(draft, said)
    _finish_people(draft)
    _finish_tags(draft)
    _finish_identifiers(draft, said)


def _finish_date(draft: Draft) -> None:
    date, year = draft.get("date"), dates.from_ris(draft.year)
    if not date:
        draft.put("date", year)
    elif date.startswith(dates.NO_YEAR) and year:
        own = schema.own_field(draft.kind, "date") or "date"
        draft.fields[own] = dates.with_year(date, year)
    if draft.year and not dates.says(draft.get("date"), draft.year):
        draft.keep("PY", draft.year)


def _finish_pages(draft: Draft) -> None:
    first, last = draft.get("pages"), draft.end_page
    own = None if draft.kind in NUM_PAGES else schema.own_field(draft.kind, "pages")
    if own and last and not (first and "-" in first):
        draft.fields[own] = f"{first}-{last}" if first else last
    elif last and not (first.endswith(last) and "-" in first):
        draft.keep("EP", last)
    if own and odd_pages(draft.fields.get(own, "")):
        draft.doubts.setdefault("pages-odd", 0)


def _finish_titles(draft: Draft, said: list[Tagged]) -> None:
    if any(name.startswith("EBSCO") for name in draft.databases):
        _finish_ebsco(draft, said)
    if draft.container and not draft.put("publicationTitle", draft.container):
        draft.keep("T2", draft.container)
    if draft.fields.get("journalAbbreviation"):
        draft.put("publicationTitle", draft.fields["journalAbbreviation"])
    if not draft.get("title"):
        draft.put("title", draft.fields.get("shortTitle", ""))


def _finish_ebsco(draft: Draft, said: list[Tagged]) -> None:
    """EBSCO's T2 may be a translated title of the article; the journal then stands in JF or JO alone."""
    own = schema.own_field(draft.kind, "publicationTitle")
    journals = [clean(one) for one in said if one.tag in {"JF", "JO"}]
    others = {fold(clean(one)) for one in said if one.tag == "T2"}
    if own and journals and others and not others & {fold(journal) for journal in journals}:
        draft.keep("T2", draft.fields[own])
        draft.fields[own] = journals[0]
        draft.unmapped = [pair for pair in draft.unmapped if pair[1] != journals[0]]


def _finish_people(draft: Draft) -> None:
    if draft.word == "EDBOOK":
        draft.creators = [
            Creator("editor", c.last, c.first, c.name) if c.creator_type == "author" else c for c in draft.creators
        ]


def _finish_tags(draft: Draft) -> None:
    if len(draft.tags) == 1:
        draft.tags = [word.strip() for word in draft.tags[0].split(",") if word.strip()]
    draft.tags = list(dict.fromkeys(draft.tags))


def _finish_identifiers(draft: Draft, said: list[Tagged]) -> None:
    """Bare numbers are PubMed's where the database says so: AN of MEDLINE and PubMed, C5 of Embase."""
    for tag, known in (("AN", _PUBMED), ("C5", _EMBASE)):
        numbers = [clean(one) for one in said if one.tag == tag]
        pmid = parse_pmid(numbers[0]) if numbers else None
        if pmid and "PMID" not in draft.identifiers and any(known.fullmatch(name) for name in draft.databases):
            draft.identify("PMID", pmid)
            draft.unmapped = [pair for pair in draft.unmapped if pair != (tag, numbers[0])]
    names = schema.fields(draft.kind)
    for name, value in draft.identifiers.items():
        if name in names:
            draft.fields.setdefault(name, value)


def _keep_frame(draft: Draft, entry: Entry) -> None:
    """Words after TY and ER that say more than that a reference begins or ends."""
    for one in entry.tagged:
        value = one.value.strip()
        if value and (one.tag == "ER" or (one.tag == "TY" and value.upper() not in ITEM_TYPES)):
            draft.keep(one.tag, value)


def _record(draft: Draft) -> Record:
    title = html.escape(draft.get("title"), quote=False)
    return Record(
        item_type=draft.kind,
        fields=draft.fields,
        creators=tuple(draft.creators),
        tags=tuple(draft.tags),
        notes=tuple(note for note in draft.notes if note != f"<p>{title}</p>"),
        attachments=tuple(draft.attachments),
        identifiers=draft.identifiers,
        unmapped=tuple(draft.unmapped),
    )
