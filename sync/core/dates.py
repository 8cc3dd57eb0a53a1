"""Partial dates, as Zotero writes them: `2024`, `2024-02`, `2024-02-19`; what has no such form stays text.

Zotero's own import writes a date without a year as `0000 Feb 12`, to be completed where another tag gives the year.
"""

from __future__ import annotations

import re
from functools import lru_cache

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_RIS = re.compile(r"^\s*(\d{4})?\s*/\s*(\d{0,2})\s*/?\s*(\d{0,2})\s*(?:/\s*(.*?))?\s*$", re.DOTALL)
_ISO = re.compile(r"^\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:T.*)?\s*$")
_DAY = r"((?:1[4-9]|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_COMPACT = re.compile(rf"^\s*{_DAY}\s*$")
_COMPACT_INSIDE = re.compile(rf"(?<!\d){_DAY}(?!\d)")
_YEAR = re.compile(r"^\s*(\d{4})\s*/*\s*$")
_YEAR_INSIDE = re.compile(r"(?<!\d)(?:1[4-9]|20)\d\d(?!\d)")
# What stands for a date while a work has none yet.
_STATUS = re.compile(
    r"^(?:in press|in print|forthcoming|submitted|accepted|epub|online|ahead of|n\.?\s?d\.?$|undated|no date)",
    re.IGNORECASE,
)
_YEARLESS = re.compile(r"^([A-Za-z]+(?:[-/][A-Za-z]+)?)\b\.?(?:\s+(\d{1,2})(?!\d))?")
_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")  # a letter and what is written with it
NO_YEAR = "0000"


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


@lru_cache(maxsize=5_000)
def from_ris(text: str) -> str:
    """A RIS date (`2024/2/19`, `2012/05//`, `2018///Spring`, `2024-02-19`, `20240219`, free text) as Zotero's date.

    `YYYY/MM/DD/other`, each part may be empty (RIS format specification, 2001); where a year stands, the last part is not taken,
    as in Zotero's import. Text with a year stays text; text without one is `0000 Feb 12`, except `in press` and its like.
    """
    slashed = _RIS.match(text) if "/" in text else None
    if slashed:
        return iso(*slashed.groups()[:3]) or from_ris((slashed.group(4) or "").replace("/", " "))
    whole = _ISO.match(text) or _COMPACT.match(text)
    if whole:
        return iso(*whole.groups())
    year = _YEAR.match(text)
    return iso(year.group(1)) if year else _from_words(" ".join(text.split()))


def year_of(text: str) -> str:
    """The four digits that look like a year, 1400 to 2099; empty if there are none."""
    found = _YEAR_INSIDE.search(text)
    return found.group() if found else ""


def with_year(text: str, year: str) -> str:
    """A date that says everything but the year (`FEB`, `0000 Feb`), with the year put in: `2024 FEB`."""
    return f"{year} {text.removeprefix(NO_YEAR).strip()}".strip()


@lru_cache(maxsize=5_000)
def says(date: str, ris: str) -> bool:
    """Whether a date says all that a RIS date says."""
    said = from_ris(ris)
    if said.startswith(NO_YEAR):
        return " ".join(ris.replace(".", "").split()) in date
    return said in date and all(word in date for word in _WORD.findall(ris))


def _from_words(text: str) -> str:
    if _YEAR_INSIDE.search(text) or _STATUS.match(text):
        return text
    compact = _COMPACT_INSIDE.search(text)
    if compact:
        return iso(*compact.groups())
    word = _YEARLESS.match(text)
    if word is None or not (month_number(word[1]) or text.replace(" ", "").isalpha()):
        return text
    return " ".join(part for part in (NO_YEAR, *word.groups()) if part)


def _number(part: int | str | None) -> int:
    said = str(part if part is not None else "").strip()
    return int(said) if said.isascii() and said.isdigit() else 0
