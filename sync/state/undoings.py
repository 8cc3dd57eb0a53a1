"""Runs that take other runs back, and the records whose items went with that."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sync.state.database import Database, encode

UNDONE = "undone"
# Of a record `r`: it was not taken back, and there is something of it that can be.
STANDS = "r.reasons_json <> '[\"undone\"]' AND (r.state <> 'done' OR r.outcome <> 'unreadable')"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the ledger knows it. undoes: the run that it takes back; empty for most.  wrote: how many objects it wrote.

    let_go: when its journal was let go of, so that it can no longer be taken back; empty as long as it can.
    """

    id: str
    kind: str
    started: str
    finished: str
    undoes: str
    wrote: int
    let_go: str = ""


class Undoings:
    """The table `undone`, and what of runs, drops and records matters for it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def runs(self, limit: int = -1) -> list[RunRow]:
        """The runs, newest first."""
        return [RunRow(*row) for row in self._db.rows(f"{_RUN} ORDER BY r.rowid DESC LIMIT ?", (limit,))]

    def taken_back(self) -> dict[str, str]:
        """Runs (and drops, as `withdrawals.named` has them) that another run took back, and which that is.

        One that found nothing to take back, or kept all of it, took nothing back.
        """
        back: dict[str, str] = {}
        rows = self._db.rows(
            f"SELECT id, undoes FROM runs r WHERE undoes <> '' AND finished IS NOT NULL AND ({_TOOK})"  # noqa: S608  # a constant
            " ORDER BY rowid DESC"
        )
        for run, undoes in rows:  # newest first: a run that was taken back itself took nothing back
            if run not in back:
                back.setdefault(undoes, run)
        return back

    def find(self, run: str) -> RunRow | None:
        """The run with this name."""
        row = self._db.one(f"{_RUN} WHERE r.id = ?", (run,))
        return RunRow(*row) if row else None

    def library_of(self, run: str) -> str:
        """The identity of the library that a run wrote to, or whose records it took back; empty if it did neither."""
        found: str | None = self._db.value(
            "SELECT COALESCE((SELECT l.identity FROM journal j JOIN libraries l ON l.id = j.library WHERE j.run = ?1 LIMIT 1),"
            " (SELECT l.identity FROM undone u JOIN records r ON r.id = u.record JOIN drops d ON d.id = r.drop_id"
            " JOIN libraries l ON l.id = d.library WHERE u.run = ?1 LIMIT 1))",
            (run,),
        )
        return found or ""

    def took(self, run: str) -> bool:
        """Whether the run took records back, be it that it had nothing to write for it: that can be undone, too."""
        return bool(self._db.value("SELECT 1 FROM undone WHERE run = ? LIMIT 1", (run,)))

    def unfinished(self, library: int) -> list[tuple[str, str]]:
        """Runs that were stopped while they took another one back, and which that is."""
        rows = self._db.rows(
            "SELECT id, undoes FROM runs WHERE undoes <> '' AND finished IS NULL"
            " AND EXISTS (SELECT 1 FROM journal WHERE run = runs.undoes AND library = ?) ORDER BY rowid",
            (library,),
        )
        return [(row[0], row[1]) for row in rows]

    def used(self, library: int, key: str, run: str) -> str:
        """A drop that has a record in the item with this key, and that the run did not bring; empty if there is none."""
        found: str | None = self._db.value(
            "SELECT d.path FROM records r JOIN drops d ON d.id = r.drop_id WHERE r.key = ?2 AND d.library = ?1"
            " AND r.state = 'done' AND d.first_run <> ?3 AND r.reasons_json NOT LIKE '%\"undone\"%'"
            " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.record = COALESCE(r.survivor, r.id) AND o.run = ?3) LIMIT 1",
            (library, key, run),
        )
        return found or ""

    def record_of(self, run: str, key: str) -> int:
        """The record for which a run wrote this object."""
        found: int = self._db.value(
            "SELECT record FROM outbox WHERE run = ? AND key = ? ORDER BY id LIMIT 1", (run, key)
        )
        return found

    def take_back(self, run: str, undoes: str, keys: Collection[str]) -> None:
        """Records that `undoes` brought and whose items these were: they are left out from now on, and their drops may come again.

        A drop of which nothing stands any more is taken back with that; of another one the rest stands on.
        """
        with self._db.transaction() as sql:
            for key in keys:
                sql.execute(
                    "INSERT OR IGNORE INTO undone SELECT ?1, r.id, COALESCE(r.outcome, ''), r.reasons_json FROM records r"
                    " JOIN drops d ON d.id = r.drop_id WHERE r.key = ?3 AND r.state = 'done' AND (d.first_run = ?2 OR"
                    " ?2 = (SELECT run FROM outbox WHERE record = COALESCE(r.survivor, r.id) AND NOT undo"
                    " AND state IN ('done', 'joined') ORDER BY id LIMIT 1))",  # what was refused first, another run brought
                    (run, undoes, key),
                )
            sql.execute(
                "UPDATE records SET outcome = 'left', reasons_json = ? WHERE id IN (SELECT record FROM undone WHERE run = ?)",
                (encode([UNDONE]), run),
            )
            sql.execute(
                "UPDATE drops SET state = ?1 WHERE id IN"  # noqa: S608  # a constant, no input
                " (SELECT r.drop_id FROM undone u JOIN records r ON r.id = u.record WHERE u.run = ?2)"
                f" AND NOT EXISTS (SELECT 1 FROM records r WHERE r.drop_id = drops.id AND {STANDS})",
                (UNDONE, run),
            )

    def left_out(self, drop: int) -> bool:
        """Whether records of this drop were taken back: it may come again, though others of its records stand."""
        return bool(
            self._db.value(
                "SELECT 1 FROM records WHERE drop_id = ? AND reasons_json = ? LIMIT 1", (drop, encode([UNDONE]))
            )
        )

    def bring_back(self, undoes: str, keys: Collection[str]) -> None:
        """The run that took records back was taken back itself: those whose items these are stand as they stood.

        A drop of which nothing is left out any more counts as done again; the others may still come anew.
        """
        with self._db.transaction() as sql:
            for key in keys:
                sql.execute(
                    "UPDATE records SET (outcome, reasons_json) ="
                    " (SELECT outcome, reasons_json FROM undone u WHERE u.run = ?1 AND u.record = records.id)"
                    " WHERE key = ?2 AND id IN (SELECT record FROM undone WHERE run = ?1)",
                    (undoes, key),
                )
            sql.execute(
                "UPDATE drops SET state = CASE WHEN EXISTS (SELECT 1 FROM records r WHERE r.drop_id = drops.id"
                " AND r.state <> 'done') THEN 'open' ELSE 'done' END WHERE state = ?1 AND id IN"
                " (SELECT r.drop_id FROM undone u JOIN records r ON r.id = u.record WHERE u.run = ?2)"
                " AND NOT EXISTS (SELECT 1 FROM records r WHERE r.drop_id = drops.id AND r.reasons_json = ?3)",
                (UNDONE, undoes, encode([UNDONE])),
            )


# Of a run `r` that takes another one back: it wrote something, took records, or brought those back that the other one had taken.
_TOOK = (
    "EXISTS (SELECT 1 FROM journal WHERE run = r.id) OR EXISTS (SELECT 1 FROM let_go WHERE run = r.id AND wrote > 0)"
    " OR EXISTS (SELECT 1 FROM undone WHERE run = r.id AND reasons_json <> '[\"undone\"]')"
    " OR EXISTS (SELECT 1 FROM undone WHERE run = r.undoes) AND NOT EXISTS"
    " (SELECT 1 FROM undone u JOIN records d ON d.id = u.record WHERE u.run = r.undoes AND d.reasons_json = '[\"undone\"]')"
)
_RUN = (
    "SELECT r.id, r.kind, r.started, COALESCE(r.finished, ''), r.undoes,"
    " (SELECT COUNT(*) FROM journal j WHERE j.run = r.id) + COALESCE(g.wrote, 0), COALESCE(g.at, '')"
    " FROM runs r LEFT JOIN let_go g ON g.run = r.id"
)
