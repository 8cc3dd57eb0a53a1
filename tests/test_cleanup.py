"""What the ledger and the folders let go of after a time, and that nothing else goes with it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from sync import keeping, orders, wiring
from sync.config import Config, load
from sync.errors import StateFault, UsageFault
from sync.report import RunReport, as_json
from sync.state.ledger import Ledger
from sync.steps.tools import instant
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(12, seed=31)
START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


class Clock:
    """The time as the program sees it."""

    def __init__(self) -> None:
        self.now = START

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(wiring, "utc_now", lambda: made.now)
    return made


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0)
        yield made


def config(stage: Scene, **retention: int) -> Config:
    plain = load(stage.config, {})
    return plain.model_copy(update={"retention": plain.retention.model_copy(update=retention)})


def carry(config: Config, order: orders.Order) -> RunReport:
    (report,) = orders.carry_out(config, order, kind="daemon", stop=Event(), tell=lambda _text, _done, _total: None)
    return report


def dropped(stage: Scene, name: str, text: str, config: Config) -> RunReport:
    (stage.inbox / name).write_text(text)
    return carry(config, orders.Order(wait_sources=True))


def opened(config: Config) -> Ledger:
    return Ledger.open(Path(config.state.path))


def age(stage: Scene, days: float) -> None:
    """Whatever lies in done/ was put there so long ago (file systems do not follow our clock)."""

    at = (START - timedelta(days=days)).timestamp()
    for path in (stage.inbox / "done").rglob("*"):
        os.utime(path, (at, at))


def let_go(report: RunReport) -> dict[str, int]:
    assert report.upkeep is not None
    found: dict[str, int] = report.upkeep.facts["let_go"]
    return {what: number for what, number in found.items() if number}


def idle_day(ledger: Ledger, day: datetime) -> None:
    """What a day without a drop leaves: runs that found nothing, an order that was carried out, and the cleanup of the night."""
    for hour in range(6):
        at = instant(day + timedelta(hours=hour))
        ledger.start_run(f"{at}-{hour}", "daemon", at)
        ledger.end_run(f"{at}-{hour}", at, as_json(RunReport(f"{at}-{hour}", at, 0.1, {"crossref": 0, "pubmed": 0})))
    wish = ledger.wishes.make("sync", {}, instant(day))
    ledger.wishes.end(wish, 0, {"reports": ["x" * 2_000]})
    now = day + timedelta(hours=20)
    ledger.upkeep.let_go(keeping.cutoffs(Config(), now), instant(now))


def test_three_hundred_idle_days_leave_the_ledger_as_large_as_three(stage: Scene, clock: Clock) -> None:
    own, sizes = config(stage), []
    dropped(stage, "a.ris", to_ris(WORKS), own)
    carry(own, orders.Order(cleanup=True))
    ledger = opened(own)
    ledger.database.connection.execute("PRAGMA synchronous = OFF")
    for day in range(1, 301):
        idle_day(ledger, clock.now + timedelta(days=day))
        if day in {3, 300}:
            sizes.append(ledger.upkeep.bytes())
    pages = (sizes[1] - sizes[0]) / 4096
    assert pages < 4, "two days are kept, whatever their number is"
    assert ledger.database.value("SELECT COUNT(*) FROM runs") < 20
    assert ledger.totals() == {"created": len(WORKS)}, "the records are all there"
    ledger.close()


def test_with_nothing_to_be_kept_for_a_time_only_what_says_nothing_goes(stage: Scene, clock: Clock) -> None:
    own = config(stage)
    run = dropped(stage, "a.ris", to_ris(WORKS), own).run
    age(stage, 4_000)
    clock.pass_days(3_000)
    assert let_go(carry(own, orders.Order(cleanup=True))) == {"objects that were written": len(WORKS)}
    assert (stage.inbox / "done" / "a.ris").exists()
    report = carry(own, orders.Order(undo=run))
    assert {one.did for one in report.undone} == {"trashed"}, "a run can be undone as long as its journal is kept"


def test_the_text_of_settled_records_goes_and_that_of_unreadable_ones_stays(stage: Scene, clock: Clock) -> None:
    own = config(stage, raw=30)
    dropped(stage, "a.ris", to_ris(WORKS[:2]) + "TY  - JOUR\nER  -\n", own)
    ledger = opened(own)

    def texts() -> list[bool]:
        return [bool(row[0]) for row in ledger.database.rows("SELECT raw FROM records ORDER BY ordinal")]

    assert texts() == [True, True, True]
    clock.pass_days(29)
    assert "raw texts of records" not in let_go(carry(own, orders.Order(cleanup=True)))
    clock.pass_days(2)
    assert let_go(carry(own, orders.Order(cleanup=True)))["raw texts of records"] == 2
    assert texts() == [False, False, True]
    ledger.close()


def test_a_run_whose_journal_went_cannot_be_undone_and_says_so_and_newer_ones_can(stage: Scene, clock: Clock) -> None:
    own = config(stage, journal=30)
    first = dropped(stage, "a.ris", to_ris(WORKS[:2]), own)
    clock.pass_days(20)
    second = dropped(stage, "b.ris", to_ris(WORKS[2:5]), own)
    clock.pass_days(20)
    assert let_go(carry(own, orders.Order(cleanup=True)))["runs that can no longer be undone"] == 1
    with pytest.raises(UsageFault, match=r"let go of on 2027-04-10, as \[retention\] journal says"):
        carry(own, orders.Order(undo=first.run))
    lines = stage.run("history").stdout.decode().splitlines()
    assert [line.endswith("(cannot be undone any more)") for line in lines] == [False, True]
    assert "2 created" in lines[1], "the sums of its report stay"
    report = carry(own, orders.Order(undo=second.run))
    assert [one.did for one in report.undone] == ["trashed"] * 3


def test_an_undo_after_the_journal_of_an_older_run_went_takes_no_record_of_that_run_with_it(
    stage: Scene, clock: Clock
) -> None:
    own = config(stage, journal=30)
    dropped(stage, "a.ris", to_ris(WORKS[:1], without={"VL"}), own)
    clock.pass_days(40)
    ledger = opened(own)
    (line,) = ledger.records.rows(1)
    ledger.start_run("later", "sync", instant(clock.now))
    ledger.outbox(1).put(
        "later", line.id, line.key, 10**9, {"volume": "7"}
    )  # what a source still owed to the same record
    ledger.end_run("later", instant(clock.now), {})
    carry(own, orders.Order(owed_only=True))
    carry(own, orders.Order(cleanup=True))
    report = carry(own, orders.Order(undo="later"))
    assert [(one.did, one.fields) for one in report.undone] == [("restored", ("volume",))]
    assert [(row.outcome, row.reasons) for row in ledger.records.rows(1)] == [("created", ())]
    ledger.close()


def test_archived_drops_go_with_their_reports_once_every_record_is_settled(stage: Scene) -> None:
    own = config(stage, drops=100)
    (stage.inbox / "sub").mkdir()
    dropped(stage, "sub/a.ris", to_ris(WORKS[:2]), own)
    dropped(stage, "b.ris", to_ris(WORKS[2:3]), own)
    mine = stage.inbox / "done" / "mine.ris"
    mine.write_text(to_ris(WORKS[2:3]))  # bytes that the ledger has settled
    forged = stage.inbox / "done" / "b.ris"
    forged.write_text("other bytes than the report tells of")
    age(stage, 120)
    assert let_go(carry(own, orders.Order(cleanup=True, dry_run=True)))["archived drops"] == 1
    assert (stage.inbox / "done" / "sub" / "a.ris").exists(), "a dry run deletes nothing"
    assert let_go(carry(own, orders.Order(cleanup=True)))["archived drops"] == 1
    left = {path.name for path in (stage.inbox / "done").iterdir()}
    assert left == {"mine.ris", "b.ris", "b.ris.report.json"}, "what we did not put there, or was changed since, stays"


def test_an_archived_drop_that_the_ledger_does_not_know_stays(stage: Scene) -> None:
    own = config(stage, drops=100)
    dropped(stage, "a.ris", to_ris(WORKS[:2]), own)
    age(stage, 120)
    for path in Path(own.state.path).parent.glob("*.sqlite*"):
        path.unlink()
    assert "archived drops" not in let_go(carry(own, orders.Order(cleanup=True)))
    assert (stage.inbox / "done" / "a.ris").exists()


def test_a_dry_cleanup_says_what_a_real_one_then_does(stage: Scene, clock: Clock) -> None:
    own = config(stage, raw=1, journal=1, drops=1)
    dropped(stage, "a.ris", to_ris(WORKS), own)
    age(stage, 30)
    clock.pass_days(30)
    before = dump(own)
    dry = let_go(carry(own, orders.Order(cleanup=True, dry_run=True)))
    assert dump(own) == before
    assert let_go(carry(own, orders.Order(cleanup=True))) == dry
    assert let_go(carry(own, orders.Order(cleanup=True))) == {}, "and after that there is nothing left to go"


def dump(own: Config) -> str:
    ledger = opened(own)
    text = "\n".join(ledger.database.connection.iterdump())
    ledger.close()
    return text


@pytest.mark.parametrize("room", ["enough", "short", "stopped"])
def test_free_pages_are_given_back_only_where_there_is_room_for_it(
    stage: Scene, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = config(stage, cache=1)
    dropped(stage, "a.ris", to_ris(WORKS[:1]), own)
    ledger = opened(own)
    with ledger.transaction() as sql:
        rows = [("s", f"{number}", "2020-01-01T00:00:00Z", "x" * 100_000, 100_000) for number in range(100)]
        sql.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", rows)
    ledger.close()
    before = Path(own.state.path).stat().st_size
    if room == "short":
        monkeypatch.setattr("sync.keeping._room", lambda _config: before)
    stop = Event()
    if room == "stopped":
        stop.set()
    (report,) = orders.carry_out(
        own, orders.Order(cleanup=True), kind="sync", stop=stop, tell=lambda _text, _done, _total: None
    )
    after = Path(own.state.path).stat().st_size
    assert report.upkeep is not None
    assert (report.upkeep.facts["freed"] > 9_000_000, after < before / 5) == ((room == "enough"),) * 2


def test_the_command_tells_what_went_and_the_service_takes_it_over_as_an_order(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS))))
    told = json.loads(stage.run("cleanup", "--json", "--dry-run").stdout)
    assert told["cleanup"]["let_go"]["objects that were written"] == len(WORKS)
    assert b"objects that were written" in stage.run("cleanup").stdout
    assert b"Nothing is older" in stage.run("cleanup").stdout
    order = orders.Order(cleanup=True, dry_run=True)
    assert orders.Order.from_json(json.loads(json.dumps(order.as_json()))) == order


def test_below_min_free_the_service_takes_nothing_in_and_still_finishes_the_outbox(stage: Scene) -> None:
    own = config(stage)
    dropped(stage, "a.ris", to_ris(WORKS[:2]), own)
    ledger = opened(own)
    with ledger.transaction() as sql:  # as if the answers had not come
        sql.execute("UPDATE outbox SET state = 'pending'")
        sql.execute("UPDATE records SET state = 'planned'")
    new = stage.inbox / "b.ris"
    new.write_text(to_ris(WORKS[2:4]))
    full = own.model_copy(update={"state": own.state.model_copy(update={"min_free_mb": 10**9})})
    report = carry(full, orders.Order(paths=(str(new),), inbox="default", wait_sources=True))
    assert (report.drops, report.failure) == ((), "")
    assert new.exists()
    assert ledger.totals() == {"created": 2}
    assert not any(ledger.waits().values()), "the outbox is finished"
    with pytest.raises(StateFault, match="Make room, then sync again"):
        carry(full, orders.Order(paths=(str(new),)))
    assert [line.outcome for line in carry(own, orders.Order(wait_sources=True)).drops[0].records] == ["created"] * 2
    ledger.close()
