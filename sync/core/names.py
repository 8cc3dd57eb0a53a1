"""Names of people and groups as exports write them."""

from __future__ import annotations

import re

from sync.core.record import Creator

_LEFTOVER = re.compile(r"(?:,?\s+and)?[\s,;]*$")


def parse_names(text: str, role: str) -> list[Creator]:
    """The creators of one value: `Last, First` pairs, several parted by semicolons."""
    parts = [part for part in text.split(";") if part.strip()]
    return [creator for part in parts if (creator := parse_name(part, role)) is not None]


def parse_name(text: str, role: str) -> Creator | None:
    """`Last, First` or `Last, First, Jr` is a person; a name without comma keeps one field, as Zotero's import has it."""
    name = _LEFTOVER.sub("", " ".join(text.split())).strip()
    if not name:
        return None
    last, comma, first = name.partition(",")
    last, first = last.strip(), first.strip()
    if not comma or not first:
        return Creator(role, name=last or first) if last or first else None
    return Creator(role, last=last, first=first) if last else Creator(role, name=first)
