"""The daemon in a storm: killed, stopped, its services failing, its disk full, its clock set, while files come and a person edits."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from tests.chaos.storm import DISK_MB, Plan, calm, rage, small_disk, storm
from tests.chaos.verdict import judge, text
from tests.scene import ROOT, scene
from tests.servers.works import make_works, to_ris

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and mounts as POSIX has them")

LONGEST = 60.0  # seconds that anything here may take


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_whatever_happens_every_record_is_in_the_library_once_and_no_edit_is_undone(tmp_path: Path) -> None:
    plan = Plan(seed=7, seconds=30.0, every=0.8, most=5, kill_every=1.5, works=400, least_faults=8, least_kills=1)
    with storm(tmp_path, plan) as here:
        rage(here)
        calm(here, patience=240)
        found = judge(here)
    told = text(here, found)
    assert not found.complaints, told
    assert (found.lost, found.doubled) == (0, 0)
    met = [
        found.files >= 20,
        found.records >= 30,
        here.keeper.ends["SIGKILL"] >= 1,
        here.faults >= 5,
        here.editor.did.total() >= 10,
    ]
    assert all(met), f"too calm a storm to show anything:\n{told}"


def test_the_storm_has_a_disk_of_its_own_to_fill(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as (folder, is_own):
        if not is_own:
            pytest.skip("nothing may be mounted here: the storm leaves the full disk out")
        facts = os.statvfs(folder)
        assert facts.f_blocks * facts.f_frsize == DISK_MB << 20


def until(claim: Callable[[], bool], what: str) -> None:
    pause = Event()
    for _ in range(int(LONGEST / 0.05)):
        if claim():
            return
        pause.wait(0.05)
    raise AssertionError(f"never came true: {what}")


@pytest.mark.parametrize(
    ("before", "after"), [("86400", "0"), ("0", "600000000")], ids=["back by a day", "on by years"]
)
def test_a_clock_that_is_set_does_not_stop_the_service(tmp_path: Path, before: str, after: str) -> None:
    back = int(after) < int(before)
    works = make_works(2, seed=41)
    clock, log = tmp_path / "clock", tmp_path / "daemon.log"
    clock.write_text(before)
    with scene(tmp_path, works) as stage, log.open("wb") as out:
        stage.write_config(use=[])
        clockwork = {"PYTHONPATH": str(Path(__file__).parent / "clock"), "CHAOS_CLOCK": str(clock)}
        process = subprocess.Popen(stage.command("run"), stdout=out, stderr=out, cwd=ROOT, env=stage.env(**clockwork))
        try:
            (stage.inbox / "a.ris").write_text(to_ris(works[:1]))
            until((stage.inbox / "done" / "a.ris").exists, "the first drop is done")
            clock.write_text(after)
            (stage.inbox / "b.ris").write_text(to_ris(works[1:]))
            until((stage.inbox / "done" / "b.ris").exists, "the one after the clock was set is done too")
            until(lambda: b"the timetable follows" in log.read_bytes(), "the service has seen that the clock was set")
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONGEST) == 0
        finally:
            process.kill()
            process.wait()
    told = log.read_bytes()
    assert (b" s back; the timetable follows" in told, b" s ahead; the timetable follows" in told) == (back, not back)
