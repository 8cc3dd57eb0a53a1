"""What may lie in an inbox of which anybody can be the author: none of it is followed, waited for, or shown to the wrong people."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import socket
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from sync import drops, service
from sync.config import load
from sync.errors import UsageFault
from sync.orders import Order, carry_out, tasks
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and rights as POSIX has them")

WORKS = make_works(6, seed=43)
TEXT = to_ris(WORKS[:1], newline="\n")
PRIVATE = to_ris(WORKS[1:2], newline="\n")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0)
        yield made


def held(stage: Scene, name: str) -> str:
    """Why a file was put into held/; byte for byte what came lies beside."""
    report = json.loads((stage.inbox / "held" / f"{name}.report.json").read_text())
    assert (stage.inbox / "held" / name).exists()
    return str(report["message"])


@posix
def test_links_pipes_devices_and_sockets_are_left_alone_and_what_they_lead_to_is_never_read(
    stage: Scene, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "private.ris").write_text(PRIVATE)
    (stage.inbox / "link.ris").symlink_to(secret / "private.ris")
    (stage.inbox / "folder").symlink_to(secret)
    (stage.inbox / "nowhere.ris").symlink_to(tmp_path / "missing")
    (stage.inbox / "round.ris").symlink_to(stage.inbox / "round.ris")
    os.mkfifo(stage.inbox / "pipe.ris")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stage.inbox / "socket.ris"))
        if os.geteuid() == 0:
            os.mknod(stage.inbox / "device.ris", stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero, which never ends
        (stage.inbox / "good.ris").write_text(TEXT)
        stage.run("run", "--once")
    assert [item["DOI"] for item in stage.items()] == [WORKS[0].doi]
    assert (secret / "private.ris").read_text() == PRIVATE
    left = {path.name for path in stage.inbox.iterdir()} - {"device.ris"}
    assert left == {"done", "folder", "link.ris", "nowhere.ris", "pipe.ris", "round.ris", "socket.ris"}
    assert {path.name for path in (stage.inbox / "done").iterdir()} == {"good.ris", "good.ris.report.json"}


@posix
@pytest.mark.parametrize("trick", ["file", "folder"])
def test_a_link_that_takes_a_files_place_between_look_and_work_is_not_followed(
    stage: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture, trick: str
) -> None:
    """Otherwise whoever may write to the inbox has the service read and move its own files, the one with the key as well."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "a.ris").write_text(PRIVATE)
    path = stage.inbox / "sub" / "a.ris"
    path.parent.mkdir()
    path.write_text(TEXT)
    config = load(stage.config, stage.env())
    order = Order(paths=(str(path),), inbox="default", wait_sources=True)
    path.unlink()
    if trick == "file":
        path.symlink_to(private / "a.ris")
    else:
        path.parent.rmdir()
        path.parent.symlink_to(private)
    (report,) = carry_out(config, order, kind="daemon", stop=Event(), tell=lambda *_: None)
    assert report.drops == ()
    assert "links are not" in caplog.text
    assert (private / "a.ris").read_text() == PRIVATE
    assert not (stage.inbox / "done").exists()


@posix
@pytest.mark.parametrize("there", ["link", "pipe"])
def test_what_takes_a_files_place_at_the_last_moment_is_neither_read_nor_waited_for(tmp_path: Path, there: str) -> None:
    path = tmp_path / "a.ris"
    (tmp_path / "secret").write_text(TEXT)
    if there == "link":
        path.symlink_to(tmp_path / "secret")
    else:
        os.mkfifo(path)
    with pytest.raises(UsageFault, match=r"it is a link|this is no file"), drops.open_lines(path):
        pass
    with pytest.raises(UsageFault, match=r"it is a link|this is no file"):
        drops.take(path, "default", tmp_path)


@posix
@pytest.mark.parametrize("name", ["%2e%2e%2f..%2fa.ris", "C:\\..\\b.ris", "-rf a\nb;id.ris", "{subfolder}.ris"])
def test_a_name_is_a_name_and_leads_nowhere(stage: Scene, tmp_path: Path, name: str) -> None:
    (stage.inbox / name).write_text(TEXT)
    before = {path for path in tmp_path.rglob("*") if stage.inbox not in path.parents}
    stage.run("run", "--once")
    new = {path for path in tmp_path.rglob("*") if stage.inbox not in path.parents} - before
    assert {path.relative_to(tmp_path).parts[0] for path in new} <= {"state", "library.sqlite"}
    assert sorted(path.name for path in (stage.inbox / "done").iterdir()) == sorted([name, f"{name}.report.json"])
    assert len(stage.items()) == 1


def zipped(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ris", text)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zip": zipped, "xz": lzma.compress}


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_file_is_told_held_and_never_unpacked(stage: Scene, kind: str) -> None:
    data = PACKERS[kind](TEXT.encode())
    (stage.inbox / "a.ris").write_bytes(data)
    stage.run("run", "--once", code=5)
    assert "archive" in held(stage, "a.ris")
    assert "unpack it" in held(stage, "a.ris")
    assert (stage.inbox / "held" / "a.ris").read_bytes() == data
    assert stage.items() == []


@posix
def test_a_file_above_the_limit_is_not_read_stays_where_it_is_and_keeps_no_other(stage: Scene) -> None:
    """A terabyte that takes no room: to hash it would take the better part of an hour."""
    with (stage.inbox / "huge.ris").open("wb") as file:
        file.truncate(10**12)
    (stage.inbox / "good.ris").write_text(TEXT)
    done = stage.run("run", "--once")
    assert b"huge.ris: 1,000,000 MB are more than [limits] max_drop_mb = 2000 allows" in done.stderr
    assert (stage.inbox / "huge.ris").stat().st_size == 10**12
    assert (stage.inbox / "done" / "good.ris").exists()
    by_hand = stage.run("sync", str(stage.inbox / "huge.ris"), code=2)
    assert b"max_drop_mb" in by_hand.stderr


@posix
def test_the_service_leaves_a_file_above_the_limit_and_works_off_the_others(
    stage: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with (stage.inbox / "huge.ris").open("wb") as file:
        file.truncate(10**12)
    (stage.inbox / "good.ris").write_text(TEXT)
    daemon = service.Daemon(load(stage.config, stage.env()), now=lambda: 0.0)
    daemon.look("default")
    daemon.look("default")
    assert (stage.inbox / "done" / "good.ris").exists()
    assert (stage.inbox / "huge.ris").exists()
    assert sum("max_drop_mb" in one.message for one in caplog.records) == 1


def test_the_limit_is_to_the_byte(stage: Scene) -> None:
    stage.write_config(use=[], limits_max_drop_mb=0.001)
    config = load(stage.config, stage.env())
    for size, refused in ((1000, False), (1001, True)):
        (stage.inbox / "a.ris").write_bytes(b" " * size)
        assert bool(tasks._too_large(config, stage.inbox / "a.ris")) is refused
