"""How Zotero's server reads dates: what it finds in free text, and the one kind of date that it damages. Pure.

Dates are stored as they were sent; what is read from them stands beside the item (`meta.parsedDate`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_THREE = re.compile(r"(?<![\w])(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d)")
_TWO = re.compile(r"\s*(?:(\d{4})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{4}))\s*\Z")
_YEAR = re.compile(r"\b(\d{4})\b")
_MONTH = re.compile(rf".*\b({'|'.join(MONTHS)})[a-z]*\.?", re.IGNORECASE | re.DOTALL)
_DAY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\b")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)Z?\Z")
_DAY_ALONE = re.compile(r"\d{4}-\d\d-\d\d\Z")
LONGEST_MONTH, MONTHS_A_YEAR = 31, 12


def iso(moment: datetime) -> str:
    """An instant as Zotero writes it: `2026-11-23T08:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> str:
    """ISO 8601 or SQL time as ISO 8601; empty for anything else."""
    found = _INSTANT.match(text)
    return f"{found[1]}T{found[2]}Z" if found else ""


def access_date(text: str) -> str:
    """An instant or a plain day; empty for anything else."""
    return text if _DAY_ALONE.match(text) else instant(text)


def parsed(text: str) -> str:
    """What the server reads: `2020`, `2020-05`, `2020-05-17`, or nothing.

    Month before day where both could be (the server counts as en-US does), unless the first number is no month.
    """
    year, month, day = _parts(text)
    if not year or year == "0000" or _two_digits(text):
        return ""
    return "-".join([year, *([f"{month:02}"] if month else []), *([f"{day:02}"] if month and day else [])])


def rewritten(text: str) -> str:
    """The text as it comes back: three numbers with a two-digit year are damaged (`20-5-17`), all else is kept."""
    if not _two_digits(text):
        return text
    year, month, day = _parts(text)
    return f"{year}-{month:02}-{day:02} {text}"


def _two_digits(text: str) -> bool:
    found = _THREE.fullmatch(text.strip())
    return bool(found and max(len(found[1]), len(found[4])) <= 2 and _parts(text)[1])


def _parts(text: str) -> tuple[str, int, int]:
    """Year (four digits, or empty), month and day (0 if there is none)."""
    found = _THREE.search(text)
    if found:
        return _three_numbers(found[1], int(found[3]), found[4])
    pair = _TWO.match(text)
    if pair:
        return _checked(pair[1] or pair[4], int(pair[2] or pair[3]), 0)
    return _words(text)


def _three_numbers(first: str, second: int, third: str) -> tuple[str, int, int]:
    if len(first) > 2:
        return _checked(first, second, int(third))
    month, day = int(first), second
    if month > MONTHS_A_YEAR:
        month, day = day, month
    return _checked(third if len(third) > 2 else f"20{third:>02}", month, day)


def _checked(year: str, month: int, day: int) -> tuple[str, int, int]:
    if not 1 <= month <= MONTHS_A_YEAR or day > LONGEST_MONTH:
        return year, 0, 0
    return year, month, day


def _words(text: str) -> tuple[str, int, int]:
    year = _YEAR.search(text)
    if not year:
        return "", 0, 0
    month = _MONTH.match(text)
    if not month:
        return year[1], 0, 0
    rest = text[: year.start()] + text[year.end() :]
    day = _DAY.search(rest)
    return _checked(year[1], MONTHS.index(month[1].lower()) + 1, int(day[1]) if day else 0)
