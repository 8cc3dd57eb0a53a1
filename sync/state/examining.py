"""A ledger whose last run was cut off is looked through before anybody goes on with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sync.state.database import damaged, told

_LARGE = 200_000_000  # bytes: above this, indexes are not held against their tables (it would take minutes)


def examine(ledger: Path) -> None:
    """Raise LedgerFault for a damaged ledger. Only one that was not left in order is looked through; it is opened for reading only."""
    if not ledger.is_file() or not ledger.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(ledger))}?mode=ro", uri=True)) as sql:
            if not (_has_log(ledger) or _was_cut_off(sql)):
                return
            check = "quick_check" if ledger.stat().st_size > _LARGE else "integrity_check"
            found = [str(row[0]) for row in sql.execute(f"PRAGMA {check}(3)")]
    except sqlite3.Error as fault:
        raise told(ledger, fault) from fault
    if found != ["ok"]:
        raise damaged(ledger, "; ".join(found))


def _has_log(ledger: Path) -> bool:
    """Whether SQLite's log was left behind: the last program that closes a ledger takes it away."""
    log = ledger.with_name(f"{ledger.name}-wal")
    return log.is_file() and log.stat().st_size > 0


def _was_cut_off(sql: sqlite3.Connection) -> bool:
    """Whether the newest run has no end."""
    if not sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
        return False
    row = sql.execute("SELECT finished IS NULL FROM runs ORDER BY rowid DESC LIMIT 1").fetchone()
    return bool(row and row[0])
