"""What may befall a file on its way in: nothing is lost, nothing is done twice, and what cannot be done is told once."""

from __future__ import annotations

import logging
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sync import drops, orders, wiring
from sync.config import Config, Schedule, load
from sync.service import daemon as room
from sync.service import watching as room_of_watching
from sync.service.daemon import Daemon
from sync.service.watching import Watch
from sync.steps import intake
from tests.servers.works import make_works, to_ris

WORKS = make_works(40, seed=12)
PACE = Schedule()  # the delays between two tries
CONFIG = """
[state]
min_free_mb = 0
[sources]
use = []
[inbox.default]
settle_seconds = 10
"""


class Intake:
    """A daemon in this process, on real folders, real files and a real ledger, with a clock that the test moves."""

    def __init__(self, folder: Path, more: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / "zotdrop.toml"
        self.file.write_text(f"{CONFIG}{more}\n")
        self.inbox = folder / "inbox"
        self.inbox.mkdir(exist_ok=True)
        self.at = 0.0
        self.daemon = self.start()

    @property
    def config(self) -> Config:
        return load(self.file, {})

    def start(self) -> Daemon:
        return Daemon(self.config, now=lambda: self.at)

    def drop(self, name: str, first: int = 0, last: int = 1) -> Path:
        path = self.inbox / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(to_ris(WORKS[first:last]))
        return path

    def look(self, times: int = 2, apart: float = 11.0) -> None:
        """Look so many times; two looks and the time to settle are what a file takes."""
        for _ in range(times):
            self.at += apart
            self.daemon.look("default")

    def titles(self) -> list[str]:
        library: Any = wiring.open_library(self.config, "main", self.daemon.stop)
        try:
            return sorted(item.data["title"] for item in library.items() if item.data["itemType"] != "note")
        finally:
            library.close()

    def named(self, first: int, last: int) -> list[str]:
        return sorted(work.title for work in WORKS[first:last])

    def done(self) -> list[str]:
        return sorted(path.name for path in (self.inbox / "done").rglob("*.ris"))


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were hashed, in order."""
    names: list[str] = []
    real = drops.take

    def take(path: Path, inbox: str, root: Path) -> drops.Drop:
        names.append(path.name)
        return real(path, inbox, root)

    monkeypatch.setattr(drops, "take", take)
    return names


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without rights, where the tests run as root; as who they run as elsewhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that somebody without rights can come to and owns."""
    folder = tmp_path_factory.mktemp("common")
    if os.geteuid() == 0:
        for above in (folder, *folder.parents[:-2]):  # a worker of the tests has one more
            if above.owner() == folder.owner():
                above.chmod(above.stat().st_mode | 0o111)
        os.chown(folder, 65534, 65534)
    return folder


# ---- files --------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_once_it_has_been_still_for_two_looks_and_the_time_to_settle(here: Intake) -> None:
    here.drop("a.ris")
    here.look(1)
    here.look(3, apart=3.0)
    assert here.done() == []
    here.look(1, apart=3.0)
    assert (here.done(), here.titles()) == (["a.ris"], here.named(0, 1))


def test_a_file_that_grows_or_gets_another_name_begins_to_settle_anew(here: Intake) -> None:
    path = here.drop("a.ris")
    here.look(1)
    with path.open("a") as file:
        file.write(to_ris(WORKS[1:2]))
    here.look(1)
    path.rename(here.inbox / "b.ris")
    here.look(1)
    assert here.done() == []
    here.look(1)
    assert (here.done(), here.titles()) == (["b.ris"], here.named(0, 2))


def test_the_same_bytes_under_two_names_are_worked_off_once_and_both_leave(here: Intake, told: Any) -> None:
    here.drop("a.ris", 0, 3)
    here.drop("b.ris", 0, 3)
    here.look()
    assert (here.done(), here.titles()) == (["a.ris", "b.ris"], here.named(0, 3))
    assert "the same file was worked off before" in told.text


def test_a_file_that_is_replaced_while_it_is_read_is_read_again_as_it_is_now(
    here: Intake, monkeypatch: pytest.MonkeyPatch, told: Any
) -> None:
    path = here.drop("a.ris", 0, 3)
    real = intake.readings

    def readings(lines: drops.Lines) -> Any:
        monkeypatch.setattr(intake, "readings", real)
        yield from real(lines)
        path.write_text(to_ris(WORKS[3:8]))

    monkeypatch.setattr(intake, "readings", readings)
    here.look()
    assert "it was changed while it was read" in told.text
    assert here.titles() == []
    here.look()
    assert (here.done(), here.titles()) == (["a.ris"], here.named(3, 8))
    ledger = wiring.open_ledger(here.config)
    assert (ledger.totals(), len(ledger.records.drops())) == ({"created": 5}, 1)
    ledger.close()


@pytest.mark.parametrize(
    "name", ["文献.ris", "مراجع.ris", "Zürich (2).ris", "a\nb.ris", "caf\udce9.ris", "sub\udcff/x.ris"]
)
def test_names_in_any_script_and_names_that_are_no_text_go_through(here: Intake, name: str) -> None:
    here.drop(name)
    here.look()
    assert [os.fsencode(one) for one in here.done()] == [os.fsencode(Path(name).name)]
    assert here.titles() == here.named(0, 1)


def test_a_link_to_the_inbox_keeps_subfolders_apart(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "inbox").symlink_to(tmp_path / "real")
    here = Intake(tmp_path)
    here.drop("sub/a.ris")
    here.look()
    assert (tmp_path / "real" / "done" / "sub" / "a.ris").exists()


# ---- rights -------------------------------------------------------------------------------------------------------


def test_what_we_may_not_read_is_told_once_keeps_no_other_and_is_taken_when_we_may(common: Path, told: Any) -> None:
    with nobody():
        here = Intake(common / "a")
        closed, folder = here.drop("closed.ris", 0, 1), here.drop("sub/inside.ris", 1, 2).parent
        here.drop("open.ris", 2, 3)
        closed.chmod(0)
        folder.chmod(0)
        here.look(10)
        assert here.titles() == here.named(2, 3)
        assert (told.text.count(f"{closed}: cannot be read"), told.text.count(f"{folder}: cannot be read")) == (1, 1)
        closed.chmod(0o600)
        folder.chmod(0o700)
        here.look()
        assert here.titles() == here.named(0, 3)


def test_a_run_by_schedule_passes_over_what_we_may_not_read_too(common: Path, told: Any) -> None:
    with nobody():
        here = Intake(common / "c", "poll_seconds = 1")
        here.file.write_text(here.file.read_text().replace("settle_seconds = 10", "settle_seconds = 0"))
        here.daemon = here.start()
        here.drop("closed.ris", 0, 1).chmod(0)
        here.drop("open.ris", 1, 2)
        here.daemon.run_inbox("default")
        assert here.titles() == here.named(1, 2)
        assert told.text.count("closed.ris: cannot be read") == 1


def test_an_inbox_that_may_not_be_written_is_worked_off_and_left_and_its_files_are_not_hashed_again(
    common: Path, told: Any, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody():
        here = Intake(common / "b")
        here.drop("a.ris", 0, 1)
        here.drop("b.ris", 1, 2)
        here.inbox.chmod(0o500)
        here.look()
        assert here.titles() == here.named(0, 2)
        assert told.text.count("stopped: ") == 1
        hashed = len(taken)
        with monkeypatch.context() as patched:
            patched.setattr(room, "carry_out", None)
            here.look(20, apart=PACE.retry_most)
        assert (len(taken), told.text.count("stopped: ")) == (hashed, 1)
        here.drop("a.ris", 2, 3)  # the same name, other bytes
        here.look()
        assert here.titles() == here.named(0, 3)
        here.inbox.chmod(0o700)
        here.look(3, apart=PACE.retry_most)
        assert here.done() == ["a.ris", "b.ris"]


def test_files_that_shall_stay_are_remembered_and_after_a_new_start_hashed_once(
    tmp_path: Path, taken: list[str]
) -> None:
    here = Intake(tmp_path, 'on_success = "leave"')
    for number in range(5):
        here.drop(f"{number}.ris", number, number + 1)
    here.look(20, apart=PACE.retry_most)
    assert len(taken) == 5
    here.daemon = here.start()
    here.look(20, apart=PACE.retry_most)
    assert len(taken) == 10
    assert here.titles() == here.named(0, 5)


# ---- folders ------------------------------------------------------------------------------------------------------


def test_a_folder_that_vanishes_is_a_pause_told_once_and_its_return_is_told_too(here: Intake, told: Any) -> None:
    away = here.inbox.with_name("away")
    here.look(1)
    here.inbox.rename(away)
    here.look(10)
    here.inbox.write_text("a file where the folder was")
    here.look(5)
    assert told.text.count("waiting for it to come back") == 1
    here.inbox.unlink()
    away.rename(here.inbox)
    here.drop("a.ris")
    here.look()
    assert told.text.count("is back") == 1
    assert here.done() == ["a.ris"]


def test_a_file_where_the_folder_should_be_is_named_as_that(here: Intake, told: Any) -> None:
    here.inbox.rmdir()
    here.inbox.write_text("a file")
    here.look(3)
    assert told.text.count("is not there: a file lies in its place, move it away") == 1
    assert "is gone" not in told.text


def test_of_an_inbox_with_a_schedule_too_it_is_told_how_its_folder_stands(tmp_path: Path) -> None:
    here = Intake(tmp_path, 'schedule = "0 3 * * *"')
    here.file.write_text(here.file.read_text().replace("settle_seconds = 10", "settle_seconds = 0"))
    here.daemon = here.start()

    def stands() -> tuple[bool, int, int]:
        own = here.daemon.bulletin.state()["inboxes"]["default"]
        return own["there"], own["waiting"], own["held"]

    here.drop("good.ris", 0, 1)
    here.drop("bad.ris").write_text("this is no export\n")
    here.daemon.run_inbox("default")
    assert stands() == (True, 0, 1)
    here.inbox.rename(here.inbox.with_name("away"))
    here.daemon.run_inbox("default")
    assert stands() == (False, 0, 0)
    here.inbox.with_name("away").rename(here.inbox)
    here.daemon.run_inbox("default")
    assert stands() == (True, 0, 1)


def test_how_an_inbox_with_a_schedule_stands_is_told_before_its_run_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Intake(tmp_path, 'schedule = "0 3 * * *"')
    here.drop("a.ris")
    seen: list[int] = []

    def run(*_args: object, **_named: object) -> list[object]:
        seen.append(here.daemon.bulletin.state()["inboxes"]["default"]["waiting"])
        return []

    monkeypatch.setattr(room, "carry_out", run)
    here.daemon.run_inbox("default")
    assert seen == [1]


def test_what_shall_stay_in_an_inbox_with_a_schedule_waits_only_until_it_is_worked_off(tmp_path: Path) -> None:
    here = Intake(tmp_path, 'schedule = "0 3 * * *"\non_success = "leave"')
    here.file.write_text(here.file.read_text().replace("settle_seconds = 10", "settle_seconds = 0"))
    here.daemon = here.start()
    path = here.drop("a.ris")
    here.daemon.run_inbox("default")
    assert here.daemon.bulletin.state()["inboxes"]["default"]["waiting"] == 0
    path.write_text(to_ris(WORKS[:2]))
    watch = here.daemon._watches["default"]
    watch.see()
    assert watch.waiting == [str(path)]


# ---- many ---------------------------------------------------------------------------------------------------------


def test_many_files_at_once_travel_in_parts_and_each_is_hashed_once_before_and_once_after(
    here: Intake, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AT_ONCE", 8)
    sizes: list[int] = []
    real = orders.carry_out

    def carry_out(config: Config, order: orders.Order, **more: Any) -> Any:
        sizes.append(len(order.paths))
        return real(config, order, **more)

    monkeypatch.setattr(room, "carry_out", carry_out)
    for number in range(20):
        here.drop(f"{number:02}.ris", number, number + 1)
    here.look(5)
    assert sizes == [8, 8, 4]
    assert sorted(taken) == sorted([f"{number:02}.ris" for number in range(20)] * 2)
    assert here.titles() == here.named(0, 20)


def test_ten_thousand_files_are_listed_in_bounded_memory_and_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Intake(tmp_path)
    for number in range(10_000):
        (here.inbox / f"export {number:05}.ris").touch()
    watch = Watch.of("default", here.config.inbox["default"], PACE)
    opened: list[object] = []
    monkeypatch.setattr(os, "open", lambda *args, **_: opened.append(args))
    tracemalloc.start()
    for look in range(3):
        assert watch.look(look * 1.0) == []
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened == []
    assert held < 10_000_000
    assert peak < 20_000_000


# ---- full disks ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of three megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], capture_output=True, check=False
        )
    except OSError:
        made = None
    if made is None or made.returncode:
        pytest.skip("a small file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room there is."""
    ballast = folder / ".ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


@pytest.mark.parametrize("place", ["ledger", "library", "inbox"])
def test_a_full_disk_loses_nothing_is_told_and_what_stayed_is_done_when_there_is_room(
    tmp_path: Path, small: Path, told: Any, place: str
) -> None:
    config = {
        "ledger": f"[state]\nmin_free_mb = 0\npath = '{small}/state.sqlite'\n[sources]\nuse = []\n[inbox.default]",
        "library": f"[library.main]\npath = '{small}/library.sqlite'\n[inbox.default]",
        "inbox": f"[inbox.default]\npath = '{small}/inbox'",
    }[place]
    here = Intake(tmp_path)
    base = "" if place == "ledger" else "[state]\nmin_free_mb = 0\n[sources]\nuse = []\n"
    here.file.write_text(f"{base}{config}\nsettle_seconds = 10\n")
    here.inbox = small / "inbox" if place == "inbox" else here.inbox
    here.inbox.mkdir(exist_ok=True)
    here.daemon = here.start()
    here.drop("first.ris", 0, 1)
    here.look()
    assert here.titles() == here.named(0, 1)
    path = here.drop("a.ris", 1, 40)
    ballast = fill(small)
    here.look(6)
    assert path.exists()
    assert "full" in told.text or "No space left" in told.text
    assert "Traceback" not in told.text
    ballast.unlink()
    here.look(3, apart=PACE.retry * 8)
    assert (here.done(), here.titles()) == (["a.ris", "first.ris"], here.named(0, 40))
    assert [left.name for left in here.inbox.rglob("*.part")] == []


def test_too_little_room_is_told_once_and_so_is_its_end(
    here: Intake, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.drop("a.ris")
    real: Callable[[Config], int] = wiring.free_mb
    monkeypatch.setattr(wiring, "free_mb", lambda _: -1)
    here.look(10)
    assert here.done() == []
    assert told.text.count("nothing new is taken in") == 1
    monkeypatch.setattr(wiring, "free_mb", real)
    here.look(1)
    assert told.text.count("there is room again") == 1
    assert here.done() == ["a.ris"]


def test_a_drop_that_is_held_is_a_warning_in_the_log_and_a_number(here: Intake, told: pytest.LogCaptureFixture) -> None:
    here.drop("good.ris", 0, 1)
    here.drop("bad.ris").write_text("this is no export\n")
    here.look()
    lines = {record.drop: record.levelname for record in told.records if hasattr(record, "drop") and record.drop}
    assert lines == {str(here.inbox / "good.ris"): "INFO", str(here.inbox / "bad.ris"): "WARNING"}
    here.look(1)
    assert here.daemon.bulletin.state()["inboxes"]["default"]["held"] == 1
    (here.inbox / "held" / "bad.ris").unlink()
    here.look(1, apart=0.1)
    assert here.daemon.bulletin.state()["inboxes"]["default"]["held"] == 0


def test_where_many_files_are_held_they_are_counted_more_seldom(here: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_of_watching, "HELD_RATE", 1)
    held = [here.drop(f"held/{number}.ris") for number in range(5)]
    here.look(1)
    held[0].unlink()
    for apart, count in ((4.9, 5), (0.2, 4)):
        here.look(1, apart=apart)
        assert here.daemon.bulletin.state()["inboxes"]["default"]["held"] == count


def test_a_held_folder_that_nobody_may_enter_keeps_no_drop_from_being_worked_off(common: Path) -> None:
    with nobody():
        here = Intake(common / "e")
        here.drop("held/bad.ris")
        here.look(1)
        here.drop("a.ris")
        (here.inbox / "held").chmod(0)
        here.look(2, apart=100.0)
        assert here.titles() == here.named(0, 1)
        assert here.daemon.bulletin.state()["inboxes"]["default"]["held"] == 1
        (here.inbox / "held").chmod(0o700)


def test_an_inbox_that_nobody_may_enter_keeps_the_service_going(common: Path, told: Any) -> None:
    with nobody():
        here = Intake(common / "f")
        here.drop("held/bad.ris")
        here.look(1)
        here.inbox.chmod(0)
        here.look(2, apart=100.0)
        state = here.daemon.bulletin.state()["inboxes"]["default"]
        assert (state["there"], state["held"]) == (False, 1)
        assert "cannot be looked into" in told.text
        here.inbox.chmod(0o700)
