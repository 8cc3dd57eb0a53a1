"""The ledger's file: opening, transactions, the version of its tables."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from sync.errors import LedgerFault, StateFault
from sync.state import backups

VERSION = 5
_BUSY_MS = 30_000
# Pages that many commits change are written back once: with 8,000 pages (32 MB) between two times a large ledger costs a fifth less.
_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -48000",
    "wal_autocheckpoint = 8000",
)
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder()
_LOOK_UP = 1_000  # steps of SQLite's between two looks whether to stop


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
        ALTER TABLE outbox ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE decisions ADD COLUMN content TEXT NOT NULL DEFAULT '';
        CREATE INDEX decisions_by_content ON decisions (content) WHERE content <> '';
        ALTER TABLE libraries ADD COLUMN regained INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE ledger_mark (
            id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, count INTEGER NOT NULL,
            copied INTEGER NOT NULL DEFAULT 0, regained INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE tombstones (library INTEGER NOT NULL REFERENCES libraries (id), key TEXT NOT NULL, PRIMARY KEY (library, key));
        CREATE TABLE let_go (run TEXT PRIMARY KEY REFERENCES runs (id), at TEXT NOT NULL, wrote INTEGER NOT NULL);
        CREATE TABLE overlaps (
            drop_id INTEGER PRIMARY KEY REFERENCES drops (id), earlier INTEGER NOT NULL REFERENCES drops (id),
            shared INTEGER NOT NULL, works INTEGER NOT NULL, answer TEXT NOT NULL DEFAULT ''
        );
        CREATE TABLE drop_routes (
            drop_id INTEGER PRIMARY KEY REFERENCES drops (id), database TEXT NOT NULL DEFAULT '',
            assigned_json TEXT NOT NULL DEFAULT '{}', path_json TEXT
        );
        CREATE TABLE asked (
            record INTEGER NOT NULL REFERENCES records (id), key TEXT NOT NULL, reasons_json TEXT NOT NULL,
            PRIMARY KEY (record, key)
        );
        CREATE TABLE notices (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, event TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
            facts_json TEXT NOT NULL, UNIQUE (kind, event)
        );
        CREATE TABLE notice_posts (
            notice INTEGER NOT NULL REFERENCES notices (id), way TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
            PRIMARY KEY (notice, way)
        );
        CREATE INDEX notice_posts_waiting ON notice_posts (way) WHERE state = 'waiting';
        CREATE TABLE notice_ways (
            way TEXT NOT NULL, kind TEXT NOT NULL, sent TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
            not_before TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '', PRIMARY KEY (way, kind)
        );
        CREATE TABLE conditions (
            name TEXT PRIMARY KEY, since TEXT NOT NULL, times INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX records_by_outcome ON records (state, outcome);
        CREATE TABLE turns (job TEXT PRIMARY KEY, at TEXT NOT NULL);
    """,
    4: "DROP INDEX item_blocks_by_key;",
}


class Database:
    """One connection, used by one thread at a time. Every write happens inside `transaction()`."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._open_transaction = False
        try:
            self.connection = _connect(path)
        except sqlite3.Error as fault:
            raise told(path, fault) from fault
        try:
            self._prepare()
        except sqlite3.Error as fault:
            self.connection.close()
            raise told(path, fault) from fault
        except BaseException:
            self.connection.close()
            raise

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
        except BaseException as fault:
            if _is_the_worlds(fault):
                raise told(self.path, fault) from fault
            raise
        finally:
            self._open_transaction = False
            if self.connection.in_transaction:  # a broken file or a full disk may have ended it already
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a query."""
        try:
            yield from self._run(sql, values)
        except sqlite3.DatabaseError as fault:
            raise (told(self.path, fault) if _is_the_worlds(fault) else fault) from fault

    def one(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._run(sql, values).fetchone()
        return row

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first value of the first row, or None."""
        row = self.one(sql, values)
        return row[0] if row else None

    def back_up(self, goal: Path) -> None:
        """A checked copy of the ledger as it is now, while others go on writing; whole or not at all. Raises StateFault."""
        backups.back_up(self.connection, goal, version=VERSION)

    def remade(self, stop: Callable[[], bool]) -> bool:
        """Make the file anew without its free pages; False where another program, a full disk or a stop keeps us from it."""
        if stop():
            return False
        self.connection.set_progress_handler(stop, _LOOK_UP)
        try:
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            return False
        finally:
            self.connection.set_progress_handler(None, 0)
        return True

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
        except sqlite3.DatabaseError as fault:
            raise (told(self.path, fault) if _is_the_worlds(fault) else fault) from fault

    def _prepare(self) -> None:
        before = self._version()
        if before == VERSION:
            return
        script = "\n".join(_MIGRATIONS.get(version, "") for version in range(before, VERSION))
        if not before:
            script = files("sync.state").joinpath("schema.sql").read_text(encoding="utf-8")
        elif self.path != ":memory:":
            ledger = Path(self.path)
            backups.back_up(self.connection, backups.before_migration(ledger, before), version=before)
        marks = f"PRAGMA application_id = {backups.APPLICATION};\nPRAGMA user_version = {VERSION};"
        try:
            self.connection.executescript(f"BEGIN IMMEDIATE;\n{script};\n{marks}\nCOMMIT;")
        except sqlite3.Error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if self._version() != VERSION:  # another process made the tables between our look and our try: fine
                raise

    def _version(self) -> int:
        found: int = self.value("PRAGMA user_version")
        if found > VERSION:
            raise LedgerFault(
                f"{self.path}: written by a newer zotdrop (tables {found}, known {VERSION}); install that one."
                f" The file is left as it is; a copy from before the change may lie in {backups.folder(Path(self.path))}"
            )
        return found


def _is_the_worlds(fault: BaseException) -> TypeGuard[sqlite3.DatabaseError]:
    """Whether the disk or the file is to blame, and not our statement."""
    ours = sqlite3.IntegrityError | sqlite3.ProgrammingError
    return isinstance(fault, sqlite3.DatabaseError) and not isinstance(fault, ours)


def told(path: Path | str, fault: sqlite3.Error) -> StateFault:
    """What SQLite says, in our words: damage is for a person, everything else may pass."""
    if getattr(fault, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return damaged(path, str(fault))
    return StateFault(f"{path}: {fault}; is the disk full, or the file on a network disk or held by another program?")


def damaged(path: Path | str, what: str) -> LedgerFault:
    """The ways out of a damaged ledger."""
    ledger = Path(path)
    backup = backups.newest(ledger)
    restore = f"put a backup in its place (the newest: cp {backup} {ledger})" if backup else "put a backup in its place"
    return LedgerFault(
        f"{ledger}: the ledger is damaged, or no ledger ({what}); it is left as it is. Move it aside with its -wal and -shm"
        f" files, then {restore}, or have it made again from the archived drops and the library: zotdrop rebuild"
    )


def encode(value: Any) -> str:
    """JSON for a column. What is no text in Unicode (half a surrogate pair) is written as ASCII, so that the database takes it."""
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))


def decode(text: str) -> Any:
    """What `encode` wrote, be it by an older version."""
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def _made_for_us_alone(path: Path) -> None:
    """A new file that nobody else can read; what SQLite lays beside it has the same rights. One that is there keeps its own."""
    with suppress(OSError):  # there already, or SQLite says what is wrong
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _connect(path: Path | str) -> sqlite3.Connection:
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        _made_for_us_alone(Path(path))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)
    connection.row_factory = sqlite3.Row
    try:
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
