"""How alike two values of a kind are: people, journals, pages, abstracts. Each answer says agree, cannot tell, or differ; symmetric."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz

from sync.core.headings import WIDE
from sync.core.sketch import Sketch
from sync.core.titles import SMALL

AGREE, OVERLAP, UNKNOWN, DIFFER = 2, 1, 0, -1  # of parts; OVERLAP only of people

_SAME_NAME = 85.0  # percent of equal letters
_MOST_PEOPLE = 12
_SAME_WORD = 85.0  # percent of equal letters, of words of journals
_SAME_ABSTRACT = 85.0  # percent of equal letters
_NO_DIGITS = re.compile(r"\D")
LONGEST_PAGE = 9  # digits


def equal(one: str, other: str) -> int:
    """Of two plain values."""
    return UNKNOWN if not one or not other else AGREE if one == other else DIFFER


def share(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two sets have a part in common."""
    return any(part in other for part in one)


def people(one: Sketch, other: Sketch) -> int:
    """AGREE on the first author; OVERLAP in others, or where given and family name stand the other way round."""
    if not one.authors or not other.authors:
        return UNKNOWN
    if _is_wide(one.author) != _is_wide(other.author):
        return UNKNOWN  # one is in Chinese, the other in Latin letters
    if same_name(one.author, other.author):
        strangers = one.initial and other.initial and one.initial != other.initial
        alone = len(one.authors) == len(other.authors) == 1
        if strangers and not alone and len(one.authors) > 1 < len(other.authors) and not _others_shared(one, other):
            return DIFFER
        return OVERLAP if strangers and alone else AGREE
    fewer, more = sorted(
        (one.authors[:_MOST_PEOPLE], other.authors[:_MOST_PEOPLE]), key=lambda names: (len(names), names)
    )
    shared = sum(any(same_name(name, another) for another in more) for name in fewer)
    return OVERLAP if shared >= max(1, len(fewer) / 2) or share(one.name, other.name) or _glued(one, other) else DIFFER


@lru_cache(maxsize=100_000)
def same_name(one: str, other: str) -> bool:
    """Whether two folded family names are one: a letter apart, or one of several names left out."""
    if one == other:
        return bool(one)
    if not one or not other:
        return False
    if fuzz.ratio(one, other) >= _SAME_NAME:
        return True
    fewer, more = sorted((one.split(), other.split()), key=len)
    return len(more) > 1 and any(len(word) > 2 and word in more for word in fewer)


def journals(one: str, other: str) -> int:
    """Of two folded names: the same where each word of one may be short for that of the other, in order."""
    if not one or not other:
        return UNKNOWN
    return AGREE if one == other else _named_alike(*sorted((one, other)))


def pages(one: Sketch, other: Sketch) -> int:
    """Of first pages; a page of an issue and an article number cannot be compared."""
    if not one.first or not other.first:
        return UNKNOWN
    if one.first == other.first or share(one.starts, other.starts):
        return AGREE
    return UNKNOWN if one.numbered != other.numbered else DIFFER


def abstracts(one: Sketch, other: Sketch) -> int:
    """Of the beginnings of abstracts, as far as both go."""
    if not one.abstract or not other.abstract:
        return UNKNOWN
    shared = min(len(one.abstract), len(other.abstract))
    if one.abstract[:60] == other.abstract[:60]:
        return AGREE
    ratio = fuzz.ratio(one.abstract[:shared], other.abstract[:shared])
    return AGREE if ratio >= _SAME_ABSTRACT else DIFFER if ratio < 60 else UNKNOWN


def one_abstract(one: str, other: str) -> bool:
    """Whether two abstracts are one as far as both are kept, numbers too, and not but by a sentence that a team begins with."""
    shared = min(len(one), len(other))
    mine, theirs = one[:shared], other[:shared]
    if not shared or _NO_DIGITS.sub("", mine) != _NO_DIGITS.sub("", theirs):
        return False
    return fuzz.ratio(mine, theirs) >= _SAME_ABSTRACT


@lru_cache(maxsize=50_000)
def _named_alike(one: str, other: str) -> int:
    short, long = sorted(([word for word in name.split() if word not in SMALL] for name in (one, other)), key=len)
    if not short:
        return UNKNOWN
    if len(short) == 1 and len(short[0]) >= 3 and short[0] == long[0] and len(long) == 1:
        return AGREE
    alike = all(map(_may_be_short, short, long))
    if alike and (len(short) == len(long) or len(short) >= 3):
        return AGREE
    if len(long) == len(short) + 1 >= 3 and long[0] == _initials(long[1:]) and all(map(_may_be_short, short, long[1:])):
        return AGREE
    if _is_initials(short, long) or _is_initials(long, short):
        return AGREE
    if len(short) == len(long) and all(fuzz.ratio(*pair) >= _SAME_WORD for pair in zip(short, long, strict=True)):
        return AGREE
    shared = {word[:4] for word in short} & {word[:4] for word in long}
    return UNKNOWN if len(short) >= 2 and len(shared) >= len(short) - 1 else DIFFER


def _others_shared(one: Sketch, other: Sketch) -> bool:
    """Whether any but the first authors are the same."""
    return any(
        same_name(mine, theirs) for mine in one.authors[1:_MOST_PEOPLE] for theirs in other.authors[1:_MOST_PEOPLE]
    )


def _is_wide(name: str) -> bool:
    return bool(WIDE.search(name))


def _may_be_short(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    letters = iter(long)
    return short[:1] == long[:1] and (
        long.startswith(short) or (len(short) >= 3 and all(letter in letters for letter in short))
    )


def _initials(words: list[str]) -> str:
    return "".join(word[0] for word in words)


def _is_initials(words: list[str], others: list[str]) -> bool:
    initials = _initials(words)
    return len(initials) >= 3 and any(
        word == initials or (len(word) >= 4 and initials.startswith(word)) for word in others
    )


def _glued(one: Sketch, other: Sketch) -> bool:
    """Whether one list has its names run together, and the other's first author in it."""
    mine, theirs = ("".join(each.authors).replace(" ", "") for each in (one, other))
    heads = ((one.author.replace(" ", ""), theirs), (other.author.replace(" ", ""), mine))
    return any(len(head) > 3 and head in names for head, names in heads)


def near(one: Sketch, other: Sketch) -> bool:
    """Whether first pages, or the places of a page, are a misprint apart."""
    if not all(page.isdecimal() and len(page) <= LONGEST_PAGE for page in (one.first, other.first)):
        return False
    apart, ends = abs(int(one.first) - int(other.first)), bool(one.last and other.last)
    return (apart <= 10 and ends and one.last == other.last) or (apart <= 1 and not ends)
