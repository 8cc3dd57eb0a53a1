"""What the ledger says of records: works on their way, where an item came from, lines of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.core.record import Problem, Record
from sync.state.database import decode


@dataclass(frozen=True, slots=True)
class Member:
    """Another record of the drop that is the same work."""

    id: int
    anchor: int
    record: Record


@dataclass(frozen=True, slots=True)
class Work:
    """A record that stands for its cluster: what the drop says of it, and what else the drop says of the same work."""

    id: int
    ordinal: int
    anchor: int
    sha256: str
    arrived: str
    state: str
    key: str
    record: Record
    members: tuple[Member, ...]
    owed: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The record that an item was made of, and the sources that may be asked for it."""

    record: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One record for a report. `outcome` is `waiting` as long as there is no end state."""

    id: int
    ordinal: int
    outcome: str
    key: str
    title: str
    sources: tuple[str, ...]
    reasons: tuple[str, ...]
    problems: tuple[Problem, ...]
    owed: tuple[str, ...]


def row_of(row: Any) -> Row:
    """A row of the table `records`, all columns, for a report."""
    return Row(
        id=row["id"],
        ordinal=row["ordinal"],
        outcome=row["outcome"] if row["state"] == "done" else "waiting",
        key=row["key"] or "",
        title=row["title"],
        sources=tuple(decode(row["sources_json"])),
        reasons=tuple(decode(row["reasons_json"])),
        problems=tuple(Problem(*parts) for parts in decode(row["problems_json"])),
        owed=tuple(decode(row["owed_json"])),
    )
