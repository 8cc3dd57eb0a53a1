"""The ledger: one SQLite file that knows where every record of every drop is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sync.state.answers import Answers
from sync.state.database import Database, decode, encode
from sync.state.notices import Notices
from sync.state.outbox import Outbox
from sync.state.overlaps import Overlaps
from sync.state.questions import ASKED, Questions
from sync.state.records import OWED, Records
from sync.state.retries import Retries
from sync.state.routes import Routes
from sync.state.snapshot import Snapshot
from sync.state.stops import Stops
from sync.state.stories import Stories
from sync.state.turns import Turns
from sync.state.undoings import Undoings
from sync.state.upkeep import Upkeep
from sync.state.wishes import Wishes
from sync.state.withdrawals import Withdrawals


class Ledger:
    """All tables of the ledger by room: `records`, `answers`, `notices`, `questions`, `retries`, `routes`, `stops`, `wishes`, `turns`, `undoings`,
    `withdrawals`, `overlaps`, `upkeep`; per library a snapshot and an outbox.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records = Records(database)
        self.retries = Retries(database)
        self.routes = Routes(database)
        self.answers = Answers(database)
        self.notices = Notices(database)
        self.questions = Questions(database)
        self.stops = Stops(database)
        self.stories = Stories(database)
        self.wishes = Wishes(database)
        self.turns = Turns(database)
        self.undoings = Undoings(database)
        self.withdrawals = Withdrawals(database)
        self.overlaps = Overlaps(database)
        self.upkeep = Upkeep(database)
        self.transaction = database.transaction
        self._snapshots: dict[str, Snapshot] = {}

    @classmethod
    def open(cls, path: Path | str) -> Ledger:
        """The ledger at this path, made where there is none. Raises StateFault."""
        return cls(Database(path))

    def snapshot(self, identity: str) -> Snapshot:
        """The snapshot of the library with this identity."""
        if identity not in self._snapshots:
            self._snapshots[identity] = Snapshot(self.database, identity)
        return self._snapshots[identity]

    def outbox(self, library: int) -> Outbox:
        """The outbox of the library with this number."""
        return Outbox(self.database, library)

    def regain(self) -> None:
        """Note that not all that was written is known here: every library is read whole before anything is written to it."""
        with self.transaction() as sql:
            sql.execute("UPDATE libraries SET regained = 1, version = 0")
            sql.execute("UPDATE ledger_mark SET regained = 1 WHERE id = 1")

    def start_run(self, run: str, kind: str, at: str, *, undoes: str = "") -> None:
        """Note that a run began. undoes: the run that it takes back."""
        with self.transaction() as sql:
            sql.execute("INSERT INTO runs (id, kind, started, undoes) VALUES (?, ?, ?, ?)", (run, kind, at, undoes))

    def end_run(self, run: str, at: str, report: Mapping[str, Any]) -> None:
        """Note how a run ended."""
        with self.transaction() as sql:
            sql.execute("UPDATE runs SET finished = ?, report_json = ? WHERE id = ?", (at, encode(report), run))

    def last_run(self) -> Mapping[str, Any] | None:
        """The report of the newest run that ended."""
        row = self.database.one(
            "SELECT report_json FROM runs WHERE finished IS NOT NULL ORDER BY finished DESC, rowid DESC LIMIT 1"
        )
        return dict(decode(row[0])) if row else None

    def report(self, run: str) -> Mapping[str, Any] | None:
        """The report of a run that ended."""
        found = self.database.value("SELECT report_json FROM runs WHERE id = ?", (run,))
        return dict(decode(found)) if found else None

    def totals(self) -> dict[str, int]:
        """How many records ended how, over all drops; `waiting` counts those without an end state."""
        rows = self.database.rows(
            "SELECT CASE WHEN state = 'done' THEN outcome ELSE 'waiting' END, COUNT(*) FROM records GROUP BY 1"
        )
        return {row[0]: row[1] for row in rows}

    def waits(self) -> dict[str, int]:
        """What waits for what: objects for the library, records for a source or for a person."""
        counts = {
            "objects to be written to the library": "SELECT COUNT(*) FROM outbox WHERE state = 'pending'",
            "records for the next run": (
                "SELECT COUNT(*) FROM records WHERE state IN ('read', 'planned', 'follows')"
                " AND drop_id NOT IN (SELECT id FROM drops WHERE state = 'undone')"
            ),
            "records for a service that is away": "SELECT COUNT(*) FROM records WHERE state = 'waiting'",
            "items that a service still owes values": f"SELECT COUNT(DISTINCT r.key) {OWED}",
            "files to be uploaded to the library": "SELECT COUNT(*) FROM uploads WHERE state = 'open'",
            "records for a person's decision": f"SELECT COUNT(*) {ASKED}",
        }
        return {what: self.database.value(sql) for what, sql in counts.items()}

    def copy_to(self, path: Path | str) -> Ledger:
        """A second ledger with the same content, for a dry run."""
        return Ledger(self.database.copy_to(path))

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
