"""What speaks for and against two records being one work, part by part, with weights: for a person who has to decide.

The verdict itself comes from `rules`, which weigh parts together; a sum alone would merge part I with part II.
A weight is the base-2 logarithm of how much more often a sign is seen on pairs that are one work than on pairs that are not,
among those that meet in a block: measured on the labelled exports of ten systematic reviews (5,557 and 20,966 pairs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.core.likeness import Signs
from sync.core.parts import AGREE, DIFFER, OVERLAP, UNKNOWN
from sync.core.sketch import Sketch

_WORDS = {AGREE: "agree", OVERLAP: "overlap", UNKNOWN: "unknown", DIFFER: "differ"}
# By part: what it says, and its weight in bits. What is not known weighs nothing.
_WEIGHTS: dict[str, dict[int, float]] = {
    "doi": {AGREE: 4.8, DIFFER: -7.2},
    "pmid": {AGREE: 9.4, DIFFER: -8.7},
    "people": {AGREE: 3.0, OVERLAP: -3.0, DIFFER: -8.0},
    "journal": {AGREE: 2.5, DIFFER: -5.6},
    "volume": {AGREE: 4.5, DIFFER: -5.4},
    "issue": {AGREE: 3.0, DIFFER: -5.9},
    "page": {AGREE: 4.0, DIFFER: -7.1},
    "abstract": {AGREE: 5.4, DIFFER: -8.4},
}
_TITLES = (
    (1.0, "equal", 3.4),
    (0.95, "alike", 2.4),
    (0.85, "near", -2.4),
    (0.6, "unlike", -7.0),
    (0.0, "unlike", -9.1),
)
_YEARS = (("agree", 2.9), ("one apart", -4.5), ("two apart", -10.3), ("further apart", -12.7))
_NUMBERS = -5.9  # of titles, where they speak against each other


@dataclass(frozen=True, slots=True)
class Evidence:
    """One part of two records: what it says (`agree`, `differ`, for titles `alike` ...), and its weight in bits, for or against."""

    part: str
    says: str
    weight: float


def evidence(one: Sketch, other: Sketch) -> tuple[Evidence, ...]:
    """What each part says that both records have, the heaviest first. Symmetric."""
    found = Signs(one, other)
    parts = [_title(found), *_parts(found)]
    if found.known_years:
        parts.append(Evidence("year", *_YEARS[min(found.years, len(_YEARS) - 1)]))
    if found.numbers:
        parts.append(Evidence("numbers in the titles", _WORDS[DIFFER], _NUMBERS))
    return tuple(sorted(parts, key=lambda part: (-abs(part.weight), part.part)))


def weight(parts: Iterable[Evidence]) -> float:
    """The weights together, in bits. The parts are not independent: a hint for sorting, no verdict."""
    return round(sum(part.weight for part in parts), 1)


def _title(found: Signs) -> Evidence:
    says, bits = next((says, bits) for least, says, bits in _TITLES if found.title >= least)
    return Evidence("title", says, bits)


def _parts(found: Signs) -> Iterable[Evidence]:
    for part, weights in _WEIGHTS.items():
        says = getattr(found, part)
        if says in weights:
            yield Evidence(part, _WORDS[says], weights[says])
