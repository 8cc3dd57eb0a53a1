"""What every source promises, whichever service is behind it: one suite, each service as a stand-in on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sync.core.identify import contradicts
from sync.core.record import Record
from sync.core.sketch import sketch
from sync.errors import Interrupted
from sync.http import Http
from sync.sources.base import Source
from sync.sources.crossref import Crossref
from sync.sources.pubmed import PubMed
from tests.servers.base import Request, StandIn
from tests.servers.crossref import POOLS, CrossrefServer, Pool
from tests.servers.ncbi import NcbiServer
from tests.servers.works import Work, make_works
from tests.sources.pace import WHO, Pace, http_on

AT = "2026-11-23T08:00:00Z"
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
WORKS = make_works(420, seed=5)


@dataclass
class Bench:
    """A source under test and its service. batch: records to a request."""

    server: StandIn
    pace: Pace
    http: Http
    source: Source
    batch: int
    identity: Callable[[Request], str]
    others: list[Http] = field(default_factory=list)

    def find(self, *records: Record) -> list[Any]:
        return list(self.source.find(records))


class Kind:
    """How to set up one kind of source."""

    name = ""
    batch = 0
    identity = ""

    def server(self, pace: Pace) -> StandIn:
        raise NotImplementedError

    def source(self, http: Http, server: StandIn | None) -> Source:
        raise NotImplementedError


class OfCrossref(Kind):
    name, batch, identity = "crossref", 50, "mailto"

    def server(self, pace: Pace) -> StandIn:
        pools = {name: Pool(pool.limit, 1) for name, pool in POOLS.items()}  # one at a time: the clock moves in leaps
        return CrossrefServer(WORKS, rate=True, pools=pools, clock=pace.now)

    def source(self, http: Http, server: StandIn | None) -> Source:
        return Crossref(http, server.url if server else NOBODY, WHO.contact, clock=lambda: AT)


class OfPubMed(Kind):
    name, batch, identity = "pubmed", 200, "email"

    def server(self, pace: Pace) -> StandIn:
        return NcbiServer(WORKS, rate=True, clock=pace.now)

    def source(self, http: Http, server: StandIn | None) -> Source:
        url = server.eutils_url if isinstance(server, NcbiServer) else NOBODY
        idconv = server.idconv_url if isinstance(server, NcbiServer) else NOBODY
        return PubMed(http, url, idconv, WHO.contact, clock=lambda: AT)


@pytest.fixture(params=[OfCrossref(), OfPubMed()], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    made: Kind = request.param
    return made


@pytest.fixture
def bench(kind: Kind) -> Iterator[Bench]:
    pace = Pace()
    http = http_on(pace)
    with kind.server(pace) as server:
        who = kind.identity
        yield Bench(server, pace, http, kind.source(http, server), kind.batch, lambda request: request.get(who))
        http.close()


def asking(work: Work) -> Record:
    return Record("journalArticle", fields={"title": "?"}, identifiers={"DOI": work.doi})


KNOWN = [work for work in WORKS if work.pmid and "crossref" not in work.crossref]


def test_each_record_gets_its_own_work_in_its_order(bench: Bench) -> None:
    works = [KNOWN[3], KNOWN[0], KNOWN[7]]
    found = bench.find(*map(asking, works))
    assert [one.candidates[0].record.identifiers["DOI"].lower() for one in found] == [
        work.doi.lower() for work in works
    ]
    assert [(len(one.candidates), one.away, one.asked) for one in found] == [(1, "", True)] * 3


def test_what_is_found_does_not_contradict_the_work(bench: Bench) -> None:
    works = KNOWN[:40]
    truth = [
        Record("journalArticle", fields={"title": work.plain_title}, identifiers={"DOI": work.doi}) for work in works
    ]
    found = bench.find(*truth)
    assert [
        contradicts(sketch(mine), sketch(one.candidates[0].record)) for mine, one in zip(truth, found, strict=True)
    ] == [""] * 40


def test_a_candidate_says_where_it_came_from(bench: Bench, kind: Kind) -> None:
    because = bench.find(asking(KNOWN[0]))[0].candidates[0].because
    assert (because.source, because.how, because.at) == (kind.name, "doi", AT)
    assert bench.source.name == kind.name


def test_a_doi_finds_its_work_in_any_spelling_of_case(bench: Bench) -> None:
    record = Record("journalArticle", identifiers={"DOI": KNOWN[0].doi.swapcase()})
    assert len(bench.find(record)[0].candidates) == 1


def test_a_record_without_identifier_is_not_asked_for(bench: Bench) -> None:
    found = bench.find(Record("journalArticle", fields={"title": "A title"}), Record("book"))
    assert [(one.asked, one.candidates, one.away) for one in found] == [(False, (), "")] * 2
    assert bench.server.log == []


def test_no_records_no_requests(bench: Bench) -> None:
    assert bench.find() == []
    assert bench.server.log == []


def test_what_the_service_does_not_know_was_asked_and_has_no_candidate(bench: Bench) -> None:
    unknown = Record("journalArticle", identifiers={"DOI": "10.5555/not.there"})
    found = bench.find(unknown, asking(KNOWN[0]))
    assert (found[0].asked, found[0].candidates, found[0].away) == (True, (), "")
    assert found[1].candidates


def test_the_same_identifier_twice_is_one_question(bench: Bench) -> None:
    once = bench.find(asking(KNOWN[0]))
    sent = len(bench.server.log)
    bench.server.forget()
    twice = bench.find(asking(KNOWN[1]), asking(KNOWN[1]))
    assert len(bench.server.log) == sent
    assert twice[0] == twice[1]
    assert once[0].candidates != twice[0].candidates


def test_many_records_go_in_few_requests(bench: Bench) -> None:
    works = KNOWN[:400]
    assert all(one.candidates for one in bench.find(*map(asking, works)))
    assert len(bench.server.log) <= 2 * len(works) / bench.batch + 1
    assert bench.http.requests == {bench.source.name: len(bench.server.log)}


def test_the_service_never_has_to_refuse(bench: Bench) -> None:
    for begin in range(0, 300, 60):
        bench.find(
            *map(asking, KNOWN[begin : begin + 60]), Record("book", identifiers={"DOI": f"10.5555/none.{begin}"})
        )
    statuses = [request.status for request in bench.server.log]
    assert len(statuses) >= 10
    assert 429 not in statuses


def test_every_request_says_who_asks(bench: Bench) -> None:
    bench.find(asking(KNOWN[0]), Record("book", identifiers={"DOI": "10.5555/none"}))
    assert {bench.identity(request) for request in bench.server.log} == {WHO.contact}
    assert {request.headers["user-agent"] for request in bench.server.log} == {WHO.user_agent}


def test_a_refusal_for_haste_is_waited_out(bench: Bench) -> None:
    bench.server.fail(1, status=429, headers={"Retry-After": "7"})
    assert bench.find(asking(KNOWN[0]))[0].candidates
    assert bench.pace.seconds >= 1007


@pytest.mark.parametrize("status", [500, 503, 403])
def test_a_service_that_is_away_is_a_finding_not_an_exception(bench: Bench, status: int) -> None:
    bench.server.fail(None, status=status)
    found = bench.find(asking(KNOWN[0]), Record("book"), asking(KNOWN[1]))
    assert [bool(one.away) for one in found] == [True, False, True]
    assert bench.source.name in found[0].away


def test_a_web_page_is_no_answer(bench: Bench) -> None:
    bench.server.html(None)
    assert bench.find(asking(KNOWN[0]))[0].away


def test_an_answer_cut_short_again_and_again_is_no_answer(bench: Bench) -> None:
    bench.server.truncate(None)
    assert bench.find(asking(KNOWN[0]))[0].away


def test_what_could_be_asked_keeps_its_answer_when_a_part_fails(bench: Bench) -> None:
    lost = KNOWN[350].doi.lower()
    bench.server.fail(
        None, status=500, when=lambda request: lost in (request.get("filter") + request.get("term")).lower()
    )
    found = bench.find(*map(asking, KNOWN[:400]))
    away = [bool(one.away) for one in found]
    assert away[350]
    assert 1 <= sum(away) <= bench.batch
    assert all(one.candidates for one in found if not one.away)


def test_without_a_network_it_is_over_in_seconds(kind: Kind) -> None:
    pace = Pace()
    source = kind.source(http_on(pace), None)
    found = source.find(list(map(asking, KNOWN[:300])))
    assert all(one.away and not one.candidates for one in found)
    assert pace.seconds - 1000 < 10


def test_a_stop_goes_through(kind: Kind) -> None:
    def wait(_: float) -> None:
        raise Interrupted("stop")

    pace = Pace()
    with kind.server(pace) as server:
        http = http_on(pace, wait=wait)
        with pytest.raises(Interrupted):
            kind.source(http, server).find(list(map(asking, KNOWN[:300])))
        http.close()
