"""Ledgers as released versions of the tables made them: each from its own old SQL, with a little of everything in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

VERSIONS = (1, 2, 3, 4)
APPLICATION = 0x7A646C31
AT = "2026-03-01T08:00:00Z"
ITEM = {"key": "AAAA2222", "itemType": "book", "title": "Tides and the people who read them", "tags": [], "volume": "4"}
RECORD = {"item_type": "book", "fields": {"title": ITEM["title"]}}

# Rows by table; columns that a version of the tables does not have yet are left out.
_ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("runs", {"id": "r1", "kind": "sync", "started": AT, "finished": AT, "report_json": '{"drops":[]}'}),
    ("libraries", {"id": 1, "identity": "embedded:1", "version": 7, "keyed": 1}),
    (
        "items",
        {
            "library": 1,
            "key": "AAAA2222",
            "version": 7,
            "place": "alive",
            "data_json": json.dumps(ITEM),
            "sketch_json": "",
        },
    ),
    ("bases", {"library": 1, "key": "AAAA2222", "version": 7, "made": 1, "data_json": json.dumps(ITEM)}),
    (
        "drops",
        {
            "id": 1,
            "library": 1,
            "sha256": "ab" * 32,
            "wish": "w",
            "path": "inbox/a.ris",
            "inbox": "default",
            "format": "",
            "arrived": AT,
            "state": "done",
            "entries": 2,
            "first_run": "r1",
        },
    ),
    (
        "records",
        {
            "id": 1,
            "drop_id": 1,
            "ordinal": 1,
            "first_line": 1,
            "last_line": 5,
            "first_byte": 0,
            "last_byte": 90,
            "anchor": 0,
            "raw": "TY  - BOOK",
            "record_json": None,
            "problems_json": "[]",
            "title": ITEM["title"],
            "state": "done",
            "outcome": "created",
            "key": "AAAA2222",
        },
    ),
    (
        "records",
        {
            "id": 2,
            "drop_id": 1,
            "ordinal": 2,
            "first_line": 6,
            "last_line": 9,
            "first_byte": 91,
            "last_byte": 99,
            "anchor": 91,
            "raw": "garbled",
            "record_json": None,
            "problems_json": "[]",
            "title": "",
            "state": "done",
            "outcome": "unreadable",
        },
    ),
    (
        "outbox",
        {
            "id": 1,
            "run": "r1",
            "library": 1,
            "record": 1,
            "key": "AAAA2222",
            "version": 0,
            "data_json": json.dumps(ITEM),
            "state": "done",
        },
    ),
    ("journal", {"id": 1, "run": "r1", "library": 1, "key": "AAAA2222", "at": AT, "after_json": json.dumps(ITEM)}),
    (
        "answers",
        {
            "source": "crossref",
            "asked": "doi:10.1/x",
            "at": AT,
            "answer_json": '{"found":[],"agency":""}',
            "size": 24,
        },
    ),
    ("decisions", {"record": 1, "key": "AAAA2222", "verdict": "same", "at": AT}),
)


def old_ledger(path: Path, version: int) -> Path:
    """A ledger of this version of the tables, as its last run left it."""
    with closing(sqlite3.connect(path)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.executescript((Path(__file__).parent / "ledgers" / f"version-{version}.sql").read_text(encoding="utf-8"))
        for table, row in _ROWS:
            known = {found[1] for found in sql.execute(f"PRAGMA table_info({table})")}
            told = {name: value for name, value in row.items() if name in known}
            marks = ", ".join("?" * len(told))
            sql.execute(f"INSERT INTO {table} ({', '.join(told)}) VALUES ({marks})", list(told.values()))
        sql.execute(f"PRAGMA application_id = {APPLICATION}")
        sql.execute(f"PRAGMA user_version = {version}")
        sql.commit()
    return path


def content(path: Path) -> str:
    """All that stands in a ledger, tables and rows."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
        version = sql.execute("PRAGMA user_version").fetchone()[0]
        return "\n".join([f"version {version}", *sql.iterdump()])
