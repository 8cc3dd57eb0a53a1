"""PubMed through NCBI's E-utilities: articles by PMID, and by DOI, many per request.

Facts: NBK25497 and NBK25499 (rates, tool and email, POST above 200 ids). A search for a DOI that PubMed has not indexed falls back
to matching its words and returns some other article, so an answer counts only if the DOI asked for stands in the record itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sync.core.identifiers import doi_key
from sync.core.pubmed_xml import article_to_record, parse, pmid_of
from sync.core.pubmed_xml import dois as dois_of
from sync.core.record import Candidate, Provenance, Record
from sync.errors import Outage
from sync.http import Http, Rate
from sync.sources.base import Finding

NAME = "pubmed"
TOOL = "zotdrop"
FETCH, SEARCH = 200, 100  # ids in one efetch, DOIs in one esearch

T = TypeVar("T")


class PubMed:
    """The source `pubmed`. url: of the E-utilities.  contact: an e-mail address.  api_key: the user's own, for ten requests a second."""

    name = NAME

    def __init__(
        self, http: Http, *, url: str, idconv_url: str, contact: str, api_key: str | None, clock: Callable[[], str]
    ) -> None:
        self._http, self._url, self._idconv_url, self._clock = http, url.rstrip("/"), idconv_url, clock
        self._own = {
            "tool": TOOL,
            **({"email": contact} if contact else {}),
            **({"api_key": api_key} if api_key else {}),
        }
        http.declare(NAME, {"eutils": Rate(10 if api_key else 3, 3)})

    def find(self, records: Sequence[Record]) -> Sequence[Finding]:
        """One Finding per record: by PMID where it has one, else by DOI. Raises Interrupted."""
        asked = [_question(record) for record in records]
        found: dict[tuple[str, str], Record] = {}
        away: dict[tuple[str, str], str] = {}
        self._by_pmid(list(dict.fromkeys(value for how, value in asked if how == "pmid")), found, away)
        self._by_doi(list(dict.fromkeys(value for how, value in asked if how == "doi")), found, away)
        return [self._finding(one, found, away) for one in asked]

    def _finding(
        self, one: tuple[str, str], found: Mapping[tuple[str, str], Record], away: Mapping[tuple[str, str], str]
    ) -> Finding:
        if not one[0]:
            return Finding(asked=False)
        if one in found:
            return Finding((Candidate(found[one], Provenance(NAME, one[0], self._clock())),))
        return Finding(away=away.get(one, ""))

    def _by_pmid(
        self, pmids: list[str], found: dict[tuple[str, str], Record], away: dict[tuple[str, str], str]
    ) -> None:
        for part in _parts(pmids, FETCH):
            try:
                found |= {("pmid", pmid_of(article)): article_to_record(article) for article in self._fetch(part)}
            except Outage as fault:
                away |= {("pmid", pmid): str(fault) for pmid in part}

    def _by_doi(self, dois: list[str], found: dict[tuple[str, str], Record], away: dict[tuple[str, str], str]) -> None:
        """A search gives PMIDs, their articles tell which DOI each has."""
        hits: list[str] = []
        for part in _parts(dois, SEARCH):
            try:
                hits += self._search(part)
            except Outage as fault:
                away |= {("doi", doi): str(fault) for doi in part}
        wanted = set(dois)
        for part in _parts(list(dict.fromkeys(hits)), FETCH):
            try:
                for article in self._fetch(part):
                    found |= {("doi", doi): article_to_record(article) for doi in dois_of(article) & wanted}
            except Outage as fault:
                away |= {("doi", doi): str(fault) for doi in dois if ("doi", doi) not in found}

    def _search(self, dois: Sequence[str]) -> list[str]:
        term = " OR ".join(f'"{doi}"[doi]' for doi in dois)
        body = self._ask(
            "esearch.fcgi", {"db": "pubmed", "retmode": "json", "retmax": str(len(dois) * 3), "term": term}
        )
        answer = _json(body)
        result = answer.get("esearchresult") if isinstance(answer, dict) else None
        if not isinstance(result, dict) or "ERROR" in result or "idlist" not in result:
            raise Outage(f"PubMed's search failed: {_told(answer)}", service=NAME)
        return [str(pmid) for pmid in result["idlist"]]

    def _fetch(self, pmids: Sequence[str]) -> Sequence[Any]:
        body = self._ask("efetch.fcgi", {"db": "pubmed", "retmode": "xml", "id": ",".join(pmids)})
        if body.lstrip()[:1] == b"{":
            raise Outage(f"PubMed did not answer: {_told(_json(body))}", service=NAME)
        try:
            return parse(body)
        except ValueError:
            raise Outage("PubMed answered with something that is not its XML", service=NAME) from None

    def _ask(self, program: str, data: Mapping[str, str]) -> bytes:
        """POST, so that neither ids nor the key stand in an address."""
        reply = self._http.ask(NAME, "eutils", "POST", f"{self._url}/{program}", data={**data, **self._own})
        if reply.status != 200:
            raise Outage(f"PubMed answered {reply.status}", service=NAME)
        return reply.body


def _question(record: Record) -> tuple[str, str]:
    pmid, doi = record.identifiers.get("PMID", ""), doi_key(record.identifiers.get("DOI", ""))
    return ("pmid", pmid) if pmid else ("doi", doi) if doi and '"' not in doi else ("", "")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Outage("PubMed answered with something that is not its JSON", service=NAME) from None


def _told(answer: Any) -> str:
    """What an error answer says, without the address or key that NCBI repeats in it."""
    said = answer.get("error") or (answer.get("esearchresult") or {}).get("ERROR") if isinstance(answer, dict) else None
    return str(said)[:200] if said else "no list of ids"


def _parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    walk = iter(values)
    while part := list(islice(walk, size)):
        yield part
