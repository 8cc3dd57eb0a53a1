"""Finding works in the stand-in for Crossref: by DOI, and by words with a score."""

from __future__ import annotations

import heapq
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from tests.servers.crossref_json import work_json
from tests.servers.works import Work

DEEPEST = 1000  # works that a search gives at most, where Crossref would go on

Item: TypeAlias = Mapping[str, Any]


def words(text: str) -> list[str]:
    """Folded words: `Núñez's <i>H</i>` -> `nunez s i h i`."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"\w+", folded)


def _doi(work: Work | Item) -> str:
    return work.doi if isinstance(work, Work) else str(work["DOI"])


def _aliases(work: Work | Item) -> Sequence[str]:
    found: Sequence[str] = (work.crossref if isinstance(work, Work) else work).get("aliases", ())
    return found


def _searchable(work: Work | Item) -> set[str]:
    """Titles, authors, journal, ISSNs and year: what `query.bibliographic` looks at."""
    if isinstance(work, Work):
        people = [f"{author.last} {author.first} {author.group}" for author in work.authors]
        year = min(filter(None, (work.online, work.date)))[0]
        return {*words(f"{work.plain_title} {work.journal} {' '.join(people)} {year}"), work.issn}
    people = [str(a.get(part) or "") for a in work.get("author") or () for part in ("family", "given", "name")]
    year = ((work.get("issued") or {}).get("date-parts") or [[""]])[0][0]
    titles = [title for name in ("title", "subtitle", "container-title") for title in work.get(name) or ()]
    return {*words(" ".join([*titles, *people, str(year)])), *(work.get("ISSN") or ())}


class Index:
    """The works of a stand-in, in Crossref's JSON; ours are put into it when they are first asked for.

    Safe to share between threads: whatever is made late is the same whoever makes it.
    """

    def __init__(self, works: Iterable[Work | Item], *, aliases: bool) -> None:
        self._works: list[Work | Item] = list(works)
        self._place = {_doi(work).lower(): place for place, work in enumerate(self._works)}
        if aliases:
            for place, work in enumerate(self._works):
                self._place.update({alias.lower(): place for alias in _aliases(work)})
        self._mentions: Mapping[str, list[int]] = {}

    def by_doi(self, doi: str) -> Item | None:
        """The work with this DOI (lower case), or None."""
        place = self._place.get(doi)
        return None if place is None else self._item(place)

    def among(self, dois: Sequence[str]) -> list[Item]:
        """The works with these DOIs, each once, in the order of the collection and not of the asking."""
        return [self._item(place) for place in sorted({self._place[doi] for doi in dois if doi in self._place})]

    def all(self) -> list[Item]:
        """Every work."""
        return [self._item(place) for place in range(len(self._works))]

    def search(self, text: str) -> list[Item]:
        """The thousand works that share most with the text, best first, with their `score`: rare words weigh more."""
        mentions = self._learnt()
        scores: defaultdict[int, float] = defaultdict(float)
        for word in {*words(text), *re.findall(r"\d{4}-\d{3}[\dX]", text)}:
            places = mentions.get(word, ())
            for place in places:
                scores[place] += 10 * math.log(1 + len(self._works) / len(places))
        best = heapq.nsmallest(DEEPEST, scores.items(), key=lambda scored: (-scored[1], scored[0]))
        return [{**self._item(place), "score": round(score, 6)} for place, score in best]

    def _item(self, place: int) -> Item:
        work = self._works[place]
        if isinstance(work, Work):
            work = self._works[place] = work_json(work)
        return work

    def _learnt(self) -> Mapping[str, list[int]]:
        """Where each word stands, learnt at the first search: most tests never search."""
        if not self._mentions:
            mentions: defaultdict[str, list[int]] = defaultdict(list)
            for place in range(len(self._works)):
                for word in _searchable(self._works[place]):
                    mentions[word].append(place)
            self._mentions = mentions
        return self._mentions
