"""A mark in the ledger and the same in a file beside it: where they differ, an older or another ledger was put in its place."""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sync.state.database import Database

log = logging.getLogger("zotdrop.state")


@dataclass(frozen=True, slots=True)
class _Seen:
    """name: of one ledger and its copies.  count: grows whenever a run begins or ends."""

    name: str
    count: int
    copied: bool = False


class Mark:
    """The table `ledger_mark`, and the file NAME.mark beside the ledger."""

    def __init__(self, database: Database) -> None:
        self._db, self._file = database, Path(f"{database.path}.mark")

    def strange(self) -> str:
        """Why this is not the ledger that the last run left here; empty if it is, or is the first one."""
        mine, beside = self._mine(), self._beside()
        if mine is None:
            return "the ledger that was here before is gone" if beside else ""
        if mine.copied:
            return "the ledger is a backup that was put back"
        if beside is None:
            return "the ledger was brought here from elsewhere, or its mark is lost"
        if beside.name != mine.name:
            return "the ledger is another one than that of the last run"
        return "the ledger is older than the last run" if beside.count > mine.count else ""

    def advance(self) -> None:
        """Go on with this ledger. The file goes first: a crash in between only costs one more look at the library."""
        mine, beside = self._mine(), self._beside()
        name = mine.name if mine else secrets.token_hex(8)
        count = 1 + max(seen.count for seen in (mine, beside, _Seen("", 0)) if seen)
        try:
            self._put(json.dumps({"name": name, "count": count}))
        except OSError as fault:
            log.warning("%s: cannot be written (%s); an older ledger put back would not be noticed", self._file, fault)
            return
        with self._db.transaction() as sql:
            if mine is None:
                lost = int(beside is not None)
                sql.execute(
                    "INSERT INTO ledger_mark (id, name, count, regained) VALUES (1, ?, ?, ?)", (name, count, lost)
                )
            else:
                sql.execute("UPDATE ledger_mark SET count = ?, copied = 0 WHERE id = 1", (count,))

    def _mine(self) -> _Seen | None:
        row = self._db.one("SELECT name, count, copied FROM ledger_mark WHERE id = 1")
        return _Seen(row[0], row[1], bool(row[2])) if row else None

    def _beside(self) -> _Seen | None:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return _Seen(str(told["name"]), int(told["count"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _put(self, text: str) -> None:
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  # for us alone
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
