"""A stand-in for NCBI: esearch, efetch and ecitmatch of the E-utilities, and PMC's ID converter.

E-utilities: https://www.ncbi.nlm.nih.gov/books/NBK25499/ (parameters), NBK25497 (rates, tool and email), recorded answers
for errors and empty results. ID converter: https://pmc.ncbi.nlm.nih.gov/tools/id-converter-api/.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from tests.servers.base import Budget, Clock, Reply, Request, StandIn
from tests.servers.crossref_index import words
from tests.servers.ncbi_xml import article_set, article_xml, journal_names
from tests.servers.works import Work

LONGEST_URL = 8190  # bytes of the request line's target; above, the web server answers 414
DEFAULT_RETMAX, MOST_RETMAX = 20, 9_999
MOST_IDS = 200  # of the ID converter
EUTILS, IDCONV, OLD_IDCONV = "/entrez/eutils/", "/tools/idconv/api/v1/articles/", "/pmc/utils/idconv/v1.0/"

_ATOM = re.compile(r'^\(*"?(?P<value>.*?)"?(?:\[(?P<field>[\w ]+)\]\)*)?$')
_ID_SHAPES = {"pmid": r"\d{1,8}", "pmcid": r"PMC\d+(\.\d+)?", "doi": r"10\.\d{4,}/.+", "mid": r"[A-Z]+\d+"}


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search came to: PMIDs, and the phrases that PubMed does not know."""

    pmids: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()


