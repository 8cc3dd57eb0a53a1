"""What two sketches say of each other, part by part. Symmetric."""

from __future__ import annotations

import re

from sync.core.lazy import lazy
from sync.core.parts import (
    AGREE,
    DIFFER,
    LONGEST_PAGE,
    abstracts,
    equal,
    journals,
    near,
    one_abstract,
    pages,
    people,
    same_name,
    share,
)
from sync.core.sketch import ABSTRACT_OF_MEETING, COCHRANE, GENERIC, Sketch
from sync.core.titles import Wording, begin_alike, companion, numbers_differ, titles, wording

_MEETINGS = frozenset({"conferencePaper", ABSTRACT_OF_MEETING})


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
        return share(self.one.isbns, self.other.isbns)

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
        return AGREE if share(self.one.issns, self.other.issns) else journals(self.one.journal, self.other.journal)

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
        first, last = (re.sub(r"\D", "", page)[:LONGEST_PAGE] for page in (self.one.first, self.one.last))
        if not first or not last:
            return False
        return int(last) - int(first) > 1

    @lazy
    def near(self) -> bool:
        """Whether first pages are close, as misprints are."""
        return self.page == DIFFER and near(self.one, self.other)

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
        return one_abstract(self.one.abstract, self.other.abstract)

    @lazy
    def supplement_issue(self) -> bool:
        """Whether the issue of one of them, or of both, is a supplement."""
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


def is_generic(found: Signs) -> bool:
    """Whether the shorter title is one that many works bear."""
    return found.shortest < GENERIC
