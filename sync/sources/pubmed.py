"""PubMed: articles by PMID or by DOI, two hundred to a request, and by citation (ecitmatch), many to a request.

E-utilities: https://www.ncbi.nlm.nih.gov/books/NBK25497/ (rates, tool and email) and NBK25499 (parameters). PubMed falls back
to matching words where it has not indexed a DOI, and then answers with another article: an article counts only if the DOI
is its own. Errors come with status 200 as well, as JSON where XML was asked for, as `<ERROR>`, as web pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from sync.core.identifiers import doi_key, parse_doi, parse_pmid
from sync.core.pubmed_xml import article_to_record, dois, parse, pmid_of
from sync.core.record import Candidate, Provenance, Record
from sync.core.text import squeeze
from sync.errors import Outage
from sync.http import Http, Reply
from sync.pace import Rate
from sync.sources.base import Finding

T = TypeVar("T")

NAME = "pubmed"
TOOL = "zotdrop"
# NCBI refuses some requests at the very rate it publishes: a twentieth is left.
POOLS: Mapping[str, Rate] = {
    "key": Rate(10, 3, share=0.95),
    "anonymous": Rate(3, 2, share=0.95),
    "idconv": Rate(3, 1, share=0.95),
}
FETCH, SEARCH, CONVERT = 200, 200, 200  # identifiers in a request
LONGEST_URL = 3_800  # bytes
MOST_PER_DOI = 5  # articles that a search may find for each DOI; above, it matched words, and is halved

_BUSY = re.compile(
    rb"rate limit exceeded|search backend failed|temporarily unavailable|too many requests", re.IGNORECASE
)
_EMPTY = re.compile(r"empty id list|id list is empty", re.IGNORECASE)
_ARTICLES = frozenset({"journalArticle", "magazineArticle"})
_PLAIN_DOI = re.compile(r"[\w./-]+(?:\([\w./-]*\)[\w./-]*)*")  # what needs no quotes in PubMed's query language


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of one identifier: records that bear it, or why it could not be asked."""

    records: tuple[Record, ...] = ()
    away: str = ""


