"""The story of a record: where it came from, what became of it, and where each of its values came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.core.evidence import Evidence, evidence
from sync.core.items import to_item
from sync.core.record import from_json
from sync.core.sketch import sketch
from sync.state.database import Database, decode


@dataclass(frozen=True, slots=True)
class Story:
    """All that the ledger knows of a record. lines: in the drop.  item: its values as item JSON, None where it was unreadable.

    origins: by field, source, how it was found, when, and the value before (those that are not named here came with the drop).
    lost: field, value and source of what was offered and not taken.  merged: ordinals of the records of the drop that joined it.
    evidence: by these ordinals, what the parts of both say.
    """

    record: int
    drop: str
    ordinal: int
    lines: tuple[int, int]
    outcome: str
    key: str
    reasons: tuple[str, ...]
    item: Mapping[str, Any] | None
    problems: tuple[str, ...] = ()
    origins: Mapping[str, tuple[str, str, str, str]] = field(default_factory=dict)
    lost: tuple[tuple[str, str, str], ...] = ()
    merged: tuple[int, ...] = ()
    evidence: Mapping[int, tuple[Evidence, ...]] = field(default_factory=dict)


class Stories:
    """Reads the tables `records`, `changes`, `lost`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, name: str) -> list[Story]:
        """The records behind an item key, or the one with this number; empty if there are none."""
        where, value = ("r.id", int(name)) if name.isdecimal() and len(name) < 8 else ("r.key", name)
        rows = self._db.rows(
            f"SELECT r.*, d.path FROM records r JOIN drops d ON d.id = r.drop_id WHERE {where} = ? AND r.survivor IS NULL"  # noqa: S608
            " ORDER BY r.id",
            (value,),
        )
        return [self._story(row) for row in rows]

    def _story(self, row: Any) -> Story:
        held = row["merged_json"] or row["record_json"]
        changes = self._db.rows("SELECT * FROM changes WHERE record = ? ORDER BY field", (row["id"],))
        lost = self._db.rows(
            "SELECT field, value, source FROM lost WHERE record = ? ORDER BY field, source", (row["id"],)
        )
        joined = self._joined(row)
        return Story(
            record=row["id"],
            drop=row["path"],
            ordinal=row["ordinal"],
            lines=(row["first_line"], row["last_line"]),
            outcome=row["outcome"] or "waiting",
            key=row["key"] or "",
            reasons=tuple(decode(row["reasons_json"])),
            item=to_item(from_json(decode(held))) if held else None,
            problems=tuple(f"{code}: {message}" for code, message, _ in decode(row["problems_json"])),
            origins={c["field"]: (c["source"], c["how"], c["at"], c["old"]) for c in changes},
            lost=tuple((o["field"], o["value"], o["source"]) for o in lost),
            merged=tuple(joined),
            evidence=joined,
        )

    def _joined(self, row: Any) -> dict[int, tuple[Evidence, ...]]:
        """The records of the same drop that joined this one, by ordinal, and what the parts of both say, as they came."""
        sql = "SELECT ordinal, record_json FROM records WHERE survivor = ? ORDER BY ordinal"
        rows = list(self._db.rows(sql, (row["id"],)))
        mine = sketch(from_json(decode(row["record_json"]))) if rows else None
        return {
            other["ordinal"]: evidence(mine, sketch(from_json(decode(other["record_json"])))) if mine else ()
            for other in rows
        }
