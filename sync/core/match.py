"""Whether two records are the same work: by the first of the `rules` that holds, unless a word of the titles says otherwise.

Four answers: same (acted on), unsure (asked), related (kept apart: an erratum, a part II, a protocol), different. A wrong merge is
worse than a duplicate: a shared DOI alone is not the same work (conference supplements share one, databases give wrong ones), and
a DOI that differs stands against everything but the whole place.
"""

from __future__ import annotations

from sync.core.likeness import Signs
from sync.core.parts import AGREE, DIFFER
from sync.core.rules import ALIKE, NEARLY, SECTIONS, STRONGEST, UNLIKE, conflict
from sync.core.sketch import Sketch
from sync.core.titles import Wording, titles
from sync.core.verdicts import Match, Verdict


def compare(one: Sketch, other: Sketch, *, join_versions: bool = False) -> Match:
    """The verdict on two records. Symmetric; a record is the same as itself.

    join_versions: whether the versions of one Cochrane review (`pub2`, `pub3`) count as one work.
    """
    found = Signs(one, other)
    if not one.title or not other.title:
        shared = _identifiers(found)
        return Match(Verdict.UNSURE if shared else Verdict.DIFFERENT, (*shared, "title-missing"))
    if found.title == 1 and one == other:
        return Match(Verdict.SAME, (*_identifiers(found), "identical"), STRONGEST)
    if one.marks != other.marks:
        return _of_notice(found)
    if found.title < UNLIKE and not _may_be_translation(one, other):
        # most pairs: the rest need not be looked at
        chapter = found.kinds == {"book", "bookSection"} and found.chapter
        return Match(Verdict.RELATED, ("chapter",)) if chapter else Match(Verdict.DIFFERENT, (found.how_titles_differ,))
    if join_versions and found.versions and found.title >= ALIKE and found.people != DIFFER:  # what a person wants
        return Match(Verdict.SAME, (*_identifiers(found), "cochrane-version"))
    for rule in next(rules for applies, rules in SECTIONS if applies(found)):
        if rule.holds(found):
            return _doubted(Match(rule.verdict, (*_identifiers(found), rule.reason), rule.strength), found)
    return Match(Verdict.DIFFERENT, ("not-enough",))


def apart_by_doi(one: Sketch, other: Sketch) -> bool:
    """Whether two DOIs and titles that are not the same tell that `compare` neither joins nor asks: so are most pairs of a crowd."""
    if not one.doi or not other.doi or one.doi == other.doi or (one.pmid and one.pmid == other.pmid):
        return False
    return titles(one, other)[0] < NEARLY and not (one.cochrane and other.cochrane)


def _of_notice(found: Signs) -> Match:
    """An erratum is not its article; where identifier and page are the same, somebody may have called the article one."""
    if found.title < ALIKE:
        return Match(Verdict.DIFFERENT, ("notice",))
    at_one_place = found.identified and found.page == AGREE and found.people == AGREE
    return Match(Verdict.UNSURE if at_one_place else Verdict.RELATED, (*_identifiers(found), "notice"))


def _doubted(match: Match, found: Signs) -> Match:
    """A verdict `same` over titles of which a word says otherwise is none: abstracts of one supplement differ by a word."""
    if match.verdict is not Verdict.SAME:
        return match
    if found.companion and not found.identified and found.page != AGREE:
        return Match(Verdict.UNSURE, (*match.reasons, "companion"))
    if found.wording is Wording.SAME or _borne(found):
        return match
    if found.opposed:
        asked = found.range or (found.identified and found.page != DIFFER)
        return Match(Verdict.UNSURE if asked else Verdict.DIFFERENT, (*match.reasons, "words-differ"))
    at_one = found.abstract == AGREE or (found.same_end and found.numbered)
    if _speaks_against(found) or (found.wording is Wording.REPLACED and not at_one):
        return Match(Verdict.UNSURE, (*match.reasons, "wording-differs"))
    return match


def _borne(found: Signs) -> bool:
    """Whether they are one work whatever the words say: databases drop Greek letters, and translate.

    A range of several pages bears it, and two identifiers; not another abstract, unless the word is but misspelt.
    """
    if found.people != AGREE or conflict(found):
        return False
    if found.long_range and found.wording is Wording.MISSPELT:
        return True
    return (found.long_range or found.doi == found.pmid == AGREE) and DIFFER not in (found.abstract, found.page)


def _speaks_against(found: Signs) -> bool:
    """Whether abstract or place are those of two works."""
    if found.abstract == DIFFER:
        return True
    return found.page == DIFFER and (found.abstract != AGREE or found.issue == DIFFER)


def _identifiers(found: Signs) -> tuple[str, ...]:
    return (("doi",) if found.doi == AGREE else ()) + (("pmid",) if found.pmid == AGREE else ())


def _may_be_translation(one: Sketch, other: Sketch) -> bool:
    """Whether place and number of authors allow two titles that are not alike to be one work's."""
    if one.volume and one.first == other.first and one.volume == other.volume and one.doi == other.doi != "":
        return True
    placed = bool(one.first and one.volume and one.last) and len(one.authors) == len(other.authors)
    return placed and (one.first, one.last, one.volume) == (other.first, other.last, other.volume)