class PubMed:
    """A Source. url: of the E-utilities.  idconv_url: of PMC's ID converter.  contact: e-mail address, may be empty.

    api_key: for ten requests a second instead of three; sent in bodies only.  clock: the instant, ISO 8601 in UTC.
    """

    def __init__(
        self,
        http: Http,
        url: str,
        idconv_url: str,
        contact: str,
        api_key: str | None = None,
        *,
        clock: Callable[[], str],
    ) -> None:
        self._http, self._url, self._idconv_url, self._clock = http, url.rstrip("/"), idconv_url, clock
        self._pool = "key" if api_key else "anonymous"
        self._identity = {"tool": TOOL, **({"email": contact} if contact else {})}
        self._key = {"api_key": api_key} if api_key else {}
        http.declare(NAME, POOLS)

    @property
    def name(self) -> str:
        """`pubmed`."""
        return NAME

    def question(self, record: Record, *, citations: bool = True) -> str:
        """`pmid:7`, else `doi:10.1/x`, else `citation:journal|year|volume|page|author`; empty if nothing of that is known."""
        how, value = _question(record, citations=citations)
        return f"{how}:{value}" if how else ""

    @property
    def at_once(self) -> int:
        """One: a search and a fetch answer two hundred."""
        return 1

    def cuts(self, records: Sequence[Record]) -> Sequence[int]:
        """By what one search takes."""
        return [len(part) for part in _cut(records, SEARCH)]

    def requests_for(self, questions: int) -> int:
        """As if all were DOIs: a search and a fetch for two hundred, and a search for odd ones among them."""
        return 2 * -(-questions // SEARCH) + -(-questions // FETCH)

    def find(self, records: Sequence[Record], *, citations: bool = True) -> Sequence[Finding]:
        """One Finding per record: by PMID, else by DOI, else by citation. Raises Interrupted if a stop was asked for while waiting."""
        asked = [_question(record, citations=citations) for record in records]
        known = {
            how: by(_unique(value for found, value in asked if found == how))
            for how, by in (("pmid", self._by_pmid), ("doi", self._by_doi), ("citation", self._by_citation))
        }
        at = self._clock()
        return [
            _finding(known[how][value], Provenance(NAME, how, at)) if how else Finding(asked=False)
            for how, value in asked
        ]

    def _by_pmid(self, pmids: Sequence[str]) -> dict[str, _Answer]:
        known: dict[str, _Answer] = {}
        for batch in _cut(pmids, FETCH):
            try:
                fetched = {pmid_of(article): article_to_record(article) for article in self._fetch(batch)}
                known |= {pmid: _Answer((fetched[pmid],) if pmid in fetched else ()) for pmid in batch}
            except Outage as outage:
                known |= dict.fromkeys(batch, _Answer(away=str(outage)))
        return known

    def _by_doi(self, keys: Sequence[str]) -> dict[str, _Answer]:
        odd = [key for key in keys if not _PLAIN_DOI.fullmatch(key)]
        plain = [key for key in keys if _PLAIN_DOI.fullmatch(key)]
        known: dict[str, _Answer] = {}
        named: dict[str, list[str]] = {}  # PMID: the DOIs for which it was named
        for batch in (*_cut(plain, SEARCH), *_cut(odd, SEARCH)):
            try:
                for pmid in self._search(batch):
                    named.setdefault(pmid, []).extend(batch)
                known |= dict.fromkeys(batch, _Answer())
            except Outage as outage:
                known |= dict.fromkeys(batch, _Answer(away=str(outage)))
        known |= self._with_dois(named)
        return self._convert_missing(odd, known)

    def _with_dois(self, named: Mapping[str, Sequence[str]]) -> dict[str, _Answer]:
        """The DOIs whose article is among these, and those of which that cannot be told. named: PMID -> DOIs it was named for."""
        borne: dict[str, tuple[Record, ...]] = {}
        away: dict[str, str] = {}
        asked = {key for keys in named.values() for key in keys}
        for batch in _cut(list(named), FETCH):
            try:
                for article in self._fetch(batch):
                    for key in dois(article) & asked:
                        borne[key] = (*borne.get(key, ()), article_to_record(article))
            except Outage as outage:
                away |= {key: str(outage) for pmid in batch for key in named[pmid]}
        gone = {key: _Answer(away=why) for key, why in away.items() if key not in borne}
        return {**gone, **{key: _Answer(records) for key, records in borne.items()}}

    def _convert_missing(self, odd: Sequence[str], known: dict[str, _Answer]) -> dict[str, _Answer]:
        """Ask PMC's converter for DOIs that the query language may have misread. It knows only articles of PMC: what it
        does not know, or cannot be asked for, stays as the search left it.
        """
        missing = [key for key in odd if not known[key].records and not known[key].away]
        for batch in _cut(missing, CONVERT):
            try:
                found = self._with_dois(dict.fromkeys(self._convert(batch), batch))
            except Outage:
                continue
            known |= {key: answer for key, answer in found.items() if answer.records}
        return known

    def _by_citation(self, citations: Sequence[str]) -> dict[str, _Answer]:
        """Articles that PubMed takes for these citations, where it is sure of one. Whether it is right is for others to say."""
        known: dict[str, _Answer] = {}
        for batch in self._citation_batches(citations):
            try:
                pmids = self._matched(batch)
                fetched = self._by_pmid(_unique(pmids.values()))
            except Outage as outage:
                known |= dict.fromkeys(batch, _Answer(away=str(outage)))
            else:
                known |= {citation: fetched[pmids[citation]] if citation in pmids else _Answer() for citation in batch}
        return known

    def _citation_batches(self, citations: Sequence[str]) -> Iterator[Sequence[str]]:
        batch: list[str] = []
        for citation in citations:
            if batch and len(self._citation_url([*batch, citation])) > LONGEST_URL:
                yield batch
                batch = []
            batch.append(citation)
        if batch:
            yield batch

    def _matched(self, citations: Sequence[str]) -> dict[str, str]:
        """The PMIDs of these citations; what is not found, or found more than once, is left out."""
        # Without our key, which would stand in the address; so at the pace of those who have none.
        reply = self._http.ask(NAME, "anonymous", "GET", self._citation_url(citations), busy=_busy)
        lines = reply.body.decode("utf-8", "replace").splitlines()
        parts = [line.strip().rstrip("|").split("|") for line in lines if line.strip()]
        if reply.status != 200 or not all(len(part) > 1 and part[-2].strip().isdecimal() for part in parts):
            raise _outage(f"answered with something else than citations (status {reply.status})")
        found = {int(part[-2]): parse_pmid(part[-1]) for part in parts if part[-1].strip().isdecimal()}
        return {citation: pmid for number, citation in enumerate(citations) if (pmid := found.get(number))}

    def _citation_url(self, citations: Sequence[str]) -> str:
        """The bars between the parts have to stand there as they are."""
        data = "\r".join(f"{citation}|{number}|" for number, citation in enumerate(citations))
        query = urlencode({"db": "pubmed", "retmode": "xml", **self._identity, "bdata": data}, safe="|")
        return f"{self._url}/ecitmatch.cgi?{query}"

    def _search(self, keys: Sequence[str]) -> list[str]:
        """PMIDs that PubMed names for these DOIs, wrong ones among them."""
        term = " OR ".join(
            f"{key}[doi]" if _PLAIN_DOI.fullmatch(key) else f'"{key.replace(chr(34), "")}"[doi]' for key in keys
        )
        most = MOST_PER_DOI * len(keys)
        data = {"db": "pubmed", "term": term, "retmode": "json", "retmax": str(most)}
        result = _json(self._ask("esearch.fcgi", data)).get("esearchresult", {})
        if not isinstance(result, dict) or "ERROR" in result or "idlist" not in result:
            said = result.get("ERROR", "") if isinstance(result, dict) else ""
            raise _outage(f"could not search ({squeeze(str(said))[:200]})")
        found = [str(pmid) for pmid in result.get("idlist", ())]
        count = str(result.get("count", ""))
        if not count.isdecimal() or int(count) <= most or len(keys) == 1:
            return found
        middle = len(keys) // 2
        return [*self._search(keys[:middle]), *self._search(keys[middle:])]

    def _fetch(self, pmids: Sequence[str]) -> Sequence[Any]:
        """The articles of these PMIDs, as XML elements; unknown ones are missing."""
        reply = self._ask("efetch.fcgi", {"db": "pubmed", "id": ",".join(pmids), "retmode": "xml"})
        try:
            return parse(reply.body)
        except ValueError as fault:
            if _EMPTY.search(str(fault)):
                return ()
            said = _error_of(reply) or str(fault)
            raise _outage(f"answered with something else than articles ({squeeze(said)[:200]})") from None

    def _convert(self, keys: Sequence[str]) -> list[str]:
        params = {"ids": ",".join(keys), "idtype": "doi", "format": "json", **self._identity}
        reply = self._http.ask(NAME, "idconv", "GET", self._idconv_url, params=params)
        records = _json(reply).get("records") or ()
        pmids = [parse_pmid(str(record.get("pmid", ""))) for record in records if isinstance(record, dict)]
        return [pmid for pmid in pmids if pmid]

    def _ask(self, program: str, data: Mapping[str, str]) -> Reply:
        form = {**data, **self._identity, **self._key}
        reply = self._without_key(
            self._http.ask(NAME, self._pool, "POST", f"{self._url}/{program}", data=form, busy=_busy)
        )
        if reply.status != 200:
            said = _error_of(reply)
            hint = "is api_key in the config right?" if "key" in said.lower() else "is its url in the config right?"
            raise _outage(f"answered with status {reply.status}{f' ({said})' if said else ''}; {hint}")
        return reply

    def _without_key(self, reply: Reply) -> Reply:
        """An answer that does not repeat our key: its words are told, and kept."""
        key = self._key.get("api_key", "").encode()
        return replace(reply, body=reply.body.replace(key, b"(key)")) if key and key in reply.body else reply


def _question(record: Record, *, citations: bool) -> tuple[str, str]:
    """What a record is asked for by: `pmid`, `doi` or `citation`, and its value; two empty texts if by nothing."""
    pmid = parse_pmid(record.identifiers.get("PMID", ""))
    if pmid:
        return "pmid", pmid
    doi = parse_doi(record.identifiers.get("DOI", ""))
    if doi:
        return "doi", doi_key(doi)
    citation = _citation(record) if citations else ""
    return ("citation", citation) if citation else ("", "")


def _citation(record: Record) -> str:
    """`journal|year|volume|first page|author` of an article, as ecitmatch takes it; empty unless all but one are known.

    Without a journal ecitmatch ends its answer there, so that those after it would not be heard.
    """
    year = re.search(r"(?<!\d)(?:1[4-9]|20)\d\d(?!\d)", record.base("date"))
    first = record.creators[0] if record.creators else None
    parts = [
        record.base("journalAbbreviation") or record.base("publicationTitle"),
        year.group() if year else "",
        record.base("volume"),
        re.split(r"[-\u2013,;\s]", record.base("pages"), maxsplit=1)[0],
        f"{first.last} {first.first[:1]}" if first and first.last else "",
    ]
    said = [squeeze(re.sub(r"[|\r\n.]", " ", part)).casefold() for part in parts]
    enough = record.item_type in _ARTICLES and said[0] and sum(map(bool, said)) >= len(said) - 1
    return "|".join(said) if enough else ""


def _finding(answer: _Answer, because: Provenance) -> Finding:
    return Finding(tuple(Candidate(record, because) for record in answer.records), answer.away)


def _busy(body: bytes) -> str:
    """Why an answer is to be tried again; only the short ones that are errors are looked into."""
    if len(body) > 4096 or b"<PubmedArticle" in body:
        return ""
    found = _BUSY.search(body)
    return f"said {found.group().decode().lower()!r}" if found else ""


def _json(reply: Reply) -> dict[str, Any]:
    """A JSON object. Raises Outage where there is none: an error, or a web page."""
    try:
        answer = msgspec.json.decode(reply.body)
    except msgspec.MsgspecError:
        answer = None
    if reply.status != 200 or not isinstance(answer, dict) or "error" in answer:
        said = _error_of(reply) or "a web page?"
        raise _outage(f"answered with something else than data (status {reply.status}, {said})")
    return answer


def _error_of(reply: Reply) -> str:
    """The service's own word on an error, never more of the answer: it repeats the key."""
    try:
        answer = msgspec.json.decode(reply.body)
    except msgspec.MsgspecError:
        return ""
    said = answer.get("error", "") if isinstance(answer, dict) else ""
    return squeeze(said)[:200] if isinstance(said, str) else ""


def _outage(what: str) -> Outage:
    return Outage(f"{NAME} {what}; it will be asked again later", service=NAME)


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _cut(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    yield from (values[at : at + size] for at in range(0, len(values), size))
