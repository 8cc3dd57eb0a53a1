"""A record in one line, for a person who has to tell two of them apart."""

from __future__ import annotations

from sync.core.record import Record

_MOST = 3  # people that are named


def cite(record: Record) -> str:
    """`Walsh K, Dubois A (2018). J Coast 40(2):901-910. doi:10.1/x`; what is not known is left out, people beyond three too."""
    named = [
        f"{one.name or one.last} {''.join(part[0] for part in one.first.split())}".strip() for one in record.creators
    ]
    people = ", ".join(named[:_MOST]) + (f" and {len(named) - _MOST} more" if len(named) > _MOST else "")
    year = record.base("date")[:10]
    parts = [f"{people} ({year})".strip() if year else people, _place(record), _identifiers(record)]
    return ". ".join(part for part in parts if part)


def _place(record: Record) -> str:
    volume, issue, pages = (record.base(name) for name in ("volume", "issue", "pages"))
    numbers = f"{volume}{f'({issue})' if issue else ''}{f':{pages}' if pages else ''}"
    return " ".join(part for part in (record.base("publicationTitle"), numbers) if part)


def _identifiers(record: Record) -> str:
    return ", ".join(
        f"{name.lower()}:{record.identifiers[name]}" for name in ("DOI", "PMID") if record.identifiers.get(name)
    )
