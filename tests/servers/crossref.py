"""A stand-in for Crossref's REST API: `/works`, `/works/{doi}`, `/works/{doi}/agency`, its validator and its pools.

Rates and pools: Crossref blog, "Announcing changes to REST API rate limits" (2025-11-05) and headers recorded in 2026.
Validator: the failure types of Crossref's open source validator (cayenne, validate.clj); the sentences are ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from tests.servers.base import Budget, Clock, Reply, Request, StandIn
from tests.servers.crossref_index import Index, Item
from tests.servers.works import Work

LONGEST_URL = 4092  # bytes of path and query
DEFAULT_ROWS, MOST_ROWS, MOST_OFFSET = 20, 1000, 10_000


@dataclass(frozen=True, slots=True)
class Pool:
    """A budget that Crossref keeps: requests a second, and how many at once (None: not stated)."""

    limit: int
    concurrency: int | None


POOLS: Mapping[str, Pool] = {
    "public-single": Pool(5, 1),
    "public-array": Pool(1, 1),
    "polite-single": Pool(10, 3),
    "polite-array": Pool(3, 3),
    "plus": Pool(150, None),
}

_PARAMETERS = frozenset(
    {
        *(
            "query",
            "query.bibliographic",
            "query.author",
            "query.container-title",
            "filter",
            "rows",
            "offset",
            "select",
        ),
        *("mailto", "sort", "order", "facet", "sample", "cursor"),
    }
)
_UNPLAYED = frozenset({"sort", "order", "facet", "sample", "cursor"})
_SINGLE_PARAMETERS = frozenset({"mailto"})

SELECTABLE = frozenset(
    {
        *(
            "abstract",
            "URL",
            "resource",
            "member",
            "posted",
            "score",
            "created",
            "degree",
            "update-policy",
            "short-title",
        ),
        *("license", "ISSN", "container-title", "issued", "update-to", "issue", "prefix", "approved", "indexed"),
        *("article-number", "clinical-trial-number", "accepted", "author", "group-title", "DOI", "updated-by", "event"),
        *("is-referenced-by-count", "chair", "standards-body", "original-title", "funder", "translator", "published"),
        *("archive", "published-print", "alternative-id", "subject", "subtitle", "published-online", "content-domain"),
        *(
            "publisher-location",
            "reference",
            "title",
            "link",
            "type",
            "publisher",
            "volume",
            "references-count",
            "ISBN",
        ),
        *(
            "issn-type",
            "assertion",
            "deposited",
            "page",
            "content-created",
            "short-container-title",
            "relation",
            "editor",
        ),
    }
)

_DOI = re.compile(r"10\.\d{4,}(\.\d+)*/.+", re.DOTALL)
_DOI_PREFIX = re.compile(r"^(https?://(dx\.)?doi\.org/|doi:)", re.IGNORECASE)


def plain_doi(value: str) -> str:
    """A DOI as it is compared: without resolver, in lower case."""
    return _DOI_PREFIX.sub("", value.strip()).lower()


def _doi_fault(value: str) -> str | None:
    if _DOI.fullmatch(plain_doi(value)):
        return None
    return f"DOI given as {value}, but it must be of the form 10.prefix/suffix with a prefix of 4 or more digits"


def _issn_fault(value: str) -> str | None:
    return (
        None
        if re.fullmatch(r"\d{4}-?\d{3}[\dXx]", value)
        else f"ISSN given as {value}, but it must be of the form aaaa-aaab"
    )


def _no_fault(_value: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter: the failure type of a bad value, what is wrong with a value, whether a work passes."""

    failure: str
    fault: Callable[[str], str | None]
    passes: Callable[[Item, str], bool]


def _has_doi(item: Item, value: str) -> bool:
    return plain_doi(value) in {item["DOI"].lower(), *(alias.lower() for alias in item.get("aliases", ()))}


FILTERS: Mapping[str, _Filter] = {
    "doi": _Filter("doi-not-valid", _doi_fault, _has_doi),
    "issn": _Filter("issn-not-valid", _issn_fault, lambda item, value: value in item.get("ISSN", ())),
    "type": _Filter("type-not-valid", _no_fault, lambda item, value: item["type"] == value),
    "has-abstract": _Filter(
        "boolean-not-valid", _no_fault, lambda item, value: ("abstract" in item) == (value in "t true 1")
    ),
}