class NcbiServer(StandIn):
    """NCBI on loopback. Works without a PMID are not in PubMed, works without a PMCID not in PMC.

    fallback: `{doi: pmid}`, the wrong article that PubMed's word matching answers for a DOI it has not indexed.
    rate: refuse above 3 requests a second, 10 with a key (per key).  throttle_status: 429, or 200 as it also happens.
    keys: the valid API keys; None takes any.  misses_drop_author: ecitmatch leaves the author out of a line it cannot
    match (seen by some, not by others).
    """

    def __init__(
        self,
        works: Iterable[Work] = (),
        *,
        fallback: Mapping[str, str] | None = None,
        rate: bool = False,
        throttle_status: int = 429,
        keys: frozenset[str] | None = None,
        misses_drop_author: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(clock=clock)
        self._works = {work.pmid: work for work in works if work.pmid}
        self._by_doi = {work.doi.lower(): work for work in self._works.values()}
        self._by_pmcid = {work.pmcid: work for work in self._works.values() if work.pmcid}
        self._journals = _by_journal(self._works.values())
        self._fallback = {doi.lower(): pmid for doi, pmid in (fallback or {}).items()}
        self._rate, self._throttle_status, self._keys = rate, throttle_status, keys
        self._misses_drop_author = misses_drop_author
        self._clock = clock
        self._budgets: dict[str, Budget] = {}
        self._routes: Mapping[str, Callable[[Request], Reply]] = {
            f"{EUTILS}esearch.fcgi": self._esearch,
            f"{EUTILS}efetch.fcgi": self._efetch,
            f"{EUTILS}ecitmatch.cgi": self._ecitmatch,
            IDCONV: self._convert,
            OLD_IDCONV: lambda request: Reply(301, headers={"Location": f"{self.url}{IDCONV}?{request.query}"}),
        }

    @property
    def eutils_url(self) -> str:
        """Where the E-utilities stand, without a slash at its end."""
        return self.url + EUTILS.rstrip("/")

    @property
    def idconv_url(self) -> str:
        """Where the ID converter stands, with the slash at its end."""
        return self.url + IDCONV

    @property
    def callers(self) -> set[tuple[str, str]]:
        """The (tool, email) pairs that finished requests named; ("", "") for who named none."""
        return {(request.get("tool"), request.get("email")) for request in self.log}

    def admit(self, request: Request) -> Reply | None:
        """The JSON error above the rate, where it is enforced."""
        if not self._rate:
            return None
        key = request.get("api_key")
        with self._changed:
            budget = self._budgets.setdefault(key, Budget(_limit(key), 1.0, clock=self._clock))
        if budget.enter():
            return None
        limit = _limit(key)
        error = {
            "error": "API rate limit exceeded",
            "api-key": key or "127.0.0.1",
            "count": str(limit + 1),
            "limit": str(limit),
        }
        return Reply.json(error, self._throttle_status, {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0"})

    def handle(self, request: Request) -> Reply:
        """The answer of the tool that the path names, with the rate headers."""
        if len(request.path) + len(request.query) + 1 > LONGEST_URL:
            return Reply.text("<html><body><h1>Submitted URI too large!</h1></body></html>", 414, "text/html")
        route = self._routes.get(request.path) or self._routes.get(f"{request.path}/")
        if route is None:
            return Reply.text("<html><body><h1>Not Found</h1></body></html>", 404, "text/html")
        key = request.get("api_key")
        if key and self._keys is not None and key not in self._keys:
            return Reply.json(
                {"error": "API key invalid", "api-key": key, "count": "1", "type": "api", "status": "ok"}, 400
            )
        reply = route(request)
        return replace(reply, headers={**reply.headers, "X-RateLimit-Limit": str(_limit(key))})

    def _esearch(self, request: Request) -> Reply:
        as_json = request.get("retmode") == "json"
        error = _database_fault(request) or ("" if request.get("term") else "Empty term and query_key - nothing todo")
        if error:
            return _search_error(error, as_json=as_json)
        found = self._searched(request.get("term"))
        start, most = int(request.get("retstart") or 0), int(request.get("retmax") or DEFAULT_RETMAX)
        newest = sorted(found.pmids, key=int, reverse=True)
        page = newest[start : start + min(most, MOST_RETMAX)]
        answer = _search_json if as_json else _search_xml
        return answer(request.get("term"), len(newest), start, page, found.unknown)

    def _searched(self, term: str) -> _Found:
        """Alternatives (OR) of conditions that all hold (AND); brackets around the whole are ignored."""
        pmids: frozenset[str] = frozenset()
        unknown: list[str] = []
        for alternative in re.split(r"\s+OR\s+", term):
            parts = [(atom, self._atom(atom)) for atom in re.split(r"\s+AND\s+", alternative)]
            unknown += [atom.strip("() ") for atom, found in parts if not found]
            pmids |= frozenset.intersection(*(found for _, found in parts))
        return _Found(pmids, tuple(unknown))

    def _atom(self, atom: str) -> frozenset[str]:
        match = _ATOM.match(atom.strip())
        value, name = (match["value"], (match["field"] or "all").lower()) if match else (atom, "all")
        if name in {"doi", "aid", "lid"}:
            return self._with_doi(value.lower())
        if name in {"pmid", "uid"}:
            return frozenset({value} & self._works.keys())
        if name in {"ti", "title", "all", "all fields"}:
            wanted = set(words(value))
            return frozenset(pmid for pmid, work in self._works.items() if wanted <= set(words(work.plain_title)))
        raise NotImplementedError(f"the stand-in for PubMed does not play the field [{name}]")

    def _with_doi(self, doi: str) -> frozenset[str]:
        work = self._by_doi.get(doi)
        similar = self._fallback.get(doi)
        return frozenset({work.pmid} if work else {similar} if similar else ())

    def _efetch(self, request: Request) -> Reply:
        error = _database_fault(request)
        pmids = [
            pmid.strip() for name, ids in (*request.params, *request.form) if name == "id" for pmid in ids.split(",")
        ]
        if not any(pmids):
            error = error or "Empty id list - nothing todo"
        if error:
            return _xml(f"<eFetchResult>\n\t<ERROR>{escape(error)}</ERROR>\n</eFetchResult>")
        if request.get("retmode") != "xml":
            raise NotImplementedError("the stand-in for efetch speaks XML only: send retmode=xml")
        known = [self._works[pmid] for pmid in dict.fromkeys(pmids) if pmid in self._works]
        return Reply.text(article_set(map(article_xml, known)), kind="text/xml")

    def _ecitmatch(self, request: Request) -> Reply:
        if request.get("retmode") != "xml":
            return Reply.text(
                "<!DOCTYPE html><html><body><h1>PubMed Citation Matcher</h1></body></html>", kind="text/html"
            )
        answers: list[str] = []
        for line in filter(str.strip, re.split(r"[\r\n]+", request.get("bdata"))):
            parts = [*(part.strip() for part in line.split("|")), *[""] * 6][:6]
            verdict = self._matched(parts)
            missed = verdict.startswith("NOT_FOUND")
            if missed and not parts[0]:
                break  # seen live: the answer ends at the first line that has no journal and no match
            echoed = [*parts[:4], parts[5]] if missed and self._misses_drop_author else parts
            answers.append("|".join([*echoed, verdict]) + "\n")
        return Reply.text("".join(answers))

    def _matched(self, parts: list[str]) -> str:
        journal, year, volume, page, author, _key = parts
        there = self._journals.get(_folded(journal), []) if journal else list(self._works.values())
        if journal and not there:
            return "NOT_FOUND;INVALID_JOURNAL"
        hits = [work.pmid for work in there if _agrees(work, year, volume, page, author)]
        if len(hits) < 2:
            return hits[0] if hits else "NOT_FOUND"
        return f"AMBIGUOUS {','.join(hits)}" if len(hits) <= 3 else f"AMBIGUOUS ({len(hits)} citations)"

    def _convert(self, request: Request) -> Reply:
        ids = [one.strip() for one in request.get("ids").split(",") if one.strip()]
        kind = request.get("idtype") or ("pmcid" if ids and ids[0].upper().startswith("PMC") else "pmid")
        if not ids or len(ids) > MOST_IDS:
            return _conversion_error("invalid_ids", f"between 1 and {MOST_IDS} ids are taken")
        if not all(re.fullmatch(_ID_SHAPES[kind], one, re.IGNORECASE) for one in ids):
            return _conversion_error(f"invalid_{kind}s", f"all ids must be of the type {kind}")
        if request.get("format") != "json":
            raise NotImplementedError("the stand-in for the ID converter speaks JSON only: send format=json")
        records = [self._converted(one, kind) for one in ids]
        return Reply.json({"status": "ok", "response-date": "2026-11-23 08:00:00", "records": records})

    def _converted(self, one: str, kind: str) -> dict[str, Any]:
        tables: Mapping[str, Mapping[str, Work]] = {"pmid": self._works, "pmcid": self._by_pmcid, "doi": self._by_doi}
        work = tables.get(kind, {}).get(one.lower() if kind == "doi" else one.upper())
        if work is None or not work.pmcid:
            own: Any = int(one) if kind == "pmid" else one
            return {kind: own, "requested-id": one, "status": "error", "errmsg": "Identifier not found in PMC"}
        return {"doi": work.doi, "pmcid": work.pmcid, "pmid": int(work.pmid), "requested-id": one}


def _limit(key: str) -> int:
    return 10 if key else 3


def _database_fault(request: Request) -> str:
    name = request.get("db", "pubmed")
    return "" if name == "pubmed" else f"Invalid db name specified: {name}"


def _xml(body: str) -> Reply:
    return Reply.text(f'<?xml version="1.0" encoding="UTF-8" ?>\n{body}', kind="text/xml")


def _search_error(error: str, *, as_json: bool) -> Reply:
    if as_json:
        return Reply.json({"header": {"type": "esearch", "version": "0.3"}, "esearchresult": {"ERROR": error}})
    return _xml(f"<eSearchResult>\n\t<ERROR>{escape(error)}</ERROR>\n</eSearchResult>")


def _search_json(term: str, count: int, start: int, page: list[str], unknown: tuple[str, ...]) -> Reply:
    result: dict[str, Any] = {
        "count": str(count),
        "retmax": str(len(page)),
        "retstart": str(start),
        "idlist": page,
        "translationset": [],
        "querytranslation": term,
    }
    if unknown:
        result["errorlist"] = {"phrasesnotfound": list(unknown), "fieldsnotfound": []}
        said = [] if count else ["No items found."]
        result["warninglist"] = {"phrasesignored": [], "quotedphrasesnotfound": [], "outputmessages": said}
    return Reply.json({"header": {"type": "esearch", "version": "0.3"}, "esearchresult": result})


def _search_xml(term: str, count: int, start: int, page: list[str], unknown: tuple[str, ...]) -> Reply:
    phrases = "".join(f"<PhraseNotFound>{escape(phrase)}</PhraseNotFound>" for phrase in unknown)
    said = "" if count else "<WarningList><OutputMessage>No items found.</OutputMessage></WarningList>"
    return _xml(
        '<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch 20060628//EN" '
        '"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20060628/esearch.dtd">\n'
        f"<eSearchResult><Count>{count}</Count><RetMax>{len(page)}</RetMax><RetStart>{start}</RetStart><IdList>\n"
        + "".join(f"<Id>{pmid}</Id>\n" for pmid in page)
        + f"</IdList><TranslationSet/><QueryTranslation>{escape(term)}</QueryTranslation>"
        + (f"<ErrorList>{phrases}</ErrorList>{said}" if unknown else "")
        + "</eSearchResult>"
    )


def _folded(journal: str) -> str:
    return " ".join(words(journal))


def _by_journal(works: Iterable[Work]) -> Mapping[str, list[Work]]:
    """Works by the folded name and by the folded abbreviation of their journal."""
    folded: dict[str, str] = {}
    found: defaultdict[str, list[Work]] = defaultdict(list)
    for work in works:
        for name in {folded.setdefault(name, _folded(name)) for name in journal_names(work)}:
            found[name].append(work)
    return found


def _agrees(work: Work, year: str, volume: str, page: str, author: str) -> bool:
    """Every part that was given agrees; of the author only the family name counts (`mann bj`)."""
    given = ((year, str(work.date[0])), (volume, work.volume), (page, work.first_page))
    if any(asked and asked != known for asked, known in given):
        return False
    family = words(author)
    names = [words(person.last) for person in work.authors]
    return not family or any(name and family[: len(name)] == name for name in names)


def _conversion_error(code: str, message: str) -> Reply:
    return Reply.json({"status": "error", "errors": [{"code": code, "message": message}]}, 400)
