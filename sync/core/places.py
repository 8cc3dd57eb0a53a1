"""What is compared of the place where a work was printed: journal, volume, issue, pages.

The quirks that are undone here were met in the exports of systematic reviews: journals that carry the whole citation
("PLoS ONE.9 (4) (no pagination) 2014"), pages that a spreadsheet made a date ("05-Jun"), article numbers in the issue.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sync.core.dates import month_number
from sync.core.folding import fold
from sync.core.headings import in_order

_LONGEST_NAME = 300  # letters of a journal, and of what stands behind it
_DIGITS = re.compile(r"\d+")
_CONFERENCE = re.compile(r"\.?\s*Conference:.*$", re.DOTALL)
_CITATION = re.compile(
    r"\.\s*(\d+)?\s*(?:\([^)]*\)|[A-Z][a-z]+ \d+)?[ ,]*(?:\(\)|\(pp?\b|\(no pag|\(Suppl|\(var|Date of Pub|\d{4}\.).*$",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETS = re.compile(r"\s*[\[(][^\])]*[\])]")
_HALF_BRACKET, _PLAIN_ISSUE = re.compile(r"\s*\d+\)"), re.compile(r"\d{1,2}")
_DASHES, _PAGES_WORD = re.compile(r"--|[\u2010-\u2015\u2212]"), re.compile(r"^(?:pp?\.?|pages?)\s*")
_PAGE_LISTS, _ROMAN_PAGE = re.compile(r"[,;+]"), re.compile(r"[ivxlc]+")
_NO_PAGE = frozenset({"t", "suppl", "s", "n", "na", "n/a", "no", "pagination"})
_LETTERED = re.compile(r"(?:[a-z]{0,2}|[ivxl]+)(\d+)[a-z]?")
_NUMBER_IN_ISSUE = re.compile(r"[a-z]+\d{3,}|cd\d+")
ARTICLE_NUMBER = re.compile(r"e\d{2,}|[a-z]{1,3}\d{4,}|cd\d+|\d{5,}")
_DATE_LIKE = (
    re.compile(r"(?P<number>\d{1,2})-(?P<month>[a-z]{3})"),
    re.compile(r"(?P<month>[a-z]{3})-(?P<number>\d{1,2})"),
)
_ISSUE_WORDS = {"supplement": "suppl", "supp": "suppl", "part": "pt", "no": "", "issue": "", "number": ""}


@lru_cache(maxsize=20_000)
def journal_of(said: str) -> tuple[str, str]:
    """The journal's name alone, and the volume where the name carries the whole citation."""
    if said.lower().startswith(("http:", "https:", "www.")):
        return "", ""
    name, volume = _CONFERENCE.sub("", said[:_LONGEST_NAME]), ""
    cited = _CITATION.search(name)
    if cited and cited.start() >= 3:
        name, volume = name[: cited.start()], cited.group(1) or ""
    bare = _BRACKETS.sub("", name)
    return fold(bare if len(bare) > 2 else name), volume.lstrip("0")


def volume_of(said: str) -> str:
    """The number alone; half a bracket (`2)`) is the rest of a supplement."""
    if ")" in said and _HALF_BRACKET.match(said):
        return ""
    words = [word for word in fold(said).split() if word not in {"vol", "volume", "v"}]
    return words[0].lstrip("0") if words else ""


def issue_of(said: str) -> tuple[str, str]:
    """The issue where it is a plain number, and the article number that some put there."""
    words = fold(said).split()
    if not words:
        return "", ""
    if words[0] == "article":
        return "", words[-1]
    number = words[0].lstrip("0")
    return (number if _PLAIN_ISSUE.fullmatch(number) else ""), (number if _NUMBER_IN_ISSUE.fullmatch(number) else "")


def whole_issue(said: str) -> str:
    """The issue with its words (`Suppl 1`), in any order; empty for a plain number."""
    if not said or said.isdecimal():
        return ""
    words = [_ISSUE_WORDS.get(word, word) for word in fold(said).split()]
    return " ".join(sorted(filter(None, words))) if any(word[:1].isalpha() for word in words) else ""


def pages_of(said: str, *, known_volume: bool) -> tuple[str, str, tuple[str, ...]]:
    """First and last page, and where each range begins. `1-6` without a volume says nothing: every preprint has it."""
    text = _DASHES.sub("-", said.strip().lower().strip('"'))
    text = _PAGES_WORD.sub("", text)
    ranges = [found for part in _PAGE_LISTS.split(text) if part.strip() and (found := _range(part.strip()))[0]]
    if not ranges or (ranges[0][0] == "1" and not known_volume):
        return "", "", ()
    return *ranges[0], in_order(_bare(first) for first, _ in ranges)


def _range(said: str) -> tuple[str, str]:
    for shape in _DATE_LIKE:
        found = shape.fullmatch(said)
        if found and (month := month_number(found["month"])):
            pages = (found["number"], str(month))
            said = "-".join(pages if found.start("number") == 0 else pages[::-1])
            break
    first, _, last = (part.strip("- ").split(" ")[0] for part in said.partition("-"))
    if first in _NO_PAGE:
        return "", ""
    first, last = first.lstrip("0"), last.lstrip("0")
    if first.isdecimal() and last.isdecimal() and len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    is_page = _DIGITS.search(first) or _ROMAN_PAGE.fullmatch(first)
    return (first, last) if is_page else ("", "")


def _bare(page: str) -> str:
    found = _LETTERED.fullmatch(page)
    return found.group(1) if found else page
