"""What a person is asked, and what was decided: asked once, remembered for good."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sync.core.cite import cite
from sync.core.evidence import Evidence, evidence
from sync.core.items import from_item
from sync.core.record import Record, from_json
from sync.core.sketch import sketch
from sync.errors import UsageFault
from sync.state.database import Database, decode, encode

REPAIR = "repair-doubtful"
LEFT_OUT = "left-out-by-person"
DECIDED = "decided"
# The records that a person is asked about; not those of a drop that was taken back and came anew (`Drops.retire`): these are asked anew.
ASKED = (
    "FROM records r JOIN drops d ON d.id = r.drop_id WHERE r.state = 'done' AND r.outcome = 'asked'"
    " AND d.wish NOT LIKE '%#' || d.id"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A record that waits for a person.

    reasons: why it is asked.  other, key: the title and the item key of what may be the same work; empty where the question is
    whether the record was read rightly at all (`repair-doubtful`).  cited, other_cited: people, year and place of both.
    evidence: what each of their parts says.
    """

    record: int
    drop: str
    ordinal: int
    title: str
    reasons: tuple[str, ...]
    other: str = ""
    key: str = ""
    cited: str = ""
    other_cited: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A record of which something was asked, and what was decided of it."""

    record: int
    drop: str
    ordinal: int
    title: str
    decided: Decision


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said. key: of the item in question, empty for a doubtful reading.  verdict: same, different.  reasons: why
    it was asked (of a decision of an older version that is not known).
    """

    key: str
    verdict: str
    at: str
    reasons: tuple[str, ...] = ()


