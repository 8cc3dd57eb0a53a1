"""The daemon as a real process: it takes what settles, follows orders from beside, and stops when told."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from sync import service, wiring
from sync.config import Config, load
from sync.orders import Order
from sync.report import RunReport
from sync.service import daemon as daemon_room
from tests.daemons import LONGEST, daemon, ends, until
from tests.scene import NOWHERE, ROOT, SAMPLE, Scene, outcomes, scene
from tests.servers.base import Request
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import API_KEY

WORKS = make_works(30, seed=5)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_a_file_dropped_into_the_folder_becomes_an_item_and_moves_to_done(stage: Scene, library: str) -> None:
    stage.write_config(library)
    with daemon(stage) as process:
        (stage.inbox / "sample.ris").write_bytes(SAMPLE.read_bytes())
        until((stage.inbox / "done" / "sample.ris.report.json").exists, "the drop is done")
        until(lambda: not (stage.inbox / "sample.ris").exists(), "the drop has left the inbox")
        assert ends(process, signal.SIGTERM) == 0
    (item,) = stage.items()
    assert item["DOI"] == "10.2196/50113"


def test_a_file_that_is_still_written_is_not_taken(stage: Scene) -> None:
    stage.write_config(use=[], inbox_settle_seconds=1.0)
    whole = to_ris(WORKS[:6]).encode()
    pause = Event()
    with daemon(stage) as process, (stage.inbox / "slow.ris").open("wb") as file:
        for start in range(0, len(whole), len(whole) // 6 + 1):
            file.write(whole[start : start + len(whole) // 6 + 1])
            file.flush()
            pause.wait(0.4)
            assert (stage.inbox / "slow.ris").exists()
        until((stage.inbox / "done" / "slow.ris").exists, "the whole file is done")
        assert ends(process, signal.SIGTERM) == 0
    assert len(stage.items()) == 6


def test_a_second_daemon_is_refused_with_7(stage: Scene) -> None:
    with daemon(stage) as process:
        done = stage.run("run", code=7)
        assert b"already runs" in done.stderr
        assert ends(process, signal.SIGTERM) == 0


def test_a_sync_beside_the_daemon_hands_its_work_over_and_follows_it(stage: Scene) -> None:
    with daemon(stage) as process:
        path = stage.drop("beside.ris", to_ris(WORKS[:5]))
        report = stage.sync(str(path))
        assert outcomes(report) == {"created": 5}
        text = stage.run("sync", str(path))
        assert b"nothing was changed" in text.stdout
        assert b"the service is running" in text.stderr
        assert path.exists()
        missing = stage.run("sync", str(stage.folder / "missing.ris"), code=2)
        assert b"no such file" in missing.stderr
        assert json.loads(stage.run("--json", "status").stdout)["daemon"] is True
        assert ends(process, signal.SIGTERM) == 0
    assert len(stage.items()) == 5


def test_a_daemon_that_is_killed_leaves_nothing_locked(stage: Scene) -> None:
    with daemon(stage) as process:
        assert ends(process, signal.SIGKILL) == -signal.SIGKILL
    assert outcomes(stage.sync(str(SAMPLE))) == {"created": 1}


def test_a_drop_that_waits_for_a_service_is_tried_again_and_status_tells(stage: Scene) -> None:
    stage.write_config(crossref_url=NOWHERE, pubmed_url=NOWHERE)
    with daemon(stage) as process:
        (stage.inbox / "patient.ris").write_text(to_ris(WORKS[:3]))
        until(
            lambda: json.loads(stage.run("--json", "status").stdout)["outcomes"] == {"waiting": 3}, "the records wait"
        )
        assert (stage.inbox / "patient.ris").exists()
        assert ends(process, signal.SIGTERM) == 0
    stage.write_config(inbox_enrich_wait="1s", crossref_url=NOWHERE, pubmed_url=NOWHERE)
    stage.run("run", "--once")
    assert len(stage.items()) == 3


def test_a_refused_key_is_not_tried_again_by_itself(stage: Scene) -> None:
    stage.write_config("user", use=[])
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:1]))
    with daemon(stage, ZOTERO_API_KEY="wrong") as process:
        until(lambda: b"library main is stopped" in (stage.folder / "daemon.log").read_bytes(), "it is refused")
        tries = len(stage.zotero.log)
        (stage.inbox / "b.ris").write_text(to_ris(WORKS[1:2]))
        Event().wait(2.0)
        assert len(stage.zotero.log) == tries
        assert ends(process, signal.SIGTERM) == 0
    assert (stage.inbox / "a.ris").exists()
    with daemon(stage, ZOTERO_API_KEY="wrong"):
        until(lambda: b"library main is stopped" in (stage.folder / "daemon.log").read_bytes(), "still it is refused")
        assert len(stage.zotero.log) == tries == 1


def test_a_key_file_that_changes_is_tried_at_once(stage: Scene) -> None:
    key = stage.folder / "zotero.key"
    key.write_text("wr0ng")
    stage.write_config("user", use=[])
    text = stage.config.read_text()
    stage.config.write_text(text.replace('{ env = "ZOTERO_API_KEY" }', '{ file = "zotero.key" }'))
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:1]))
    with daemon(stage) as process:
        until(lambda: b"library main is stopped" in (stage.folder / "daemon.log").read_bytes(), "it is refused")
        key.write_text(API_KEY)
        until((stage.inbox / "done" / "a.ris").exists, "the new key is tried")
        assert ends(process, signal.SIGTERM) == 0
    assert len(stage.zotero.library().items()) == 1


def two_libraries(stage: Scene) -> Path:
    """A config with a second library, a file, and an inbox of its own, whose path this is."""
    stage.write_config("user", use=[])
    own = '[inbox.other]\npath = "other"\nlibrary = "other"\nsettle_seconds = 0.2\npoll_seconds = 0.2\n'
    with stage.config.open("a") as config:
        config.write(f'[library.other]\nkind = "embedded"\npath = "other.sqlite"\n{own}')
    (stage.folder / "other").mkdir()
    return stage.folder / "other"


def writes_items(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/items")


def test_a_right_that_is_lost_in_the_middle_stops_that_library_and_nothing_else(stage: Scene) -> None:
    other = two_libraries(stage)
    many = make_works(120, seed=6)
    stage.zotero.fail(
        None,
        status=403,
        body="Write access denied",
        when=lambda request: writes_items(request) and bool(stage.zotero.library().items()),
    )
    (stage.inbox / "many.ris").write_text(to_ris(many))
    with daemon(stage) as process:
        until(lambda: b"library main is stopped" in (stage.folder / "daemon.log").read_bytes(), "it is stopped")
        written = len(stage.zotero.library().items())
        assert 0 < written < len(many)
        (other / "a.ris").write_text(to_ris(WORKS[:3]))
        until((other / "done" / "a.ris").exists, "the other library goes on")
        tries = len(stage.zotero.log)
        told = json.loads(stage.run("--json", "status").stdout)
        assert set(told["stopped"]) == {"main"}
        assert "Write access denied" in told["stopped"]["main"]["why"]
        assert b"library main: stopped since 20" in stage.run("status").stdout
        assert told["outcomes"]["waiting"] == len(many) - written
        (stage.inbox / "b.ris").write_text(to_ris(WORKS[3:4]))
        Event().wait(1.0)
        assert (len(stage.zotero.log), process.poll()) == (tries, None)
        stage.zotero.heal()
        stage.run("check")
        until((stage.inbox / "done" / "b.ris").exists, "what waited is taken after all")
        until((stage.inbox / "done" / "many.ris").exists, "and so is the rest")
        assert ends(process, signal.SIGTERM) == 0
    assert len(stage.zotero.library().items()) == len(many) + 1
    assert json.loads(stage.run("--json", "status").stdout)["stopped"] == {}


def test_a_library_that_is_stopped_keeps_no_other_from_being_looked_at_and_its_turn_comes_again(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_libraries(stage)
    seconds, refused, asked = [0.0], {"main"}, list[str | None]()

    def carry_out(config: Config, order: Order, **_more: object) -> list[RunReport]:
        asked.append(order.library)
        why = "no right" if order.library in refused else ""
        ledger = wiring.open_ledger(config)
        ledger.stops.note(str(order.library), "2026-11-23T08:00:00Z", why)
        ledger.close()
        return [RunReport("", "", 0.0, {}, (), failure=why, failure_code=3 if why else 0)]

    monkeypatch.setattr(daemon_room, "carry_out", carry_out)
    watching = service.Daemon(load(stage.config, stage.env()), now=lambda: seconds[0])
    look_again = Order(refresh=True)
    watching.for_each_library(look_again)
    watching.for_each_library(look_again)
    assert asked == ["main", "other", "other"]
    refused.clear()
    seconds[0] = watching.config.schedule.refused
    watching.for_each_library(look_again)
    watching.for_each_library(look_again)
    assert asked[3:] == ["main", "other"] * 2


def test_a_folder_that_vanishes_is_waited_for(stage: Scene) -> None:
    stage.write_config(use=[])
    with daemon(stage) as process:
        stage.inbox.rename(stage.folder / "elsewhere")
        until(lambda: b"is gone" in (stage.folder / "daemon.log").read_bytes(), "the daemon says so")
        (stage.folder / "elsewhere").rename(stage.inbox)
        (stage.inbox / "back.ris").write_text(to_ris(WORKS[:1]))
        until((stage.inbox / "done" / "back.ris").exists, "it goes on")
        assert ends(process, signal.SIGTERM) == 0
    assert (stage.folder / "daemon.log").read_bytes().count(b"is gone") == 1


def test_the_library_is_looked_at_again_on_schedule(stage: Scene) -> None:
    with daemon(stage, ZOTDROP__SCHEDULE__REFRESH="every 1s"):
        log = stage.folder / "daemon.log"
        until(lambda: b"0 items looked at again" in log.read_bytes(), "the schedule came round")


def test_a_refresh_beside_the_daemon_is_carried_out_by_it(stage: Scene) -> None:
    with daemon(stage):
        done = stage.run("refresh")
    assert b"the service is running" in done.stderr
    assert b"0 items looked at again" in done.stdout


def test_a_schedule_works_the_inbox_off(stage: Scene) -> None:
    stage.write_config(use=[], inbox_schedule="every 1s")
    (stage.inbox / "early.ris").write_text(to_ris(WORKS[:2]))
    with daemon(stage) as process:
        until((stage.inbox / "done" / "early.ris").exists, "the schedule came round")
        assert ends(process, signal.SIGTERM) == 0


def test_once_drains_the_inbox_and_exits(stage: Scene) -> None:
    for number in range(3):
        (stage.inbox / f"{number}.ris").write_text(to_ris(WORKS[number * 5 : number * 5 + 5]))
    stage.run("run", "--once")
    assert len(stage.items()) == 15
    assert sorted(path.name for path in (stage.inbox / "done").glob("*.ris")) == ["0.ris", "1.ris", "2.ris"]


def test_ctrl_c_in_a_manual_sync_ends_with_130_and_the_next_run_goes_on(stage: Scene) -> None:
    never = Event()
    stage.crossref.hang(never, times=None)
    path = stage.drop("interrupted.ris", to_ris(WORKS))
    process = subprocess.Popen(
        stage.command("sync", str(path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=stage.env()
    )
    stage.crossref.await_pending(1, LONGEST)
    process.send_signal(signal.SIGINT)
    never.set()
    shown, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 130
    assert f"{len(WORKS)} records in".encode() in shown
    assert b"Nothing to do" not in shown
    stage.crossref.heal()
    assert sum(outcomes(stage.sync(str(path))).values()) == len(WORKS)
    assert len(stage.items()) == len(WORKS)
