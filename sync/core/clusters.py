"""Many records at once: keys under which those that may be the same work meet, and the clusters that they form."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from operator import attrgetter
from typing import Generic, TypeVar

from sync.core.identifiers import doi_key
from sync.core.match import apart_by_doi, compare
from sync.core.record import Record
from sync.core.rings import no_rings
from sync.core.sketch import GENERIC, Sketch
from sync.core.verdicts import Match, Verdict

K = TypeVar("K", int, str)

CLUSTER = 25  # members of one cluster at most
CROWD = 40  # records of one block that are compared each with each
KEYED = 4  # rises whenever sketches or block keys of the same records come out otherwise than before
_ENDS = 22  # letters of a title's head and tail
_ABSTRACT = 60
_NAME = 6
_SAID = attrgetter(*(part.name for part in fields(Sketch)))


@dataclass(frozen=True, slots=True)
class Clustered(Generic[K]):
    """followers: each record that is the same work as an earlier one, that one, and why.

    questions: each record that may be the same work as an earlier one (a person decides), that one, and why.
    """

    followers: dict[K, tuple[K, tuple[str, ...]]] = field(default_factory=dict)
    questions: dict[K, tuple[K, tuple[str, ...]]] = field(default_factory=dict)


def block_keys(one: Sketch) -> frozenset[str]:
    """Keys under which records that may be the same work meet: `doi:10.1/x`, `pmid:123`, title, place, people, abstract."""
    keys = {f"doi:{one.doi}" if one.doi else "", f"pmid:{one.pmid}" if one.pmid else ""}
    letters = one.letters
    if len(letters) >= GENERIC:
        head, tail = letters[:_ENDS], letters[-_ENDS:]
        keys |= {f"head:{head}", f"tail:{tail}", f"ends:{head}|{tail}"}  # the last finds those that crowds share
    elif letters and one.volume and one.first:
        keys.add(f"short:{letters}|{one.volume}|{one.first}")
    if one.first and one.year:
        keys.add(f"place:{one.first}|{one.volume}|{one.year}" if one.volume else "")
        keys.add(f"range:{one.first}-{one.last}|{one.year}" if one.last else "")
    if one.kind == "bookSection" and len(one.journal) >= GENERIC:  # where its book is found
        keys.add(f"head:{one.journal.replace(' ', '')[:_ENDS]}")
    keys |= {f"isbn:{isbn}" for isbn in one.isbns}
    if one.author:
        keys |= {
            f"page:{page}|{one.author[:_NAME]}"
            for page in {one.first, *(one.starts if len(one.starts) > 1 else ())}
            if page
        }
        keys.add(
            f"word:{one.author[:_NAME]}|{one.year}|{max(one.title.split(), key=len)}" if one.year and one.title else ""
        )
    keys.add(f"abstract:{one.abstract[:_ABSTRACT]}" if one.abstract else "")
    return frozenset(keys - {""})


def identifier_keys(record: Record) -> frozenset[str]:
    """Those of the block keys that are identifiers: `doi:10.1/x`, `pmid:123`."""
    doi, pmid = doi_key(record.identifiers.get("DOI", "")), record.identifiers.get("PMID", "")
    return frozenset(([f"doi:{doi}"] if doi else []) + ([f"pmid:{pmid}"] if pmid else []))


def groups(sketches: Mapping[K, Sketch]) -> list[list[K]]:
    """The records that share a block key with another, by key, in the order of the sketches."""
    first: dict[int, K] = {}  # by the hash of the block key: two that hash alike meet for nothing, and are compared
    shared: dict[int, list[K]] = {}
    with no_rings():
        for key, one in sketches.items():
            for block in map(hash, block_keys(one)):
                earlier = first.setdefault(block, key)
                if earlier != key:
                    shared.setdefault(block, [earlier]).append(key)
    return list(shared.values())


def clusters(
    sketches: Mapping[K, Sketch], grouped: Iterable[Sequence[K]], *, join_versions: bool = False
) -> Clustered[K]:
    """Which records are the same work as an earlier one, and of which that is doubtful.

    sketches: by record, in the order of the drop (the earliest of a cluster survives).
    grouped: records that share a block key. Links are taken in order of strength; a cluster takes in nobody against whom one
    of its members speaks, and does not grow beyond `CLUSTER`. A question is asked of the later of two, if it stands alone.
    join_versions: as for `compare`.
    """
    with no_rings():
        return _clustered(sketches, grouped, partial(compare, join_versions=join_versions))


def _clustered(sketches: Mapping[K, Sketch], grouped: Iterable[Sequence[K]], versed: _Compare) -> Clustered[K]:
    order = {key: place for place, key in enumerate(sketches)}
    same: list[_Link[K]]
    doubtful: list[_Link[K]]
    same, doubtful = _links(sketches, grouped, order, versed)
    home: dict[K, list[K]] = {}
    left_out: dict[K, K] = {}  # records for which a full cluster had no place, and one of its members
    why: dict[K, tuple[str, ...]] = {}
    for match, one, other in same:
        mine, theirs = home.get(one, [one]), home.get(other, [other])
        if mine is theirs or one in left_out or other in left_out:
            continue
        if len(mine) + len(theirs) > CLUSTER:
            left_out |= {other: one} if other not in home else {one: other} if one not in home else {}
            continue
        if not _fits_all(sketches, mine, theirs, versed):
            continue
        joined = sorted(mine + theirs, key=order.__getitem__)
        home.update(dict.fromkeys(joined, joined))
        why.setdefault(other, match.reasons)
        why.setdefault(one, match.reasons)
    followers = {key: (members[0], why[key]) for key, members in home.items() if members[0] != key}
    return Clustered(
        dict(sorted(followers.items(), key=lambda item: order[item[0]])),
        _questions([*doubtful, *_full(left_out)], home, followers),
    )


def _full(left_out: Mapping[K, K]) -> Iterator[_Link[K]]:
    for key, member in left_out.items():
        yield Match(Verdict.UNSURE, ("cluster-full",)), member, key


def _questions(
    doubtful: Iterable[tuple[Match, K, K]], home: Mapping[K, list[K]], followers: Mapping[K, object]
) -> dict[K, tuple[K, tuple[str, ...]]]:
    found: dict[K, tuple[K, tuple[str, ...]]] = {}
    for match, one, other in doubtful:
        if other not in home and other not in found:
            first = home[one][0] if one in followers else one
            found[other] = (first, match.reasons)
    return {key: (first, why) for key, (first, why) in found.items() if first not in found}


_Link = tuple[Match, K, K]
_Compare = Callable[[Sketch, Sketch], Match]


def _links(
    sketches: Mapping[K, Sketch], grouped: Iterable[Sequence[K]], order: Mapping[K, int], versed: _Compare
) -> tuple[list[_Link[K]], list[_Link[K]]]:
    """The pairs that are the same, strongest first, and those that are doubtful; in each the earlier one first."""
    same: list[_Link[K]] = []
    doubtful: list[_Link[K]] = []
    for one, other in _pairs(sketches, grouped, order):
        if apart_by_doi(sketches[one], sketches[other]):
            continue
        match = versed(sketches[one], sketches[other])
        if match.verdict is Verdict.SAME:
            same.append((match, one, other))
        elif match.verdict is Verdict.UNSURE:
            doubtful.append((match, one, other))
    return sorted(same, key=partial(_rank, sketches)), doubtful


def _rank(sketches: Mapping[K, Sketch], link: _Link[K]) -> tuple[int, list[tuple[object, ...]]]:
    """The surest first. Of links as sure as each other what the records say decides, and never which of them came first."""
    match, one, other = link
    return -match.strength, sorted((_SAID(sketches[one]), _SAID(sketches[other])))


def _pairs(
    sketches: Mapping[K, Sketch], grouped: Iterable[Sequence[K]], order: Mapping[K, int]
) -> Iterator[tuple[K, K]]:
    """Every pair that meets somewhere, once, by the place of the first and then of the second. Few of them are held at a time."""
    names = list(sketches)
    parts = [part for group in grouped for part in _small(names, sketches, sorted(map(order.__getitem__, group)))]
    homes: dict[int, list[int]] = {}
    for number, part in enumerate(parts):
        # All of a small part meet each other, those of a large one its first.
        for place in part[:-1] if len(part) <= CROWD else part[:1]:
            homes.setdefault(place, []).append(number)
    for place in sorted(homes):
        later = {other for number in homes[place] for other in parts[number][bisect_right(parts[number], place) :]}
        for other in sorted(later):
            yield names[place], names[other]


def _small(names: Sequence[K], sketches: Mapping[K, Sketch], group: list[int]) -> list[list[int]]:
    """A small group as it is; of a large one those whose titles begin alike, so that cost stays linear."""
    if len(group) <= CROWD:
        return [group]
    alike: dict[str, list[int]] = {}
    for place in group:
        alike.setdefault(sketches[names[place]].title[:30], []).append(place)
    return list(alike.values())


def _fits_all(sketches: Mapping[K, Sketch], mine: Sequence[K], theirs: Sequence[K], versed: _Compare) -> bool:
    """Whether no two of them speak against each other."""
    return not any(versed(sketches[a], sketches[b]).forbids for a in mine for b in theirs)
