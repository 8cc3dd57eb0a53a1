"""The review that a drop belongs to, and the search that it came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a drop was assigned to; all empty where it belongs to no review.

    review, search: names of sections of the config.  database, platform, date (ISO 8601), expected: what PRISMA-S wants told
    of the search, as the config says it.
    """

    review: str = ""
    search: str = ""
    database: str = ""
    platform: str = ""
    date: str = ""
    expected: int | None = None


NOWHERE = Assigned()
