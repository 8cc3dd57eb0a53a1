"""Numbers of a ledger for whoever watches it: read over a connection of its own that can neither write nor keep a writer waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sync.errors import StateFault
from sync.state.database import VERSION, decode

PATIENCE = 2.0  # seconds that another program may have the file for itself


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand in a ledger. oldest: since when the oldest drop is open (an instant), empty if none is.

    stopped: libraries that refused us, and since when.
    """

    outcomes: Mapping[str, int]
    drops: Mapping[str, int]
    outbox: int
    owed: Mapping[str, int]
    uploads: int
    oldest: str
    stopped: Mapping[str, str]
    notices: int
    bytes: int

    @property
    def questions(self) -> int:
        """Records that wait for a person."""
        return self.outcomes.get("asked", 0)


def read_figures(path: Path) -> Figures:
    """The numbers as they are in one moment. Raises StateFault."""
    try:
        with closing(_connected(path)) as sql:
            if sql.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                raise StateFault(f"{path}: its tables are of another version")
            sql.execute("BEGIN")
            return _figures(sql, _size(path))
    except (sqlite3.Error, OSError) as fault:
        raise StateFault(f"{path}: the ledger cannot be read ({fault})") from fault


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=PATIENCE)


def _size(path: Path) -> int:
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _figures(sql: sqlite3.Connection, size: int) -> Figures:
    def pairs(query: str) -> dict[str, int]:
        return {str(name): int(number) for name, number in sql.execute(query)}

    def number(query: str) -> int:
        return int(sql.execute(query).fetchone()[0])

    owed: dict[str, int] = {}
    for names, count in sql.execute(
        "SELECT owed_json, COUNT(*) FROM records WHERE owed_json <> '[]' AND reasons_json <> '[\"undone\"]' GROUP BY owed_json"
    ):
        for name in decode(names):
            owed[name] = owed.get(name, 0) + count
    return Figures(
        outcomes=pairs(
            "SELECT CASE WHEN state = 'done' THEN outcome ELSE 'waiting' END, SUM(n) FROM"
            " (SELECT state, outcome, COUNT(*) AS n FROM records GROUP BY state, outcome) GROUP BY 1"
        ),
        drops=pairs("SELECT state, COUNT(*) FROM drops GROUP BY state"),
        outbox=number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'"),
        owed=owed,
        uploads=number("SELECT COUNT(*) FROM uploads WHERE state = 'open'"),
        oldest=str(
            sql.execute(
                "SELECT COALESCE(MIN(arrived), '') FROM drops WHERE state NOT IN ('done', 'undone')"
            ).fetchone()[0]
        ),
        stopped={str(name): str(at) for name, at in sql.execute("SELECT library, at FROM stopped_libraries")},
        notices=number("SELECT COUNT(DISTINCT notice) FROM notice_posts WHERE state = 'waiting'"),
        bytes=size,
    )
