"""A library of our own in one SQLite file, with the versions, conflicts and refusals of Zotero's API."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

from sync.core.keys import derived_key
from sync.errors import Outage, StateFault
from sync.libraries import rules
from sync.libraries.base import (
    BATCH,
    NOTHING,
    Answer,
    Conflict,
    Delta,
    File,
    FileAnswer,
    Item,
    Kept,
    Receipt,
    Refusal,
    Write,
)
from sync.libraries.clean import cleaned, collection_names
from sync.libraries.folder import keep

FORMAT = 1
PAGE = 500
_SCHEMA = (
    "CREATE TABLE library (identity TEXT NOT NULL, version INTEGER NOT NULL)",
    """CREATE TABLE items (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    parent TEXT NOT NULL, data_json TEXT NOT NULL)""",
    "CREATE INDEX items_version ON items (version)",
    "CREATE INDEX items_parent ON items (parent) WHERE parent <> ''",
    "CREATE TABLE collections (key TEXT PRIMARY KEY, version INTEGER NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL)",
    "CREATE TABLE gone (key TEXT PRIMARY KEY, version INTEGER NOT NULL)",
)


class Embedded:
    """A `Library` in a file, made where it is missing; files of attachments lie in a folder beside it, NAME.files/KEY/.

    now: the time as an ISO 8601 instant in UTC.  Raises StateFault for a file that is damaged or of a newer zotdrop, Outage
    while another program holds it.
    """

    requests = 0
    takes_files = True

    def __init__(self, path: str | PathLike[str], *, now: Callable[[], str]) -> None:
        self._path = Path(path)
        self._now = now
        with _told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _made_for_us_alone(self._path)
            self._sql = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            self.identity = self._opened()
        except BaseException:
            self._sql.close()
            raise

    def check(self) -> None:
        """Raise Outage or StateFault where the file cannot be written."""
        with self._writing():
            pass

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """Everything after `since`; what changes while the pages are read has a newer version, and comes next time."""
        newest, reached = self._version(), since
        while rows := self._rows(
            "SELECT * FROM items WHERE version > ? AND version <= ? ORDER BY version LIMIT ?", (reached, newest, PAGE)
        ):
            reached = rows[-1]["version"]
            yield Delta(since, tuple(_item(row) for row in rows if known.get(row["key"]) != row["version"]))
        lost = self._rows("SELECT key FROM gone WHERE version > ? AND version <= ? ORDER BY version", (since, newest))
        yield Delta(newest, gone=tuple(row["key"] for row in lost))

    def collection(self, path: Sequence[str]) -> str:
        """The key of the collection at this path, made with its parents where missing. ValueError for an empty path."""
        names, parent = collection_names(path), ""
        with self._writing():
            for depth, name in enumerate(names, start=1):
                rows = self._rows("SELECT key FROM collections WHERE parent = ? AND name = ?", (parent, name))
                parent = rows[0]["key"] if rows else self._make(parent, names[:depth])
        return parent

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """All of the batch in one transaction, each object by itself. ValueError for more than BATCH."""
        if len(batch) > BATCH:
            raise ValueError(f"{len(batch)} objects in one batch; {BATCH} is the most")
        if not batch:
            return []
        with self._writing():
            return [self._write_one(write) for write in batch]

    def upload(self, file: File) -> FileAnswer:
        """On disk first, then with the item: what is cut off between is done again."""
        with self._writing():
            row = self._row(file.key)
            held = json.loads(row["data_json"]) if row else None
            if held is None:
                return Kept.GONE
            if held.get("linkMode") != "imported_file":
                return Refusal(file.key, 400, "Cannot upload file for linked file/URL attachment item")
            if held.get("md5"):
                return Kept.THERE if held["md5"] == file.md5 else Kept.THEIRS
            refusal = keep(self._path.with_name(f"{self._path.name}.files"), file)
            if refusal is None:
                self._put(file.key, {"filename": file.name, "md5": file.md5, "mtime": file.mtime}, row)
        return refusal or Kept.STORED

    def items(self) -> Iterator[Item]:
        """In the order of creation, each item before its children."""
        number = 0
        while rows := self._rows(
            "SELECT * FROM items WHERE number > ? AND parent = '' ORDER BY number LIMIT ?", (number, PAGE)
        ):
            number = rows[-1]["number"]
            for top in map(_item, rows):
                if not top.trashed and top.data["itemType"] not in rules.CHILDREN:
                    yield top
                    yield from self._children(top.key)

    def delete(self, keys: Iterable[str]) -> None:
        """Take items away for good, with their children; keys that are not there are passed over."""
        with self._writing():
            for key in keys:
                for row in self._rows("SELECT key FROM items WHERE key = ?1 OR (parent = ?1 AND parent <> '')", (key,)):
                    self._sql.execute("DELETE FROM items WHERE key = ?", (row["key"],))
                    self._sql.execute("INSERT OR REPLACE INTO gone VALUES (?, ?)", (row["key"], self._next_version()))

    def close(self) -> None:
        """Close the file."""
        self._sql.close()

    def kind_of_item(self, key: str) -> str:
        """The item type under a key, empty if there is none: `rules` asks for it."""
        row = self._row(key)
        return str(json.loads(row["data_json"])["itemType"]) if row else ""

    def has_collection(self, key: str) -> bool:
        """Whether there is a collection with this key: `rules` asks for it."""
        return bool(self._rows("SELECT 1 FROM collections WHERE key = ?", (key,)))

    def _write_one(self, write: Write) -> Answer:
        row = self._row(write.key)
        held = json.loads(row["data_json"]) if row else None
        if write.version == 0 and row:
            return Receipt(write.key, row["version"], _shown(row), found=True)
        if write.version and row is None:
            return Conflict(write.key, 0, None)
        if row and row["version"] > write.version:
            return Conflict(write.key, row["version"], _shown(row))
        sent = cleaned(write.data)
        fault = self._fault(write.key, sent, held)
        return Refusal(write.key, fault.code, fault.message) if fault else self._put(write.key, sent, row)

    def _fault(self, key: str, sent: Mapping[str, Any], held: Mapping[str, Any] | None) -> rules.Fault | None:
        if not rules.KEY.fullmatch(key):
            return rules.Fault(400, f"'{key}' is not a valid item key")
        return rules.fault(sent, held, self)

    def _put(self, key: str, sent: Mapping[str, Any], row: sqlite3.Row | None) -> Receipt:
        held = json.loads(row["data_json"]) if row else None
        data = rules.merged(sent, held, self._now())
        if row and data == held:
            return Receipt(key, row["version"], _shown(row))
        version, text = self._next_version(), json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self._sql.execute(
            "INSERT INTO items (key, version, parent, data_json) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET version = excluded.version, parent = excluded.parent, data_json = excluded.data_json",
            (key, version, data.get("parentItem", ""), text),
        )
        self._sql.execute("DELETE FROM gone WHERE key = ?", (key,))
        return Receipt(key, version, {"key": key, "version": version, **rules.shown(data)})

    def _make(self, parent: str, names: Sequence[str]) -> str:
        key = derived_key("collection", self.identity, *names)
        self._sql.execute("INSERT INTO collections VALUES (?, ?, ?, ?)", (key, self._next_version(), parent, names[-1]))
        return key

    def _children(self, parent: str) -> Iterator[Item]:
        for row in self._rows("SELECT * FROM items WHERE parent = ? AND parent <> '' ORDER BY number", (parent,)):
            child = _item(row)
            if not child.trashed:
                yield child

    def _row(self, key: str) -> sqlite3.Row | None:
        return next(iter(self._rows("SELECT * FROM items WHERE key = ?", (key,))), None)

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with _told(self._path):
            return self._sql.execute(statement, values).fetchall()

    def _version(self) -> int:
        return int(self._rows("SELECT version FROM library")[0]["version"])

    def _next_version(self) -> int:
        return int(self._rows("UPDATE library SET version = version + 1 RETURNING version")[0]["version"])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with _told(self._path):
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise

    def _opened(self) -> str:
        """Make the tables where they are missing; the library's identity."""
        self._sql.row_factory = sqlite3.Row
        with _told(self._path):
            for setting in ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL"):
                self._sql.execute(f"PRAGMA {setting}")
        with self._writing():
            self._make_tables()
            return str(self._rows("SELECT identity FROM library")[0]["identity"])

    def _make_tables(self) -> None:
        found = self._sql.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise StateFault(f"{self._path} was written by a newer zotdrop; use that one, or name another file")
        if found == 0:
            for statement in _SCHEMA:
                self._sql.execute(statement)
            self._sql.execute("INSERT INTO library VALUES (?, 0)", (f"embedded:{uuid4()}",))
            self._sql.execute(f"PRAGMA user_version = {FORMAT}")


def _item(row: sqlite3.Row) -> Item:
    return Item(row["key"], row["version"], _shown(row))


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {"key": row["key"], "version": row["version"], **rules.shown(json.loads(row["data_json"]))}


def _made_for_us_alone(path: Path) -> None:
    """A new file that nobody else can read; what SQLite lays beside it has the same rights. One that is there keeps its own."""
    with suppress(OSError):  # there already, or SQLite says what is wrong
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors in our words."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Outage(f"{path} is held by another program; it will be tried again", service="library") from error
        raise StateFault(f"{path} cannot be used as a library: {error}") from error
    except OSError as error:
        raise StateFault(f"{path} cannot be used as a library: {error.strerror or error}") from error
