"""A library of which the ledger may not know all that was written to it: one that was restored, or made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sync.core.bases import satisfied
from sync.state.database import Database, encode


class Doubts:
    """The tables `libraries` and `tombstones` of one library: the part of a snapshot that says how far it may be trusted."""

    id: int
    _db: Database

    @property
    def unread(self) -> bool:
        """Whether the library has to be read whole before anything is written: the ledger does not know all that was."""
        return bool(self._db.value("SELECT regained = 1 FROM libraries WHERE id = ?", (self.id,)))

    @property
    def regained(self) -> bool:
        """Whether items may lie under keys of ours that this ledger does not remember having written."""
        return bool(self._db.value("SELECT regained FROM libraries WHERE id = ?", (self.id,)))

    def doubt(self) -> None:
        """Have the library read whole before anything else: not all that was written to it is known here."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE libraries SET regained = 1, version = 0 WHERE id = ?", (self.id,))

    def whole(self, version: int) -> None:
        """The library was read whole, up to here."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE libraries SET version = ?, regained = MIN(2, 2 * regained) WHERE id = ?", (version, self.id)
            )

    def bury(self, gone: Iterable[str]) -> None:
        """Keys that were deleted for good, whatever they were."""
        with self._db.transaction() as sql:
            sql.executemany("INSERT OR IGNORE INTO tombstones VALUES (?, ?)", [(self.id, key) for key in gone])

    def buried(self, key: str) -> bool:
        """Whether the library said of this key that it was deleted for good."""
        return bool(self._db.value("SELECT 1 FROM tombstones WHERE library = ? AND key = ?", (self.id, key)))

    def regain(self, key: str, data: Mapping[str, Any], base: Mapping[str, Any]) -> None:
        """An item under a key of ours is one that we made, though we do not remember it. data: as it is.  base: what we would have written."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR IGNORE INTO bases SELECT library, key, version, 1, ?, ? FROM items WHERE library = ? AND key = ?",
                (encode(base), int(not satisfied(data, base)), self.id, key),
            )
