"""Records that a library refused, or that could not be read, and that are tried again."""

from __future__ import annotations

from dataclasses import dataclass

from sync.core.record import Reading, to_json
from sync.state.database import Database, decode, encode

AGAIN = "tried-again"
MISSING = "not-in-library"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of which nothing could be made, and its text as it stood in the drop."""

    record: int
    text: str


class Retries:
    """What of the tables `records` and `drops` is tried again."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def refused(self, library: int) -> list[int]:
        """The records that this library refused; of several that are one work the one that stands for them."""
        rows = self._db.rows(f"{_ENDED} AND r.outcome = 'refused' ORDER BY r.id", (library,))  # a constant, no input
        return [row[0] for row in rows]

    def unreadable(self, library: int) -> list[Unreadable]:
        """The records that could not be read, and of which the text is kept."""
        rows = self._db.rows(f"{_ENDED} AND r.outcome = 'unreadable' AND r.raw <> '' ORDER BY r.id", (library,))
        return [Unreadable(row[0], row[1]) for row in rows]

    def missed(self, drop: int) -> bool:
        """Whether records of a drop were not found in the library when the ledger was made again: nobody took those back."""
        query = "SELECT 1 FROM records WHERE drop_id = ? AND reasons_json = ? LIMIT 1"
        return bool(self._db.value(query, (drop, encode([MISSING]))))

    def release(self, record: int) -> None:
        """A record is to be looked at again, and with it those that follow it; what the library said of it is taken back."""
        problems = decode(self._db.value("SELECT problems_json FROM records WHERE id = ?", (record,)))
        left = [one for one in problems if "-refused-" not in one[0]]
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET state = 'read', outcome = NULL, key = NULL, reasons_json = ?, problems_json = ? WHERE id = ?",
                (encode([AGAIN]), encode(left), record),
            )
            sql.execute("UPDATE records SET state = 'follows', outcome = NULL WHERE survivor = ?", (record,))
            sql.execute(
                "UPDATE drops SET state = 'open' WHERE id = (SELECT drop_id FROM records WHERE id = ?)", (record,)
            )

    def read_anew(self, record: int, reading: Reading) -> None:
        """What could not be read has been read by now. The reading has a record."""
        if reading.record is None:
            return
        problems = [[p.code, p.message, p.line] for p in reading.problems]
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET record_json = ?, title = ?, problems_json = ? WHERE id = ?",
                (encode(to_json(reading.record)), reading.record.title, encode(problems), record),
            )
            self.release(record)

    def waiting(self, library: int) -> dict[int, list[int]]:
        """Records that were released and not looked at since, by drop."""
        rows = self._db.rows(
            "SELECT r.drop_id, r.id FROM records r WHERE r.state = 'read' AND r.reasons_json = ?2"
            " AND r.drop_id IN (SELECT id FROM drops WHERE library = ?1 AND state = 'open') ORDER BY r.id",
            (library, encode([AGAIN])),
        )
        found: dict[int, list[int]] = {}
        for drop, record in rows:
            found.setdefault(drop, []).append(record)
        return found


_ENDED = (
    "SELECT r.id, r.raw FROM records r JOIN drops d ON d.id = r.drop_id"
    " WHERE d.library = ? AND d.state <> 'undone' AND r.state = 'done' AND r.survivor IS NULL"
)
