"""Whether what a source answers is the record's work: to an identifier, to a citation, to a search by words.

Of what a search found one work is taken by evidence, with a gap to the next.

A wrong identifier draws a wrong record after it, so that only what is beyond doubt is taken; what is likely is told to a person.
The weights and the two thresholds were found on recorded works, spoilt as exports spoil them (`tests/bench/bench_identify.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.core.folding import fold
from sync.core.likeness import Signs
from sync.core.parts import AGREE, DIFFER, OVERLAP, UNKNOWN, people
from sync.core.record import Record
from sync.core.rules import ALIKE, SHORT
from sync.core.sketch import Sketch, sketch

TELLING = 4  # words from which a title is not one that many works bear
SIGNALS = 4  # of title, author, year, volume and page, to take a work that was found by its citation
_UNLIKE = 0.5  # titles below are those of two works
SURE, LIKELY = 7.0, 5.5  # evidence from which a work is taken, or told
GAP = 1.0  # more evidence than for the next best work
TITLE = 0.85  # likeness of titles that counts as a signal
ARTICLE_SIGNALS, OTHER_SIGNALS = 4, 3
_PLACE = frozenset({"journal", "volume", "page"})
_ARTICLES = frozenset({"journalArticle", "magazineArticle", "newspaperArticle", "conferencePaper"})
_WEIGHTS: Mapping[str, Mapping[int, float]] = {
    "people": {AGREE: 2, OVERLAP: 1, DIFFER: -3},
    "journal": {AGREE: 1.5, DIFFER: -1.5},
    "volume": {AGREE: 1.5, DIFFER: -1},
    "issue": {AGREE: 0.5, DIFFER: -0.5},
    "page": {AGREE: 2, DIFFER: -1.5},
}
_YEARS = {0: 1.5, 1: 0.5}
_TITLE_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class Identified:
    """The likeliest of the works. place: where it stands among them.  sure: it is taken; otherwise it is only told."""

    place: int
    evidence: float
    signals: tuple[str, ...]
    sure: bool


def identify(
    record: Record, works: Sequence[Record], *, sure: float = SURE, likely: float = LIKELY
) -> Identified | None:
    """The one of these works that the record may be; None where none is likely."""
    mine = sketch(record)
    scored = sorted(((evidence(mine, sketch(work)), -place) for place, work in enumerate(works)), reverse=True)
    if not mine.title or not scored or scored[0][0] < likely:
        return None
    best, place = scored[0][0], -scored[0][1]
    signals = agreeing(mine, sketch(works[place]))
    if "title" not in signals:
        return None
    enough = _enough(Signs(mine, sketch(works[place])), set(signals))
    enough = enough and len(signals) >= (ARTICLE_SIGNALS if record.item_type in _ARTICLES else OTHER_SIGNALS)
    alone = len(scored) == 1 or best - scored[1][0] >= GAP
    return Identified(place, best, signals, sure=enough and alone and best >= sure)


def _enough(found: Signs, signals: set[str]) -> bool:
    """Whether who, what and when are told alike; where one of author and year is unknown, the whole place stands in for it."""
    if "title" not in signals:
        return False
    if "author" in signals:
        contradicted = found.page == DIFFER and found.volume != AGREE
        return ("year" in signals and not contradicted) or (signals >= _PLACE and found.years <= 1)
    return found.people == UNKNOWN and found.shortest >= SHORT and signals >= {"year", *_PLACE}


def evidence(mine: Sketch, theirs: Sketch) -> float:
    """How much speaks for these two being one work: up to 13; below 0 where something forbids it."""
    found = Signs(mine, theirs)
    elsewhere = found.journal == DIFFER or found.volume == found.page == DIFFER
    other = found.numbers or found.preprint or found.told_apart or found.versions or found.opposed
    if other or elsewhere or not mine.title or not theirs.title or mine.marks != theirs.marks:
        return -1.0
    title = _TITLE_WEIGHT * max(0.0, 2 * found.title - 1)
    years = _YEARS.get(found.years, -2.0) if found.known_years else 0.0
    return title + years + sum(weights.get(getattr(found, name), 0) for name, weights in _WEIGHTS.items())


def agreeing(mine: Sketch, theirs: Sketch) -> tuple[str, ...]:
    """What the two tell alike: of title, author, year, journal, volume and page."""
    found = Signs(mine, theirs)
    alike = {
        "title": found.title >= TITLE,
        "author": found.people == AGREE,
        "year": found.known_years and not found.years,
        "journal": found.journal == AGREE,
        "volume": found.volume == AGREE,
        "page": found.page == AGREE,
    }
    return tuple(name for name, holds in alike.items() if holds)


# ---- answers to an identifier or to a citation ---------------------------------------------------------------------


def contradicts(record: Sketch, answer: Sketch) -> str:
    """Why a source's answer to this record's identifier cannot be the record's work; empty if nothing speaks against it.

    What is missing on either side contradicts nothing. Where the titles agree, the first author or the year may still be told
    otherwise by one of the two (another script, online and print); both together may not, nor either of them where the
    title is one that many works bear ("Introduction"). The same from both sides.
    """
    titled = bool(record.title and answer.title)
    if titled and (why := _titles_differ(record, answer)):
        return why
    against = [why for why in (_authors_differ(record, answer), _years_differ(record, answer)) if why]
    telling = titled and min(len(each.title.split()) for each in (record, answer)) >= TELLING
    return ", ".join(against) if against and (len(against) > 1 or not telling) else ""


def agrees(record: Record, answer: Record) -> bool:
    """Whether a work that was found by citation, not by an identifier, is surely the record's: the title agrees, nothing
    speaks against it, and at least four of title, first author, year, volume and first page are told alike.
    """
    mine, theirs = sketch(record), sketch(answer)
    if not mine.title or not theirs.title or contradicts(mine, theirs):
        return False
    alike = [
        True,
        bool(mine.author and theirs.author) and not _authors_differ(mine, theirs),
        bool(mine.year) and mine.year == theirs.year,
        _told_alike(record.base("volume"), answer.base("volume")),
        bool(mine.first) and mine.first == theirs.first,
    ]
    return sum(alike) >= SIGNALS


def _titles_differ(one: Sketch, other: Sketch) -> str:
    if one.marks != other.marks:
        return "notice"
    found = Signs(one, other)
    if found.title < ALIKE:
        return "title-differs" if found.title < _UNLIKE else "title-unlike"
    return "numbers-differ" if found.numbers else ""


def _authors_differ(one: Sketch, other: Sketch) -> str:
    return "author-differs" if people(one, other) == DIFFER else ""


def _years_differ(one: Sketch, other: Sketch) -> str:
    return "year-differs" if one.year and other.year and abs(one.year - other.year) > 1 else ""


def _told_alike(one: str, other: str) -> bool:
    return bool(one and other) and fold(re.sub(r"\W+$", "", one)) == fold(re.sub(r"\W+$", "", other))
