"""What comparing two records says: the same work, unsure, related, different, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Reasons for which two must not stand in one cluster even by way of a third.
_APART = frozenset(
    (reason,)
    for reason in (
        "notice",
        "numbers-differ",
        "identifiers-differ",
        "supplement",
        "conference",
        "preprint",
        "cochrane-version",
        "edition",
        "told-apart",
        "words-differ",
        "subtitle-differs",
        "places-differ",
    )
)


class Verdict(Enum):
    """Same is acted on, unsure is asked, related is kept apart and told, different is left alone."""

    SAME = "same"
    UNSURE = "unsure"
    RELATED = "related"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict and the reasons that led to it, each a stable word: identifiers that are shared, then the rule.

    strength: of a verdict `same`, for joining the surest first.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    strength: int = 0

    @property
    def forbids(self) -> bool:
        """Whether these two must not even stand in one cluster by way of a third."""
        return self.verdict is not Verdict.SAME and self.reasons[-1:] in _APART
