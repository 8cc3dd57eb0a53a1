"""What systemd hears of the service, and a config that is read again while it runs."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.daemons import LONGEST, SOON, Listener, daemon, ends, log_of, until
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(8, seed=9)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        made.write_config(use=[])
        yield made


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    yield made
    made.close()


class Story:
    """Everything that was said to systemd so far."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.said: list[str] = []

    def holds(self, text: str, times: int = 1) -> bool:
        self.said += self._listener.heard()
        return sum(text in said for said in self.said) >= times


def another_inbox(stage: Scene) -> Path:
    with stage.config.open("a") as config:
        config.write('[inbox.second]\npath = "second"\nsettle_seconds = 0.2\npoll_seconds = 0.2\n')
    (stage.folder / "second").mkdir()
    return stage.folder / "second"


def test_systemd_hears_that_it_is_ready_lives_reads_again_and_stops(stage: Scene, listener: Listener) -> None:
    story = Story(listener)
    with daemon(stage, NOTIFY_SOCKET=str(stage.folder / "notify"), WATCHDOG_USEC="1500000") as process:
        until(lambda: story.holds("READY=1\nSTATUS=watching default"), "it is ready")
        until(lambda: story.holds("WATCHDOG=1", 3), "it is fed")
        (stage.inbox / "a.ris").write_text(to_ris(WORKS))
        until(lambda: story.holds("STATUS=syncing"), "what it does is told")
        process.send_signal(signal.SIGHUP)
        until(lambda: story.holds("RELOADING=1\nMONOTONIC_USEC="), "it reads its config again")
        until(lambda: story.holds("READY=1", 2), "and is ready again")
        assert ends(process, signal.SIGTERM) == 0
        assert story.holds("STOPPING=1")


def test_a_look_that_hangs_starves_the_watchdog_of_a_real_service(stage: Scene, listener: Listener) -> None:
    story = Story(listener)
    environment = {"NOTIFY_SOCKET": str(stage.folder / "notify"), "WATCHDOG_USEC": "600000"}
    with daemon(stage, before=("tests.stuck", "looking"), said="no sign of life", **environment) as process:
        listener.heard()
        Event().wait(1.5)
        assert "WATCHDOG=1" not in listener.heard()
        assert ends(process, signal.SIGTERM, SOON) == 0
        assert story.holds("STOPPING=1")


def test_a_config_that_is_read_again_brings_inboxes_and_takes_them(stage: Scene) -> None:
    first = stage.config.read_text()
    with daemon(stage) as process:
        second = another_inbox(stage)
        process.send_signal(signal.SIGHUP)
        (second / "a.ris").write_text(to_ris(WORKS[:2]))
        until((second / "done" / "a.ris").exists, "the new inbox is watched")
        stage.config.write_text(first)
        process.send_signal(signal.SIGHUP)
        until(lambda: log_of(stage).count("the config was read again") == 2, "the old config is back")
        (second / "b.ris").write_text(to_ris(WORKS[2:4]))
        (stage.inbox / "c.ris").write_text(to_ris(WORKS[4:6]))
        until((stage.inbox / "done" / "c.ris").exists, "the old inbox is watched all along")
        assert (second / "b.ris").exists()
        assert ends(process, signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("[inbox.default]\n", "not valid TOML"),
        ("[inbox.second]\npath = 'inbox'\n", "lie in each other"),
        ("[state]\npath = 'elsewhere.sqlite'\n", "another ledger needs a new start"),
        ("[schedule]\nrefresh = '0 0 31 2 *'\n", "names a day that never comes"),
    ],
    ids=["no TOML", "clash", "another state", "never"],
)
def test_a_faulty_config_is_told_and_the_old_one_stays(stage: Scene, fault: str, told: str) -> None:
    with daemon(stage) as process:
        with stage.config.open("a") as config:
            config.write(fault)
        process.send_signal(signal.SIGHUP)
        until(lambda: "the config is refused, the old one stays" in log_of(stage), "it is refused")
        assert told in log_of(stage)
        (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]))
        until((stage.inbox / "done" / "a.ris").exists, "the old config goes on")
        assert ends(process, signal.SIGTERM) == 0


def test_a_config_read_again_in_the_middle_of_a_run_leaves_that_run_alone(stage: Scene) -> None:
    stage.write_config(use=["crossref"])
    held = Event()
    stage.crossref.hang(held, times=None)
    (stage.inbox / "a.ris").write_text(to_ris(WORKS))
    with daemon(stage) as process:
        stage.crossref.await_pending(1, LONGEST)
        stage.config.write_text(stage.config.read_text().replace("[inbox.default]", '[inbox.renamed]\npath = "other"'))
        (stage.folder / "other").mkdir()
        process.send_signal(signal.SIGHUP)
        until(lambda: "the config was read again" in log_of(stage), "it is taken at once")
        held.set()
        until((stage.inbox / "done" / "a.ris").exists, "the run ends as it began")
        assert ends(process, signal.SIGTERM) == 0
    assert "Traceback" not in log_of(stage)


def test_in_quiet_hours_a_file_waits_and_an_order_by_hand_does_not(stage: Scene) -> None:
    """Whatever the hour: quiet for twelve hours around now, then for the other twelve."""
    from datetime import datetime, timedelta

    now = datetime.now()  # noqa: DTZ005 (the config's zone is the machine's)
    ago, ahead = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (-6, 6))
    (stage.inbox / "waits.ris").write_text(to_ris(WORKS[:2]))
    with daemon(stage, ZOTDROP__SCHEDULE__QUIET_HOURS=f"{ago}-{ahead}") as process:
        path = stage.drop("by-hand.ris", to_ris(WORKS[2:4]))
        assert b"2 records in = 2 created" in stage.run("sync", str(path)).stdout
        assert (stage.inbox / "waits.ris").exists()
        assert ends(process, signal.SIGTERM) == 0
    with daemon(stage, ZOTDROP__SCHEDULE__QUIET_HOURS=f"{ahead}-{ago}") as process:
        until((stage.inbox / "done" / "waits.ris").exists, "it is taken")
        assert ends(process, signal.SIGTERM) == 0


def test_a_snapshot_on_schedule_sees_what_changed_in_the_library_and_writes_nothing(stage: Scene) -> None:
    stage.write_config("user", use=[])
    with daemon(stage, ZOTDROP__SCHEDULE__SNAPSHOT="every 1s") as process:
        until(lambda: len([one for one in stage.zotero.log if "since=" in one.query]) >= 2, "it came round twice")
        assert ends(process, signal.SIGTERM) == 0
    assert {request.method for request in stage.zotero.log} == {"GET"}
    assert json.loads(stage.run("--json", "status").stdout)["outcomes"] == {}
