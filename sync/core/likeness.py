"""How alike two sketches are, part by part. Each answer says agree, cannot tell, or differ; symmetric."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz

from sync.core.headings import WIDE
from sync.core.lazy import lazy
from sync.core.sketch import ABSTRACT_OF_MEETING, COCHRANE, GENERIC, Sketch
from sync.core.titles import SMALL, Wording, begin_alike, companion, numbers_differ, titles, wording

AGREE, OVERLAP, UNKNOWN, DIFFER = 2, 1, 0, -1  # of parts; OVERLAP only of people

_MEETINGS = frozenset({"conferencePaper", ABSTRACT_OF_MEETING})
_SAME_NAME = 85.0  # percent of equal letters
_MOST_PEOPLE = 12
_SAME_WORD = 85.0  # percent of equal letters, of words of journals
_SAME_ABSTRACT = 85.0  # percent of equal letters
_NO_DIGITS = re.compile(r"\D")
_LONGEST_PAGE = 9  # digits


class Signs:
    """What two records say of each other; parts are AGREE, UNKNOWN or DIFFER. Symmetric.

    title: 0 to 1.  cut: one title is the head or the end of the other.  The rest is found out when it is first asked for: most
    pairs are told apart by a few parts.
    """

    def __init__(self, one: Sketch, other: Sketch) -> None:
        self.one, self.other = one, other
        self.title, self.cut = titles(one, other)

    @lazy
    def doi(self) -> int:
        """Of DOIs."""
        return equal(self.one.doi, self.other.doi)

    @lazy
    def pmid(self) -> int:
        """Of PubMed's numbers."""
        return equal(self.one.pmid, self.other.pmid)

    @lazy
    def identified(self) -> bool:
        """Whether they share an identifier."""
        return AGREE in (self.doi, self.pmid)

    @lazy
    def shortest(self) -> int:
        """Letters of the shorter title."""
        return min(self.one.size, self.other.size)

    @lazy
    def numbers(self) -> bool:
        """Whether the titles' numbers speak against each other."""
        return numbers_differ(self.one, self.other, self.title, cut=self.cut)

    @lazy
    def wording(self) -> Wording:
        """How far the words of the titles are apart; what was cut from the end of one is missing, no more."""
        if self.title == 1:
            return Wording.SAME
        return Wording.MISSPELT if self.cut and begin_alike(self.one, self.other) else wording(self.one, self.other)

    @property
    def opposed(self) -> bool:
        """Whether a word of one title stands where the other has quite another: hepatitis B and C, men and women, with and without."""
        return self.wording is Wording.OPPOSED

    @property
    def how_titles_differ(self) -> str:
        """`subtitle-differs` where they begin alike and go on otherwise, else `title-differs`."""
        return "subtitle-differs" if begin_alike(self.one, self.other) else "title-differs"

    @lazy
    def companion(self) -> bool:
        """Whether what one title says more than the other is that of another paper about the same: its design, its costs."""
        return self.cut and companion(self.one, self.other)

    @lazy
    def told_apart(self) -> bool:
        """Whether edition, number, day or register make two works of them."""
        if not self.one.apart or not self.other.apart:
            return False
        mine, theirs = (dict(part.split(":", 1) for part in each.apart) for each in (self.one, self.other))
        return any(theirs.get(name, value) != value for name, value in mine.items())

    @lazy
    def isbn(self) -> bool:
        """Whether they share an ISBN."""
        return _share(self.one.isbns, self.other.isbns)

    @lazy
    def marked(self) -> bool:
        """Whether both are notices, replies or protocols."""
        return bool(self.one.marks)

    @lazy
    def known_years(self) -> bool:
        """Whether both years are known."""
        return bool(self.one.year and self.other.year)

    @lazy
    def years(self) -> int:
        """Years between them; 0 where one is unknown."""
        return abs(self.one.year - self.other.year) if self.known_years else 0

    @lazy
    def people(self) -> int:
        """May OVERLAP, too."""
        return people(self.one, self.other)

    @lazy
    def as_many(self) -> bool:
        """Whether both have as many authors."""
        return len(self.one.authors) == len(self.other.authors)

    @lazy
    def all_people(self) -> bool:
        """Whether all authors are the same, in order."""
        return self.as_many and all(map(same_name, self.one.authors, self.other.authors))

    @lazy
    def several(self) -> bool:
        """Whether both have more than one author."""
        return len(self.one.authors) > 1 and len(self.other.authors) > 1

    @lazy
    def nobody(self) -> bool:
        """Whether neither has an author."""
        return not self.one.authors and not self.other.authors

    @lazy
    def journal(self) -> int:
        """Of names and ISSNs."""
        return AGREE if _share(self.one.issns, self.other.issns) else journals(self.one.journal, self.other.journal)

    @lazy
    def volume(self) -> int:
        """Of volumes."""
        return equal(self.one.volume, self.other.volume)

    @lazy
    def issue(self) -> int:
        """Of issues that are plain numbers."""
        return equal(self.one.issue, self.other.issue)

    @lazy
    def issues(self) -> int:
        """Of issues as they were written: `Suppl 1` and `Suppl 2`."""
        return equal(self.one.whole_issue, self.other.whole_issue)

    @lazy
    def page(self) -> int:
        """Of first pages."""
        return pages(self.one, self.other)

    @lazy
    def place(self) -> bool:
        """Whether volume and first page agree, and the journal does not differ."""
        return self.volume == AGREE and self.page == AGREE and self.journal != DIFFER

    @lazy
    def ends(self) -> bool:
        """Whether the first pages agree and both last pages are known."""
        return self.page == AGREE and bool(self.one.last and self.other.last)

    @lazy
    def same_end(self) -> bool:
        """Whether the last pages agree, too; an article number is all of its place."""
        if self.ends:
            return self.one.last == self.other.last
        return self.page == AGREE and self.numbered and not self.one.last and not self.other.last

    @lazy
    def other_end(self) -> bool:
        """Whether only the last pages differ."""
        return self.ends and self.one.last != self.other.last

    @lazy
    def range(self) -> bool:
        """Whether page ranges of more than one page are equal."""
        return self.ends and self.one.last == self.other.last != self.one.first

    @lazy
    def long_range(self) -> bool:
        """Whether they share a range of at least three pages that are none of a supplement: no two works of a journal do."""
        if not self.range or self.one.in_supplement:
            return False
        first, last = (re.sub(r"\D", "", page)[:_LONGEST_PAGE] for page in (self.one.first, self.one.last))
        if not first or not last:
            return False
        return int(last) - int(first) > 1

    @lazy
    def near(self) -> bool:
        """Whether first pages are close, as misprints are."""
        return self.page == DIFFER and _near(self.one, self.other)

    @lazy
    def numbered(self) -> bool:
        """Whether both have an article number for a page."""
        return self.one.numbered and self.other.numbered

    @lazy
    def ahead(self) -> bool:
        """Whether one of them has no place yet, and the other got its own in that year or in the next."""
        early, late = (self.one, self.other) if self.other.placed else (self.other, self.one)
        return late.placed and early.unplaced and early.year > 0 and 0 <= late.year - early.year <= 1

    @lazy
    def whole_places(self) -> bool:
        """Whether both have volume and last page, and the volume agrees."""
        return bool(self.one.last and self.other.last) and self.volume == AGREE

    @lazy
    def abstract(self) -> int:
        """Of the beginnings of abstracts."""
        return abstracts(self.one, self.other)

    @lazy
    def one_abstract(self) -> bool:
        """Whether the abstracts are one as far as both are kept, numbers too, and not but a sentence that a team begins with."""
        shared = min(len(self.one.abstract), len(self.other.abstract))
        mine, theirs = self.one.abstract[:shared], self.other.abstract[:shared]
        digits = [_NO_DIGITS.sub("", each) for each in (mine, theirs)]
        return shared > 0 and digits[0] == digits[1] and fuzz.ratio(mine, theirs) >= _SAME_ABSTRACT

    @lazy
    def in_supplement(self) -> bool:
        """Whether one of them, or both, stands in a supplement, by its issue."""
        return any("suppl" in each.whole_issue for each in (self.one, self.other))

    @lazy
    def one_in_supplement(self) -> bool:
        """Whether one of them has a page of a supplement."""
        return self.one.in_supplement != self.other.in_supplement

    @lazy
    def supplement(self) -> bool:
        """Whether one of them, only, ends on a page of a supplement."""
        return self.one_in_supplement and self.one.last != self.other.last

    @lazy
    def kinds(self) -> frozenset[str]:
        """The item types of the two."""
        return frozenset((self.one.kind, self.other.kind))

    @lazy
    def preprint(self) -> bool:
        """Whether one of them, only, is a preprint."""
        return self.one.preprint != self.other.preprint

    @lazy
    def chapter(self) -> bool:
        """Whether one of them names the other as the book that it stands in."""
        return self.one.title == self.other.journal or self.other.title == self.one.journal

    @lazy
    def versions(self) -> bool:
        """Whether they are two versions of one Cochrane review: by DOI, or by year or issue in that database."""
        if not self.one.cochrane or not self.other.cochrane:
            return False
        mine, theirs = (COCHRANE.match(each.doi) for each in (self.one, self.other))
        if mine and theirs:
            return mine[1] == theirs[1] and self.doi == DIFFER
        there = all(each.in_cochrane_database for each in (self.one, self.other))
        return there and (self.years > 0 or DIFFER in (self.issue, self.volume))

    @lazy
    def meeting(self) -> bool:
        """Whether one of them is a conference paper, or an abstract of a meeting."""
        return (self.one.kind in _MEETINGS) != (self.other.kind in _MEETINGS)

    @lazy
    def meetings(self) -> bool:
        """Whether both are."""
        return self.one.kind == self.other.kind == "conferencePaper"


def equal(one: str, other: str) -> int:
    """Of two plain values."""
    return UNKNOWN if not one or not other else AGREE if one == other else DIFFER


def _share(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
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
    return OVERLAP if shared >= max(1, len(fewer) / 2) or _share(one.name, other.name) or _glued(one, other) else DIFFER


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
    if one.first == other.first or _share(one.starts, other.starts):
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


def _near(one: Sketch, other: Sketch) -> bool:
    if not all(page.isdecimal() and len(page) <= _LONGEST_PAGE for page in (one.first, other.first)):
        return False
    apart, ends = abs(int(one.first) - int(other.first)), bool(one.last and other.last)
    return (apart <= 10 and ends and one.last == other.last) or (apart <= 1 and not ends)


def is_generic(found: Signs) -> bool:
    """Whether the shorter title is one that many works bear."""
    return found.shortest < GENERIC
