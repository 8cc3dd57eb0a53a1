"""The ledger's file: opening, transactions, the version of its tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from sync.errors import StateFault

VERSION = 4
_APPLICATION = 0x7A646C31  # "zdl1": marks a file as a zotdrop ledger (PRAGMA application_id)
_BUSY_MS = 30_000


# What makes tables of an older version those of the next one, by the older version.
_MIGRATIONS = {
    1: """
        ALTER TABLE drops ADD COLUMN asks_json TEXT NOT NULL DEFAULT '{"sources": [], "titles": false}';
        CREATE TABLE lost (
            record INTEGER NOT NULL REFERENCES records (id), field TEXT NOT NULL, value TEXT NOT NULL, source TEXT NOT NULL,
            how TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (record, field, value, source)
        );
        ALTER TABLE answers ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
        UPDATE answers SET size = LENGTH(answer_json);
        CREATE INDEX answers_by_age ON answers (at, source, asked, size);
        DROP INDEX item_blocks_by_key;
        CREATE INDEX item_blocks_by_key ON item_blocks (library, key, block);
    """,
    2: """
        ALTER TABLE libraries ADD COLUMN keyed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE items ADD COLUMN sketch_json TEXT NOT NULL DEFAULT '';
        CREATE TABLE told (library INTEGER NOT NULL REFERENCES libraries (id), what TEXT NOT NULL, PRIMARY KEY (library, what));
        ALTER TABLE runs ADD COLUMN undoes TEXT NOT NULL DEFAULT '';
        ALTER TABLE outbox ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX outbox_by_run ON outbox (run, key);
        ALTER TABLE bases ADD COLUMN differs INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE undone (
            run TEXT NOT NULL REFERENCES runs (id), record INTEGER NOT NULL REFERENCES records (id), outcome TEXT NOT NULL,
            reasons_json TEXT NOT NULL, PRIMARY KEY (run, record)
        );
        CREATE TABLE children (
            library INTEGER NOT NULL REFERENCES libraries (id), key TEXT NOT NULL, parent TEXT NOT NULL,
            version INTEGER NOT NULL, place TEXT NOT NULL, PRIMARY KEY (library, key)
        );
        CREATE INDEX children_by_parent ON children (library, parent);
        CREATE TABLE merged (
            library INTEGER NOT NULL REFERENCES libraries (id), key TEXT NOT NULL, survivor TEXT NOT NULL,
            PRIMARY KEY (library, key, survivor)
        );
        UPDATE libraries SET version = 0;
        CREATE TABLE stopped_libraries (library TEXT PRIMARY KEY, at TEXT NOT NULL, why TEXT NOT NULL);
        CREATE TABLE refused_keys (
            address TEXT NOT NULL, salt TEXT NOT NULL, hash TEXT NOT NULL, at TEXT NOT NULL, why TEXT NOT NULL,
            PRIMARY KEY (address, salt)
        );
        CREATE TABLE uploads (
            id INTEGER PRIMARY KEY, library INTEGER NOT NULL REFERENCES libraries (id),
            record INTEGER NOT NULL REFERENCES records (id), key TEXT NOT NULL, path_json TEXT NOT NULL, name TEXT NOT NULL,
            content_type TEXT NOT NULL, md5 TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
            state TEXT NOT NULL DEFAULT 'open', UNIQUE (library, key)
        );
        CREATE INDEX uploads_open ON uploads (library, size, id) WHERE state = 'open';
        CREATE INDEX uploads_by_record ON uploads (record);
        CREATE TABLE drop_folders (drop_id INTEGER PRIMARY KEY REFERENCES drops (id), path_json TEXT NOT NULL);
    """,
    3: """
        CREATE TABLE turns (job TEXT PRIMARY KEY, at TEXT NOT NULL);
    """,
}


class Database:
    """One connection, used by one thread at a time. Every write happens inside `transaction()`."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._open_transaction = False
        try:
            self.connection = _connect(path)
            self._prepare()
        except sqlite3.Error as fault:
            raise StateFault(
                f"{path}: the ledger cannot be opened ({fault}); is it a zotdrop ledger, on a local disk?"
            ) from fault

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; a transaction inside a transaction is part of the outer one."""
        if self._open_transaction:
            yield self.connection
            return
        self._run("BEGIN IMMEDIATE")
        self._open_transaction = True
        try:
            yield self.connection
            self._run("COMMIT")
        except sqlite3.OperationalError as fault:
            raise self._told(fault) from fault
        finally:
            self._open_transaction = False
            if self.connection.in_transaction:  # a full disk may have ended it already
                self.connection.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query."""
        yield from self._run(sql, values)

    def one(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._run(sql, values).fetchone()
        return row

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first value of the first row, or None."""
        row = self.one(sql, values)
        return row[0] if row else None

    def copy_to(self, other: Path | str) -> Database:
        """A second ledger with the same content (a dry run works on one)."""
        twin = Database(other)
        self.connection.backup(twin.connection)
        return twin

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self.connection.execute(sql, values)
        except sqlite3.OperationalError as fault:
            raise self._told(fault) from fault

    def _told(self, fault: sqlite3.Error) -> StateFault:
        return StateFault(f"{self.path}: {fault}; is the disk full or the file locked by another program?")

    def _prepare(self) -> None:
        before = self._version()
        if before == VERSION:
            return
        script = "\n".join(_MIGRATIONS.get(version, "") for version in range(before, VERSION))
        if not before:
            script = files("sync.state").joinpath("schema.sql").read_text(encoding="utf-8")
        marks = f"PRAGMA application_id = {_APPLICATION};\nPRAGMA user_version = {VERSION};"
        try:
            self.connection.executescript(f"BEGIN IMMEDIATE;\n{script};\n{marks}\nCOMMIT;")
        except sqlite3.OperationalError:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if self._version() != VERSION:  # another process made the tables between our look and our try: fine
                raise

    def _version(self) -> int:
        found: int = self.value("PRAGMA user_version")
        if found > VERSION:
            raise StateFault(
                f"{self.path}: written by a newer zotdrop (tables {found}, known {VERSION}); install that one"
            )
        return found


def encode(value: Any) -> str:
    """JSON for a column; ASCII only, so that no odd character can be refused by the database."""
    return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Any:
    """What `encode` wrote."""
    return json.loads(text)


def _connect(path: Path | str) -> sqlite3.Connection:
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
