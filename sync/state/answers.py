"""Answers of the sources, kept by what was asked, so that a rerun asks nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sync.core.record import Candidate, Provenance, from_json, to_json
from sync.state.database import Database, decode, encode


class Answers:
    """The table `answers`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, source: str, asked: str, *, found_since: str, absent_since: str) -> tuple[Candidate, ...] | None:
        """The kept answer, if it is young enough (instants, ISO 8601): an empty one ages faster. None: ask."""
        row = self._db.one("SELECT at, answer_json FROM answers WHERE source = ? AND asked = ?", (source, asked))
        if row is None:
            return None
        answer = decode(row["answer_json"])
        if row["at"] < (found_since if answer else absent_since):
            return None
        return tuple(Candidate(from_json(record), Provenance(*because)) for record, because in answer)

    def keep(self, source: str, asked: str, at: str, candidates: Sequence[Candidate]) -> None:
        """Keep an answer; no candidate is an answer too."""
        body = [[to_json(c.record), [c.because.source, c.because.how, c.because.at]] for c in candidates]
        with self._db.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (source, asked, at, encode(body)))
