"""The records of drops in the ledger: noted once, followed until each has an end state."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sync.core.clusters import identifier_keys
from sync.core.merge import Change, Merged
from sync.core.record import Gap, Problem, Reading, Record, from_json, to_json
from sync.core.sketch import Sketch, sketch
from sync.state.database import decode, encode
from sync.state.drops import Drops
from sync.state.works import Member, Origin, Row, Work, row_of

# The records of which a source owes something. What was taken back, alone or with its drop, is owed nothing.
OWED = (
    "FROM records r JOIN drops d ON d.id = r.drop_id WHERE r.owed_json <> '[]' AND r.state = 'done'"
    " AND r.reasons_json <> '[\"undone\"]' AND d.state <> 'undone'"
)


class Records(Drops):
    """The tables `records`, `record_blocks`, `changes`, and those of `Drops`."""

    def note(self, drop: int, batch: Sequence[Reading | Gap]) -> None:
        """Note what was read, in one transaction. What was noted before (a run that was cut off) stays as it is."""
        with self._db.transaction():
            for part in batch:
                if isinstance(part, Gap):
                    self.note_gap(drop, part)
                else:
                    self._note_reading(drop, part)

    def sketches(self, drop: int) -> dict[int, Sketch]:
        """The records of the drop that have no end state, as sketches, in drop order."""
        rows = self._db.rows(
            "SELECT id, record_json FROM records WHERE drop_id = ? AND state = 'read' ORDER BY ordinal", (drop,)
        )
        return {row["id"]: sketch(from_json(decode(row["record_json"]))) for row in rows}

    def cluster(
        self,
        drop: int,
        followers: Mapping[int, tuple[int, tuple[str, ...]]],
        questions: Mapping[int, tuple[int, tuple[str, ...]]],
    ) -> None:
        """Note which records follow which survivor, and why; which may be the same as another, so that a person is asked; and
        that all others stand for themselves.
        """
        asked = [
            (encode([*reasons, f"record:{self._ordinal(other)}"]), record)
            for record, (other, reasons) in questions.items()
        ]
        with self._db.transaction() as sql:
            sql.executemany(
                "UPDATE records SET survivor = ?, state = 'follows', reasons_json = ? WHERE id = ? AND state = 'read'",
                [(survivor, encode(reasons), record) for record, (survivor, reasons) in followers.items()],
            )
            sql.executemany(
                "UPDATE records SET state = 'done', outcome = 'asked', reasons_json = ? WHERE id = ? AND state = 'read'",
                asked,
            )
            sql.execute("UPDATE drops SET state = 'open' WHERE id = ?", (drop,))

    def works_left(self, drop: int) -> int:
        """How many works of the drop have no end state and no action yet."""
        count: int = self._db.value(
            "SELECT COUNT(*) FROM records WHERE drop_id = ? AND state IN ('read', 'waiting')", (drop,)
        )
        return count

    def batches(self, drop: int, size: int) -> Iterator[list[Work]]:
        """The works of the drop that have no action yet, in order, `size` at a time."""
        last = 0
        while True:
            ids = [
                (row["id"], row["ordinal"])
                for row in self._db.rows(
                    "SELECT id, ordinal FROM records WHERE drop_id = ? AND state IN ('read', 'waiting') AND ordinal > ?"
                    " ORDER BY ordinal LIMIT ?",
                    (drop, last, size),
                )
            ]
            if not ids:
                return
            last = ids[-1][1]
            yield [self.work(record) for record, _ in ids]

    def to_ask(self, drop: int, source: str) -> int:
        """How many works of the drop, not yet decided, have an identifier of which no answer of this source is kept."""
        count: int = self._db.value(
            "SELECT COUNT(*) FROM records r WHERE r.drop_id = ? AND r.state IN ('read', 'waiting')"
            " AND EXISTS (SELECT 1 FROM record_blocks b WHERE b.record = r.id)"
            " AND NOT EXISTS (SELECT 1 FROM record_blocks b JOIN answers a ON a.source = ? AND a.asked = b.block"
            " WHERE b.record = r.id)",
            (drop, source),
        )
        return count

    def owing(self, library: int) -> list[tuple[int, str, tuple[str, ...], bool]]:
        """Records that ended in an item of this library while a source was away, its key, the sources still to be asked, and
        whether these may be told more than identifiers. What was taken back is owed nothing, as long as it is not brought back.
        """
        rows = self._db.rows(
            f"SELECT r.id, r.key, r.owed_json, d.asks_json {OWED} AND d.library = ? AND r.key IS NOT NULL ORDER BY r.id",
            (library,),
        )
        return [(row[0], row[1], tuple(decode(row[2])), bool(decode(row[3])["titles"])) for row in rows]

    def any_owed(self) -> bool:
        """Whether any source still owes an answer for an item that was written."""
        return bool(self._db.value(f"SELECT 1 {OWED} LIMIT 1"))  # a constant, no input

    def work(self, record: int) -> Work:
        """The work that this record stands for."""
        row = self._db.one(
            "SELECT r.*, d.sha256, d.arrived FROM records r JOIN drops d ON d.id = r.drop_id WHERE r.id = ?", (record,)
        )
        if row is None:
            raise LookupError(f"the ledger has no record {record}")
        members = self._db.rows(
            "SELECT id, anchor, record_json FROM records WHERE survivor = ? ORDER BY id",
            (record,),
        )
        return Work(
            id=record,
            ordinal=row["ordinal"],
            anchor=row["anchor"],
            sha256=row["sha256"],
            arrived=row["arrived"],
            state=row["state"],
            key=row["key"] or "",
            record=from_json(decode(row["merged_json"] or row["record_json"])),
            members=tuple(Member(m["id"], m["anchor"], from_json(decode(m["record_json"]))) for m in members),
            owed=tuple(decode(row["owed_json"])),
            reasons=tuple(decode(row["reasons_json"])),
        )

    def keep_merged(self, record: int, merged: Merged, *, sources: Sequence[str], owed: Sequence[str]) -> None:
        """Note what cluster and sources made of a record, where each value came from, and what lost."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET merged_json = ?, title = ?, owed_json = ?, sources_json = ? WHERE id = ?",
                (
                    encode(to_json(merged.record)),
                    merged.record.title,
                    encode(list(owed)),
                    encode(self._with_known(record, sources)),
                    record,
                ),
            )
            sql.executemany(
                "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (record, c.field, c.old, c.new, c.because.source, c.because.how, c.because.at)
                    for c in merged.changes
                ],
            )
            sql.executemany(
                "INSERT OR REPLACE INTO lost VALUES (?, ?, ?, ?, ?, ?)",
                [(record, o.field, o.value, o.because.source, o.because.how, o.because.at) for o in merged.lost],
            )

    def gained(self, record: int, changes: Sequence[Change], now: Record, *, sources: Sequence[str]) -> None:
        """Note what the item of a record gained since it was made: these changes, with the values as `now` has them."""
        if not changes:
            return
        before, names = self.work(record).record, {change.field for change in changes}
        with self._db.transaction() as sql:
            self._note_changes(record, changes)
            sql.execute(
                "UPDATE records SET sources_json = ? WHERE id = ?", (encode(self._with_known(record, sources)), record)
            )
            if (
                now.item_type != before.item_type
            ):  # a person made another type of it: the drop's account stays as it was
                return
            held = replace(
                before,
                fields={**before.fields, **{name: value for name, value in now.fields.items() if name in names}},
                creators=now.creators if "creators" in names else before.creators,
                tags=now.tags if "tags" in names else before.tags,
            )
            sql.execute("UPDATE records SET merged_json = ? WHERE id = ?", (encode(to_json(held)), record))

    def add_problem(self, record: int, problem: Problem) -> None:
        """Note a problem that showed only after reading (a source that contradicts the record); once."""
        row = self._db.one("SELECT problems_json FROM records WHERE id = ?", (record,))
        known = decode(row["problems_json"]) if row else []
        entry = [problem.code, problem.message, problem.line]
        if entry in known:
            return
        with self._db.transaction() as sql:
            sql.execute("UPDATE records SET problems_json = ? WHERE id = ?", (encode([*known, entry]), record))

    def take_back(self, record: int, codes: Collection[str]) -> None:
        """Problems with these codes are no more."""
        row = self._db.one("SELECT problems_json FROM records WHERE id = ?", (record,))
        left = [entry for entry in decode(row["problems_json"]) if entry[0] not in codes] if row else []
        with self._db.transaction() as sql:
            sql.execute("UPDATE records SET problems_json = ? WHERE id = ?", (encode(left), record))

    def planned(self, record: int, key: str, outcome: str, reasons: Sequence[str]) -> None:
        """The record's action lies in the outbox; `outcome` is what it will be called once it has landed."""
        self._set(record, "planned", key, outcome, reasons)

    def wait(self, record: int, reasons: Sequence[str], owed: Sequence[str]) -> None:
        """A source is away and the record waits for it."""
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET state = 'waiting', reasons_json = ?, owed_json = ? WHERE id = ?",
                (encode(list(reasons)), encode(list(owed)), record),
            )

    def settle(self, record: int, key: str | None, outcome: str, reasons: Sequence[str]) -> None:
        """The record has its end state, and so have the records that follow it."""
        with self._db.transaction() as sql:
            self._set(record, "done", key, outcome, reasons)
            followers = "refused" if outcome == "refused" else "asked" if outcome == "asked" else "merged"
            sql.execute(
                "UPDATE records SET state = 'done', outcome = ?, key = ? WHERE survivor = ?", (followers, key, record)
            )

    def outcome(self, record: int) -> tuple[str, str]:
        """State and planned or final outcome of a record."""
        row = self._db.one("SELECT state, COALESCE(outcome, '') FROM records WHERE id = ?", (record,))
        return (row[0], row[1]) if row else ("", "")

    def landed(self, record: int) -> bool:
        """Give a planned record, of which nothing waits in the outbox any more, the end state that was planned; whether it was so."""
        row = self._db.one(
            "SELECT key, outcome, reasons_json FROM records r WHERE r.id = ? AND r.state = 'planned' AND NOT EXISTS"
            " (SELECT 1 FROM outbox o WHERE o.record = r.id AND o.state = 'pending')",
            (record,),
        )
        if row is None:
            return False
        self.settle(record, row["key"] or "", row["outcome"] or "", decode(row["reasons_json"]))
        return True

    def again(self, record: int) -> None:
        """The record's action met a change in the library: it is decided anew. A record that has its end state keeps it."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE records SET state = 'read' WHERE id = ? AND state = 'planned'", (record,))

    def sharing(self, key: str, record: int) -> list[int]:
        """The other records of the same drop that ended in the item with this key by a decision of their own."""
        return [
            row[0]
            for row in self._db.rows(
                "SELECT id FROM records WHERE key = ?1 AND id <> ?2 AND survivor IS NULL AND outcome = 'merged'"
                " AND drop_id = (SELECT drop_id FROM records WHERE id = ?2)",
                (key, record),
            )
        ]

    def awaiting(self, key: str, record: int) -> list[int]:
        """The other records of the same drop whose action is part of the same change of the item with this key."""
        return [
            row[0]
            for row in self._db.rows(
                "SELECT id FROM records WHERE key = ?1 AND id <> ?2 AND survivor IS NULL AND state = 'planned'"
                " AND drop_id = (SELECT drop_id FROM records WHERE id = ?2)",
                (key, record),
            )
        ]

    def owner(self, key: str, drop: int) -> int | None:
        """The record of this drop that made the item with this key, if one did."""
        found: int | None = self._db.value(
            "SELECT id FROM records WHERE key = ? AND drop_id = ? AND outcome = 'created'", (key, drop)
        )
        return found

    def origin(self, library: int, key: str) -> Origin | None:
        """The record that made the item with this key in this library, if one did."""
        row = self._db.one(
            "SELECT r.id, d.asks_json FROM records r JOIN drops d ON d.id = r.drop_id"
            " WHERE r.key = ? AND r.outcome = 'created' AND d.library = ? ORDER BY r.id LIMIT 1",
            (key, library),
        )
        return Origin(row["id"], tuple(decode(row["asks_json"])["sources"])) if row else None

    def rows(self, drop: int) -> Iterator[Row]:
        """Every record of the drop, in order, for a report."""
        for row in self._db.rows("SELECT * FROM records WHERE drop_id = ? ORDER BY ordinal", (drop,)):
            yield row_of(row)

    def _note_reading(self, drop: int, reading: Reading) -> None:
        entry, record = reading.entry, reading.record
        state, outcome = ("read", None) if record else ("done", "unreadable")
        if record and entry.doubtful:
            state, outcome = "done", "asked"
        problems = [[p.code, p.message, p.line] for p in reading.problems]
        cursor = self._db.connection.execute(
            "INSERT OR IGNORE INTO records (drop_id, ordinal, first_line, last_line, first_byte, last_byte, anchor, raw,"
            " record_json, problems_json, title, state, outcome, reasons_json)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                drop,
                entry.ordinal,
                *entry.lines,
                *entry.bytes,
                entry.anchor,
                entry.text,
                encode(to_json(record)) if record else None,
                encode(problems),
                record.title if record else "",
                state,
                outcome,
                encode(["repair-doubtful"] if outcome == "asked" else []),
            ),
        )
        if state == "read" and record and cursor.rowcount:
            self._db.connection.executemany(
                "INSERT OR IGNORE INTO record_blocks VALUES (?, ?, ?)",
                [(drop, block, cursor.lastrowid) for block in identifier_keys(record)],
            )

    def _note_changes(self, record: int, changes: Sequence[Change]) -> None:
        self._db.connection.executemany(
            "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(record, c.field, c.old, c.new, c.because.source, c.because.how, c.because.at) for c in changes],
        )

    def _ordinal(self, record: int) -> int:
        found: int = self._db.value("SELECT ordinal FROM records WHERE id = ?", (record,))
        return found

    def _with_known(self, record: int, sources: Sequence[str]) -> list[str]:
        known = decode(self._db.value("SELECT sources_json FROM records WHERE id = ?", (record,)))
        return list(dict.fromkeys([*known, *sources]))

    def _set(self, record: int, state: str, key: str | None, outcome: str, reasons: Sequence[str]) -> None:
        with self._db.transaction() as sql:
            sql.execute(
                "UPDATE records SET state = ?, key = ?, outcome = ?, reasons_json = ? WHERE id = ?",
                (state, key, outcome, encode(list(reasons)), record),
            )
