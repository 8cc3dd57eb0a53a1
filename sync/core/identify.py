"""Which of the works that a search found is the record's, where the record has no identifier: by evidence, with a gap to the next.

A wrong identifier draws a wrong record after it, so that only what is beyond doubt is taken; what is likely is told to a person.
The weights and the two thresholds were found on recorded works, spoilt as exports spoil them (`tests/bench/bench_identify.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.core.likeness import AGREE, DIFFER, OVERLAP, UNKNOWN, Signs
from sync.core.match import SHORT
from sync.core.record import Record
from sync.core.sketch import Sketch, sketch

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
