"""Crossref: works by DOI, fifty to a request; a work that has no identifier by its words, one request each.

Rates: Crossref blog, "Announcing changes to REST API rate limits" (2025-11-05). Traps of the list route, each known from its
validator or its answers: one malformed DOI, or one with a comma, fails the whole list (400); DOIs that are not found are
silently absent; without `rows` only twenty come. What a list does not know is asked for once more alone, and then for the agency
that registered it: all other routes know Crossref's own DOIs only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar
from urllib.parse import quote, quote_plus, urlencode

from sync.core.crossref_json import CONTAINERS, dois, work_to_record
from sync.core.crossref_works import Work, agency, decode, is_refusal
from sync.core.folding import fold
from sync.core.identifiers import doi_key, parse_doi
from sync.core.markup import plain
from sync.core.record import Candidate, Provenance, Record
from sync.core.sketch import GENERIC
from sync.core.text import squeeze
from sync.errors import Outage
from sync.http import Http, Reply
from sync.pace import Rate
from sync.sources.base import Finding

J = TypeVar("J")

NAME = "crossref"
POOLS: Mapping[str, Rate] = {
    "polite-single": Rate(10, 3),
    "polite-array": Rate(3, 3),
    "public-single": Rate(5, 1),
    "public-array": Rate(1, 1),
}
BATCH = 50  # DOIs in a list
LONGEST_URL = 3_800  # bytes; Crossref refuses above 4,092
SUSPICIOUS = 8  # DOIs of a list, all refused: it is not the DOIs that are wrong
FOUND = 5  # works that a search gives; whether one of them is the record's is decided elsewhere
_WORDS = 600  # letters of a title and names that are searched for
_NAMES = 3
_LATER = "as many works were searched as a run may (searches_per_run); the next run goes on"
_ROWS = 2  # digits of how many works a list asks for
PATIENCE = 3  # outages in one round after which the rest of it is not asked


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of one DOI: works that bear it, or why it could not be asked."""

    works: tuple[Work, ...] = ()
    away: str = ""
    agency: str = ""


