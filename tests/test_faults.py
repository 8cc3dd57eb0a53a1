"""Every fault of a service, injected into a whole run: records are enriched or owed, none is lost, and a later run mends it.

The services are the stand-ins on loopback; the clock moves only while somebody waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sync import drops
from sync.libraries.embedded import Embedded
from sync.report import RunReport
from sync.run import sync_drops
from sync.sources.base import Source
from sync.sources.crossref import Crossref
from sync.sources.pubmed import PubMed
from sync.state.ledger import Ledger
from sync.steps.tools import Rules, Task, Tools, instant
from tests.servers.base import StandIn
from tests.servers.crossref import CrossrefServer, Pool
from tests.servers.ncbi import NcbiServer
from tests.servers.works import make_works, to_ris
from tests.sources.pace import WHO, Pace, http_on

WORKS = [work for work in make_works(160, seed=21) if work.pmid and "crossref" not in work.crossref][:120]
TEXT = to_ris(WORKS, without={"AB", "VL", "IS", "KW", "AN"})
ONE_BY_ONE = {
    name: Pool(rate, 1)
    for name, rate in (("polite-single", 10), ("polite-array", 3), ("public-single", 5), ("public-array", 1))
}


@dataclass
class World:
    """A folder with a ledger and a library, and the two services."""

    folder: Path
    crossref: CrossrefServer
    ncbi: NcbiServer
    pace: Pace

    def service(self, name: str) -> StandIn:
        return {"crossref": self.crossref, "pubmed": self.ncbi}[name]

    def sync(
        self,
        *,
        text: str = TEXT,
        wait: float = 0.0,
        urls: dict[str, str] | None = None,
        contact: str = WHO.contact,
        off_peak_above: int = 500,
    ) -> RunReport:
        """One run in a process of its own, as far as anything remembers: new connections, new circuits."""
        where = {"crossref": self.crossref.url, "pubmed": self.ncbi.eutils_url, **(urls or {})}
        path = self.folder / "drop.ris"
        path.write_text(text)
        http = http_on(self.pace, identity=replace(WHO, contact=contact))
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        library = Embedded(self.folder / "library.sqlite", now=lambda: instant(self.pace.today()))
        sources: dict[str, Source] = {
            "pubmed": PubMed(http, where["pubmed"], self.ncbi.idconv_url, contact, clock=self.at),
            "crossref": Crossref(http, where["crossref"], contact, clock=self.at),
        }
        tools = Tools(
            ledger=ledger,
            library=library,
            sources=sources,
            now=self.pace.today,
            stop=lambda: False,
            tell=lambda _text, _done, _of: None,
            requests=lambda: dict(http.requests),
            quiet_above={"pubmed": off_peak_above},
        )
        rules = Rules("default", sources=("pubmed", "crossref"), enrich_wait=wait)
        try:
            return sync_drops(tools, [Task(drops.take(path, "default", self.folder), rules, "drop.ris")])
        finally:
            http.close()
            library.close()
            ledger.close()

    def at(self) -> str:
        return instant(self.pace.today())

    def items(self) -> dict[str, dict[str, Any]]:
        library = Embedded(self.folder / "library.sqlite", now=self.at)
        try:
            found = [dict(item.data) for item in library.items() if item.data["itemType"] != "note"]
        finally:
            library.close()
        keep = ("title", "abstractNote", "volume", "issue", "PMID", "DOI", "creators", "publicationTitle", "tags")
        items = {item["title"]: {name: item.get(name) for name in keep} for item in found}
        assert len(items) == len(found)
        return items


@contextmanager
def world(folder: Path) -> Iterator[World]:
    folder.mkdir(exist_ok=True)
    pace = Pace()
    with (
        CrossrefServer(WORKS, rate=True, pools=ONE_BY_ONE, clock=pace.now) as crossref,
        NcbiServer(WORKS, rate=True, clock=pace.now) as ncbi,
    ):
        yield World(folder, crossref, ncbi, pace)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    with world(tmp_path_factory.mktemp("calm")) as calm:
        report = calm.sync()
        assert report.outcomes["created"] == len(WORKS)
        assert not report.away
        return calm.items()


BUSY = b'{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"4","limit":"3"}'
Inject = Callable[[StandIn, int | None], Any]
FAULTS: dict[str, Inject] = {
    "429": lambda server, times: server.fail(times, status=429),
    "429 with seconds": lambda server, times: server.fail(times, status=429, headers={"Retry-After": "5"}),
    "429 with a date": lambda server, times: server.fail(
        times, status=429, headers={"Retry-After": "Mon, 23 Nov 2026 08:00:09 GMT", "Date": "Mon, 23 Nov 2026 08:00:00 GMT"}
    ),
    "429 for an hour": lambda server, times: server.fail(times, status=429, headers={"Retry-After": "3600"}),
    "403": lambda server, times: server.fail(times, status=403),
    "400": lambda server, times: server.fail(times, status=400),
    "500": lambda server, times: server.fail(times, status=500, body='{"message-type":"exception"}'),
    "503": lambda server, times: server.fail(times, status=503),
    "504 as a page": lambda server, times: server.html(times, status=504),
    "a page": lambda server, times: server.html(times),
    "a page as 404": lambda server, times: server.html(times, status=404),
    "cut short": lambda server, times: server.truncate(times),
    "dropped": lambda server, times: server.drop(times),
    "lost": lambda server, times: server.lose(times),
    "busy with 200": lambda server, times: server.fail(times, status=200, body=BUSY),
    "nothing with 200": lambda server, times: server.fail(times, status=200, body=b""),
    "other JSON": lambda server, times: server.fail(times, status=200, body=b'{"status":"ok"}'),
    "other XML": lambda server, times: server.fail(times, status=200, body=b"<eFetchResult><ERROR>Search Backend failed</ERROR></eFetchResult>"),
}  # fmt: skip
PASSING = ("429", "429 with seconds", "429 with a date", "500", "503", "504 as a page", "cut short", "dropped", "lost")


@pytest.mark.parametrize("service", ["crossref", "pubmed"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_delays_values_and_loses_no_record(
    tmp_path: Path, undisturbed: dict[str, dict[str, Any]], service: str, fault: str
) -> None:
    with world(tmp_path / "w") as struck:
        FAULTS[fault](struck.service(service), None)
        report = struck.sync()
        assert report.outcomes["created"] == len(WORKS)
        (drop,) = report.drops
        assert drop.adds_up
        assert {line.owed for line in drop.records} <= {(), (service,)}
        assert any(line.owed for line in drop.records)
        other = {"crossref": "pubmed", "pubmed": "crossref"}[service]
        assert all(other in line.sources for line in drop.records)
        assert service in report.away
        struck.service(service).heal()
        later = struck.sync(text=TEXT)
        assert later.failure == ""
        assert not later.away
        assert set(struck.items()) == set(undisturbed)
        for title, item in struck.items().items():
            whole = undisturbed[title]
            assert {name for name, value in item.items() if value} == {name for name, value in whole.items() if value}


@pytest.mark.parametrize("service", ["crossref", "pubmed"])
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_leaves_no_trace(
    tmp_path: Path, undisturbed: dict[str, dict[str, Any]], service: str, fault: str
) -> None:
    with world(tmp_path / "w") as struck:
        FAULTS[fault](struck.service(service), 2)
        report = struck.sync()
        assert not report.away
        assert not any(line.owed for line in report.drops[0].records)
        assert struck.items() == undisturbed


@pytest.mark.parametrize("service", ["crossref", "pubmed"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:{port}", "http://not.a.host.invalid"])
def test_a_service_without_a_connection_costs_a_few_tries(tmp_path: Path, service: str, url: str) -> None:
    with world(tmp_path / "w") as struck:
        port = struck.service(service).url.rsplit(":", 1)[1]
        report = struck.sync(urls={service: url.format(port=port)})
        assert report.outcomes["created"] == len(WORKS)
        assert all(line.owed == (service,) for line in report.drops[0].records)
        assert struck.sync().away == {}
        assert len(struck.items()) == len(WORKS)


@pytest.mark.parametrize("service", ["crossref", "pubmed"])
def test_a_service_that_never_answers_is_given_up(
    tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.http.ANSWER_SECONDS", 0.2)
    with world(tmp_path / "w") as struck:
        struck.service(service).hang(threading.Event(), None)
        report = struck.sync()
        assert report.outcomes["created"] == len(WORKS)
        assert all(line.owed == (service,) for line in report.drops[0].records)
        assert (
            "did not answer" in report.away[service] or "429" in report.away[service]
        )  # it still counts those that hang


def test_records_wait_where_the_inbox_wants_it_and_go_on_when_the_service_is_back(tmp_path: Path) -> None:
    with world(tmp_path / "w") as struck:
        struck.crossref.fail(None, status=503)
        report = struck.sync(wait=3600)
        assert report.outcomes["waiting"] == len(WORKS)
        assert struck.items() == {}
        struck.crossref.heal()
        assert struck.sync(wait=3600).outcomes["created"] == len(WORKS)


def test_a_block_is_told_to_the_owner_and_not_asked_against(tmp_path: Path) -> None:
    with world(tmp_path / "w") as struck:
        struck.crossref.fail(None, status=403)
        report = struck.sync()
        assert "refuses us (403)" in report.away["crossref"]
        assert "contact" in report.away["crossref"]
        assert len(struck.crossref.log) == 1


def test_after_repeated_failure_the_rest_of_the_run_goes_on_without_the_service(tmp_path: Path) -> None:
    with world(tmp_path / "w") as struck:
        struck.ncbi.fail(None, status=500)
        struck.sync()
        tries = len(struck.ncbi.log)
        assert tries <= 4 * 3


def test_a_long_series_waits_for_the_quiet_hours_and_no_record_waits_for_it(tmp_path: Path) -> None:
    with world(tmp_path / "w") as here:
        here.pace.seconds += 7 * 3600  # ten o'clock in New York, on a Monday
        report = here.sync(wait=3600, off_peak_above=2)
        assert report.outcomes["created"] == len(WORKS)
        assert here.ncbi.log == []
        assert "off_peak_above = 2" in report.away["pubmed"]
        assert {line.owed for line in report.drops[0].records} == {("pubmed",)}
        assert here.sync(wait=3600, off_peak_above=2).filled == 0
        assert here.ncbi.log == []
        here.pace.seconds += 12 * 3600  # ten o'clock at night
        assert here.sync(wait=3600, off_peak_above=2).filled > 0
        assert len(here.ncbi.log) == 2


def test_a_short_series_is_asked_for_at_any_hour(tmp_path: Path) -> None:
    with world(tmp_path / "w") as here:
        here.pace.seconds += 7 * 3600
        assert not here.sync(off_peak_above=3).away


# ---- what it costs ------------------------------------------------------------------------------------------------


def test_a_thousand_records_cost_twenty_requests_and_fifteen_and_a_rerun_none(tmp_path: Path) -> None:
    many = make_works(1000, seed=22)
    pace = Pace()
    with (
        CrossrefServer(many, rate=True, pools=ONE_BY_ONE, clock=pace.now) as crossref,
        NcbiServer(many, rate=True, clock=pace.now) as ncbi,
    ):
        (tmp_path / "w").mkdir()
        here = World(tmp_path / "w", crossref, ncbi, pace)
        text = to_ris(many, without={"AN"})
        report = here.sync(text=text)
        assert report.outcomes["created"] == 1000
        assert len(crossref.log) <= 20
        assert len(ncbi.log) <= 15
        assert report.requests == {"crossref": len(crossref.log), "pubmed": len(ncbi.log)}
        assert {request.status for request in (*crossref.log, *ncbi.log)} == {200}
        asked = (len(crossref.log), len(ncbi.log))
        again = here.sync(text="\n" + text)
        assert again.outcomes["created"] == 0
        assert (len(crossref.log), len(ncbi.log)) == asked


@pytest.mark.parametrize(("contact", "pool"), [("", "public"), (WHO.contact, "polite")])
def test_without_a_contact_the_slower_pool_does_the_same_work(tmp_path: Path, contact: str, pool: str) -> None:
    with world(tmp_path / "w") as here:
        began = here.pace.seconds
        report = here.sync(contact=contact)
        assert report.outcomes["created"] == len(WORKS)
        assert not report.away
        assert {here.crossref.pool(request).split("-")[0] for request in here.crossref.log} == {pool}
        assert (here.pace.seconds - began > 2.0) is (pool == "public")
