"""Is it the same work? Two sketches give a verdict with named reasons; many records give clusters.

A shared DOI alone is not the same work: whole conference supplements share one, and databases print wrong ones
(zotero/zotero#2926). The title has to agree. What is doubtful is UNSURE, and never merged.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import TypeVar

from rapidfuzz import fuzz

from sync.core.identifiers import doi_key
from sync.core.record import Record
from sync.core.text import fold

K = TypeVar("K", bound=Hashable)

AGREES = 85.0  # percent of equal letters (Levenshtein ratio of folded titles) from which two titles are taken for one
DIFFERS = 50.0  # below: two works that share an identifier
PREFIX = 20  # letters: a title that is cut off still agrees with the whole one from this length on
TELLING = 4  # words from which a title is not one that many works bear
SIGNALS = 4  # of title, author, year, volume and page, to take a work that was found by its citation
CLUSTER = 25  # members of one cluster at most

# Titles that open like this belong to notices about a work, not to the work.
_NOTICE = re.compile(
    r"^(re |reply|response to|comment(s|ary)? (on|to)|letter to|erratum|errata|corrigend(um|a)|correction|author correction"
    r"|publisher correction|retraction|expression of concern)"
)
# What a publisher puts before the title of a work that was retracted; it is the same work.
_TAKEN_BACK = re.compile(
    r"^(?:(?:article )?(?:retracted|withdrawn)(?: (?:article|paper|chapter))?|temporary removal|removed) "
)
_NUMBER = re.compile(r"\b(?:\d+|[ivx]+)\b")


class Verdict(Enum):
    """Same is acted on, unsure is asked, different is left alone."""

    SAME = "same"
    UNSURE = "unsure"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict and the reasons that led to it, each a stable word (`doi`, `pmid`, `title`, `title-differs`)."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of a record: small, so that a whole drop's sketches fit in memory."""

    doi: str
    pmid: str
    title: str
    year: str
    author: str


def sketch(record: Record) -> Sketch:
    """The parts of a record that comparing looks at, folded."""
    first = record.creators[0] if record.creators else None
    year = re.search(r"\b(1[4-9]|20)\d\d\b", record.base("date"))
    return Sketch(
        doi=doi_key(record.identifiers.get("DOI", "")),
        pmid=record.identifiers.get("PMID", ""),
        title=fold(record.title),
        year=year.group() if year else "",
        author=fold(first.last or first.name) if first else "",
    )


def block_keys(record: Record) -> frozenset[str]:
    """Keys under which records that may be the same work meet: `doi:10.1/x`, `pmid:123`."""
    doi, pmid = doi_key(record.identifiers.get("DOI", "")), record.identifiers.get("PMID", "")
    return frozenset(([f"doi:{doi}"] if doi else []) + ([f"pmid:{pmid}"] if pmid else []))


def compare(one: Sketch, other: Sketch) -> Match:
    """The verdict on two records. Symmetric."""
    shared = _shared(one, other)
    if not shared:
        return Match(Verdict.DIFFERENT, ("no-identifier",))
    titles = _titles(one.title, other.title)
    if titles.verdict is Verdict.SAME and _conflict(one, other):
        return Match(Verdict.UNSURE, (*shared, *titles.reasons, "identifiers-disagree"))
    return Match(titles.verdict, (*shared, *titles.reasons))


def contradicts(record: Sketch, answer: Sketch) -> str:
    """Why a source's answer to this record's identifier cannot be the record's work; empty if nothing speaks against it.

    What is missing on either side contradicts nothing. Where the titles agree, the first author or the year may still be told
    otherwise by one of the two (another script, online and print); both together may not, nor either of them where the
    title is one that many works bear ("Introduction").
    """
    titles = _titles(record.title, answer.title) if record.title and answer.title else None
    if titles and titles.verdict is not Verdict.SAME:
        return titles.reasons[-1]
    against = [why for why in (_authors_differ(record, answer), _years_differ(record, answer)) if why]
    telling = titles is not None and len(record.title.split()) >= TELLING
    return ", ".join(against) if against and (len(against) > 1 or not telling) else ""


def agrees(record: Record, answer: Record) -> bool:
    """Whether a work that was found by citation, not by an identifier, is surely the record's: the title agrees, nothing
    speaks against it, and at least four of title, first author, year, volume and first page are told alike.
    """
    mine, theirs = sketch(record), sketch(answer)
    if not mine.title or not theirs.title or contradicts(mine, theirs):
        return False
    alike = [
        True,
        bool(mine.author and theirs.author) and not _authors_differ(mine, theirs),
        bool(mine.year) and mine.year == theirs.year,
        _told_alike(record.base("volume"), answer.base("volume")),
        _told_alike(_first_page(record), _first_page(answer)),
    ]
    return sum(alike) >= SIGNALS


