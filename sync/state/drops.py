"""Drops in the ledger: each came once, and stays until all of it has an end state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.core.record import Gap
from sync.state.database import Database, decode, encode

_DROP = "SELECT id, library, sha256, path, inbox, arrived, state, entries, gaps, gap_lines, asks_json FROM drops"


@dataclass(frozen=True, slots=True)
class DropRow:
    """A drop as the ledger knows it. `state`: reading (read again if cut off), noted (to be clustered), open (works left to do), done, undone (taken back)."""

    id: int
    library: int
    sha256: str
    path: str
    inbox: str
    arrived: str
    state: str
    entries: int
    gaps: int
    gap_lines: int
    asks_json: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that may be asked for its records."""
        return tuple(decode(self.asks_json)["sources"])

    @property
    def titles(self) -> bool:
        """Whether they may be told more than identifiers."""
        return bool(decode(self.asks_json)["titles"])


class Drops:
    """The tables `drops` and `gaps`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, library: int, sha256: str, wish: str) -> DropRow | None:
        """The drop with these bytes, this library and this wish, if it came before."""
        row = self._db.one(
            f"{_DROP} WHERE library = ? AND sha256 = ? AND wish = ?",  # a constant, no input
            (library, sha256, wish),
        )
        return DropRow(*row) if row else None

    def get(self, drop: int) -> DropRow:
        """The drop with this id."""
        row = self._db.one(f"{_DROP} WHERE id = ?", (drop,))  # a constant, no input
        if row is None:
            raise LookupError(f"the ledger has no drop {drop}")
        return DropRow(*row)

    def drop_of(self, record: int) -> DropRow:
        """The drop that a record came in."""
        return self.get(self._db.value("SELECT drop_id FROM records WHERE id = ?", (record,)))

    def drops(self, state: str | None = None) -> list[DropRow]:
        """All drops, or those in one state, oldest first."""
        where, values = (" WHERE state = ?", (state,)) if state else ("", ())
        return [DropRow(*row) for row in self._db.rows(f"{_DROP}{where} ORDER BY id", values)]

    def arrive(
        self,
        *,
        library: int,
        sha256: str,
        wish: str,
        path: str,
        inbox: str,
        format_name: str,
        arrived: str,
        run: str,
        sources: Sequence[str] = (),
        titles: bool = False,
    ) -> DropRow:
        """Note a new drop, in state `reading`. sources: those that may be asked.  titles: and told more than identifiers."""
        with self._db.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO drops (library, sha256, wish, path, inbox, format, arrived, state, first_run, asks_json)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'reading', ?, ?)",
                (
                    *(library, sha256, wish, path, inbox, format_name, arrived, run),
                    encode({"sources": list(sources), "titles": titles}),
                ),
            )
        return self.get(int(cursor.lastrowid or 0))

    def settled(self, sha256: str) -> bool:
        """Whether these bytes were worked off, to the last record, as often as they came."""
        states = [row[0] for row in self._db.rows("SELECT state FROM drops WHERE sha256 = ?", (sha256,))]
        return bool(states) and all(state in {"done", "undone"} for state in states)

    def retire(self, drop: int) -> None:
        """A drop that was taken back stands aside: the same bytes may come again."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE drops SET wish = wish || '#' || id WHERE id = ?", (drop,))

    def read_again(self, drop: int) -> None:
        """A drop in which no record was found is read once more, as if it had not been read to its end."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE drops SET state = 'reading' WHERE id = ?", (drop,))

    def may_come_again(self, drop: int) -> None:
        """Not all of the drop is in the library: when its bytes come again, they are worked off anew."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE drops SET state = 'undone' WHERE id = ?", (drop,))

    def close_reading(self, drop: int) -> None:
        """The whole drop is noted: count it."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE drops SET state = 'noted',"
                " entries = (SELECT COUNT(*) FROM records WHERE drop_id = drops.id),"
                " gaps = (SELECT COUNT(*) FROM gaps WHERE drop_id = drops.id),"
                " gap_lines = (SELECT COALESCE(SUM(last_line - first_line + 1), 0) FROM gaps WHERE drop_id = drops.id)"
                " WHERE id = ?",
                (drop,),
            )

    def forget_gaps(self, drop: int) -> None:
        """Before a reading that was cut off starts again (gaps have no number of their own)."""
        with self._db.transaction() as sql:
            sql.execute("DELETE FROM gaps WHERE drop_id = ?", (drop,))

    def forget(self, drop: int) -> None:
        """A drop whose reading did not end, and of which nothing is known for sure: as if it had not come."""
        with self._db.transaction() as sql:
            for table in ("record_blocks", "records", "gaps", "drop_folders", "drop_routes"):
                sql.execute(f"DELETE FROM {table} WHERE drop_id = ?", (drop,))  # noqa: S608  # constants, no input
            sql.execute("DELETE FROM drops WHERE id = ? AND state = 'reading'", (drop,))

    def close_drop_if_done(self, drop: int) -> bool:
        """Close a drop all of whose records have an end state; whether it is closed."""
        open_ones = self._db.value("SELECT COUNT(*) FROM records WHERE drop_id = ? AND state <> 'done'", (drop,))
        if open_ones:
            return False
        with self._db.transaction() as sql:
            sql.execute("UPDATE drops SET state = 'done' WHERE id = ? AND state = 'open'", (drop,))
        return True

    def note_gap(self, drop: int, gap: Gap) -> None:
        """Note text between records, in the transaction of the caller."""
        self._db.connection.execute(
            "INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)", (drop, *gap.lines, *gap.bytes, gap.text)
        )
