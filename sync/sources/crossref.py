"""Crossref's REST API: works by DOI, fifty per request.

Facts: https://api.crossref.org, "Announcing changes to REST API rate limits" (doi 10.64000/wadve-3tj60) for the pools and their
rates. Repeating `doi:` in the filter means OR; a DOI with a comma, or one that the validator refuses, fails the whole list, so
those are asked singly, and a list that is refused is halved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from sync.core.crossref_json import CONTAINERS, Work, decode, dois, work_to_record
from sync.core.identifiers import doi_key
from sync.core.record import Candidate, Provenance, Record
from sync.errors import Outage
from sync.http import Http, Rate, Reply
from sync.sources.base import Finding

NAME = "crossref"
BATCH = 50  # DOIs in one list
LONGEST = 3_800  # bytes of an address; above 4,092 the service answers 414
_POOLS = {
    "public-single": Rate(5, 1),
    "public-array": Rate(1, 1),
    "polite-single": Rate(10, 3),
    "polite-array": Rate(3, 3),
}
_LISTABLE = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[^\s,]+")  # what the list's validator takes


class Crossref:
    """The source `crossref`. url: of the API.  contact: an e-mail address, may be empty (slower).  clock: now, ISO 8601 in UTC."""

    name = NAME

    def __init__(self, http: Http, *, url: str, contact: str, clock: Callable[[], str]) -> None:
        self._http, self._url, self._contact, self._clock = http, url.rstrip("/"), contact, clock
        self._pool = "polite" if contact else "public"
        http.declare(NAME, _POOLS)

    def find(self, records: Sequence[Record]) -> Sequence[Finding]:
        """One Finding per record, by DOI. Raises Interrupted."""
        wanted = [doi_key(record.identifiers.get("DOI", "")) for record in records]
        answers = _Answers()
        listable = list(dict.fromkeys(doi for doi in wanted if doi and _LISTABLE.fullmatch(doi)))
        for batch in self._batches(listable):
            self._guarded(answers, batch, self._list)
        for doi in dict.fromkeys(doi for doi in wanted if doi and not answers.has(doi)):
            self._guarded(answers, [doi], self._single)
        return [self._finding(answers, doi) for doi in wanted]

    def _finding(self, answers: _Answers, doi: str) -> Finding:
        if not doi:
            return Finding(asked=False)
        work = answers.works.get(doi)
        if work is None:
            return Finding(away=answers.away.get(doi, ""))
        if work.type in CONTAINERS:
            return Finding()
        return Finding((Candidate(work_to_record(work), Provenance(NAME, "doi", self._clock())),))

    def _guarded(self, answers: _Answers, batch: list[str], ask: Callable[[_Answers, list[str]], None]) -> None:
        """A service that is away is a finding of these DOIs, not the end of the others."""
        try:
            ask(answers, batch)
        except Outage as fault:
            answers.away |= dict.fromkeys((doi for doi in batch if doi not in answers.works), str(fault))

    def _list(self, answers: _Answers, batch: list[str]) -> None:
        reply = self._ask(
            "array", "/works", {"filter": ",".join(f"doi:{doi}" for doi in batch), "rows": str(len(batch))}
        )
        if reply.status == 200:
            answers.take(_works(reply), batch)
        elif len(batch) > 1:
            half = len(batch) // 2
            self._guarded(answers, batch[:half], self._list)
            self._guarded(answers, batch[half:], self._list)

    def _single(self, answers: _Answers, batch: list[str]) -> None:
        """What the lists did not have, once more by itself; 404 means that Crossref does not know it."""
        (doi,) = batch
        reply = self._ask("single", f"/works/{quote(doi, safe='')}", {})
        if reply.status == 200:
            answers.take(_works(reply), batch)
        elif reply.status not in {400, 404}:
            raise Outage(f"Crossref answered {reply.status} to a single DOI", service=NAME)

    def _ask(self, kind: str, path: str, params: Mapping[str, str]) -> Reply:
        named = {**params, "mailto": self._contact} if self._contact else dict(params)
        return self._http.ask(NAME, f"{self._pool}-{kind}", "GET", self._url + path, params=named)

    def _batches(self, wanted: Iterable[str]) -> Iterable[list[str]]:
        room = LONGEST - len(self._url) - len("/works?filter=&rows=50&mailto=") - len(quote(self._contact))
        batch: list[str] = []
        used = 0
        for doi in wanted:
            size = len(quote(f"doi:{doi},", safe=""))
            if batch and (len(batch) == BATCH or used + size > room):
                yield batch
                batch, used = [], 0
            batch.append(doi)
            used += size
        if batch:
            yield batch


class _Answers:
    """What is known so far, by DOI in lower case."""

    def __init__(self) -> None:
        self.works: dict[str, Work] = {}
        self.away: dict[str, str] = {}

    def has(self, doi: str) -> bool:
        return doi in self.works or doi in self.away

    def take(self, works: Iterable[Work], asked: Iterable[str]) -> None:
        """A work counts for a DOI only if that is its own, or one of its aliases."""
        wanted = set(asked)
        for work in works:
            for doi in {doi_key(own) for own in dois(work)} & wanted:
                self.works.setdefault(doi, work)


def _works(reply: Reply) -> tuple[Work, ...]:
    try:
        return decode(reply.body)
    except ValueError:
        raise Outage("Crossref answered with something that is not its JSON", service=NAME) from None
