"""PubMed's own traps: articles that only look like the one asked for, errors in the guise of answers, keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sync.core.record import Creator, Record
from sync.sources.base import Finding
from sync.sources.pubmed import PubMed
from tests.servers.base import Request
from tests.servers.ncbi import NcbiServer
from tests.servers.works import Work, make_works
from tests.sources.pace import WHO, Pace, answering, http_on

AT = "2026-11-23T08:00:00Z"
WORKS = [work for work in make_works(300, seed=3) if work.pmid]
ODD = "10.1002/(sici)1097-0258(19980815/30)17:15<1661::aid-sim968>3.0.co;2-2"


def by_doi(doi: str) -> Record:
    return Record("journalArticle", identifiers={"DOI": doi})


def by_pmid(pmid: str, doi: str = "") -> Record:
    return Record("journalArticle", identifiers={"PMID": pmid, "DOI": doi})


@contextmanager
def served(
    works: Iterable[Work] = WORKS, key: str | None = None, **settings: Any
) -> Iterator[tuple[NcbiServer, PubMed, Pace]]:
    pace = Pace()
    http = http_on(pace)
    with NcbiServer(works, rate=True, clock=pace.now, **settings) as server:
        try:
            yield server, PubMed(http, server.eutils_url, server.idconv_url, WHO.contact, key, clock=lambda: AT), pace
        finally:
            http.close()


def source_on(handle: Callable[[httpx.Request], httpx.Response]) -> PubMed:
    http = http_on(Pace(), answering(handle))
    return PubMed(
        http, "https://n.example/eutils", "https://p.example/idconv/", WHO.contact, "s3cret", clock=lambda: AT
    )


def programs(server: NcbiServer) -> list[str]:
    return [request.path.rsplit("/", 1)[-1] for request in server.log]


def pmids(findings: Iterable[Finding]) -> list[list[str]]:
    return [[candidate.record.identifiers["PMID"] for candidate in finding.candidates] for finding in findings]


def test_a_pmid_goes_before_a_doi() -> None:
    with served() as (server, source, _):
        found = source.find([by_pmid(WORKS[0].pmid, WORKS[1].doi)])
        assert pmids(found) == [[WORKS[0].pmid]]
        assert found[0].candidates[0].because.how == "pmid"
        assert programs(server) == ["efetch.fcgi"]


def test_two_hundred_pmids_are_one_request() -> None:
    with served() as (server, source, _):
        found = source.find([by_pmid(work.pmid) for work in WORKS[:200]])
        assert pmids(found) == [[work.pmid] for work in WORKS[:200]]
        assert [request.method for request in server.log] == ["POST"]


def test_a_pmid_that_is_not_known_was_asked_for() -> None:
    with served() as (_, source, _pace):
        found = source.find([by_pmid("1"), by_pmid(WORKS[0].pmid)])
        assert [(finding.asked, finding.away, len(finding.candidates)) for finding in found] == [
            (True, "", 0),
            (True, "", 1),
        ]


def test_a_number_that_is_no_pmid_is_not_asked_for() -> None:
    with served() as (server, source, _):
        assert not source.find([by_pmid("WOS:000123")])[0].asked
        assert server.log == []


def test_dois_and_pmids_may_be_mixed() -> None:
    with served() as (server, source, _):
        found = source.find([by_doi(WORKS[4].doi), by_pmid(WORKS[2].pmid), by_doi(WORKS[3].doi)])
        assert pmids(found) == [[WORKS[4].pmid], [WORKS[2].pmid], [WORKS[3].pmid]]
        assert sorted(programs(server)) == ["efetch.fcgi", "efetch.fcgi", "esearch.fcgi"]


def test_an_article_whose_doi_is_another_is_no_candidate() -> None:
    """PubMed answers a DOI it has not indexed with an article that shares words with it."""
    with served(fallback={"10.5555/5.0139281": WORKS[0].pmid}) as (server, source, _):
        found = source.find([by_doi("10.5555/5.0139281"), by_doi(WORKS[1].doi)])
        assert pmids(found) == [[], [WORKS[1].pmid]]
        assert found[0].asked
        assert WORKS[0].pmid in next(request for request in server.log if "efetch" in request.path).get("id")


def test_the_doi_of_a_reference_is_not_the_articles_own() -> None:
    citing = replace(WORKS[0], cites=("10.5555/cited",))
    with served([citing], fallback={"10.5555/cited": citing.pmid}) as (_, source, _pace):
        assert pmids(source.find([by_doi("10.5555/cited")])) == [[]]


def test_a_doi_that_the_query_language_may_misread_is_quoted_apart() -> None:
    odd = replace(WORKS[0], doi=ODD)
    with served([odd, *WORKS[1:3]]) as (server, source, _):
        assert pmids(source.find([by_doi(ODD), by_doi(WORKS[1].doi)])) == [[odd.pmid], [WORKS[1].pmid]]
        terms = [request.get("term") for request in server.log if "esearch" in request.path]
        assert terms == [f"{WORKS[1].doi.lower()}[doi]", f'"{ODD}"[doi]']


def test_the_converter_is_asked_for_what_the_search_misread() -> None:
    odd = replace(WORKS[0], doi=ODD, pmcid="PMC7654321")
    nothing = json.dumps({"esearchresult": {"count": "0", "idlist": []}})
    with served([odd]) as (server, source, _):
        server.fail(None, status=200, body=nothing, when=lambda request: "esearch" in request.path)
        assert pmids(source.find([by_doi(ODD), by_doi("10.5555/plain")])) == [[odd.pmid], []]
        asked = next(request for request in server.log if "idconv" in request.path)
        assert (asked.get("ids"), asked.get("idtype")) == (ODD, "doi")


def test_a_converter_that_is_away_proves_nothing() -> None:
    with served([]) as (server, source, _):
        server.fail(None, status=500, when=lambda request: "idconv" in request.path)
        finding = source.find([by_doi(ODD)])[0]
        assert (finding.candidates, finding.asked, finding.away) == ((), True, "")


def test_a_search_that_finds_far_too_much_is_halved() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if "term" in form:
            asked.append(form["term"].count("[doi]"))
            count = "9999" if form["term"].count("[doi]") > 1 else "2"
            return httpx.Response(200, json={"esearchresult": {"count": count, "idlist": ["1", "2"]}})
        return httpx.Response(200, content=b"<PubmedArticleSet></PubmedArticleSet>")

    asked: list[int] = []
    found = source_on(handle).find([by_doi(f"10.5555/{n}") for n in range(4)])
    assert asked == [4, 2, 1, 1, 2, 1, 1]
    assert not any(finding.away for finding in found)


def throttled(request: httpx.Request) -> httpx.Response:
    del request
    return httpx.Response(
        200, json={"error": "API rate limit exceeded", "api-key": "s3cret", "count": "4", "limit": "3"}
    )


def test_the_rate_limit_told_with_status_200_is_waited_out() -> None:
    with served(throttle_status=200) as (server, source, pace):
        server.fail(2, status=200, body='{"error":"API rate limit exceeded","api-key":"1.2.3.4"}')
        assert pmids(source.find([by_pmid(WORKS[0].pmid)])) == [[WORKS[0].pmid]]
        assert len(server.log) == 3
        assert pace.seconds >= 1003


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, '{"error":"API key invalid: s3cret"}'), (200, "<eFetchResult><ERROR>s3cret?</ERROR></eFetchResult>")],
)
def test_a_server_that_repeats_our_key_is_not_quoted_with_it(status: int, body: str) -> None:
    with served(key="s3cret") as (server, source, _):
        server.fail(None, status=status, body=body)
        away = source.find([by_pmid("1")])[0].away
    assert "(key)" in away
    assert "s3cret" not in away


def test_a_rate_limit_that_stays_is_an_outage() -> None:
    assert "rate limit" in source_on(throttled).find([by_pmid("1")])[0].away


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            '<?xml version="1.0"?><eFetchResult><ERROR>Invalid db name specified: pubmet</ERROR></eFetchResult>',
            "Invalid db name",
        ),
        ("<!DOCTYPE html><html><body>Maintenance</body></html>", "something else"),
        ('{"error":"something broke"}', "something broke"),
        ("", "something else"),
        ("<PubmedArticleSet><PubmedArticle>", "something else"),
    ],
)
def test_what_is_no_set_of_articles_is_an_outage(body: str, said: str) -> None:
    finding = source_on(lambda _: httpx.Response(200, text=body)).find([by_pmid("1")])[0]
    assert said in finding.away
    assert finding.candidates == ()


@pytest.mark.parametrize(
    "body",
    [
        '{"esearchresult":{"ERROR":"Search Backend failed: read failed"}}',
        '{"esearchresult":[]}',
        '{"header":{}}x',
        "<html></html>",
        "[]",
    ],
)
def test_what_is_no_search_result_is_an_outage(body: str) -> None:
    assert source_on(lambda _: httpx.Response(200, text=body)).find([by_doi("10.5555/x")])[0].away


def test_an_empty_list_of_ids_is_no_fault() -> None:
    body = "<eFetchResult><ERROR>Empty id list - nothing todo</ERROR></eFetchResult>"
    finding = source_on(lambda _: httpx.Response(200, text=body)).find([by_pmid("1")])[0]
    assert (finding.away, finding.candidates, finding.asked) == ("", (), True)


def test_a_key_that_is_refused_is_named_but_not_told() -> None:
    with served(key="s3cret", keys=frozenset({"another"})) as (_, source, _pace):
        away = source.find([by_pmid(WORKS[0].pmid)])[0].away
        assert "api_key" in away
        assert "s3cret" not in away


def test_a_key_travels_in_bodies_only_and_is_faster() -> None:
    def seconds(key: str | None) -> float:
        with served(make_works(0), key=key) as (server, source, pace):
            source.find([by_pmid(str(number)) for number in range(1, 4001)])
            assert len(server.log) == 20
            assert {request.status for request in server.log} == {200}
            assert all("api_key" not in request.query for request in server.log)
            assert {request.get("api_key") for request in server.log} == {key or ""}
            assert {request.get("tool") for request in server.log} == {"zotdrop"}
            return pace.seconds - 1000

    assert seconds("s3cret") < seconds(None) / 3


def test_the_converter_is_never_told_the_key() -> None:
    with served([], key="s3cret") as (server, source, _):
        source.find([by_doi(ODD)])
        asked: list[Request] = [request for request in server.log if "idconv" in request.path]
        assert [(request.get("api_key"), request.get("email")) for request in asked] == [("", WHO.contact)]


# ---- by citation --------------------------------------------------------------------------------------------------

CITED = [
    work for work in WORKS if work.journal and work.volume and work.first_page and work.authors and work.authors[0].last
]


def cited(work: Work, **changed: str) -> Record:
    first = work.authors[0]
    fields = {
        "title": work.plain_title,
        "journalAbbreviation": work.abbreviation,
        "date": str(work.date[0]),
        "volume": work.volume,
        "pages": work.pages or work.article_number,
        **changed,
    }
    people = (Creator("author", first.last, first.first),) if first.last else ()
    return Record("journalArticle", fields=fields, creators=people)


def test_records_without_identifiers_are_asked_for_by_citation_many_at_once() -> None:
    works = CITED[:40]
    with served() as (server, source, _):
        found = source.find([cited(work) for work in works])
        assert pmids(found) == [[work.pmid] for work in works]
        assert {finding.candidates[0].because.how for finding in found} == {"citation"}
        assert programs(server) == ["ecitmatch.cgi", "efetch.fcgi"]


def test_a_thousand_citations_fit_their_addresses() -> None:
    with served() as (server, source, _):
        source.find([cited(CITED[n % len(CITED)], volume=f"{n}") for n in range(1000)])
        asked = [request for request in server.log if "ecitmatch" in request.path]
        assert max(len(request.path) + len(request.query) for request in asked) < 4_000
        assert len(asked) < 30


def test_the_bars_of_a_citation_stand_as_they_are_and_no_key_is_told() -> None:
    with served(key="s3cret") as (server, source, _):
        source.find([cited(CITED[0], journalAbbreviation="J. | Odd\nNames & Co")])
        (request,) = [one for one in server.log if "ecitmatch" in one.path]
        assert "|2" in request.query
        assert "%7C" not in request.query
        assert request.get("bdata").split("|")[0] == "j odd names & co"
        assert "s3cret" not in request.query


@pytest.mark.parametrize("terse", [True, False])
def test_what_is_not_found_or_found_twice_has_no_candidate(*, terse: bool) -> None:
    twin = replace(CITED[1], pmid="99999999", doi="10.5555/twin")
    records = [
        cited(CITED[0], volume="9999"),
        cited(CITED[1]),
        cited(CITED[2]),
        cited(CITED[3], journalAbbreviation="None such"),
    ]
    with served([*WORKS, twin], misses_drop_author=terse) as (_, source, _):
        found = source.find(records)
        assert pmids(found) == [[], [], [CITED[2].pmid], []]
        assert all(finding.asked and not finding.away for finding in found)


def test_a_citation_of_too_little_is_not_asked_for_nor_what_may_not_be_told() -> None:
    poor = [
        cited(CITED[0], journalAbbreviation=""),
        cited(CITED[0], volume="", pages=""),
        Record("book", fields={"title": "A book", "date": "2020", "publisher": "P"}),
    ]
    with served() as (server, source, _):
        assert [finding.asked for finding in source.find(poor)] == [False] * 3
        assert [finding.asked for finding in source.find([cited(CITED[0])], citations=False)] == [False]
        assert source.question(cited(CITED[0]), citations=False) == ""
        assert source.question(by_pmid("7"), citations=False) == "pmid:7"
        assert server.log == []


def test_one_of_year_volume_page_and_author_may_be_missing() -> None:
    with served() as (_, source, _):
        assert pmids(source.find([cited(CITED[0], volume=""), cited(CITED[1], date="")])) == [
            [CITED[0].pmid],
            [CITED[1].pmid],
        ]


@pytest.mark.parametrize("body", ["<html><body>Citation Matcher</body></html>", "Error occurred\n", "a|b\n"])
def test_what_is_no_answer_about_citations_is_an_outage(body: str) -> None:
    with served() as (server, source, _):
        server.fail(None, status=200, body=body, when=lambda request: "ecitmatch" in request.path)
        assert "citations" in source.find([cited(CITED[0])])[0].away


@pytest.mark.parametrize("questions", [0, 1, 100, 1000, 10_000])
def test_what_a_series_costs_is_known_before(questions: int) -> None:
    with served() as (_, source, _):
        assert source.requests_for(questions) == pytest.approx(questions * 0.015, abs=3)
