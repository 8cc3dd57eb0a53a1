"""What the service does at the moment, and how well it is."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.health.bulletin import Bulletin, bulletin_file, read_bulletin
from sync.health.verdict import health
from sync.report import RunReport
from tests.health.test_metrics import FOUND

RUN = RunReport("run-1", "2026-11-27T08:00:00Z", 1.0, {"crossref": 2})


class Clock:
    """UTC, moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 27, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite")


def silent(_text: str, _done: int, _total: int) -> None:
    pass


def test_work_is_seen_from_beside_while_it_lasts(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, ["default"], now=clock)
    heard: list[tuple[str, int, int]] = []
    with pulse.at_work("default", lambda *parts: heard.append(parts)) as told:
        clock.pass_(5)
        told("syncing x.ris", 200, 600)
        doing = read_bulletin(ledger)["doing"]
        assert (doing["what"], doing["done"], doing["total"]) == ("syncing x.ris", 200, 600)
        assert (doing["inbox"], doing["since"]) == ("default", "2026-11-27T08:00:00Z")
        told("syncing x.ris", 400, 600)
        assert read_bulletin(ledger)["doing"]["done"] == 200, "not more often than once a second"
        assert pulse.state()["doing"]["done"] == 400
        clock.pass_(2)
        told("syncing y.ris", 1, 9)
        assert read_bulletin(ledger)["doing"]["since"] == "2026-11-27T08:00:07Z"
    assert read_bulletin(ledger)["doing"] is None
    assert heard == [("syncing x.ris", 200, 600), ("syncing x.ris", 400, 600), ("syncing y.ris", 1, 9)]


def test_a_life_that_ended_without_a_word_is_found_by_the_next_and_an_orderly_one_is_not(
    ledger: str, clock: Clock
) -> None:
    assert Bulletin(ledger, [], now=clock).begin() == {}
    killed = Bulletin(ledger, [], now=clock)
    assert killed.begin()["started"] == "2026-11-27T08:00:00Z"
    killed.end()
    assert Bulletin(ledger, [], now=clock).begin() == {}


def test_the_last_success_and_the_oldest_file_outlive_the_service(ledger: str, clock: Clock) -> None:
    first = Bulletin(ledger, ["a", "b"], now=clock)
    first.looked("a", [])
    first.looked("b", [Path("/x/1.ris"), Path("/x/2.ris")])
    first.end()
    clock.pass_(60)
    second = Bulletin(ledger, ["a", "b"], now=clock)
    second.looked("a", [Path("/x/3.ris")])
    second.looked("b", [Path("/x/1.ris")])
    inboxes = second.state()["inboxes"]
    assert inboxes["a"]["success"] == "2026-11-27T08:00:00Z"
    assert inboxes["a"]["oldest"]["since"] == "2026-11-27T08:01:00Z"
    assert inboxes["b"]["oldest"] == {"path": "/x/1.ris", "since": "2026-11-27T08:00:00Z"}
    second.looked("b", [Path("/x/2.ris")])
    assert second.state()["inboxes"]["b"]["oldest"]["since"] == "2026-11-27T08:01:00Z"
    assert set(Bulletin(ledger, ["b"], now=clock).state()["inboxes"]) == {"b"}


def test_runs_failures_and_requests_are_counted(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, ["a"], now=clock)
    pulse.ended("a", [RUN, RUN], kind="daemon")
    clock.pass_(60)
    pulse.ended("a", [RunReport("r", "", 0.0, {"zotero": 1}, failure="no")], kind="daemon")
    pulse.ended("a", [], kind="daemon")
    state = pulse.state()
    assert (state["runs"], state["failures"]) == ({"daemon": 4}, 2)
    assert state["requests"] == {"crossref": 4, "zotero": 1}
    assert state["inboxes"]["a"]["success"] == "2026-11-27T08:00:00Z"