@dataclass(frozen=True, slots=True)
class _Failure:
    """One entry of the validator's answer."""

    type: str
    value: str
    message: str


class CrossrefServer(StandIn):
    """Crossref on loopback, holding these works (ours, or recorded JSON).

    rate: refuse with 429 above the pools' budgets.  pools: budgets other than the published ones.
    retry_after: sent with a 429; none by default, as recorded in 2026 (no body, no rate headers).
    contact_needed: 403 for whoever names no contact, as after a block.
    aliases: whether a superseded DOI finds the work that lists it; Crossref's answer is not known, try both.
    agencies: `{"10.5281": "datacite"}`, who keeps the prefixes that Crossref does not.
    """

    def __init__(
        self,
        works: Iterable[Work | Item] = (),
        *,
        contact_needed: bool = False,
        rate: bool = False,
        pools: Mapping[str, Pool] = POOLS,
        retry_after: str = "",
        aliases: bool = True,
        agencies: Mapping[str, str] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(clock=clock)
        self._contact_needed, self._rate, self._pools, self._retry_after = contact_needed, rate, pools, retry_after
        self._agencies = dict(agencies or {})
        self._index = Index(works, aliases=aliases)
        self._budgets = {n: Budget(p.limit, 1.0, p.concurrency, clock=clock) for n, p in pools.items()}

    def pool(self, request: Request) -> str:
        """The pool a request belongs to: by token, else by contact (parameter or User-Agent), and by route."""
        if request.headers.get("crossref-plus-api-token"):
            return "plus"
        polite = bool(request.get("mailto")) or "mailto:" in request.headers.get("user-agent", "")
        return f"{'polite' if polite else 'public'}-{'array' if request.path == '/works' else 'single'}"

    def admit(self, request: Request) -> Reply | None:
        """429 above the pool's budget, where rates are enforced."""
        if not self._rate or self._budgets[self.pool(request)].enter():
            return None
        return Reply(429, headers={"Retry-After": self._retry_after} if self._retry_after else {})

    def release(self, request: Request) -> None:
        """A place in the pool is free again."""
        if self._rate:
            self._budgets[self.pool(request)].leave()

    def handle(self, request: Request) -> Reply:
        """The answer, with the headers of its pool."""
        if len(request.path) + len(request.query) + bool(request.query) > LONGEST_URL:
            return Reply.text("<html><body><h1>414 Request-URI Too Long</h1></body></html>", 414, "text/html")
        name = self.pool(request)
        if self._contact_needed and name.startswith("public"):
            return Reply.text("<html><body><h1>403 Forbidden</h1></body></html>", 403, "text/html")
        reply = self._routed(request)
        return replace(reply, headers={**reply.headers, **_pool_headers(name, self._pools[name])})

    def _routed(self, request: Request) -> Reply:
        if request.method not in {"GET", "HEAD"}:
            return Reply(405)
        if request.path.rstrip("/") == "/works":
            return self._list(request)
        if not request.path.startswith("/works/"):
            return _NOT_FOUND
        doi, agency = re.fullmatch(r"/works/(.*?)/?(/agency)?/?", request.path).groups()  # type: ignore[union-attr]
        return self._agency(unquote(doi)) if agency else self._single(unquote(doi), request)

    def _single(self, doi: str, request: Request) -> Reply:
        failures = [
            _Failure("parameter-not-allowed", name, f"This route does not support {name}")
            if name in _PARAMETERS
            else _unknown_parameter(name)
            for name, _ in request.params
            if name not in _SINGLE_PARAMETERS
        ]
        if failures:
            return _refused(failures)
        # A slash encoded twice is not found; other characters encoded twice are (recorded with SICI DOIs).
        found = self._index.by_doi(plain_doi(doi)) or self._index.by_doi(plain_doi(unquote(doi)) if "/" in doi else "")
        return _answer("work", {**found, "score": 1}) if found else _NOT_FOUND

    def _agency(self, doi: str) -> Reply:
        found = self._index.by_doi(plain_doi(doi))
        agency = "crossref" if found else self._agencies.get(plain_doi(doi).split("/")[0])
        if agency is None:
            return _NOT_FOUND
        label = {"crossref": "Crossref", "datacite": "DataCite"}.get(agency, agency)
        return _answer("work-agency", {"DOI": doi, "agency": {"id": agency, "label": label}})

    def _list(self, request: Request) -> Reply:
        failures = list(_list_failures(request))
        if failures:
            return _refused(failures)
        unplayed = _UNPLAYED & {name for name, _ in request.params}
        if unplayed:
            raise NotImplementedError(f"the stand-in for Crossref does not play {', '.join(sorted(unplayed))}")
        rows, offset = int(request.get("rows") or DEFAULT_ROWS), int(request.get("offset") or 0)
        words = " ".join(value for name, value in request.params if name.startswith("query"))
        found = self._filtered(_pairs(request.get("filter")), words)
        page = [_chosen(item, request.get("select")) for item in found[offset : offset + rows]]
        return _answer(
            "work-list",
            {
                "facets": {},
                "total-results": len(found),
                "items": page,
                "items-per-page": rows,
                "query": {"start-index": offset, "search-terms": words or None},
            },
        )

    def _filtered(self, pairs: list[list[str]], words: str) -> list[Item]:
        """Works in order of score; values of one filter are alternatives, different filters all hold."""
        dois = [plain_doi(pair[1]) for pair in pairs if pair[0] == "doi"]
        found = self._index.search(words) if words else self._index.among(dois) if dois else self._index.all()
        names = {pair[0] for pair in pairs}
        return [
            item
            for item in found
            if all(any(FILTERS[name].passes(item, pair[1]) for pair in pairs if pair[0] == name) for name in names)
        ]


_NOT_FOUND = Reply(404, b"Resource not found.", {"Content-Type": "text/plain;charset=utf-8"})


def _answer(kind: str, message: Any) -> Reply:
    return Reply.json({"status": "ok", "message-type": kind, "message-version": "1.0.0", "message": message})


def _refused(failures: list[_Failure]) -> Reply:
    entries = [{"type": f.type, "value": f.value, "message": f.message} for f in failures]
    return Reply.json({"status": "failed", "message-type": "validation-failure", "message": entries}, 400)


def _pool_headers(name: str, pool: Pool) -> dict[str, str]:
    limits = {"x-rate-limit-limit": str(pool.limit), "x-rate-limit-interval": "1s", "x-api-pool": name}
    return limits if pool.concurrency is None else {**limits, "x-concurrency-limit": str(pool.concurrency)}


def _pairs(value: str) -> list[list[str]]:
    """`doi:A,type:B` -> [[doi, A], [type, B]]; a part without a colon stays alone in its list."""
    return [part.split(":", 1) for part in value.split(",")] if value else []


def _unknown_parameter(name: str) -> _Failure:
    if name.startswith("query."):
        return _Failure("field-query-not-available", name, f"There is no field query {name} on this route")
    return _Failure("unknown-parameter", name, f"Parameter {name} is not available on any route")


def _list_failures(request: Request) -> Iterable[_Failure]:
    for name, _ in request.params:
        if name not in _PARAMETERS:
            yield _unknown_parameter(name)
    for name, most in (("rows", MOST_ROWS), ("offset", MOST_OFFSET)):
        value = request.get(name)
        if value and not (value.isdecimal() and int(value) <= most):
            yield _Failure(
                "integer-not-valid", value, f"{name} given as {value}, but it must be an integer up to {most}"
            )
    for name in filter(None, request.get("select").split(",")):
        if name not in SELECTABLE:
            yield _Failure("select-not-available", name, f"{name} cannot be selected on this route")
    yield from _filter_failures(request.get("filter"))


def _filter_failures(value: str) -> Iterable[_Failure]:
    pairs = _pairs(value)
    if any(len(pair) < 2 for pair in pairs):
        yield _Failure(
            "pair-list-form-invalid", value, f"Pair list given as '{value}', but its form is key:val,...,keyN:valN"
        )
        return
    for name, wanted in pairs:
        if name not in FILTERS:
            yield _Failure("filter-not-available", name, f"There is no filter {name} on this route")
            continue
        fault = FILTERS[name].fault(wanted)
        if fault:
            yield _Failure(FILTERS[name].failure, wanted, fault)


def _chosen(item: Item, select: str) -> Item:
    names = set(filter(None, select.split(",")))
    return {name: value for name, value in item.items() if name in names} if names else item