class Crossref:
    """A Source. contact: e-mail address, empty for the slower public pools.  clock: the instant, ISO 8601 in UTC.

    searches: how many works may be searched by their words before `find` puts the rest off; the dearest requests there are.
    """

    def __init__(self, http: Http, url: str, contact: str, *, clock: Callable[[], str], searches: int = 0) -> None:
        self._http, self._url, self._contact, self._clock = http, url.rstrip("/"), contact, clock
        self._pool = "polite" if contact else "public"
        self._at_once = POOLS[f"{self._pool}-array"].concurrency
        self._searches, self._may_search = searches, searches > 0
        self._counting = Lock()
        http.declare(NAME, POOLS)

    @property
    def name(self) -> str:
        """`crossref`."""
        return NAME

    def question(self, record: Record, *, citations: bool = True) -> str:
        """`doi:10.1/x`, or `words:...` for a record without DOI and PMID; empty where that may not be asked, or by nothing."""
        key = _key(record)
        if key:
            return f"doi:{key}"
        text = words(record) if citations and self._may_search else ""
        return f"words:{fold(text)}" if text else ""

    @property
    def at_once(self) -> int:
        """As many as the pool takes: a list each."""
        return self._at_once

    def cuts(self, records: Sequence[Record]) -> Sequence[int]:
        """Lists, filled as far as they go; a work that is searched for counts as one of them."""
        return [len(batch) for batch in self._batches([_key(record) for record in records])]

    def requests_for(self, questions: int) -> int:
        """Lists only: how many DOIs are not known shows later."""
        return -(-questions // BATCH)

    def find(self, records: Sequence[Record], *, citations: bool = True) -> Sequence[Finding]:
        """One Finding per record, by DOI or by words. Raises Interrupted if a stop was asked for while waiting."""
        keys = [_key(record) for record in records]
        known = self._look_up(list(dict.fromkeys(filter(None, keys))))
        because = Provenance(NAME, "doi", self._clock())
        texts = ["" if key or not citations else words(one) for key, one in zip(keys, records, strict=True)]
        searched = self._search_all(list(dict.fromkeys(filter(None, texts))))
        return [
            _finding(known[key], because) if key else searched.get(text, Finding(asked=False))
            for key, text in zip(keys, texts, strict=True)
        ]

    def _search_all(self, texts: Sequence[str]) -> dict[str, Finding]:
        """What is found by these words, as far as the limit goes."""
        if not self._may_search:
            return {}
        with self._counting:
            now, later = texts[: self._searches], texts[self._searches :]
            self._searches -= len(now)
        because = Provenance(NAME, "search", self._clock())
        found: dict[str, Finding] = dict.fromkeys(later, Finding(away=_LATER, put_off=True))
        for part in self._round(self._search, [[text] for text in now]):
            found |= {text: _finding(answer, because) for text, answer in part.items()}
        return found

    def _search(self, texts: Sequence[str]) -> dict[str, _Answer]:
        query = {"query.bibliographic": texts[0], "rows": str(FOUND), **self._identity()}
        reply = self._http.ask(NAME, f"{self._pool}-array", "GET", f"{self._url}/works", params=query)
        return {texts[0]: _Answer() if reply.status == 400 and is_refusal(reply.body) else _Answer(_works(reply))}

    def _look_up(self, keys: Sequence[str]) -> dict[str, _Answer]:
        known: dict[str, _Answer] = {}
        fit = [key for key in keys if "," not in key]
        for part in self._round(self._ask_list, self._batches(fit)):
            known |= part
        # A list says nothing of what it does not know, and takes no DOI with a comma: those are asked for alone.
        for part in self._round(self._ask_single, [[key] for key in keys if key not in known]):
            known |= part
        absent = [[key] for key in keys if not known[key].works and not known[key].away]
        for part in self._round(self._ask_agency, absent):
            # That Crossref does not have it is known already: an agency that cannot be asked for takes nothing away from that.
            known |= {key: replace(answer, away="") for key, answer in part.items()}
        return known

    def _round(
        self, ask: Callable[[Sequence[str]], dict[str, _Answer]], jobs: Iterable[Sequence[str]]
    ) -> Iterator[dict[str, _Answer]]:
        """The answers to each job, several asked at a time; a job whose service is away says so for each of its DOIs."""
        troubles: list[str] = []

        def answer(keys: Sequence[str]) -> dict[str, _Answer]:
            if len(troubles) < PATIENCE:
                try:
                    return ask(keys)
                except Outage as outage:
                    troubles.append(str(outage))
            return dict.fromkeys(keys, _Answer(away=troubles[-1]))

        here = copy_context()

        def be_here() -> None:  # what a thread logs belongs to the run that it works for
            for variable, value in here.items():
                variable.set(value)

        with ThreadPoolExecutor(self._at_once, initializer=be_here) as pool:
            yield from pool.map(answer, jobs)

    def _batches(self, keys: Sequence[str]) -> Iterator[Sequence[str]]:
        """Lists of DOIs that fit into one request, by number and by length."""
        batch: list[str] = []
        alone, length = self._length([]) + _ROWS, 0
        for key in keys:
            more = len(quote_plus(f",doi:{key}"))
            if batch and (len(batch) == BATCH or alone + length + more > LONGEST_URL):
                yield batch
                batch, length = [], 0
            batch.append(key)
            length += more
        if batch:
            yield batch

    def _length(self, keys: Sequence[str]) -> int:
        return len(f"{self._url}/works?{urlencode(self._query(keys))}")

    def _query(self, keys: Sequence[str]) -> dict[str, str]:
        query = {"filter": ",".join(f"doi:{key}" for key in keys), "rows": str(len(keys))}
        return {**query, **self._identity()}

    def _identity(self) -> dict[str, str]:
        return {"mailto": self._contact} if self._contact else {}

    def _ask_list(self, keys: Sequence[str]) -> dict[str, _Answer]:
        """The works of a list of DOIs; those it does not know are left out. A list that is refused is halved."""
        if self._length(keys) > LONGEST_URL:  # a single endless DOI
            return {}
        refused: list[str] = []
        known = self._halved(keys, refused)
        if len(refused) == len(keys) >= SUSPICIOUS:
            raise Outage(f"{NAME} refuses every list of DOIs; is its url in the config right?", service=NAME)
        return known

    def _halved(self, keys: Sequence[str], refused: list[str]) -> dict[str, _Answer]:
        """The works of a list. refused: gets the DOIs that are refused when they are all that is asked for."""
        reply = self._http.ask(NAME, f"{self._pool}-array", "GET", f"{self._url}/works", params=self._query(keys))
        if reply.status not in {400, 414}:
            return _by_key(keys, _works(reply))
        middle = len(keys) // 2
        if not middle:
            refused.extend(keys)
            return {}
        return {**self._halved(keys[:middle], refused), **self._halved(keys[middle:], refused)}

    def _ask_single(self, keys: Sequence[str]) -> dict[str, _Answer]:
        url = f"{self._url}/works/{quote(keys[0], safe='')}"
        reply = self._http.ask(NAME, f"{self._pool}-single", "GET", url, params=self._identity())
        absent = reply.status in {404, 414} and reply.body.lstrip()[:1] != b"<"
        if absent or (reply.status == 400 and is_refusal(reply.body)):
            return {keys[0]: _Answer()}
        return {keys[0]: _Answer(), **_by_key(keys, _works(reply))}

    def _ask_agency(self, keys: Sequence[str]) -> dict[str, _Answer]:
        url = f"{self._url}/works/{quote(keys[0], safe='')}/agency"
        reply = self._http.ask(NAME, f"{self._pool}-single", "GET", url, params=self._identity())
        if reply.status == 200:
            return {keys[0]: _Answer(agency=agency(reply.body))}
        page = reply.body.lstrip()[:1] == b"<"
        return {keys[0]: _Answer(agency="nobody" if reply.status == 404 and not page else "")}


def _key(record: Record) -> str:
    return doi_key(parse_doi(record.identifiers.get("DOI", "")) or "")


def words(record: Record) -> str:
    """Title, first authors, journal and year; empty for a record that has an identifier, or too little to be found by."""
    if record.identifiers.get("DOI") or record.identifiers.get("PMID") or len(fold(record.title)) < GENERIC:
        return ""
    names = [creator.last or creator.name for creator in record.creators[:_NAMES]]
    parts = [record.title, *names, record.base("publicationTitle"), record.base("date")[:4]]
    text = " ".join(squeeze(plain(part)) for part in parts if part)
    return text[:_WORDS] if names else ""


def _works(reply: Reply) -> tuple[Work, ...]:
    if reply.status != 200:
        raise Outage(f"{NAME} answered with status {reply.status}; is its url in the config right?", service=NAME)
    try:
        return decode(reply.body)
    except ValueError:
        message = f"{NAME} answered with something else than works (a login page?); it will be asked again later"
        raise Outage(message, service=NAME) from None


def _by_key(keys: Sequence[str], works: Sequence[Work]) -> dict[str, _Answer]:
    """The asked DOIs and the works that bear them, as their own or as one they superseded; other works count for nothing."""
    borne: dict[str, tuple[Work, ...]] = {}
    for work in works:
        for key in dois(work) & set(keys):
            borne[key] = (*borne.get(key, ()), work)
    return {key: _Answer(found) for key, found in borne.items()}


def _finding(answer: _Answer, because: Provenance) -> Finding:
    records = [work_to_record(work) for work in answer.works if work.title or work.type not in CONTAINERS]
    return Finding(tuple(Candidate(record, because) for record in records), answer.away, agency=answer.agency)
