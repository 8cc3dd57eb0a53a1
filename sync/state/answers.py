"""Answers of the sources, kept by what was asked, so that a rerun asks nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sync.core.record import Candidate, Provenance, from_json, to_json
from sync.state.database import Database, decode, encode


@dataclass(frozen=True, slots=True)
class Answer:
    """A kept answer. agency: who registered a DOI that the source does not know."""

    candidates: tuple[Candidate, ...] = ()
    agency: str = ""


class Answers:
    """The table `answers`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, source: str, asked: str, *, found_since: str, absent_since: str) -> Answer | None:
        """The kept answer to one question; None: ask."""
        return self.among(source, [asked], found_since=found_since, absent_since=absent_since).get(asked)

    def among(self, source: str, asked: Collection[str], *, found_since: str, absent_since: str) -> dict[str, Answer]:
        """The kept answers to these questions that are young enough (instants, ISO 8601): an empty one ages faster."""
        marks = ", ".join("?" * len(asked))
        rows = self._db.rows(
            f"SELECT asked, at, answer_json FROM answers WHERE source = ? AND asked IN ({marks})",  # noqa: S608  # marks only
            (source, *asked),
        )
        answers: dict[str, Answer] = {}
        for row in rows:
            works, agency = _opened(row["answer_json"])
            if row["at"] >= (found_since if works else absent_since):
                found = (Candidate(from_json(record), Provenance(*because)) for record, because in works)
                answers[row["asked"]] = Answer(tuple(found), agency)
        return answers

    def keep(self, source: str, asked: str, at: str, candidates: Sequence[Candidate], agency: str = "") -> None:
        """Keep an answer; no candidate is an answer too."""
        found = [[to_json(c.record), [c.because.source, c.because.how, c.because.at]] for c in candidates]
        body = encode({"found": found, "agency": agency})
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO answers (source, asked, at, answer_json, size) VALUES (?, ?, ?, ?, ?)",
                (source, asked, at, body, len(body)),
            )

    def prune(self, since: str, most_bytes: int) -> int:
        """Let go of answers that were kept before this instant, and of the oldest above so many bytes; how many went."""
        with self._db.transaction() as sql:
            gone = sql.execute("DELETE FROM answers WHERE at < ?", (since,)).rowcount
            size: int = self._db.value("SELECT COALESCE(SUM(size), 0) FROM answers")
            if size > most_bytes:
                gone += sql.execute(_ABOVE, (most_bytes,)).rowcount
        return gone


def _opened(text: str) -> tuple[list[Any], str]:
    """Works and agency of a kept answer; older ones are works alone."""
    kept = decode(text)
    return (kept, "") if isinstance(kept, list) else (kept["found"], kept["agency"])


_ABOVE = (
    "DELETE FROM answers WHERE (source, asked) IN (SELECT source, asked FROM (SELECT source, asked,"
    " SUM(size) OVER (ORDER BY at DESC, source, asked) AS total FROM answers) WHERE total > ?)"
)
