"""Finding works in the stand-in for Crossref: by DOI, and by words with a score."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Item: TypeAlias = Mapping[str, Any]


def words(text: str) -> list[str]:
    """Folded words: `Núñez's <i>H</i>` -> `nunez s i h i`."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"\w+", folded)


def _searchable(item: Item) -> set[str]:
    """Titles, authors, journal, ISSNs and year: what `query.bibliographic` looks at."""
    people = [
        part for a in item.get("author") or () for part in (a.get("family"), a.get("given"), a.get("name")) if part
    ]
    year = str(((item.get("issued") or {}).get("date-parts") or [[""]])[0][0])
    texts = [
        *(item.get("title") or ()),
        *(item.get("subtitle") or ()),
        *(item.get("container-title") or ()),
        *people,
        year,
    ]
    return {*words(" ".join(texts)), *(item.get("ISSN") or ())}


class Index:
    """The works of a stand-in. Read-only once made, so safe to share between threads."""

    def __init__(self, items: Iterable[Item], *, aliases: bool) -> None:
        self._items = tuple(items)
        self._by_doi = {item["DOI"].lower(): item for item in self._items}
        if aliases:
            for item in self._items:
                self._by_doi.update({alias.lower(): item for alias in item.get("aliases", ())})
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def by_doi(self, doi: str) -> Item | None:
        """The work with this DOI (lower case), or None."""
        return self._by_doi.get(doi)

    def among(self, dois: Sequence[str]) -> list[Item]:
        """The works with these DOIs, each once, in the order of the collection and not of the asking."""
        found = {item["DOI"]: item for doi in dois if (item := self._by_doi.get(doi))}
        return sorted(found.values(), key=lambda item: str(item["DOI"]))

    def all(self) -> list[Item]:
        """Every work."""
        return list(self._items)

    def search(self, text: str) -> list[Item]:
        """Works that share words with the text, best first, each with its `score`: rare words weigh more."""
        self._learn()
        scores: defaultdict[int, float] = defaultdict(float)
        for word in {*words(text), *re.findall(r"\d{4}-\d{3}[\dX]", text)}:
            places = self._places.get(word, ())
            for place in places:
                scores[place] += 10 * math.log(1 + len(self._items) / len(places))
        best = sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))
        return [{**self._items[place], "score": round(score, 6)} for place, score in best]

    def _learn(self) -> None:
        """Index the words, at the first search: most tests never search."""
        if self._places:
            return
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(self._items):
            for word in _searchable(item):
                places[word].append(place)
        self._places = places
