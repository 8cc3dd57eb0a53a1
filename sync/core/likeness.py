"""How alike two sketches are, part by part. Each answer says agree, cannot tell, or differ; symmetric."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from sync.core.sketch import GENERIC, Sketch

AGREE, OVERLAP, UNKNOWN, DIFFER = 2, 1, 0, -1  # of parts; OVERLAP only of people

_SMALL = frozenset(
    "a an and as at by das de del der des di die du e el en et for from fur in la las le les los of on or the to und van with y zu".split()  # noqa: SIM905
)
# What follows a title that is otherwise the same and makes it another work's.
_SERIES = re.compile(
    r"\b(?:part|phase|paper|study|stage|no|number|volume) (?:[ivx]+|\d+|one|two|three|four|[a-d])\b|^ *(?:[ivx]+|\d{1,2})\b"
    r"|\b(?:[ivx]{2,}|i)$|\b(?:correction|erratum|reply|comment|protocol|follow up)\b"
)
_SAME_NAME = 85.0  # percent of equal letters
_MOST_PEOPLE = 12
_CUT_HEAD, _CUT_TAIL = 20, 25  # letters from which a title is surely the head, or the end, of a longer one


@dataclass(frozen=True, slots=True)
class Signs:
    """What two records say of each other. Parts are AGREE, UNKNOWN or DIFFER, `people` may OVERLAP.

    title: 0 to 1.  shortest: letters of the shorter title.  numbers: the titles' numbers speak against each other.
    years: between them; 0 where one is unknown.  known_years: whether both are known.
    range: page ranges of more than one page are equal.  near: first pages are close, as misprints are.
    """

    doi: int
    pmid: int
    title: float
    cut: bool
    shortest: int
    numbers: bool
    years: int
    known_years: bool
    people: int
    as_many: bool
    all_people: bool
    several: bool
    nobody: bool
    journal: int
    volume: int
    issue: int
    page: int
    same_end: bool
    other_end: bool
    range: bool
    near: bool
    numbered: bool
    whole_places: bool
    abstract: int
    supplement: bool
    one_in_supplement: bool
    meeting: bool
    meetings: bool

    @property
    def identified(self) -> bool:
        """Whether they share an identifier."""
        return AGREE in (self.doi, self.pmid)

    @property
    def place(self) -> bool:
        """Whether volume and first page agree, and the journal does not differ."""
        return self.volume == AGREE and self.page == AGREE and self.journal != DIFFER


def signs(one: Sketch, other: Sketch, likeness: tuple[float, bool] | None = None) -> Signs:
    """Everything that two sketches say of each other. likeness: what `titles` says of them, where that is known."""
    title, cut = likeness or titles(one, other)
    page = pages(one, other)
    known_years = bool(one.year and other.year)
    ends = page == AGREE and bool(one.last and other.last)
    same_end = (ends and one.last == other.last) or (
        page == AGREE and not one.last and not other.last and one.numbered and other.numbered
    )
    return Signs(
        doi=equal(one.doi, other.doi),
        pmid=equal(one.pmid, other.pmid),
        title=title,
        cut=cut,
        shortest=min(len(one.letters), len(other.letters)),
        numbers=_numbers_differ(one, other, title, cut=cut),
        years=abs(one.year - other.year) if known_years else 0,
        known_years=known_years,
        people=people(one, other),
        as_many=len(one.authors) == len(other.authors),
        several=len(one.authors) > 1 and len(other.authors) > 1,
        all_people=len(one.authors) == len(other.authors) and all(map(same_name, one.authors, other.authors)),
        nobody=not one.authors and not other.authors,
        journal=_journals(one, other),
        volume=equal(one.volume, other.volume),
        issue=equal(one.issue, other.issue),
        page=page,
        same_end=same_end,
        other_end=ends and one.last != other.last,
        range=ends and one.last == other.last != one.first,
        near=page == DIFFER and _near(one, other),
        numbered=one.numbered and other.numbered,
        whole_places=bool(one.last and other.last and one.volume and one.volume == other.volume),
        abstract=abstracts(one, other),
        supplement=one.in_supplement != other.in_supplement and one.last != other.last,
        one_in_supplement=one.in_supplement != other.in_supplement,
        meeting=(one.kind == "conferencePaper") != (other.kind == "conferencePaper"),
        meetings=one.kind == other.kind == "conferencePaper",
    )


def equal(one: str, other: str) -> int:
    """Of two plain values."""
    return UNKNOWN if not one or not other else AGREE if one == other else DIFFER


def titles(one: Sketch, other: Sketch) -> tuple[float, bool]:
    """How much of the letters is the same (0 to 1), and whether one title is the head or the end of the other."""
    short, long = sorted((one.letters, other.letters), key=lambda letters: (len(letters), letters))
    if short == long:
        return 1.0, False
    ratio = fuzz.ratio(short, long) / 100
    if len(short) >= _CUT_HEAD and long.startswith(short):
        return max(ratio, 0.95), True
    if len(short) >= _CUT_TAIL and long.endswith(short):
        return max(ratio, 0.9), True
    return ratio, False


def people(one: Sketch, other: Sketch) -> int:
    """AGREE on the first author; OVERLAP in others, or where given and family name stand the other way round."""
    if not one.authors or not other.authors:
        return UNKNOWN
    if same_name(one.author, other.author):
        strangers = one.initial and other.initial and one.initial != other.initial
        alone = len(one.authors) == len(other.authors) == 1
        return OVERLAP if strangers and alone else AGREE
    fewer, more = sorted(
        (one.authors[:_MOST_PEOPLE], other.authors[:_MOST_PEOPLE]), key=lambda names: (len(names), names)
    )
    shared = sum(any(same_name(name, another) for another in more) for name in fewer)
    return OVERLAP if shared >= max(1, len(fewer) / 2) or one.name & other.name or _glued(one, other) else DIFFER


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
    if one.first == other.first or one.starts & other.starts:
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
    return AGREE if ratio >= 85 else DIFFER if ratio < 60 else UNKNOWN


def _journals(one: Sketch, other: Sketch) -> int:
    return AGREE if one.issns & other.issns else journals(one.journal, other.journal)


@lru_cache(maxsize=50_000)
def _named_alike(one: str, other: str) -> int:
    short, long = sorted(([word for word in name.split() if word not in _SMALL] for name in (one, other)), key=len)
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
    if len(short) == len(long) and fuzz.ratio(one, other) >= 90:
        return AGREE
    shared = {word[:4] for word in short} & {word[:4] for word in long}
    return UNKNOWN if len(short) >= 2 and len(shared) >= len(short) - 1 else DIFFER


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


def _numbers_differ(one: Sketch, other: Sketch, title: float, *, cut: bool) -> bool:
    """Whether the numbers of the titles make them two works: `part I` and `part II`, 2019 and 2020."""
    if title == 1:
        return False
    if not cut:
        return one.numbers != other.numbers
    if _SERIES.search(_rest(one, other)):
        return True
    mine, theirs = set(one.numbers), set(other.numbers)
    return not (mine <= theirs or theirs <= mine)


def _rest(one: Sketch, other: Sketch) -> str:
    """What the longer title has before or behind the shorter one."""
    short, long = sorted((one, other), key=lambda each: (len(each.letters), each.letters))
    if not long.letters.startswith(short.letters):
        return long.title[: len(long.title) - len(short.title)]
    left = len(short.letters)
    for place, letter in enumerate(long.title):
        if not left:
            return long.title[place:]
        left -= letter != " "
    return ""


def _glued(one: Sketch, other: Sketch) -> bool:
    """Whether one list has its names run together, and the other's first author in it."""
    mine, theirs = ("".join(each.authors).replace(" ", "") for each in (one, other))
    heads = ((one.author.replace(" ", ""), theirs), (other.author.replace(" ", ""), mine))
    return any(len(head) > 3 and head in names for head, names in heads)


def _near(one: Sketch, other: Sketch) -> bool:
    if not (one.first.isdigit() and other.first.isdigit()):
        return False
    apart, ends = abs(int(one.first) - int(other.first)), bool(one.last and other.last)
    return (apart <= 10 and ends and one.last == other.last) or (apart <= 1 and not ends)


def is_generic(found: Signs) -> bool:
    """Whether the shorter title is one that many works bear."""
    return found.shortest < GENERIC