def _authors_differ(one: Sketch, other: Sketch) -> str:
    apart = one.author and other.author and fuzz.partial_ratio(one.author, other.author) < AGREES
    return "author-differs" if apart else ""


def _years_differ(one: Sketch, other: Sketch) -> str:
    apart = one.year and other.year and abs(int(one.year) - int(other.year)) > 1
    return "year-differs" if apart else ""


def _told_alike(one: str, other: str) -> bool:
    return bool(one and other) and fold(one) == fold(other)


def _first_page(record: Record) -> str:
    return re.split(r"[-\u2013,;\s]", record.base("pages"), maxsplit=1)[0]


def clusters(sketches: Mapping[K, Sketch], groups: Sequence[Sequence[K]]) -> dict[K, tuple[K, tuple[str, ...]]]:
    """For each record that is the same work as an earlier one: that one, and the reasons.

    sketches: by record, in the order of the drop (the earliest of a cluster survives).
    groups: records that share a block key. Links are taken in order of strength; a cluster takes in nobody
    against whom one of its members speaks.
    """
    order = {key: place for place, key in enumerate(sketches)}
    home: dict[K, list[K]] = {key: [key] for key in sketches}
    why: dict[K, tuple[str, ...]] = {}
    for match, one, other in _links(sketches, groups, order):
        mine, theirs = home[one], home[other]
        if mine is theirs or len(mine) + len(theirs) > CLUSTER or not _fits_all(sketches, mine, theirs):
            continue
        joined = sorted(mine + theirs, key=order.__getitem__)
        home.update(dict.fromkeys(joined, joined))
        why.setdefault(other, match.reasons)
        why.setdefault(one, match.reasons)
    return {key: (home[key][0], why[key]) for key in sketches if home[key][0] != key}


def _links(
    sketches: Mapping[K, Sketch], groups: Sequence[Sequence[K]], order: Mapping[K, int]
) -> list[tuple[Match, K, K]]:
    found: dict[tuple[K, K], Match] = {}
    for group in groups:
        for one, other in _pairs(sketches, sorted(group, key=order.__getitem__)):
            if (one, other) not in found:
                found[one, other] = compare(sketches[one], sketches[other])
    same = [(match, *pair) for pair, match in found.items() if match.verdict is Verdict.SAME]
    return sorted(same, key=lambda link: (-len(link[0].reasons), order[link[1]], order[link[2]]))


def _pairs(sketches: Mapping[K, Sketch], group: Sequence[K]) -> list[tuple[K, K]]:
    """All pairs of a small group; in a large one each record against the first of each title, so that cost stays linear."""
    if len(group) <= CLUSTER:
        return list(combinations(group, 2))
    leaders: dict[str, K] = {}
    pairs = []
    for key in group:
        leader = leaders.setdefault(sketches[key].title, key)
        if leader != key:
            pairs.append((leader, key))
    return pairs + list(combinations(list(leaders.values())[:CLUSTER], 2))


def _fits_all(sketches: Mapping[K, Sketch], mine: Sequence[K], theirs: Sequence[K]) -> bool:
    """Whether no two of them speak against each other: their titles agree and no identifier says otherwise."""
    return all(_fits(sketches[a], sketches[b]) for a in mine for b in theirs)


def _fits(one: Sketch, other: Sketch) -> bool:
    return _titles(one.title, other.title).verdict is Verdict.SAME and not _conflict(one, other)


def _shared(one: Sketch, other: Sketch) -> tuple[str, ...]:
    return (("doi",) if one.doi and one.doi == other.doi else ()) + (
        ("pmid",) if one.pmid and one.pmid == other.pmid else ()
    )


def _conflict(one: Sketch, other: Sketch) -> bool:
    return bool(one.doi and other.doi and one.doi != other.doi) or bool(
        one.pmid and other.pmid and one.pmid != other.pmid
    )


def _titles(one: str, other: str) -> Match:
    one, other = _TAKEN_BACK.sub("", one), _TAKEN_BACK.sub("", other)
    if not one or not other:
        return Match(Verdict.UNSURE, ("title-missing",))
    if bool(_NOTICE.match(one)) != bool(_NOTICE.match(other)):
        return Match(Verdict.DIFFERENT, ("notice",))
    if one == other:
        return Match(Verdict.SAME, ("title",))
    if _is_prefix(one, other):
        return Match(Verdict.SAME, ("title-cut",))
    likeness = fuzz.ratio(one, other)
    if likeness < DIFFERS:
        return Match(Verdict.DIFFERENT, ("title-differs",))
    if likeness < AGREES:
        return Match(Verdict.UNSURE, ("title-unlike",))
    if _NUMBER.findall(one) != _NUMBER.findall(other):
        return Match(Verdict.UNSURE, ("numbers-differ",))
    return Match(Verdict.SAME, ("title-alike",))


def _is_prefix(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= PREFIX and long.startswith(short) and _NUMBER.findall(long) == _NUMBER.findall(short)