class Questions:
    """The table `decisions`, and the records that were asked about."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self) -> list[Question]:
        """What waits for a decision, oldest first."""
        return [self._question(row) for row in self._db.rows(f"{_ASKED} ORDER BY r.id")]  # a constant, no input

    def verdicts(self, record: int) -> dict[str, bool]:
        """What was decided of a record: by item key, whether they are the same work.

        What was decided of a record of an earlier drop that said exactly the same counts, too.
        """
        rows = self._db.rows(
            "SELECT c.key, c.verdict FROM decisions c JOIN records r ON r.id = c.record JOIN drops d ON d.id = r.drop_id"
            " WHERE c.content = ?1 AND c.content <> '' AND d.library = (SELECT n.library FROM records m"
            " JOIN drops n ON n.id = m.drop_id WHERE m.id = ?2) ORDER BY c.at, c.record",
            (self._content(record), record),
        )
        own = self._db.rows("SELECT key, verdict FROM decisions WHERE record = ?", (record,))
        return {row["key"]: row["verdict"] == "same" for found in (rows, own) for row in found if row["key"]}

    def decide(self, record: int, at: str, *, yes: bool) -> None:
        """Answer a question: yes, it is the same work (or: it was read rightly). The record is looked at again by the next run.

        What was decided may be decided otherwise as long as the record is no item of its own. Raises UsageFault where it is, for a
        record that nobody asked about, and for one whose twin in the same drop is undecided itself.
        """
        row = self._db.one(f"{_ASKED} AND r.id = ?", (record,))  # a constant, no input
        question = self._question(row) if row else self._thought_over(record, yes=yes)
        if not question.key and REPAIR not in question.reasons:
            raise UsageFault(
                f"{record}: the record that it may be the same as has no item yet; decide on {self._twin(record)} first"
            )
        left_out = not yes and REPAIR in question.reasons
        reasons = [reason for reason in question.reasons if not reason.startswith(("item:", "record:"))]
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO decisions (record, key, verdict, at, content) VALUES (?, ?, ?, ?, ?)",
                (record, question.key, "same" if yes else "different", at, self._content(record)),
            )
            sql.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, ?)", (record, question.key, encode(list(reasons))))
            if left_out:
                sql.execute(
                    "UPDATE records SET outcome = 'left', reasons_json = ? WHERE id = ?", (encode([LEFT_OUT]), record)
                )
                return
            sql.execute(
                "UPDATE records SET state = 'read', outcome = NULL, key = NULL, reasons_json = ? WHERE id = ?",
                (encode([DECIDED]), record),
            )
            sql.execute("UPDATE records SET state = 'follows', outcome = NULL WHERE survivor = ?", (record,))
            # One that was taken back may still come again: what is decided of this record is carried out all the same.
            sql.execute(
                "UPDATE drops SET state = 'open' WHERE id = (SELECT drop_id FROM records WHERE id = ?) AND state <> 'undone'",
                (record,),
            )

    def decided(self, record: int) -> list[Decision]:
        """What was decided of a record, oldest first, and why it had been asked."""
        rows = self._db.rows(f"{_DECIDED} WHERE c.record = ? ORDER BY c.at, c.key", (record,))  # a constant, no input
        return [_decision(row) for row in rows]

    def answered(self) -> list[Answered]:
        """All that was decided, oldest first."""
        rows = self._db.rows(f"{_DECIDED} ORDER BY c.at, c.record, c.key")
        return [Answered(row["id"], row["path"], row["ordinal"], row["title"], _decision(row)) for row in rows]

    def to_carry_out(self, library: int) -> dict[int, list[int]]:
        """Records that were decided on and not looked at since, by drop."""
        rows = self._db.rows(
            "SELECT DISTINCT r.drop_id, r.id FROM decisions c JOIN records r ON r.id = c.record JOIN drops d ON d.id = r.drop_id"
            " WHERE r.state = 'read' AND d.library = ? ORDER BY r.id",
            (library,),
        )
        found: dict[int, list[int]] = {}
        for row in rows:
            found.setdefault(row["drop_id"], []).append(row["id"])
        return found

    def _content(self, record: int) -> str:
        """A hash of what the drop says in a record."""
        said: str | None = self._db.value("SELECT record_json FROM records WHERE id = ?", (record,))
        return hashlib.sha256(said.encode()).hexdigest()[:32] if said else ""

    def _question(self, row: Any) -> Question:
        reasons = tuple(decode(row["reasons_json"]))
        key, other = "", None
        for reason in reasons:
            kind, _, name = reason.partition(":")
            if kind == "item":
                key, other = name, self._item(row["library"], name)
            elif kind == "record":
                twin = self._db.one(
                    "SELECT key, COALESCE(merged_json, record_json) FROM records WHERE drop_id = ? AND ordinal = ?",
                    (row["drop_id"], int(name)),
                )
                key, other = (twin[0] or "", from_json(decode(twin[1]))) if twin else ("", None)
                # It may have become part of an item that says something else.
                other = (self._item(row["library"], key) if key else None) or other
        mine = from_json(decode(row["held"])) if row["held"] else None
        return Question(
            record=row["id"],
            drop=row["path"],
            ordinal=row["ordinal"],
            title=row["title"],
            reasons=reasons,
            other=other.title if other else "",
            key=key,
            cited=cite(mine) if mine else "",
            other_cited=cite(other) if other else "",
            evidence=evidence(sketch(mine), sketch(other)) if mine and other else (),
        )

    def _twin(self, record: int) -> str:
        """The number of the record of its drop that a record may be the same as, where that is asked itself."""
        row = self._db.one("SELECT drop_id, reasons_json FROM records WHERE id = ?", (record,))
        named = [reason for reason in decode(row["reasons_json"]) if reason.startswith("record:")] if row else []
        wanted = "SELECT id FROM records WHERE drop_id = ? AND ordinal = ? AND outcome = 'asked'"
        found = self._db.value(wanted, (row["drop_id"], int(named[0].partition(":")[2]))) if row and named else None
        return str(found or "that one")

    def _item(self, library: int, key: str) -> Record | None:
        found = self._db.value("SELECT data_json FROM items WHERE library = ? AND key = ?", (library, key))
        return from_item(decode(found)) if found else None

    def _thought_over(self, record: int, *, yes: bool) -> Question:
        """The question that was decided last of this record, to be decided the other way."""
        row = self._db.one(
            f"{_DECIDED} WHERE c.record = ? AND r.state = 'done' AND r.survivor IS NULL ORDER BY c.at DESC LIMIT 1",
            (record,),
        )
        if row is None or (row["verdict"] == "same") == yes:
            raise UsageFault(self._not_asked(record))
        own = self._db.one(
            "SELECT o.run, o.key FROM outbox o JOIN items i ON i.library = o.library AND i.key = o.key WHERE o.record = ?"
            " AND o.version = 0 AND i.place = 'alive' LIMIT 1",
            (record,),
        )
        if own:
            raise UsageFault(
                f"{record}: by what was decided on {row['at'][:10]} it became the item {own['key']}."
                f" zotdrop undo {own['run']} takes that back; then decide anew"
            )
        return Question(
            record, row["path"], row["ordinal"], row["title"], tuple(decode(row["reasons"])), key=row["key"]
        )

    def _not_asked(self, record: int) -> str:
        """Why a number is no question: it was one, or never."""
        row = self._db.one("SELECT verdict, at FROM decisions WHERE record = ? ORDER BY at DESC LIMIT 1", (record,))
        if row is None:
            return f"{record}: nothing is asked of that; zotdrop review list shows what is"
        said = "the same work (or read rightly)" if row["verdict"] == "same" else "not the same work (or read wrongly)"
        return f"{record}: decided before, on {row['at'][:10]}: {said}. zotdrop review list --decided shows all that was decided"


_ASKED = (
    "SELECT r.id, r.drop_id, r.ordinal, r.title, r.reasons_json, d.path, d.library,"
    f" COALESCE(r.merged_json, r.record_json) AS held {ASKED} AND r.survivor IS NULL"
)


_DECIDED = (
    "SELECT c.key, c.verdict, c.at, COALESCE(a.reasons_json, '[]') AS reasons, r.id, r.ordinal, r.title, d.path FROM decisions c"
    " JOIN records r ON r.id = c.record JOIN drops d ON d.id = r.drop_id"
    " LEFT JOIN asked a ON a.record = c.record AND a.key = c.key"
)


def _decision(row: Any) -> Decision:
    return Decision(row["key"], row["verdict"], row["at"], tuple(decode(row["reasons"])))
