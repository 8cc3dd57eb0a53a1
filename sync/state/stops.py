"""Libraries that refused us in the newest run, so that `status` can tell which, since when and why."""

from __future__ import annotations

from dataclasses import dataclass

from sync.state.database import Database


@dataclass(frozen=True, slots=True)
class Stop:
    """A library that nothing is written to. at: since when (an instant, ISO 8601).  why: what a person was told."""

    at: str
    why: str


class Stops:
    """The table `stopped_libraries`, by the libraries' names in the config."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[str, Stop]:
        """Every library that stands still."""
        return {row[0]: Stop(row[1], row[2]) for row in self._db.rows("SELECT library, at, why FROM stopped_libraries")}

    def note(self, library: str, at: str, why: str) -> None:
        """How a run ended for this library: why it stands still, empty if it does not. The first instant of a stop stays."""
        with self._db.transaction() as sql:
            if why:
                sql.execute(
                    "INSERT INTO stopped_libraries (library, at, why) VALUES (?, ?, ?)"
                    " ON CONFLICT (library) DO UPDATE SET why = excluded.why",
                    (library, at, why),
                )
            else:
                sql.execute("DELETE FROM stopped_libraries WHERE library = ?", (library,))