def test_the_file_is_always_whole(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, [f"inbox-{number}" for number in range(200)], now=clock)
    pulse.beat()
    torn: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                json.loads(bulletin_file(ledger).read_text())
            except ValueError as fault:
                torn.append(str(fault))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(200):
        pulse.beat()
    stop.set()
    reader.join()
    assert torn == []
    assert [path.name for path in Path(ledger).parent.iterdir()] == [bulletin_file(ledger).name]


def test_a_file_that_cannot_be_written_or_read_stops_nothing(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("")
    pulse = Bulletin(str(tmp_path / "file" / "ledger"), ["a"], now=clock)
    assert pulse.begin() == {}
    bulletin_file(str(tmp_path / "l")).write_text("[1, 2")
    assert read_bulletin(str(tmp_path / "l")) == {}
    bulletin_file(str(tmp_path / "l")).write_text("[1, 2]")
    assert read_bulletin(str(tmp_path / "l")) == {}


def well(pulse: dict[str, Any], now: datetime, **changes: Any) -> dict[str, Any]:
    plain = {"found": None, "free_mb": 900, "least_mb": 500, "polls": {"a": 5.0}}
    plain["found"] = changes.pop("found", _FINE)
    return health(pulse, now=now, **{**plain, **changes})


_FINE = replace(FOUND, stopped={})


def test_all_is_well_or_the_reason_is_named(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, ["a"], now=clock)
    pulse.looked("a", [])
    assert well(pulse.state(), clock())["status"] == "ok"
    assert well(pulse.state(), clock(), found=None)["reasons"] == ["the ledger cannot be read"]
    assert "min_free_mb" in well(pulse.state(), clock(), free_mb=499)["reasons"][0]
    assert "library main refuses" in well(pulse.state(), clock(), found=FOUND)["reasons"][0]
    pulse.looked("a", None)
    assert well(pulse.state(), clock())["reasons"] == ["the folder of inbox a is gone or no folder"]


def test_an_inbox_that_is_not_looked_at_is_a_reason_unless_a_run_is_at_work(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, ["a"], now=clock)
    clock.pass_(59)
    assert well(pulse.state(), clock())["status"] == "ok"
    clock.pass_(2)
    assert well(pulse.state(), clock())["reasons"] == ["inbox a was not looked at for too long"]
    assert well(pulse.state(), clock(), polls={})["status"] == "ok"
    assert well(pulse.state(), clock(), polls={"a": 30.0})["status"] == "ok"
    with pulse.at_work("a", silent):
        clock.pass_(10_000)
        assert well(pulse.state(), clock())["status"] == "ok"


def test_jobs_that_fail_in_a_row_are_a_reason_and_quiet_hours_are_none(ledger: str, clock: Clock) -> None:
    outlook: dict[str, Any] = {"failing": {"inbox-a": 2}, "quiet_until": ""}
    pulse = Bulletin(ledger, ["a"], now=clock, outlook=lambda: outlook)
    assert well(pulse.state(), clock())["status"] == "ok"
    outlook["failing"] = {"inbox-a": 3}
    assert well(pulse.state(), clock())["reasons"] == ["inbox-a failed 3 times in a row: the log says why"]
    outlook["failing"] = {}
    clock.pass_(3600)
    assert well(pulse.state(), clock())["status"] == "degraded"
    outlook["quiet_until"] = "2026-11-27T12:00:00Z"
    assert well(pulse.state(), clock())["status"] == "ok"


def test_nothing_of_it_names_a_path(ledger: str, clock: Clock) -> None:
    pulse = Bulletin(ledger, ["a"], now=clock)
    pulse.looked("a", [Path("/secret/place/x.ris")])
    with pulse.at_work("a", silent) as told:
        told("syncing /secret/place/x.ris", 1, 2)
        shown = json.dumps(well(pulse.state(), clock()))
    assert "secret" not in shown
    assert '"done": 1' in shown
