"""Partial dates, as Zotero writes them: `2024`, `2024-02`, `2024-02-19`; what has no such form stays text."""

from __future__ import annotations

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SEASONS = ("spring", "summer", "autumn", "fall", "winter")

_RIS = re.compile(r"^\s*(\d{4})?\s*/\s*(\d{0,2})\s*/?\s*(\d{0,2})\s*(?:/\s*(.*?))?\s*$")
_ISO = re.compile(r"^\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:T.*)?\s*$")
_COMPACT = re.compile(r"^\s*((?:1[4-9]|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s*$")
_YEAR = re.compile(r"^\s*(\d{4})\s*/*\s*$")
_WORDS = re.compile(r"[A-Za-z]{3,}")


def iso(year: int | str | None, month: int | str | None = None, day: int | str | None = None) -> str:
    """`2024-02-19`, `2024-02` or `2024`; parts that are missing, 0 or impossible end the date there. Empty without a year."""
    first, second, third = _number(year), _number(month), _number(day)
    if not first:
        return ""
    if not 1 <= second <= 12:
        return f"{first:04d}"
    return f"{first:04d}-{second:02d}-{third:02d}" if 1 <= third <= 31 else f"{first:04d}-{second:02d}"


def month_number(word: str) -> int:
    """1 to 12 for an English month name or its first three letters; 0 for anything else."""
    head = word.strip().lower()[:3]
    return MONTHS.index(head) + 1 if head in MONTHS else 0


def from_ris(text: str) -> str:
    """A RIS date (`2024/2/19`, `2012/05//`, `2018///Spring`, `2024-02-19`, `20240219`, free text) as Zotero's date.

    `YYYY/MM/DD/other`, each part may be empty (RIS format specification, RefMan 2001); other text that says more than the
    numbers is kept.
    """
    slashed = _RIS.match(text) if "/" in text else None
    if slashed:
        return _with_rest(iso(*slashed.groups()[:3]), slashed.group(4) or "")
    whole = _ISO.match(text) or _COMPACT.match(text)
    if whole:
        return iso(*whole.groups())
    year = _YEAR.match(text)
    return year.group(1) if year else " ".join(text.split())


def year_of(text: str) -> str:
    """The four digits that look like a year, 1400 to 2099; empty if there are none."""
    found = re.search(r"(?<!\d)(?:1[4-9]|20)\d\d(?!\d)", text)
    return found.group() if found else ""


def with_year(text: str, year: str) -> str:
    """A date that says everything but the year (`FEB`, `0000-02-12`), with the year put in."""
    numbers = re.fullmatch(r"0000(-\d{2}(?:-\d{2})?)?", text)
    if numbers:
        return f"{year}{numbers.group(1) or ''}"
    return f"{year} {text.replace('0000', '').strip()}".strip()


def _with_rest(date: str, rest: str) -> str:
    """The fourth part of a RIS date is kept where it names a season or more than the date itself says."""
    rest = rest.strip(" /")
    if not rest:
        return date
    if not date:
        return rest
    return f"{rest} {date}" if _WORDS.search(rest) and len(date) == 4 else date


def _number(part: int | str | None) -> int:
    if part is None or part == "":
        return 0
    return int(part) if str(part).strip().isdigit() else 0
