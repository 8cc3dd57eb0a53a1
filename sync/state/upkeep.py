"""What the ledger may let go of after a time, so that its file grows with the number of records and not with the years."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sync.state.database import Database, decode, encode

SETTLED = ("created", "merged", "updated", "left")
IDLE_DAYS = 2.0  # a run that did nothing, and an order that was carried out, are told for so long
_LARGE, _SHARE = 4_000_000, 0.25  # bytes, and part of the file, that must be free before the file is made anew


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Instants (ISO 8601) before which something may go; an empty one keeps it for good."""

    raw: str = ""
    journal: str = ""
    answers: str = ""
    idle: str = ""


class _NotMeantError(Exception):
    """Raised to take a trial back."""


class Upkeep:
    """Goes through the tables `runs`, `journal`, `outbox`, `records`, `gaps`, `answers`, `wishes`. dry: only count what would go."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def let_go(self, cutoffs: Cutoffs, at: str, *, dry: bool = False) -> dict[str, int]:
        """Let go of what is older; how much of each kind."""
        steps: dict[str, Callable[[], int]] = {
            "raw texts of records": lambda: self._raw(cutoffs.raw),
            "runs that can no longer be undone": lambda: self._journal(cutoffs.journal, at),
            "details of run reports": lambda: self._reports(cutoffs.journal),
            "objects that were written": self._written,
            "answers of sources": lambda: self._delete("answers WHERE at < ?", cutoffs.answers),
            "orders that were carried out": lambda: self._delete(
                "wishes WHERE state = 'done' AND at < ?", cutoffs.idle
            ),
            "runs that did nothing": lambda: self._delete(_IDLE, cutoffs.idle),
        }
        found = {}
        for what, step in steps.items():
            with self._trial(dry=dry):
                found[what] = step()
        return found

    def bytes(self) -> int:
        """How large the ledger is: its pages, used and free."""
        return int(self._db.value("PRAGMA page_count")) * int(self._db.value("PRAGMA page_size"))

    def shrink(self, room: int, stop: Callable[[], bool] = lambda: False) -> int:
        """Give free pages back to the disk, where they are many, nobody else is at work, and so many bytes of room suffice for it.

        How many bytes that gave. A stop leaves the file as it is.
        """
        size, free = self.bytes(), int(self._db.value("PRAGMA freelist_count"))
        spare = free * int(self._db.value("PRAGMA page_size"))
        if spare < max(_LARGE, _SHARE * size) or room < 2 * size:
            return 0
        if not self._db.remade(stop):
            return 0
        return size - self.bytes()

    @contextmanager
    def _trial(self, *, dry: bool) -> Iterator[None]:
        """A transaction that is taken back if it was only a trial."""
        with suppress(_NotMeantError), self._db.transaction():
            yield
            if dry:
                raise _NotMeantError

    def _delete(self, what: str, before: str) -> int:
        if not before:
            return 0
        return self._db.connection.execute(f"DELETE FROM {what}", (before,)).rowcount  # noqa: S608  # one of ours

    def _raw(self, before: str) -> int:
        """The text of records that need nobody to look at it any more, and of what stood between them."""
        if not before:
            return 0
        old = "(SELECT id FROM drops WHERE arrived < ? AND state IN ('done', 'undone'))"
        marks = ", ".join("?" * len(SETTLED))
        self._db.connection.execute(f"UPDATE gaps SET text = '' WHERE text <> '' AND drop_id IN {old}", (before,))  # noqa: S608
        return self._db.connection.execute(
            f"UPDATE records SET raw = '' WHERE raw <> '' AND state = 'done' AND outcome IN ({marks}) AND drop_id IN {old}",  # noqa: S608
            (*SETTLED, before),
        ).rowcount

    def _journal(self, before: str, at: str) -> int:
        """Run by run, so that none can be taken back by half; what is being taken back just now, a run or a drop, keeps its own."""
        if not before:
            return 0
        sql = self._db.connection
        went = sql.execute(
            "INSERT OR IGNORE INTO let_go SELECT j.run, ?, COUNT(*) FROM journal j JOIN runs r ON r.id = j.run"  # noqa: S608  # constants, no input
            " WHERE r.started < ? AND r.finished IS NOT NULL"
            " AND j.run NOT IN (SELECT undoes FROM runs WHERE undoes <> '' AND finished IS NULL)"
            f" AND j.run NOT IN ({_WITHDRAWN})"
            " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run = j.run AND o.state = 'pending') GROUP BY j.run",
            (at, before),
        ).rowcount
        sql.execute("DELETE FROM journal WHERE run IN (SELECT run FROM let_go)")
        sql.execute("DELETE FROM undone WHERE run IN (SELECT run FROM let_go)")
        # The first row of a record that landed says which run brought it: undoing another run has to know.
        sql.execute(
            "DELETE FROM outbox WHERE state <> 'pending' AND run IN (SELECT run FROM let_go) AND (undo OR EXISTS"
            " (SELECT 1 FROM outbox f WHERE f.record = outbox.record AND NOT f.undo AND f.state IN ('done', 'joined')"
            " AND f.id < outbox.id))"
        )
        return went

    def _reports(self, before: str) -> int:
        """Of the reports of old runs the sums stay; what became of each record stands with the record."""
        rows = self._db.rows(
            "SELECT id, report_json FROM runs WHERE started < ? AND finished IS NOT NULL"
            " AND (instr(report_json, '\"records\":') OR instr(report_json, '\"objects\":') OR instr(report_json, '\"seen\":'))",
            (before,),
        )
        shortened = [(encode(_short(decode(report))), run) for run, report in rows] if before else []
        self._db.connection.executemany("UPDATE runs SET report_json = ? WHERE id = ?", shortened)
        return len(shortened)

    def _written(self) -> int:
        """What an object that was answered looked like: the snapshot and the journal know that."""
        return self._db.connection.execute(
            "UPDATE outbox SET data_json = '{}' WHERE state <> 'pending' AND data_json <> '{}'"
        ).rowcount


# The runs that wrote to items of drops that are being taken back: of those drops, and of others that had the items before.
_WITHDRAWN = (
    "SELECT o.run FROM runs w JOIN records r ON r.drop_id = CAST(SUBSTR(w.undoes, 6) AS INTEGER)"
    " JOIN records s ON s.id = r.id OR s.key = r.key JOIN outbox o ON o.record = s.id"
    " WHERE w.undoes LIKE 'drop:%' AND w.finished IS NULL"
)
_IDLE = (
    "runs WHERE started < ? AND rowid <> (SELECT MAX(rowid) FROM runs) AND undoes = ''"
    " AND id NOT IN (SELECT first_run FROM drops) AND id NOT IN (SELECT undoes FROM runs)"
    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run = runs.id) AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.run = runs.id)"
    " AND id NOT IN (SELECT run FROM undone) AND id NOT IN (SELECT run FROM let_go)"
)


def _short(report: Any) -> Any:
    """A report without what it says of single records and objects."""
    if isinstance(report, list):
        return [_short(one) for one in report]
    if isinstance(report, dict):
        return {name: _short(value) for name, value in report.items() if name not in {"records", "objects", "seen"}}
    return report
