"""Crossref's own traps: lists that one DOI spoils, silence about the absent, superseded DOIs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sync.core.record import Creator, Record
from sync.sources.base import Finding
from sync.sources.crossref import LONGEST_URL, Crossref
from tests.servers.base import Request
from tests.servers.crossref import CrossrefServer
from tests.servers.works import Work, make_works
from tests.sources.pace import WHO, Pace, answering, http_on

AT = "2026-11-23T08:00:00Z"
WORKS = make_works(60, seed=9)


def work(doi: str, **more: Any) -> Work:
    return Work(doi, more.pop("title", f"On {doi}"), **more)


def asking(doi: str) -> Record:
    return Record("journalArticle", identifiers={"DOI": doi})


@contextmanager
def served(
    works: Iterable[Work | Mapping[str, Any]], contact: str = WHO.contact, searches: int = 0, **settings: Any
) -> Iterator[tuple[CrossrefServer, Crossref, Pace]]:
    pace = Pace()
    http = http_on(pace, identity=replace(WHO, contact=contact))
    with CrossrefServer(works, clock=pace.now, **settings) as server:
        try:
            yield server, Crossref(http, server.url, contact, clock=lambda: AT, searches=searches), pace
        finally:
            http.close()


def titles(findings: Iterable[Finding]) -> list[list[str]]:
    return [[candidate.record.title for candidate in finding.candidates] for finding in findings]


def lists(server: CrossrefServer) -> list[Request]:
    return [request for request in server.log if request.path == "/works"]


def test_a_list_asks_for_as_many_rows_as_dois() -> None:
    with served(WORKS) as (server, source, _):
        assert all(source.find([asking(one.doi) for one in WORKS[:45]]))
        assert [request.get("rows") for request in lists(server)] == ["45"]


def test_a_doi_with_a_comma_is_asked_for_alone() -> None:
    works = [work("10.5555/a,b"), work("10.5555/c")]
    with served(works) as (server, source, _):
        assert titles(source.find([asking(one.doi) for one in works])) == [["On 10.5555/a,b"], ["On 10.5555/c"]]
        assert [request.status for request in server.log] == [200, 200]
        assert "10.5555/a" not in lists(server)[0].get("filter")


@pytest.mark.parametrize(
    "doi",
    [
        "10.1002/(sici)1097-0258(19980815/30)17:15<1661::aid-sim968>3.0.co;2-2",
        "10.5555/a+b#c?d&e=f%g",
        "10.5555/with/many/slashes/",
        "10.5555/größe",
        "10.5555/doi:10.5555/x",
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_dois_of_any_letters_arrive_whole(doi: str, *, alone: bool) -> None:
    """In a list and in a path; the path is taken where the list answers nothing."""
    with served([work(doi)]) as (server, source, _):
        if alone:
            server.fail(None, status=200, body=EMPTY, when=lambda request: request.path == "/works")
        assert titles(source.find([asking(doi)])) == [[f"On {doi}"]]
        assert len(server.log) == 1 + alone


EMPTY = json.dumps({"status": "ok", "message-type": "work-list", "message": {"items": []}})


def test_a_list_that_is_refused_is_halved_until_the_bad_one_is_alone() -> None:
    works = WORKS[:16]

    def refuses(request: Request) -> bool:
        return request.path == "/works" and works[5].doi in request.get("filter")

    with served(works) as (server, source, _):
        server.fail(None, status=400, body='{"status":"failed","message-type":"validation-failure"}', when=refuses)
        found = source.find([asking(one.doi) for one in works])
        assert all(len(finding.candidates) == 1 for finding in found)
        assert len(lists(server)) == 9
        assert len(server.log) == 10


def test_an_absent_doi_is_asked_for_once_more_alone_and_then_for_its_agency() -> None:
    with served(WORKS[:1]) as (server, source, _):
        found = source.find([asking("10.5555/none"), asking(WORKS[0].doi)])
        assert [(finding.asked, finding.away, len(finding.candidates)) for finding in found] == [
            (True, "", 0),
            (True, "", 1),
        ]
        assert [(request.path.split("/")[1:], request.status) for request in server.log] == [
            (["works"], 200),
            (["works", "10.5555%2Fnone"], 404),
            (["works", "10.5555%2Fnone", "agency"], 404),
        ]
        assert [finding.agency for finding in found] == ["nobody", ""]


def test_a_doi_of_another_agency_says_whose_it_is() -> None:
    with served(WORKS[:1], agencies={"10.5281": "datacite"}) as (_, source, _):
        (finding,) = source.find([asking("10.5281/zenodo.1")])
        assert (finding.candidates, finding.away, finding.agency) == ((), "", "datacite")


@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_agency_that_cannot_be_told_takes_nothing_away(status: int) -> None:
    with served(WORKS[:1]) as (server, source, _):
        server.html(None, status=status, when=lambda request: request.path.endswith("/agency"))
        (finding,) = source.find([asking("10.5555/none")])
        assert (finding.candidates, finding.away, finding.agency, finding.asked) == ((), "", "", True)


def test_a_404_that_is_a_web_page_says_nothing_of_a_doi() -> None:
    with served(WORKS[:1]) as (server, source, _):
        server.html(None, status=404, when=lambda request: request.path != "/works")
        assert "404" in source.find([asking("10.5555/none")])[0].away


def test_another_work_than_the_one_asked_for_counts_for_nothing() -> None:
    stranger = {"message": {"items": [{"DOI": "10.5555/other", "type": "journal-article", "title": ["Another"]}]}}
    alone = {"message": {"DOI": "10.5555/other", "type": "journal-article", "title": ["Another"]}}

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=stranger if request.url.path == "/works" else alone)

    source = Crossref(http_on(Pace(), answering(handle)), "https://c.example", "", clock=lambda: AT)
    finding = source.find([asking("10.5555/mine")])[0]
    assert (finding.candidates, finding.asked, finding.away) == ((), True, "")


def test_a_superseded_doi_finds_the_work_that_names_it() -> None:
    successor = work("10.5555/new", crossref={"aliases": ["10.5555/OLD"]})
    with served([successor]) as (_, source, _pace):
        assert titles(source.find([asking("10.5555/old")])) == [["On 10.5555/new"]]


def test_two_records_that_mean_one_work_both_get_it() -> None:
    successor = work("10.5555/new", crossref={"aliases": ["10.5555/old"]})
    with served([successor]) as (_, source, _pace):
        assert titles(source.find([asking("10.5555/old"), asking("10.5555/new")])) == [["On 10.5555/new"]] * 2


def test_a_part_without_title_is_no_candidate() -> None:
    figure = {"DOI": "10.5555/fig1", "type": "component", "publisher": "P", "title": []}
    with served([figure]) as (_, source, _pace):
        finding = source.find([asking("10.5555/fig1")])[0]
        assert (finding.candidates, finding.asked, finding.away) == ((), True, "")


def test_no_address_grows_beyond_what_is_taken() -> None:
    dois = [f"10.5555/{'long.' * 20}{number}" for number in range(90)] + [f"10.5555/{'x' * 3900}"]
    works = [work(doi) for doi in dois[:-1]]
    with served(works) as (server, source, _):
        found = source.find([asking(doi) for doi in dois])
        longest = max(len(f"{server.url}{request.path}?{request.query}") for request in lists(server))
        assert 3_000 < longest <= LONGEST_URL
        assert [len(finding.candidates) for finding in found] == [1] * 90 + [0]
        assert found[-1].away == ""


def test_without_a_contact_the_public_pool_is_kept_to() -> None:
    with served(WORKS, contact="") as (server, source, _):
        assert len(titles(source.find([asking(one.doi) for one in WORKS]))) == 60
        assert {server.pool(request) for request in server.log} == {"public-array"}
        assert [request.status for request in server.log] == [200, 200]


def test_lists_are_asked_for_side_by_side() -> None:
    works = make_works(400, seed=2)
    with served(works) as (server, source, _):
        meet = threading.Barrier(3)
        server.delay(lambda: meet.wait(20), 6, spare=2)
        assert all(finding.candidates for finding in source.find([asking(one.doi) for one in works]))
        assert server.peak == 3


def test_a_round_of_outages_ends_before_every_list_was_tried() -> None:
    works = make_works(500, seed=2)
    with served(works) as (server, source, _):
        server.fail(None, status=500)
        found = source.find([asking(one.doi) for one in works])
        assert all(finding.away for finding in found)
        assert len(server.log) <= 4 * (3 + 2)


def test_one_work_of_a_strange_shape_does_not_spoil_its_list() -> None:
    strange = {
        "DOI": "10.5555/strange",
        "type": "journal-article",
        "title": "no list",
        "author": "nobody",
        "issued": 7,
        "volume": 3,
    }
    items = [strange, {"DOI": "10.5555/sound", "type": "journal-article", "title": ["Sound"]}]

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"message-type": "work-list", "message": {"items": items}})

    source = Crossref(http_on(Pace(), answering(handle)), "https://c.example", "", clock=lambda: AT)
    assert titles(source.find([asking("10.5555/strange"), asking("10.5555/sound")])) == [["no list"], ["Sound"]]


@pytest.mark.parametrize(("questions", "requests"), [(0, 0), (1, 1), (50, 1), (51, 2), (1000, 20)])
def test_what_a_series_costs_is_known_before(questions: int, requests: int) -> None:
    with served(WORKS[:1]) as (_, source, _):
        assert source.requests_for(questions) == requests


def test_a_question_is_the_key_of_its_doi() -> None:
    with served(WORKS[:1]) as (_, source, _):
        assert source.question(asking("10.5555/ABC")) == "doi:10.5555/abc"
        assert source.question(Record("book")) == ""


# ---- by words -----------------------------------------------------------------------------------------------------


def bare(one: Work) -> Record:
    """The work as a record without any identifier."""
    people = tuple(Creator("author", author.last or author.group, author.first) for author in one.authors)
    fields = {"title": one.plain_title, "publicationTitle": one.journal, "date": str(one.date[0])}
    return Record("journalArticle", fields=fields, creators=people)


def test_a_record_without_identifier_is_searched_by_its_words_once() -> None:
    with served(WORKS, searches=10) as (server, source, _):
        one, other, known = source.find([bare(WORKS[0]), bare(WORKS[0]), asking(WORKS[1].doi)])
        assert [candidate.because.how for candidate in one.candidates] == ["search"] * len(one.candidates)
        assert one.candidates[0].record.identifiers["DOI"].lower() == WORKS[0].doi.lower()
        assert other == one
        assert known.candidates[0].because.how == "doi"
        searched = [request for request in server.log if request.get("query.bibliographic")]
        assert [(request.get("rows"), request.status) for request in searched] == [("5", 200)]
        assert WORKS[0].plain_title in searched[0].get("query.bibliographic")


def test_no_words_leave_where_they_may_not_or_where_a_number_is_known() -> None:
    with served(WORKS, searches=10) as (server, source, _):
        pmid = replace(bare(WORKS[0]), identifiers={"PMID": "7"})
        untitled = replace(bare(WORKS[0]), fields={"title": "Editorial"})
        nobody = replace(bare(WORKS[0]), creators=())
        assert not source.find([bare(WORKS[0])], citations=False)[0].asked
        assert source.question(bare(WORKS[0]), citations=False) == ""
        for record in (pmid, untitled, nobody):
            assert source.question(record) == ""
            assert not source.find([record])[0].asked
        assert server.log == []


def test_above_the_limit_the_rest_is_put_off_and_not_away() -> None:
    with served(WORKS, searches=3) as (server, source, _):
        found = source.find([bare(one) for one in WORKS[:5]])
        assert [one.put_off for one in found] == [False, False, False, True, True]
        assert all("searches_per_run" in one.away for one in found[3:])
        assert source.find([bare(WORKS[5])])[0].put_off
        assert len(server.log) == 3


def test_without_searches_a_record_without_doi_has_no_question() -> None:
    with served(WORKS) as (server, source, _):
        assert source.question(bare(WORKS[0])) == ""
        assert not source.find([bare(WORKS[0])])[0].asked
        assert server.log == []
