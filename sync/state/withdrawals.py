"""Drops that were taken back: what each wrote, who else has its items, and how its records stood before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import groupby

from sync.core.undo import Written
from sync.core.withdrawal import History, Step
from sync.errors import UsageFault
from sync.state.database import Database, decode, encode
from sync.state.undoings import UNDONE

_PREFIX = "drop:"  # before the number of a drop, in the place of the run that a run takes back


def named(drop: int) -> str:
    """How a run that takes this drop back calls it."""
    return f"{_PREFIX}{drop}"


def drop_of(undoes: str) -> int | None:
    """The drop that a run takes back; None for one that takes back a run, or nothing."""
    return int(undoes.removeprefix(_PREFIX)) if undoes.startswith(_PREFIX) else None


class Withdrawals:
    """Reads `outbox`, `journal`; keeps `undone` for whole drops."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def library_of(self, drop: int) -> str:
        """The identity of the library that the drop went to."""
        found: str = self._db.value(
            "SELECT l.identity FROM drops d JOIN libraries l ON l.id = d.library WHERE d.id = ?", (drop,)
        )
        return found

    def check(self, drop: int) -> None:
        """Raise UsageFault for a drop that is not done, or of which it is not known any more what it wrote."""
        row = self._db.one(
            "SELECT d.path, d.state, r.kind FROM drops d JOIN runs r ON r.id = d.first_run WHERE d.id = ?", (drop,)
        )
        if row is None or row[1] != "done":
            raise UsageFault(
                f"{row[0] if row else drop}: not worked off to the end; zotdrop status says what it waits for"
            )
        if row[2] == "rebuild":
            raise UsageFault(
                f"{row[0]}: noted again after the ledger was lost; what it wrote is not known and cannot be taken back"
            )
        gone = self._db.value(
            "SELECT g.at FROM let_go g WHERE g.run IN (SELECT o.run FROM records r JOIN outbox o ON o.record = r.id"
            " WHERE r.drop_id = ?) LIMIT 1",
            (drop,),
        )
        if gone:
            raise UsageFault(
                f"{row[0]}: what it wrote was let go of on {gone[:10]}, as [retention] journal says; it cannot be taken back any more"
            )

    def written(self, drop: int) -> dict[str, History]:
        """What was written to the objects of the drop's records, by it and by drops that were taken back since, by key."""
        found: dict[str, History] = {}
        for (run, library, key), rows in groupby(
            self._db.rows(_WRITES, (drop,)), key=lambda row: (row["run"], row["library"], row["key"])
        ):
            answered = list(rows)
            landed = self._journal(run, library, key)
            known = found.get(key, History())
            if len(landed) == len(answered):
                steps = (
                    Step(written, bool(row["undo"]), row["drop_id"] == drop)
                    for row, written in zip(answered, landed, strict=True)
                    if row["drop_id"] == drop or row["taken"]
                )
                found[key] = replace(known, steps=(*known.steps, *steps))
            else:  # not to be told any more, or not apart
                own = any(row["drop_id"] == drop and not row["undo"] for row in answered)
                found[key] = replace(known, untold=known.untold or own, dark=known.dark or not own)
        return found

    def record_of(self, drop: int, key: str) -> int:
        """The record of the drop that wrote this object, or ended in it."""
        found: int = self._db.value(
            "SELECT COALESCE((SELECT o.record FROM outbox o JOIN records r ON r.id = o.record"
            " WHERE r.drop_id = ?1 AND o.key = ?2 ORDER BY o.id LIMIT 1),"
            " (SELECT id FROM records WHERE drop_id = ?1 AND key = ?2 ORDER BY id LIMIT 1))",
            (drop, key),
        )
        return found

    def used(self, drop: int, key: str) -> str:
        """Another drop, not taken back, that has a record in the item with this key; empty if there is none."""
        found: str | None = self._db.value(
            "SELECT d.path FROM records r JOIN drops d ON d.id = r.drop_id WHERE r.key = ?2 AND d.id <> ?1"
            " AND d.library = (SELECT library FROM drops WHERE id = ?1) AND r.state = 'done'"
            " AND r.reasons_json NOT LIKE '%\"undone\"%' LIMIT 1",
            (drop, key),
        )
        return found or ""

    def take_back(self, run: str, drop: int, but: Collection[str] = ()) -> None:
        """The drop stands no more: its records are left out from now on, its questions are nobody's, and it may come again.

        but: objects that could not be taken back: the records that they are of stand on, and the drop with them.
        """
        stay = {self.record_of(drop, key) for key in but}
        keys = {self._db.value("SELECT key FROM records WHERE id = ?", (record,)) for record in stay} | set(but)
        rows = self._db.rows(
            "SELECT id, key FROM records WHERE drop_id = ? AND state = 'done' AND outcome <> 'unreadable' AND reasons_json <> ?",
            (drop, encode([UNDONE])),
        )
        with self._db.transaction() as sql:
            sql.executemany(
                "INSERT OR IGNORE INTO undone SELECT ?, id, outcome, reasons_json FROM records WHERE id = ?",
                [(run, row[0]) for row in rows if row[1] is None or row[1] not in keys],
            )
            sql.execute(
                "UPDATE records SET outcome = 'left', reasons_json = ? WHERE id IN (SELECT record FROM undone WHERE run = ?)",
                (encode([UNDONE]), run),
            )
            if not keys:
                sql.execute("UPDATE drops SET state = ? WHERE id = ?", (UNDONE, drop))

    def taken(self, run: str) -> list[str]:
        """The items of the records that this run left out."""
        rows = self._db.rows(
            "SELECT DISTINCT r.key FROM undone u JOIN records r ON r.id = u.record WHERE u.run = ?", (run,)
        )
        return [row[0] for row in rows if row[0]]

    def ask_again(self, run: str) -> None:
        """The run was taken back itself: records that ended in no item stand as they stood."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET (outcome, reasons_json) ="
                " (SELECT outcome, reasons_json FROM undone u WHERE u.run = ?1 AND u.record = records.id)"
                " WHERE key IS NULL AND id IN (SELECT record FROM undone WHERE run = ?1)",
                (run,),
            )

    def unfinished(self, library: int) -> list[tuple[str, int]]:
        """Runs that were stopped while they took a drop back, and which that is."""
        rows = self._db.rows(
            "SELECT r.id, r.undoes FROM runs r WHERE r.undoes LIKE 'drop:%' AND r.finished IS NULL"
            " AND (SELECT library FROM drops WHERE id = CAST(SUBSTR(r.undoes, 6) AS INTEGER)) = ? ORDER BY r.rowid",
            (library,),
        )
        return [(row[0], drop_of(row[1]) or 0) for row in rows]

    def _journal(self, run: str, library: int, key: str) -> list[Written]:
        rows = self._db.rows(
            "SELECT before_json, after_json FROM journal WHERE run = ? AND library = ? AND key = ? ORDER BY id",
            (run, library, key),
        )
        return [Written(key, decode(before) if before else None, decode(after)) for before, after in rows]


# All that landed under the keys that the drop wrote to or ended in, in the runs in which its records, and others of the
# same items, did: the journal has a row for each, in order.
_WRITES = (
    "SELECT o.run, o.library, o.key, o.undo, w.drop_id, w.reasons_json = '[\"undone\"]' AS taken FROM"
    " (SELECT x.run, x.library, x.key FROM records r JOIN outbox x ON x.record = r.id WHERE r.drop_id = ?1 AND x.state = 'done'"
    " UNION SELECT x.run, x.library, x.key FROM records r JOIN records s ON s.key = r.key"
    " JOIN outbox x ON x.record = s.id AND x.key = s.key AND x.state = 'done' WHERE r.drop_id = ?1"
    " AND x.library = (SELECT library FROM drops WHERE id = ?1)) k"
    " JOIN outbox o ON o.run = k.run AND o.key = k.key AND o.library = k.library JOIN records w ON w.id = o.record"
    " WHERE o.state = 'done' ORDER BY (SELECT MIN(id) FROM outbox f WHERE f.run = o.run AND f.key = o.key), o.id"
)
