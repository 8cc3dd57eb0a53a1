"""What a source of facts promises: many records in, for each what is known, one Finding each. One contract suite holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.core.record import Candidate, Record


@dataclass(frozen=True, slots=True)
class Finding:
    """What a source says of one record.

    candidates: works whose own identifier equals the one asked for; whether they agree with the record is `match`'s to say.
    away: why the source could not be asked for this record (it is owed and asked again); empty if it was asked.
    asked: whether the record had anything to ask by (a DOI, a PMID).
    """

    candidates: tuple[Candidate, ...] = ()
    away: str = ""
    asked: bool = True


class Source(Protocol):
    """A service that knows works by identifier. Never raises for a service that is away: that is a Finding."""

    @property
    def name(self) -> str:
        """The short name used in config, provenance and reports: `crossref`."""
        ...

    def find(self, records: Sequence[Record]) -> Sequence[Finding]:
        """One Finding per record, in the same order, in as few requests as can be.

        Raises Interrupted if a stop was asked for while waiting.
        """
        ...
