"""The review and the search that a drop belongs to, as JSON and as a line of text."""

from __future__ import annotations

from typing import Any

from sync.core.reviews import Assigned
from sync.report.words import count


def search_json(assigned: Assigned, database: str) -> dict[str, Any]:
    """What a drop tells of where it came from. database: that most of its records name."""
    search = {
        "name": assigned.search,
        "database": assigned.database,
        "platform": assigned.platform,
        "date": assigned.date,
        "expected": assigned.expected,
    }
    return {"database": database, "review": assigned.review, "search": search if assigned.search else None}


def search_text(assigned: Assigned, database: str, entries: int) -> list[str]:
    """The same for a person, with how many of the records came that were expected; nothing for a drop of no review."""
    if not assigned.search:
        named = f" ({database})" if database else ""
        return [f"  of the review {assigned.review}{named}"] if assigned.review else []
    facts = ", ".join(fact for fact in (assigned.database, assigned.platform, assigned.date) if fact)
    line = f"  search {assigned.search} of the review {assigned.review} ({facts})"
    if assigned.expected is not None:
        line += f": {entries:,} of {count(assigned.expected, 'expected record')}"
    if database and database != assigned.database:
        line += f"; its records name {database}"
    return [line]
