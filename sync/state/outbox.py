"""What is to be written, durable before it is sent, and the journal of what landed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.core.undo import Written
from sync.state.database import Database, decode, encode

_NOT_LANDED = frozenset({"refused", "replanned"})
RECENT = 5_000  # rows of the journal in which `recent` looks


@dataclass(frozen=True, slots=True)
class Post:
    """One object in the outbox. version 0: create.  undo: it takes a write back.

    tried: it was sent before, and nobody knows whether it landed.
    """

    id: int
    record: int
    key: str
    version: int
    data: Mapping[str, Any]
    undo: bool = False
    tried: bool = False


class Outbox:
    """The tables `outbox` and `journal`, for one library."""

    def __init__(self, database: Database, library: int) -> None:
        self._db, self._library = database, library

    def put(
        self, run: str, record: int, key: str, version: int, data: Mapping[str, Any], *, undo: bool = False
    ) -> Post:
        """One object to write. Call it inside the transaction that notes the record's plan."""
        with self._db.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO outbox (run, library, record, key, version, data_json, undo) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, self._library, record, key, version, encode(data), int(undo)),
            )
        return Post(int(cursor.lastrowid or 0), record, key, version, data, undo)

    def again(self, post: Post, data: Mapping[str, Any], answer: str) -> None:
        """The library refused this with these words: `data` is sent instead, after what waits by now; nothing if it is empty."""
        self.answered(post, "mended", answer)
        if not data:
            return
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO outbox (run, library, record, key, version, data_json)"
                " SELECT run, library, record, key, version, ? FROM outbox WHERE id = ?",
                (encode(data), post.id),
            )

    def pending(self, limit: int = -1) -> list[Post]:
        """What waits to be written, oldest first."""
        rows = self._db.rows(
            "SELECT id, record, key, version, data_json, undo, tried FROM outbox WHERE library = ? AND state = 'pending'"
            " ORDER BY id LIMIT ?",
            (self._library, limit),
        )
        return [Post(row[0], row[1], row[2], row[3], decode(row[4]), bool(row[5]), bool(row[6])) for row in rows]

    def sending(self, posts: Iterable[Post]) -> None:
        """These changes of items are about to be sent: if no answer comes, each may have landed. Of creates their key tells that."""
        changes = [(post.id,) for post in posts if post.version and not post.tried]
        if changes:
            with self._db.transaction() as sql:
                sql.executemany("UPDATE outbox SET tried = 1 WHERE id = ?", changes)

    def waits(self, record: int) -> bool:
        """Whether something of this record still waits to be written."""
        return bool(self._db.value("SELECT 1 FROM outbox WHERE record = ? AND state = 'pending' LIMIT 1", (record,)))

    def held(self, key: str) -> Post | None:
        """The change of the item with this key that waits to be written, if one does."""
        row = self._db.one(
            "SELECT id, record, key, version, data_json FROM outbox WHERE library = ? AND key = ? AND state = 'pending'"
            " AND version > 0 AND NOT undo",
            (self._library, key),
        )
        return Post(row[0], row[1], row[2], row[3], decode(row[4])) if row else None

    def join(self, post: Post, more: Mapping[str, Any]) -> None:
        """What waits brings this, too, so that the item changes once."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE outbox SET data_json = ? WHERE id = ?", (encode({**post.data, **more}), post.id))

    def joined(self, post: Post, record: int) -> None:
        """What waits is this record's change, too: the run that brings one brings the other."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO outbox (run, library, record, key, version, data_json, state)"
                " SELECT run, library, ?1, key, version, '{}', 'joined' FROM outbox WHERE id = ?2 AND record <> ?1",
                (record, post.id),
            )

    def busy(self, key: str) -> bool:
        """Whether something for the object with this key still waits to be written."""
        return bool(
            self._db.value(
                "SELECT 1 FROM outbox WHERE library = ? AND key = ? AND state = 'pending' LIMIT 1", (self._library, key)
            )
        )

    def answered(self, post: Post, state: str, answer: str = "") -> None:
        """The library answered: `done`, `refused` (with its words) or `replanned` (decided anew). What was joined to it ends as it does."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE outbox SET state = ?, answer = ? WHERE id = ?", (state, answer, post.id))
            if state in _NOT_LANDED and post.version:
                sql.execute(
                    "UPDATE outbox SET state = ?1 WHERE run = (SELECT run FROM outbox WHERE id = ?2) AND key = ?3"
                    " AND library = ?4 AND id > ?2 AND state = 'joined'",
                    (state, post.id, post.key, self._library),
                )

    def journal(self, post: Post, at: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Note a write that landed, with the run that planned it: the properties that it wrote, before and after it."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO journal (run, library, key, at, before_json, after_json)"
                " SELECT run, library, key, ?, ?, ? FROM outbox WHERE id = ?",
                (at, encode(before) if before is not None else None, encode(after), post.id),
            )

    def recent(self, since: str) -> list[str]:
        """When something landed since, newest first, each moment once. since: a moment as the ledger writes it."""
        rows = self._db.rows(
            "SELECT DISTINCT at FROM journal WHERE id > (SELECT COALESCE(MAX(id), 0) FROM journal) - ? AND library = ? AND at >= ?"
            " ORDER BY at DESC",
            (RECENT, self._library, since),
        )
        return [row[0] for row in rows]

    def keys_of(self, run: str) -> set[str]:
        """The objects that a run has written to, or tried to."""
        rows = self._db.rows("SELECT DISTINCT key FROM outbox WHERE run = ? AND library = ?", (run, self._library))
        return {row[0] for row in rows}

    def written(self, run: str) -> dict[str, list[Written]]:
        """What a run wrote, by key, in the order of the first write of each."""
        rows = self._db.rows(
            "SELECT key, before_json, after_json FROM journal WHERE run = ? AND library = ? ORDER BY id",
            (run, self._library),
        )
        found: dict[str, list[Written]] = {}
        for key, before, after in rows:
            found.setdefault(key, []).append(Written(key, decode(before) if before else None, decode(after)))
        return found
