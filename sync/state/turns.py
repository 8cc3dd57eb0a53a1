"""When each plan of the service last had its turn, so that one that was missed while no service ran is made up."""

from __future__ import annotations

from sync.state.database import Database


class Turns:
    """The table `turns`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def last(self, job: str) -> str:
        """The instant (ISO 8601) at which this job last began; empty if it never did."""
        return str(self._db.value("SELECT at FROM turns WHERE job = ?", (job,)) or "")

    def note(self, job: str, at: str) -> None:
        """It begins now."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO turns (job, at) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET at = excluded.at", (job, at)
            )
