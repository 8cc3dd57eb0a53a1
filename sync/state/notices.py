"""What is told outside: each event noted once, sent until it has arrived, and what lasts, from its first sign to its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.state.database import Database, decode, encode


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that is to be told. at: an instant.  facts: for programs."""

    id: int
    kind: str
    at: str
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A way that does not work: how often in a row, until when it is left alone, and why."""

    tries: int = 0
    not_before: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that lasts. times: signs of it in a row.  told: whether a notice of it was made."""

    since: str
    times: int
    told: bool


class Notices:
    """The tables `notices`, `notice_posts`, `notice_ways`, `conditions`. Instants are ISO 8601, UTC."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(self, kind: str, event: str, *, at: str, text: str, facts: Mapping[str, Any], ways: Iterable[str]) -> bool:
        """Note an event that shall be told in these ways; whether it is new."""
        with self._db.transaction() as sql:
            cursor = sql.execute(
                "INSERT OR IGNORE INTO notices (kind, event, at, text, facts_json) VALUES (?, ?, ?, ?, ?)",
                (kind, event, at, text, encode(facts)),
            )
            if not cursor.rowcount:
                return False
            sql.executemany(
                "INSERT INTO notice_posts (notice, way) VALUES (?, ?)", [(cursor.lastrowid, way) for way in ways]
            )
        return True

    def waiting(self, way: str) -> dict[str, list[Notice]]:
        """What is still to go this way, by kind, oldest first."""
        found: dict[str, list[Notice]] = {}
        for row in self._db.rows(
            "SELECT n.id, n.kind, n.at, n.text, n.facts_json FROM notice_posts p JOIN notices n ON n.id = p.notice"
            " WHERE p.way = ? AND p.state = 'waiting' ORDER BY n.id",
            (way,),
        ):
            notice = Notice(row[0], row[1], row[2], row[3], decode(row[4]))
            found.setdefault(notice.kind, []).append(notice)
        return found

    def sent(self, way: str, kind: str, notices: Sequence[int], at: str) -> None:
        """These have arrived; the way works."""
        with self._db.transaction() as sql:
            self._leave(way, notices, "sent")
            sql.execute(
                "INSERT INTO notice_ways (way, kind, sent) VALUES (?, ?, ?)"
                " ON CONFLICT (way, kind) DO UPDATE SET sent = excluded.sent",
                (way, kind, at),
            )
            sql.execute("DELETE FROM notice_ways WHERE way = ? AND kind = ''", (way,))

    def give_up(self, way: str, notices: Sequence[int]) -> None:
        """These never arrived, and nobody would want them any more."""
        with self._db.transaction():
            self._leave(way, notices, "given-up")

    def last_sent(self, way: str, kind: str) -> str:
        """When a notice of this kind went this way last; empty if none ever did."""
        return str(self._db.value("SELECT sent FROM notice_ways WHERE way = ? AND kind = ?", (way, kind)) or "")

    def trouble(self, way: str) -> Trouble:
        """How it stands with a way."""
        row = self._db.one("SELECT tries, not_before, why FROM notice_ways WHERE way = ? AND kind = ''", (way,))
        return Trouble(*row) if row else Trouble()

    def failed(self, way: str, trouble: Trouble) -> None:
        """The way does not work."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO notice_ways (way, kind, tries, not_before, why) VALUES (?, '', ?, ?, ?)",
                (way, trouble.tries, trouble.not_before, trouble.why),
            )

    def troubles(self) -> dict[str, Trouble]:
        """Every way that does not work."""
        rows = self._db.rows("SELECT way, tries, not_before, why FROM notice_ways WHERE kind = '' ORDER BY way")
        return {row[0]: Trouble(row[1], row[2], row[3]) for row in rows}

    def count_waiting(self) -> int:
        """How many notices have not arrived in every way."""
        count: int = self._db.value("SELECT COUNT(DISTINCT notice) FROM notice_posts WHERE state = 'waiting'")
        return count

    def sign(self, name: str, at: str) -> Condition:
        """One more sign that something lasts; how it stands with it now."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO conditions (name, since, times) VALUES (?, ?, 1)"
                " ON CONFLICT (name) DO UPDATE SET times = times + 1",
                (name, at),
            )
        row = self._db.one("SELECT since, times, told FROM conditions WHERE name = ?", (name,))
        return Condition(row["since"], row["times"], bool(row["told"])) if row else Condition(at, 1, told=False)

    def tell_of(self, name: str) -> None:
        """A notice of it was made."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE conditions SET told = 1 WHERE name = ?", (name,))

    def over(self, name: str) -> Condition | None:
        """It is over; how it stood with it, None if there was nothing."""
        row = self._db.one("SELECT since, times, told FROM conditions WHERE name = ?", (name,))
        if row is None:
            return None
        with self._db.transaction() as sql:
            sql.execute("DELETE FROM conditions WHERE name = ?", (name,))
        return Condition(row["since"], row["times"], bool(row["told"]))

    def lasting(self) -> dict[str, Condition]:
        """Everything that lasts."""
        rows = self._db.rows("SELECT name, since, times, told FROM conditions ORDER BY name")
        return {row[0]: Condition(row[1], row[2], bool(row[3])) for row in rows}

    def forget(self, kinds: Iterable[str], before: str) -> None:
        """Drop notices of these kinds from before an instant that have nowhere to go any more."""
        with self._db.transaction() as sql:
            for kind in kinds:
                gone = (
                    "SELECT id FROM notices WHERE kind = ? AND at < ?"
                    " AND NOT EXISTS (SELECT 1 FROM notice_posts p WHERE p.notice = notices.id AND p.state = 'waiting')"
                )
                sql.execute(f"DELETE FROM notice_posts WHERE notice IN ({gone})", (kind, before))  # noqa: S608  # a constant
                sql.execute(f"DELETE FROM notices WHERE id IN ({gone})", (kind, before))  # noqa: S608  # a constant

    def _leave(self, way: str, notices: Sequence[int], state: str) -> None:
        self._db.connection.executemany(
            "UPDATE notice_posts SET state = ? WHERE notice = ? AND way = ?", [(state, one, way) for one in notices]
        )
