"""Commands handed to the living daemon through the ledger, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.state.database import Database, decode, encode


@dataclass(frozen=True, slots=True)
class Wished:
    """A command that waits, runs, or has ended. `answer` and `exit_code` are there once `state` is done."""

    id: int
    command: str
    arguments: Mapping[str, Any]
    state: str
    progress: str
    exit_code: int | None
    answer: Mapping[str, Any] | None


class Wishes:
    """The table `wishes`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def make(self, command: str, arguments: Mapping[str, Any], at: str) -> int:
        """Hand a command over; its number."""
        with self._db.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO wishes (command, arguments_json, at) VALUES (?, ?, ?)", (command, encode(arguments), at)
            )
        return int(cursor.lastrowid or 0)

    def get(self, wish: int) -> Wished:
        """How it stands with a wish."""
        row = self._db.one(f"{_WISH} WHERE id = ?", (wish,))  # a constant, no input
        if row is None:
            raise LookupError(f"the ledger has no wish {wish}")
        return _wished(row)

    def take(self) -> Wished | None:
        """The oldest wish that nobody works on; it is taken by the caller now."""
        with self._db.transaction() as sql:
            row = self._db.one(f"{_WISH} WHERE state = 'new' ORDER BY id LIMIT 1")
            if row is None:
                return None
            sql.execute("UPDATE wishes SET state = 'taken' WHERE id = ?", (row["id"],))
        return _wished(row)

    def tell(self, wish: int, progress: str) -> None:
        """One line on how far it is."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE wishes SET progress = ? WHERE id = ?", (progress, wish))

    def end(self, wish: int, exit_code: int, answer: Mapping[str, Any]) -> None:
        """It is done, with this exit code and answer."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE wishes SET state = 'done', exit_code = ?, answer_json = ? WHERE id = ?",
                (exit_code, encode(answer), wish),
            )

    def withdraw(self, wish: int) -> bool:
        """Take back a wish that nobody has taken; whether that was still possible."""
        with self._db.transaction() as sql:
            return sql.execute("DELETE FROM wishes WHERE id = ? AND state = 'new'", (wish,)).rowcount == 1

    def release(self) -> None:
        """What a daemon had taken when it died is free again."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE wishes SET state = 'new' WHERE state = 'taken'")


_WISH = "SELECT id, command, arguments_json, state, progress, exit_code, answer_json FROM wishes"


def _wished(row: Any) -> Wished:
    answer = decode(row["answer_json"]) if row["answer_json"] else None
    arguments = decode(row["arguments_json"])
    return Wished(row["id"], row["command"], arguments, row["state"], row["progress"], row["exit_code"], answer)
