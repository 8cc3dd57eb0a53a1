"""What a source of facts promises: many records in, for each what is known, one Finding each. One contract suite holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.core.record import Candidate, Record


@dataclass(frozen=True, slots=True)
class Finding:
    """What a source says of one record.

    candidates: works whose own identifier equals the one asked for (or, `how` being `citation` or `search`, that the service itself
    took for the citation, or found by its words, best first); whether they agree with the record is `match`'s to say.
    away: why the source could not be asked for this record (it is owed and asked again); empty if it was asked.
    asked: whether the record had anything to ask by.
    put_off: it could have been asked and another run will (a limit was reached): nobody waits for it.
    agency: of an identifier that the source does not have: who registered it, in small letters (`datacite`), `nobody` if no
    agency knows it; empty if that was not asked.
    """

    candidates: tuple[Candidate, ...] = ()
    away: str = ""
    asked: bool = True
    put_off: bool = False
    agency: str = ""


class Source(Protocol):
    """A service that knows works by identifier. Never raises for a service that is away: that is a Finding."""

    @property
    def name(self) -> str:
        """The short name used in config, provenance and reports: `crossref`."""
        ...

    def question(self, record: Record, *, citations: bool = True) -> str:
        """What this source would ask for the record by, as the key of a kept answer (`doi:10.1/x`); empty if by nothing.

        citations: whether more than identifiers may be sent out.
        """
        ...

    def find(self, records: Sequence[Record], *, citations: bool = True) -> Sequence[Finding]:
        """One Finding per record, in the same order, in as few requests as can be.

        Raises Interrupted if a stop was asked for while waiting.
        """
        ...

    @property
    def at_once(self) -> int:
        """How many calls of `find` at a time are worth it; more do no harm."""
        ...

    def cuts(self, records: Sequence[Record]) -> Sequence[int]:
        """Into how many at a time these records, all with different questions, are best cut for `find`: `50, 50, 12`."""
        ...

    def requests_for(self, questions: int) -> int:
        """About how many requests so many different questions cost."""
        ...
