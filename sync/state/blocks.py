"""The keys under which matching finds the items of a library."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from sync.core.batches import batched
from sync.core.clusters import CROWD
from sync.state.database import Database

_AT_ONCE = 50  # blocks that one query asks for
_WHOLE, _WHOLE_CROWD = ("ends:", "doi:", "pmid:"), 400  # whole titles and identifiers, and how many items may share one


class Blocks:
    """The table `item_blocks` of one library. Writing happens inside the caller's transaction."""

    def __init__(self, database: Database, library: int) -> None:
        self._db, self._library = database, library

    def move(self, key: str, held: frozenset[str], wanted: frozenset[str]) -> None:
        """An item that was found under these keys is found under those."""
        self._db.connection.executemany(
            "DELETE FROM item_blocks WHERE library = ? AND block = ? AND key = ?",
            [(self._library, block, key) for block in sorted(held - wanted)],
        )
        self.insert(key, wanted - held)

    def insert(self, key: str, wanted: frozenset[str]) -> None:
        """Note under which keys an item is found."""
        rows = [(self._library, block, key) for block in sorted(wanted)]
        if rows:
            marks = ", ".join(["(?, ?, ?)"] * len(rows))
            values = [value for row in rows for value in row]
            self._db.connection.execute(f"INSERT INTO item_blocks VALUES {marks}", values)  # noqa: S608  # marks only

    def clear(self) -> None:
        """No item is found any more."""
        self._db.connection.execute("DELETE FROM item_blocks WHERE library = ?", (self._library,))

    def sharing(self, blocks: Iterable[str], but: Collection[str]) -> list[str]:
        """Keys of the items that share one of these blocks, without those in `but`.

        A block that more than `CROWD` items share tells nothing, and is not read to its end; identifiers and whole titles tell more.
        """
        found: set[str] = set()
        for wanted in batched(sorted(blocks), _AT_ONCE):
            sharing: dict[int, list[str]] = {}
            most = [_WHOLE_CROWD if block.startswith(_WHOLE) else CROWD for block in wanted]
            values = [v for block, many in zip(wanted, most, strict=True) for v in (self._library, block, many + 1)]
            for place, key in self._db.rows(_sharing(len(wanted)), values):
                sharing.setdefault(place, []).append(key)
            found.update(*(keys for place, keys in sharing.items() if len(keys) <= most[place]))
        return sorted(found.difference(but))


@cache
def _sharing(blocks: int) -> str:
    """A query for the items of so many blocks, of each at most so many: library, block and number for each."""
    part = "SELECT * FROM (SELECT {0}, key FROM item_blocks WHERE library = ? AND block = ? LIMIT ?)"
    return " UNION ALL ".join(part.format(place) for place in range(blocks))
