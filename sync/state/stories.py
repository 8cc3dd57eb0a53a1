"""The story of a record: where it came from, what became of it, and where each of its values came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.core.bases import KEPT_BY_LIBRARY, touched
from sync.core.evidence import Evidence, evidence
from sync.core.items import to_item
from sync.core.record import from_json
from sync.core.sketch import sketch
from sync.state.database import Database, decode
from sync.state.questions import Decision, Questions


@dataclass(frozen=True, slots=True)
class Standing:
    """An item as it stands in the library's snapshot. place: alive, trash, gone.  edited: properties that somebody changed since
    we last wrote them; None where we never wrote the item.
    """

    library: str
    version: int
    place: str
    item: Mapping[str, Any]
    edited: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Story:
    """All that the ledger knows of a record. lines: in the drop.  item: its values as item JSON, None where it was unreadable.

    origins: by field, source, how it was found, when, and the value before (those that are not named here came with the drop).
    lost: field, value and source of what was offered and not taken.  merged: ordinals of the records of the drop that joined it.
    evidence: by these ordinals, what the parts of both say.
    decided: what a person said of it.  stands: its item as it is now; None where it has none.
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
    decided: tuple[Decision, ...] = ()
    stands: Standing | None = None


class Stories:
    """Reads the tables `records`, `changes`, `lost`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, name: str) -> list[Story]:
        """The records behind an item key, or the one with this number; empty if there are none."""
        where, value = ("r.id", int(name)) if name.isdecimal() and len(name) < 8 else ("r.key", name)
        rows = self._db.rows(
            f"SELECT r.*, d.path, d.library FROM records r JOIN drops d ON d.id = r.drop_id WHERE {where} = ? AND r.survivor IS NULL"  # noqa: S608
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
            decided=tuple(Questions(self._db).decided(row["id"])),
            stands=self._standing(row["library"], row["key"]) if row["key"] else None,
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

    def items(self, key: str) -> list[Standing]:
        """The items with this key, in whatever library, be there a record behind them or not."""
        rows = self._db.rows("SELECT library FROM items WHERE key = ? ORDER BY library", (key,))
        return [found for row in list(rows) if (found := self._standing(row[0], key))]

    def _standing(self, library: int, key: str) -> Standing | None:
        row = self._db.one(
            "SELECT l.identity, i.version, i.place, i.data_json, b.data_json AS base_json FROM items i"
            " JOIN libraries l ON l.id = i.library LEFT JOIN bases b ON b.library = i.library AND b.key = i.key"
            " WHERE i.library = ? AND i.key = ?",
            (library, key),
        )
        if row is None:
            return None
        now = decode(row["data_json"])
        item = {name: value for name, value in now.items() if value and name not in _NOT_SHOWN}
        edited = tuple(touched(decode(row["base_json"]), now, self._ours(library))) if row["base_json"] else None
        return Standing(row["identity"], row["version"], row["place"], item, edited)

    def _ours(self, library: int) -> set[str]:
        return {row[0] for row in self._db.rows("SELECT key FROM bases WHERE library = ? AND made", (library,))}


_NOT_SHOWN = {*KEPT_BY_LIBRARY, "deleted"} - {"itemType"}
