"""Names of people and groups as exports write them."""

from __future__ import annotations

import re

from sync.core.record import Creator

_LEFTOVER = re.compile(r"(?:,?\s+and)?[\s,;]*$")
_LETTER = re.compile(r"[^\W\d_]")
_GROUP = re.compile(
    r"\d|\b(?:group|committee|consortium|network|team|society|association|of|for|the|and)\b|&", re.IGNORECASE
)
_INITIAL = r"[^\W\d_a-z]\.?(?:-?[^\W\d_a-z]\.?)?"  # `C`, `C.`, `CD`, `C.D.`, `J-P`
_INITIALS_LAST = re.compile(rf"(?P<last>[^\W\d_].*?[^\W\d_])(?P<first>(?:\s+{_INITIAL})+)")
_INITIALS_FIRST = re.compile(r"(?P<first>(?:[^\W\d_a-z]\.\s*)+(?:-[^\W\d_a-z]\.\s*)*)(?P<last>[^\W\d_]{2}.*)")


def parse_names(text: str, role: str) -> list[Creator]:
    """The creators of one value: `Last, First` pairs, several parted by semicolons, or by lines that each hold a comma."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    wrapped = not all("," in line.strip(",; ") for line in lines)
    parts = [part for line in ([" ".join(lines)] if wrapped else lines) for part in line.split(";")]
    return [creator for part in parts if (creator := parse_name(part, role)) is not None]


def parse_name(text: str, role: str) -> Creator | None:
    """`Last, First` and `Last, First, Jr` are persons, and so are names whose initials tell their parts (`Moss C D`, `C. Moss`).

    Any other name without comma keeps one field, as in Zotero's import. None where no letter stands in it.
    """
    name = _LEFTOVER.sub("", " ".join(text.split())).strip()
    if not _LETTER.search(name):
        return None
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and last and first:
        return Creator(role, last=last, first=first)
    return _told_by_initials(name, role) if not comma else Creator(role, name=last or first)


def _told_by_initials(name: str, role: str) -> Creator:
    found = None if _GROUP.search(name) else _INITIALS_LAST.fullmatch(name) or _INITIALS_FIRST.fullmatch(name)
    if found is None or not re.search(r"[a-z]", found["last"]):
        return Creator(role, name=name)
    return Creator(role, last=found["last"], first=" ".join(found["first"].split()))
