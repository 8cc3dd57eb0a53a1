"""The rules by which two records are one work or not: an ordered table, each rule with its name, over what their parts say of each other.

The thresholds were found on labelled exports of twelve systematic reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from sync.core.likeness import Signs, is_generic
from sync.core.parts import AGREE, DIFFER, OVERLAP, UNKNOWN
from sync.core.titles import Wording
from sync.core.verdicts import Verdict

ALIKE, UNLIKE = 0.85, 0.6  # of titles: one work's from here on; below, two works'
NEARLY = 0.95  # of titles: below, what speaks against one work is not overruled
SHORT = 30  # letters: shorter titles may be those of a column


@dataclass(frozen=True, slots=True)
class Rule:
    """If it holds, this is the verdict. strength: the earlier in the table, the stronger."""

    reason: str
    verdict: Verdict
    holds: Callable[[Signs], bool]
    strength: int


def conflict(s: Signs) -> bool:
    """Whether an identifier of one is another than that of the other."""
    return DIFFER in (s.doi, s.pmid)


def _numbers(s: Signs) -> bool:
    """Whether numbers make two works of them; not where a database cut the title, and place or identifier agree."""
    if not s.numbers:
        return False
    if not s.cut:
        return True
    at_one_place = (
        s.page == AGREE and (s.volume == AGREE or s.identified) and DIFFER not in (s.volume, s.journal, s.issue)
    )
    placed = at_one_place and s.people >= OVERLAP and s.years <= 1 and not conflict(s)
    known = s.identified and s.people == AGREE and DIFFER not in (s.page, s.volume)
    return not (placed or known)


def _whole_place(s: Signs) -> bool:
    """Volume and page range in a journal that is not another, and nothing else of the place against it."""
    return s.place and s.same_end and s.issue != DIFFER


def _in_time(s: Signs) -> bool:
    return s.years <= 1


_SAME, _UNSURE, _RELATED, _DIFFERENT = Verdict.SAME, Verdict.UNSURE, Verdict.RELATED, Verdict.DIFFERENT

# For each kind of pair, told by what holds for it, the rules: the first that holds decides.
TABLE: tuple[tuple[Callable[[Signs], bool], tuple[tuple[str, Verdict, Callable[[Signs], bool]], ...]], ...] = (
    # Editions, patents, newspapers, trials: told apart by what is theirs alone.
    (
        lambda s: bool(s.one.apart) and s.told_apart,
        (
            ("edition", _RELATED, lambda s: s.kinds == {"book"} and s.title >= 0.95),
            ("told-apart", _DIFFERENT, lambda _: True),
        ),
    ),
    # Versions of a Cochrane review.
    (
        lambda s: s.title >= ALIKE and s.one.cochrane and s.versions,
        (("cochrane-version", _RELATED, lambda _: True),),
    ),
    # Numbers in titles: series, parts, yearly guidelines.
    (
        _numbers,
        (
            (
                "identifier-and-place",
                _SAME,
                lambda s: s.identified and s.long_range and _whole_place(s) and s.title >= UNLIKE and s.people == AGREE and not conflict(s),
            ),
            ("place", _UNSURE, lambda s: s.title >= 0.85 and not s.long_range and _whole_place(s) and s.people == AGREE and not conflict(s)),
            (
                "place",
                _SAME,
                lambda s: s.title >= 0.85 and s.long_range and _whole_place(s) and s.people == AGREE and not conflict(s) and s.abstract != DIFFER,
            ),
            ("identifier-and-page", _SAME, lambda s: s.doi == s.pmid == AGREE and s.title >= 0.85 and s.page == AGREE and s.people == AGREE),
            (
                "identifier-and-page",
                _UNSURE,
                lambda s: s.identified and s.title >= 0.85 and s.page == AGREE and s.people == AGREE
                and DIFFER not in (s.volume, s.journal) and not conflict(s),
            ),
            ("numbers-differ", _RELATED, lambda s: s.title >= 0.9),
            ("numbers-differ", _DIFFERENT, lambda _: True),
        ),
    ),
    # Titles that are not alike: at one place by the same people it may be a translation.
    (
        lambda s: s.title < UNLIKE,
        (
            (
                "title-differs-place-same",
                _UNSURE,
                lambda s: s.place and s.range and s.people == AGREE and s.all_people and not s.years and not conflict(s),
            ),
            ("title-differs-place-same", _UNSURE, lambda s: s.identified and s.place and s.people == AGREE and not s.years and not conflict(s)),
            ("title-differs", _DIFFERENT, lambda _: True),
        ),
    ),
    # Identifiers that differ stand against everything but the whole place.
    (
        conflict,
        (
            (
                "all-but-identifier",
                _SAME,
                lambda s: s.title >= 0.95 and _whole_place(s) and s.people >= OVERLAP and _in_time(s) and s.shortest >= SHORT
                and not s.doi == s.pmid == DIFFER,
            ),
            (
                "identifiers-differ",
                _UNSURE,
                lambda s: s.title >= 0.95 and s.people >= OVERLAP and s.page == AGREE and not s.other_end and s.shortest >= SHORT
                and DIFFER not in (s.journal, s.volume, s.issue),
            ),
            ("preprint", _RELATED, lambda s: s.preprint and _same_people_and_title(s)),
            ("identifiers-differ", _UNSURE, lambda s: s.identified and s.title >= 0.95 and s.people >= OVERLAP and s.page != DIFFER),
            ("conference", _RELATED, lambda s: s.meeting and _same_people_and_title(s)),
            ("identifiers-differ", _DIFFERENT, lambda _: True),
        ),
    ),
    # An identifier that is shared has to be confirmed by the title.
    (
        lambda s: s.identified,
        (
            ("chapter", _UNSURE, lambda s: s.title >= ALIKE and s.kinds == {"book", "bookSection"}),
            ("place-differs", _UNSURE, lambda s: s.title >= ALIKE and s.page == s.volume == DIFFER),
            ("year-differs", _UNSURE, lambda s: s.title >= ALIKE and ((s.years > 1 and s.journal == DIFFER) or (s.years > 2 and DIFFER in (s.volume, s.page)))),
            (
                "people-differ",
                _UNSURE,
                lambda s: s.title >= ALIKE and s.people == DIFFER and (s.years > 1 or DIFFER in (s.journal, s.volume)),
            ),
            ("place-differs", _UNSURE, lambda s: s.title >= ALIKE and s.page == DIFFER and s.doi == s.pmid == AGREE and s.shortest < SHORT),
            ("people-differ", _UNSURE, lambda s: ALIKE <= s.title < 0.95 and s.people == DIFFER),
            ("place-differs", _DIFFERENT, lambda s: s.title >= ALIKE and s.page == DIFFER and s.shortest < SHORT),
            (
                "place-differs",
                _UNSURE,
                lambda s: s.title >= ALIKE and s.page == DIFFER and (s.people != AGREE or s.journal == DIFFER),
            ),
            ("title", _SAME, lambda s: s.title >= ALIKE),
            ("place", _SAME, lambda s: s.title >= 0.7 and s.place and s.people >= OVERLAP),
            ("title-unlike", _UNSURE, lambda s: s.title >= 0.7),
            ("title-unlike", _UNSURE, lambda s: s.people == AGREE and ((s.volume == AGREE and s.page == AGREE) or s.doi == s.pmid == AGREE)),
            ("title-unlike", _DIFFERENT, lambda _: True),
        ),
    ),
    # No identifier is shared.
    (
        lambda _: True,
        (
            (
                "year-differs",
                _UNSURE,
                lambda s: s.years == 2 and not (s.page == s.volume == AGREE) and s.title >= 0.95 and s.people >= OVERLAP and s.journal == AGREE
                and not is_generic(s) and s.page != DIFFER,
            ),
            ("edition", _RELATED, lambda s: s.years > 1 and s.kinds == {"book"} and s.title >= 0.95 and s.people == AGREE),
            ("year-differs", _DIFFERENT, lambda s: s.years > 1 and not s.page == s.volume == AGREE),
            ("isbn", _SAME, lambda s: s.isbn and s.kinds == {"book"} and s.title >= ALIKE and s.people == AGREE),
            (
                "place-and-title",
                _SAME,
                lambda s: s.people == DIFFER and not s.marked and s.long_range and s.title >= 0.95 and s.place and s.same_end and s.abstract != DIFFER and not is_generic(s),
            ),
            ("people-differ", _UNSURE, lambda s: s.people == DIFFER and s.title >= 0.95 and s.place and not is_generic(s)),
            ("people-differ", _DIFFERENT, lambda s: s.people == DIFFER),
            ("preprint", _RELATED, lambda s: s.preprint and _same_people_and_title(s) and s.page != AGREE),
            ("supplement", _RELATED, lambda s: s.page == DIFFER and s.supplement and s.title >= ALIKE),
            ("supplement", _DIFFERENT, lambda s: s.page == DIFFER and s.supplement),
            (
                "number-and-title",
                _SAME,
                lambda s: s.page == AGREE and s.numbered and s.people == UNKNOWN and s.title >= 0.95 and _in_time(s) and s.journal != DIFFER
                and s.shortest >= 20,
            ),
            (
                "range-and-abstract",
                _SAME,
                lambda s: s.range and s.abstract == AGREE and s.title >= 0.9 and s.people >= OVERLAP and _in_time(s) and s.volume != DIFFER,
            ),
            (
                "range-and-title",
                _SAME,
                lambda s: s.range and s.title >= 0.95 and s.shortest >= 40 and s.people == AGREE and not s.years and s.journal != DIFFER and DIFFER not in (s.issue, s.volume),
            ),
            (
                "range-and-title",
                _SAME,
                lambda s: s.range and s.title >= 0.97 and s.shortest >= 20 and not s.years and DIFFER not in (s.issue, s.volume)
                and AGREE in (s.journal, s.abstract),
            ),
            (
                "volume-and-title",
                _SAME,
                lambda s: s.nobody and s.title == 1 and s.shortest >= 20 and s.journal == s.volume == AGREE and DIFFER not in (s.issue, s.page)
                and _in_time(s),
            ),
            (
                "place-and-people",
                _SAME,
                lambda s: _people_at_one_place(s) and (s.title >= 0.8 or (s.title >= 0.6 and s.abstract == AGREE and s.several)),
            ),
            ("title-unlike", _UNSURE, lambda s: _people_at_one_place(s) and s.title >= 0.6),
            ("place", _UNSURE, lambda s: _at_place(s) and s.other_end and s.title < 0.95),
            ("title-generic", _UNSURE, lambda s: _at_place(s) and is_generic(s) and s.people < OVERLAP),
            ("title-generic", _UNSURE, lambda s: _at_place(s) and s.shortest < SHORT and s.issue == DIFFER and not s.same_end),
            ("place", _SAME, lambda s: _at_place(s) and s.title >= ALIKE),
            (
                "page-and-journal",
                _SAME,
                lambda s: s.page == AGREE and s.title >= 0.9 and s.people >= OVERLAP and _in_time(s) and DIFFER not in (s.journal, s.volume)
                and not is_generic(s),
            ),
            (
                "page-and-volume",
                _SAME,
                lambda s: s.page == s.volume == AGREE and s.title >= 0.95 and s.people >= OVERLAP and _in_time(s) and not is_generic(s)
                and (s.same_end or s.abstract == AGREE)
                and not (s.supplement and s.journal == DIFFER),  # the talk, in another journal's supplement
            ),
            (
                "range-and-journal",
                _SAME,
                lambda s: s.same_end and s.title >= 0.95 and s.people == AGREE and _in_time(s) and not is_generic(s) and s.journal != DIFFER,
            ),
            # Pages that differ: misprints, or another printing.
            (
                "page-near",
                _SAME,
                lambda s: s.near and s.volume == s.journal == AGREE and s.people == AGREE and s.title >= 0.95 and _in_time(s) and s.issue != DIFFER,
            ),
            (
                "abstract",
                _SAME,
                lambda s: s.page == DIFFER and s.abstract == AGREE and s.title >= 0.95 and s.people == AGREE and s.journal == AGREE and not s.years
                and DIFFER not in (s.volume, s.issue) and not s.whole_places,
            ),
            (
                "conference",
                _RELATED,
                lambda s: s.meeting and s.page == DIFFER and _same_people_and_title(s) and s.abstract != AGREE
                and DIFFER in (s.journal, s.volume, s.issue, s.issues),
            ),
            (
                "places-differ",
                _UNSURE,
                lambda s: s.page == s.issue == DIFFER and s.title >= 0.95 and s.people == AGREE and s.volume != DIFFER and s.journal == AGREE,
            ),
            ("page-differs", _UNSURE, lambda s: s.page == DIFFER and s.abstract == AGREE and s.title >= 0.95 and s.people == AGREE),
            (
                "page-differs",
                _UNSURE,
                lambda s: s.page == DIFFER and s.title >= 0.95 and s.people == AGREE and s.volume != DIFFER and s.journal == AGREE,
            ),
            ("places-differ", _DIFFERENT, lambda s: s.page == s.volume == DIFFER),
            ("page-differs", _DIFFERENT, lambda s: s.page == DIFFER),
            # No page.
            (
                "journal-and-title",
                _SAME,
                lambda s: _same_people_and_title(s) and s.journal == AGREE and s.volume != DIFFER and s.page == UNKNOWN and not (s.meeting or s.cut)
                and DIFFER not in (s.issue, s.issues) and not s.one_in_supplement and ((s.known_years and not s.years) or s.volume == AGREE),
            ),
            (
                "ahead-of-print",
                _SAME,
                lambda s: s.ahead and s.wording is Wording.SAME and s.all_people and s.shortest >= SHORT and s.journal == AGREE
                and s.one_abstract and not (s.meeting or s.cut or s.one_in_supplement or s.supplement_issue),
            ),
            (  # a database left out the subtitle, and the page
                "abstract-and-title",
                _SAME,
                lambda s: s.cut and _same_people_and_title(s) and s.all_people and s.journal == s.volume == s.abstract == AGREE and not s.years
                and s.one_abstract and s.page == UNKNOWN and DIFFER not in (s.issue, s.issues)
                and not (s.meeting or s.one_in_supplement or s.supplement_issue),
            ),
            (
                "no-page",
                _UNSURE,
                lambda s: _same_people_and_title(s) and s.journal == AGREE and s.volume != DIFFER and s.page == UNKNOWN,
            ),
            (  # in two languages, one behind the other
                "no-page",
                _UNSURE,
                lambda s: s.cut and s.title >= 0.9 and s.shortest >= SHORT and s.all_people and s.journal == s.volume == AGREE and not s.years
                and s.abstract != DIFFER,
            ),
            ("volume-differs", _UNSURE, lambda s: _same_people_and_title(s) and s.journal == AGREE and s.volume == DIFFER),
            ("abstract", _UNSURE, lambda s: _same_people_and_title(s) and s.abstract == AGREE and not s.meeting),
            (
                "meeting",
                _SAME,
                lambda s: _same_people_and_title(s) and s.meetings and s.all_people and s.shortest >= 35 and s.title >= 0.97
                and (s.journal == AGREE or (s.journal == UNKNOWN and s.known_years and not s.years)),
            ),
            ("meeting", _UNSURE, lambda s: _same_people_and_title(s) and s.meetings and s.all_people),
            (
                "journal-unknown",
                _UNSURE,
                lambda s: _same_people_and_title(s) and s.journal == UNKNOWN and DIFFER not in (s.abstract, s.volume) and s.known_years
                and not s.years and s.shortest >= 45 and not s.meeting,
            ),
        ),
    ),
)  # fmt: skip
STRONGEST = sum(len(rows) for _, rows in TABLE)


def _sections() -> Iterator[tuple[Callable[[Signs], bool], tuple[Rule, ...]]]:
    """The table with the strength of each rule: the earlier, the stronger."""
    strength = count(STRONGEST - 1, -1)
    for applies, rows in TABLE:
        yield applies, tuple(Rule(*row, next(strength)) for row in rows)


SECTIONS = tuple(_sections())


def _people_at_one_place(s: Signs) -> bool:
    """The same people, all of them, on the same pages of the same volume: titles in two languages, or misspelt."""
    fits = s.volume == AGREE and s.range and s.journal == AGREE and s.people == AGREE and not s.years
    return fits and s.as_many and (s.issue != DIFFER or s.several)


def _at_place(s: Signs) -> bool:
    return s.place and s.title >= ALIKE and _in_time(s) and (s.people >= OVERLAP or s.title >= 0.95)


def _same_people_and_title(s: Signs) -> bool:
    long = s.shortest >= SHORT or (s.abstract == AGREE and not is_generic(s))
    return s.title >= 0.95 and s.people == AGREE and _in_time(s) and long
