"""A copy of the ledger that can be trusted: whole or not there, checked, for nobody else to read; made while others write."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sync.errors import StateFault, UsageFault

APPLICATION = 0x7A646C31  # "zdl1": marks a file as a zotdrop ledger (PRAGMA application_id)
FOLDER = "backups"
_STAMP = r"-\d{8}T\d{6}Z\.sqlite"


def folder(ledger: Path) -> Path:
    """Where the backups of a ledger lie if nobody says otherwise."""
    return ledger.parent / FOLDER


def named(ledger: Path, stamp: str) -> Path:
    """The usual place of a backup. stamp: `20261127T080000Z`."""
    return folder(ledger) / f"{ledger.stem}-{stamp}.sqlite"


def before_migration(ledger: Path, version: int) -> Path:
    """The place of the copy that is made before tables of this version become those of a newer one."""
    return folder(ledger) / f"{ledger.stem}-tables-{version}.sqlite"


def back_up(source: sqlite3.Connection, goal: Path, *, version: int) -> None:
    """A copy of the ledger at `goal`, in place of what lay there. Nobody is kept from writing, and what they write meanwhile is not in it.

    version: of the tables that are to be copied.  Raises StateFault, and then `goal` is as it was.
    """
    part = goal.with_name(f".{goal.name}.{os.getpid()}.part")
    try:
        goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_the_narrow(source, goal)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if _fill(source, part) == version:
            _put(part, goal)
    except (sqlite3.Error, OSError) as fault:
        raise StateFault(f"{goal}: no backup could be made ({fault}); nothing was put there") from fault
    finally:
        for tail in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                part.with_name(part.name + tail).unlink()


def refuse_strangers(ledger: Path, goal: Path) -> None:
    """Raise UsageFault for a goal that is the ledger itself, or a file that is no ledger: it would be lost."""
    if goal.exists() and (goal.samefile(ledger) if ledger.exists() else False):
        raise UsageFault(f"{goal}: that is the ledger itself; a backup needs another name")
    if goal.exists() and not _is_ledger(goal):
        raise UsageFault(f"{goal}: there is a file of this name that is no backup of a ledger; it is left as it is")


def prune(ledger: Path, keep: int) -> list[Path]:
    """Delete the oldest backups in the usual place but for so many (0: none is deleted); those that went. Copies of migrations stay."""
    mine = re.compile(re.escape(ledger.stem) + _STAMP)
    found = sorted(path for path in folder(ledger).glob("*.sqlite") if mine.fullmatch(path.name))
    gone = found[:-keep] if keep else []
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def newest(ledger: Path) -> Path | None:
    """The newest backup in the usual place, if there is one."""
    found = [path for path in folder(ledger).glob(f"{ledger.stem}-*.sqlite") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _is_ledger(path: Path) -> bool:
    """Whether a file was marked as a ledger of ours, in SQLite's header (https://www.sqlite.org/fileformat.html#the_database_header)."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return False
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4, "big")


def _refuse_the_narrow(source: sqlite3.Connection, goal: Path) -> None:
    size = source.execute("PRAGMA page_count").fetchone()[0] * source.execute("PRAGMA page_size").fetchone()[0]
    if shutil.disk_usage(goal.parent).free < size:
        raise OSError(f"{size // 1_000_000 + 1} MB are needed and not free there")


def _fill(source: sqlite3.Connection, part: Path) -> int:
    """The copy, in one step (in between nobody's write is seen), checked; the version of its tables."""
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("PRAGMA synchronous = FULL")
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {found}")
        if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_mark'").fetchone():
            copy.execute("UPDATE ledger_mark SET copied = 1")
        return int(copy.execute("PRAGMA user_version").fetchone()[0])


def _put(part: Path, goal: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(goal)
    with suppress(OSError):  # not every system can be asked for that
        handle = os.open(goal.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
