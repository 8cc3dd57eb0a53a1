"""Sources and library at work at the same time, and a stop in the middle of it. No clocks: who waits for whom is arranged."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from sync import orders
from sync.config import find_and_load
from sync.report import RunReport
from tests.scene import Scene, scene
from tests.servers.base import Request
from tests.servers.works import Work, make_works, to_ris
from tests.servers.zotero import API_KEY, GROUP, writes_of

PATIENCE = 60.0  # seconds after which a meeting has failed


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)


def sync(stage: Scene, works: tuple[Work, ...], stop: Event | None = None) -> RunReport:
    path = stage.drop("a.ris", to_ris(works, without={"AN"}))
    order = orders.Order(paths=(str(path),))
    (report,) = orders.carry_out(
        find_and_load(stage.config), order, kind="sync", stop=stop or Event(), tell=lambda _text, _done, _total: None
    )
    return report


def test_crossref_is_asked_while_pubmed_has_not_answered(tmp_path: Path) -> None:
    works, met, waited = make_works(60, seed=9), Event(), []
    with scene(tmp_path, works) as stage:
        stage.crossref.delay(met.set, None)
        stage.ncbi.delay(lambda: waited.append(met.wait(PATIENCE)))
        assert sync(stage, works).drops[0].outcomes["created"] == 60
    assert waited == [True]


def test_the_collection_is_made_while_the_sources_are_asked(tmp_path: Path) -> None:
    works, met, waited = make_works(10, seed=9), Event(), []
    with scene(tmp_path, works) as stage:
        stage.write_config("group")
        stage.crossref.delay(met.set, None)
        stage.zotero.delay(lambda: waited.append(met.wait(PATIENCE)), when=writes_of)
        assert sync(stage, works).drops[0].outcomes["created"] == 10
    assert waited == [True]


def test_works_are_written_while_later_ones_of_their_batch_are_asked_for(tmp_path: Path) -> None:
    works, met, waited = make_works(200, seed=9), Event(), []

    def last(request: Request) -> bool:
        return works[-1].doi.lower().replace("/", "%2F") in request.query.lower().replace("%2f", "%2F")

    def items(request: Request) -> bool:
        return request.method == "POST" and request.path.endswith("/items")

    with scene(tmp_path, works) as stage:
        stage.write_config("group")
        stage.zotero.delay(met.set, None, when=items)
        stage.crossref.delay(lambda: waited.append(met.wait(PATIENCE)), when=last)
        assert sync(stage, works).drops[0].outcomes["created"] == 200
    assert waited == [True]


@pytest.mark.parametrize(("service", "answers"), [("crossref", 2), ("crossref", 4), ("pubmed", 2), ("zotero", 2)])
def test_no_record_in_flight_is_lost_on_a_stop(tmp_path: Path, service: str, answers: int) -> None:
    works, stop = make_works(230, seed=9), Event()
    with scene(tmp_path, works) as stage:
        stage.write_config("group")
        server = {"crossref": stage.crossref, "pubmed": stage.ncbi, "zotero": stage.zotero}[service]

        def counted(request: Request) -> bool:
            return service != "zotero" or (request.method == "POST" and request.path.endswith("/items"))

        server.delay(stop.set, when=counted, spare=answers - 1)
        first = sync(stage, works, stop)
        outcomes = first.drops[0].outcomes
        assert first.failure
        assert sum(outcomes.values()) == 230
        assert outcomes["waiting"] > 0
        second = sync(stage, works)
        assert second.drops[0].outcomes["waiting"] == 0
        made = [item["title"] for item in stage.zotero.library(f"groups/{GROUP}").items()]
    assert len(made) == len(set(made)) == 230
