"""The keys under which matching finds the items of a library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from sync.core.clusters import CROWD
from sync.state.database import Database


class Blocks:
    """The table `item_blocks` of one library. Writing happens inside the caller's transaction."""

    def __init__(self, database: Database, library: int) -> None:
        self._db, self._library = database, library

    def put(self, key: str, wanted: frozenset[str]) -> None:
        """Note under which keys an item is found; nothing is written where that stays as it was."""
        rows = self._db.rows("SELECT block FROM item_blocks WHERE library = ? AND key = ?", (self._library, key))
        held = {row[0] for row in rows}
        if held == wanted:
            return
        if held:
            self._db.connection.execute("DELETE FROM item_blocks WHERE library = ? AND key = ?", (self._library, key))
        self.insert(key, wanted)

    def insert(self, key: str, wanted: frozenset[str]) -> None:
        """The same for an item that was not known."""
        rows = [(self._library, block, key) for block in sorted(wanted)]
        if rows:
            marks = ", ".join(["(?, ?, ?)"] * len(rows))
            values = [value for row in rows for value in row]
            self._db.connection.execute(f"INSERT INTO item_blocks VALUES {marks}", values)  # noqa: S608  # marks only

    def sharing(self, blocks: Iterable[str], but: Collection[str]) -> list[str]:
        """Keys of the items that share one of these blocks, without those in `but`.

        A block that more than `CROWD` items share tells little: of those only the ones that share a second block are taken.
        """
        wanted = sorted(blocks)
        if not wanted:
            return []
        marks = ", ".join("?" * len(wanted))
        rows = self._db.rows(
            f"SELECT block, key FROM item_blocks WHERE library = ? AND block IN ({marks})",  # noqa: S608  # marks only
            (self._library, *wanted),
        )
        sharing: dict[str, list[str]] = {}
        for block, key in rows:
            sharing.setdefault(block, []).append(key)
        few = {key for keys in sharing.values() if len(keys) <= CROWD for key in keys}
        often = Counter(key for keys in sharing.values() if len(keys) > CROWD for key in keys)
        return sorted((few | {key for key, times in often.items() if times > 1}).difference(but))
