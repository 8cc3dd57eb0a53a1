"""A drop taken back as a whole, alone or because a newer export stands for it; and how such an export is recognised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sync import orders, wiring
from sync.config import load
from sync.errors import Outage, UsageFault
from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from sync.report import RunReport, as_json, as_text
from sync.state.ledger import Ledger
from sync.state.upkeep import Cutoffs
from sync.steps import intake
from sync.steps.tools import instant
from tests.scene import Scene, outcomes, scene
from tests.servers.works import Work, make_works, to_ris
from tests.servers.zotero import API_KEY

WORKS = make_works(30, seed=41)
AT = "2027-01-01T08:00:00Z"


@pytest.fixture(params=["embedded", "user"])
def stage(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    with scene(tmp_path) as made:
        made.write_config(request.param, use=[], inbox_settle_seconds=0.0, inbox_tags=["ours"])
        yield made


def carry(stage: Scene, *paths: Path, **order: Any) -> RunReport:
    asked = orders.Order(paths=tuple(map(str, paths)), **order)
    (report,) = orders.carry_out(
        load(stage.config, {}), asked, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None
    )
    return report


def drop(stage: Scene, name: str, works: Sequence[Work], **more: Any) -> list[str]:
    """A file is worked off; the keys in which its records ended."""
    report = carry(stage, stage.drop(name, to_ris(works)), **more)
    assert report.failure == ""
    return [line.key for line in report.drops[0].records]


def edit(stage: Scene, key: str, **changes: Any) -> None:
    if "embedded" not in stage.config.read_text():
        stage.zotero.library().edit(key, **changes)
        return
    library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
    (answer,) = library.write([Write(key, 10**9, changes)])
    assert isinstance(answer, Receipt)
    library.close()


def living(stage: Scene) -> dict[str, dict[str, Any]]:
    if "embedded" in stage.config.read_text():
        library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
        found = [dict(item.data) for item in library.items()]
        library.close()
    else:
        found = stage.zotero.library().items()
    return {item["key"]: item for item in found if item["itemType"] not in {"note", "attachment"}}


def did(report: RunReport) -> dict[str, str]:
    assert report.failure == ""
    return {one.key: one.did for one in report.undone}


def tags(item: dict[str, Any]) -> set[str]:
    return {tag["tag"] for tag in item["tags"]}


def essence(items: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    left_out = {"version", "dateModified", "deleted"}
    return {
        key: {
            name: sorted(map(str, value)) if name in {"tags", "collections"} else value for name, value in item.items()
        }
        for key, item in (
            (key, {name: value for name, value in item.items() if name not in left_out}) for key, item in items.items()
        )
    }


def ledger_of(stage: Scene) -> Ledger:
    return Ledger.open(stage.folder / "state" / "zotdrop.sqlite")


def test_what_only_the_drop_brought_goes_and_what_others_have_or_touched_stays(stage: Scene) -> None:
    mine = drop(stage, "a.ris", WORKS[:3])
    shared = drop(stage, "b.ris", WORKS[2:4])[0]
    assert shared == mine[2]
    edit(stage, mine[1], title="My own title")
    before = living(stage)
    report = carry(stage, withdraw="a.ris")
    assert did(report) == {mine[0]: "trashed", mine[1]: "restored", mine[2]: "restored"}
    after = living(stage)
    assert mine[0] not in after
    assert (after[mine[1]]["collections"], after[mine[1]]["title"]) == ([], "My own title")
    assert "ours" not in tags(after[mine[1]])
    assert len(before[shared]["collections"]) == 2
    assert len(after[shared]["collections"]) == 1, "one membership is left: that of the other drop"
    assert "ours" in tags(after[shared]), "the other drop wants it, too"
    assert "Drop " in as_text(report)
    assert outcomes(as_json(carry(stage, stage.folder / "a.ris"))) == {"updated": 3}, "the drop may come again"


def test_a_withdrawal_can_be_undone(stage: Scene) -> None:
    mine = drop(stage, "a.ris", WORKS[:4])
    drop(stage, "b.ris", WORKS[3:5])
    edit(stage, mine[1], title="My own title")
    before = living(stage)
    report = carry(stage, withdraw="a.ris")
    assert essence(living(stage)) != essence(before)
    carry(stage, undo=report.run)
    assert essence(living(stage)) == essence(before)
    ledger = ledger_of(stage)
    assert [(row.state, row.path[-5:]) for row in ledger.records.drops()] == [("done", "a.ris"), ("done", "b.ris")]
    assert ledger.totals() == {"created": 5, "updated": 1}
    ledger.close()


def test_values_that_a_drop_filled_into_an_item_of_others_are_taken_out_again(stage: Scene) -> None:
    key = drop(stage, "a.ris", WORKS[:1])[0]
    edit(stage, key, volume="")
    first = living(stage)[key]
    fuller = to_ris(WORKS[:1]).replace("ER  -", "RN  - x\nAB  - All about it.\nER  -")
    carry(stage, withdraw="a.ris")
    assert key in living(stage), "touched"
    second = carry(stage, stage.drop("b.ris", fuller), collection="Other")
    assert second.drops[0].records[0].key == key
    assert carry(stage, withdraw="b.ris").undone[0].did == "restored"
    now = living(stage)[key]
    assert now["collections"] == []
    assert now.get("abstractNote", "") == first.get("abstractNote", "")


def test_a_withdrawal_that_was_broken_off_is_ended_by_the_next_run(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = drop(stage, "a.ris", WORKS[:2])
    with monkeypatch.context() as patch:

        def away(*_: object) -> None:
            raise Outage("nobody answers", service="zotero")

        patch.setattr("sync.steps.withdrawing.taken_back", away)
        broken = carry(stage, withdraw="a.ris")
    assert (broken.failure, set(living(stage))) == ("nobody answers", set(mine))
    carry(stage, owed_only=True)
    assert living(stage) == {}
    ledger = ledger_of(stage)
    (run,) = [run for run in ledger.undoings.runs() if run.id == broken.run]
    assert (bool(run.finished), run.wrote) == (True, 2)
    assert ledger.withdrawals.unfinished(1) == []
    ledger.close()


def test_what_a_drop_wrote_must_be_known_and_its_work_be_done(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.write_config(use=[], inbox_settle_seconds=0.0)
        (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]))
        carry(stage)
        ledger = ledger_of(stage)
        with ledger.transaction() as sql:
            sql.execute("UPDATE drops SET state = 'open'")
        with pytest.raises(UsageFault, match="not worked off to the end"):
            carry(stage, withdraw="a.ris")
        with ledger.transaction() as sql:
            sql.execute("UPDATE drops SET state = 'done'")
        later = instant(wiring.utc_now() + timedelta(days=1))
        ledger.upkeep.let_go(Cutoffs(journal=later), later)
        with pytest.raises(UsageFault, match=r"as \[retention\] journal says"):
            carry(stage, withdraw="a.ris")
        ledger.close()
        for path in (stage.folder / "state").iterdir():
            path.unlink()
        carry(stage, rebuild=True)
        with pytest.raises(UsageFault, match="noted again after the ledger was lost"):
            carry(stage, withdraw="a.ris")
        assert len(living(stage)) == 2


def test_a_dry_withdrawal_says_the_same_and_writes_nothing(stage: Scene) -> None:
    drop(stage, "a.ris", WORKS[:3])
    before = living(stage)
    dry = carry(stage, withdraw="a.ris", dry_run=True)
    assert living(stage) == before
    assert did(dry) == did(carry(stage, withdraw="a.ris"))


def test_a_newer_export_is_recognised_and_can_stand_for_the_earlier_one(stage: Scene) -> None:
    old = drop(stage, "march.ris", WORKS[:20])
    report = carry(stage, stage.drop("june.ris", to_ris(WORKS[2:21])))
    new = [line.key for line in report.drops[0].records]
    assert outcomes(as_json(report)) == {"created": 1, "updated": 18}, "it is written as any other drop"
    assert "18 of its 19 works are those of" in report.drops[0].overlap
    assert "whose 2 other works then go" in as_text(report)
    ledger = ledger_of(stage)
    (asked,) = ledger.overlaps.open()
    told = carry(stage, withdraw=asked.earlier_sha256[:8], instead=asked.sha256[:8])
    assert ledger.overlaps.open() == []
    ledger.close()
    assert {key for key, what in did(told).items() if what == "trashed"} == set(old[:2])
    after = living(stage)
    assert set(after) == set(new)
    assert {len(item["collections"]) for item in after.values()} == {1}
    assert len({item["collections"][0] for item in after.values()}) == 1
    carry(stage, undo=told.run)
    assert set(living(stage)) == {*old, *new}


@pytest.mark.parametrize(
    ("earlier", "later", "asked"),
    [
        (20, (0, 20), True),
        (20, (2, 21), True),  # 18 of 19
        (20, (2, 22), False),  # 18 of 20 is not more than nine of ten
        (9, (0, 9), False),  # too few to tell
        (25, (0, 12), False),  # a part of the earlier one is no newer export of it
    ],
)
def test_the_line_between_a_newer_export_and_another_search(
    tmp_path: Path, earlier: int, later: tuple[int, int], asked: bool
) -> None:
    with scene(tmp_path) as stage:
        stage.write_config(use=[], inbox_settle_seconds=0.0)
        drop(stage, "a.ris", WORKS[:earlier])
        report = carry(stage, stage.drop("b.ris", to_ris(WORKS[later[0] : later[1]]) + "\n"))
        assert bool(report.drops[0].overlap) is asked
        assert bool(as_json(report)["drops"][0].get("overlap")) is asked


def test_a_drop_is_named_by_path_name_or_hash_and_nothing_is_guessed(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.write_config(use=[], inbox_settle_seconds=0.0)
        drop(stage, "a.ris", WORKS[:2])
        (stage.folder / "sub").mkdir()
        drop(stage, "sub/a.ris", WORKS[2:3])
        with pytest.raises(UsageFault, match="that are 2 drops"):
            carry(stage, withdraw="a.ris")
        with pytest.raises(UsageFault, match="no such drop"):
            carry(stage, withdraw="b.ris")
        path = str(stage.folder / "a.ris")
        with pytest.raises(UsageFault, match="cannot stand for itself"):
            carry(stage, withdraw=path, instead=path)
        ledger = ledger_of(stage)
        sha256 = ledger.records.drops()[1].sha256
        ledger.close()
        carry(stage, withdraw=sha256[:7])
        with pytest.raises(UsageFault, match="was taken back already"):
            carry(stage, withdraw=sha256)
        assert len(living(stage)) == 2


def test_the_command_asks_before_it_takes_back(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.write_config(use=[], inbox_settle_seconds=0.0)
        drop(stage, "a.ris", WORKS[:2])
        assert b"--yes" in stage.run("withdraw", "a.ris", code=2).stderr
        assert b"moved to the trash" in stage.run("withdraw", "a.ris", "--yes").stdout
        assert living(stage) == {}


def test_a_drop_whose_reading_was_cut_off_and_whose_file_is_gone_is_let_go_of(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READ_BATCH", 5)
    path, stop = stage.drop("a.ris", to_ris(WORKS)), Event()

    def stop_soon(_text: str, done: int, _total: int) -> None:
        if done >= 10:
            stop.set()

    config, asked = load(stage.config, {}), orders.Order(paths=(str(path),))
    (cut,) = orders.carry_out(config, asked, kind="sync", stop=stop, tell=stop_soon)
    assert "stopped while reading" in cut.failure
    path.unlink()
    assert "as if it had not come" in as_text(carry(stage, withdraw="a.ris", dry_run=True))
    assert "as if it had not come" in as_text(carry(stage, withdraw="a.ris"))
    with pytest.raises(UsageFault, match=r"a\.ris"):
        carry(stage, withdraw="a.ris")
    ledger = Ledger.open(stage.folder / "state" / "zotdrop.sqlite")
    assert list(ledger.records.drops()) == []
    ledger.close()
    assert len(drop(stage, "a.ris", WORKS)) == len(WORKS)
