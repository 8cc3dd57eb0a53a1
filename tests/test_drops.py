"""Files: found when they are whole, read to the byte, moved and never lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync import drops
from sync.core.encodings import Detector
from sync.errors import UsageFault, ZotdropError

TEXT = "TY  - JOUR\r\nTI  - Müller über “Größe”\rAU  - Åström, É.\nER  - \n"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


def dropped(root: Path, name: str = "a.ris", data: bytes = b"TY  - JOUR\nER  - \n") -> drops.Drop:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return drops.take(path, "default", root)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines_are_split_and_decoded_and_their_ranges_are_the_file(encoding: str) -> None:
    data = TEXT.encode(encoding)
    lines = list(drops.lines_of(data))
    assert [line.text for line in lines] == ["TY  - JOUR", "TI  - Müller über “Größe”", "AU  - Åström, É.", "ER  - "]
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert b"".join(data[line.start : line.end] for line in lines) == data


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=20), max_size=12
    ),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(ENCODINGS[:5]),
    st.booleans(),
)
def test_whatever_stands_in_a_file_its_lines_are_all_of_it(
    parts: list[str], end: str, encoding: str, closed: bool
) -> None:
    text = "TY  - JOUR" + end + end.join(parts) + (end if closed else "")
    data = text.encode(encoding)
    name = {"utf-8-sig": "auto", "utf-16": "auto"}.get(encoding, encoding)
    lines = list(drops.lines_of(data, name))
    assert b"".join(data[line.start : line.end] for line in lines) == data
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    event(f"{len(expected) > 2}")
    assert [line.text for line in lines] == expected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller über “Größe” – naïve café", "cp1252"),
        ("Журнал неврологии и психиатрии имени Корсакова, исследование сна", "cp1251"),
        ("日本語の論文の題名です。睡眠の研究", "shift-jis"),
    ],
)
def test_an_encoding_that_is_not_utf8_is_guessed_and_said(text: str, encoding: str) -> None:
    found = drops.lines_of(f"TY  - JOUR\nTI  - {text}\nER  - \n".encode(encoding))
    assert found.guess.guessed
    assert [line.text for line in found][1] == f"TI  - {text}"


def test_bytes_that_cp1252_does_not_have_are_read_as_latin_1() -> None:
    detector = Detector()
    detector.feed(b"caf\xe9 \x81\x8d na\xefve")
    assert detector.result().encoding == "latin-1"


def test_a_named_encoding_is_not_guessed_at() -> None:
    lines = drops.lines_of("é".encode("mac-roman"), "mac-roman")
    assert ([line.text for line in lines], lines.guess.guessed) == (["é"], False)


def test_an_empty_file_has_no_lines() -> None:
    assert list(drops.lines_of(b"")) == []


def test_a_line_that_is_longer_than_a_chunk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drops, "CHUNK", 16)
    data = b"a" * 100 + b"\r" + b"b" * 15 + b"\r\n" + b"c" * 40
    (tmp_path / "a.ris").write_bytes(data)
    with drops.open_lines(tmp_path / "a.ris") as lines:
        assert [len(line.text) for line in lines] == [100, 15, 40]


def test_only_files_that_may_be_drops_are_seen(tmp_path: Path) -> None:
    for name in ("a.ris", "sub/b.ris", "done/c.ris", "held/d.ris", "sub/done/e.ris"):
        dropped(tmp_path, name)
    for name in (
        "x.ris.part", "x.crdownload", "x.filepart", "x.tmp", "~$x.docx", ".hidden", ".~lock.x#", ".syncthing.x", "~syncthing~x",
        "._x.ris", ".DS_Store", "desktop.ini", "Thumbs.db", ".dropbox.attr", "@eaDir/x.ris", ".stfolder/x.ris", ".stversions/x.ris",
        "a.ris.report.json",
    ):  # fmt: skip
        dropped(tmp_path, name)
    os.mkfifo(tmp_path / "pipe.ris")
    (tmp_path / "link.ris").symlink_to(tmp_path / "a.ris")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in drops.scan(tmp_path)] == [
        "a.ris",
        "sub/b.ris",
        "sub/done/e.ris",
    ]


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageFault, match="/nowhere"):
        drops.scan(Path("/nowhere"))


def test_a_file_is_taken_once_it_has_been_still_long_enough() -> None:
    settle, path = drops.Settle(10.0), Path("a.ris")
    one, other = drops.Stamp(5, 100, 1), drops.Stamp(9, 200, 1)
    assert settle.feed({path: one}, 0.0) == []
    assert settle.feed({path: one}, 9.0) == []
    assert settle.feed({path: other}, 11.0) == []
    assert settle.feed({path: other}, 20.0) == []
    assert settle.feed({path: other}, 21.0) == [path]
    assert settle.feed({path: drops.Stamp(9, 200, 2)}, 40.0) == []
    assert settle.feed({}, 41.0) == []
    assert settle.feed({path: other}, 99.0) == []


def test_settling_is_waited_for_with_patience_and_no_longer(tmp_path: Path) -> None:
    dropped(tmp_path)
    clock = 0.0

    def wait(seconds: float) -> None:
        nonlocal clock
        clock += seconds

    assert drops.settled(tmp_path, 5.0, now=lambda: clock, wait=wait, patience=60.0) == [tmp_path / "a.ris"]
    assert 5.0 <= clock < 8.0

    def disturb(seconds: float) -> None:
        wait(seconds)
        (tmp_path / "a.ris").write_bytes(b"x" * int(clock * 10))

    assert drops.settled(tmp_path, 5.0, now=lambda: clock, wait=disturb, patience=20.0) == []
    (tmp_path / "a.ris").unlink()
    assert drops.settled(tmp_path, 5.0, now=lambda: clock, wait=wait, patience=60.0) == []


def test_a_drop_knows_its_hash_and_its_subfolder(tmp_path: Path) -> None:
    drop = dropped(tmp_path, "one/two/a.ris", b"abc")
    assert (drop.sha256, drop.size, drop.subfolder) == (hashlib.sha256(b"abc").hexdigest(), 3, "one/two")
    assert drops.take(tmp_path / "one" / "two" / "a.ris", "x", Path("/elsewhere")).subfolder == ""
    with pytest.raises(UsageFault, match="cannot be read"):
        drops.take(tmp_path / "missing.ris", "x", tmp_path)


def test_a_drop_is_archived_with_its_report_and_never_over_another(tmp_path: Path) -> None:
    first = drops.archive(dropped(tmp_path, "s/a.ris", b"one"), tmp_path, {"n": 1})
    second = drops.archive(dropped(tmp_path, "s/a.ris", b"two"), tmp_path, {"n": 2})
    third = drops.archive(dropped(tmp_path, "s/a.ris", b"two"), tmp_path, {"n": 3})
    assert first == tmp_path / "done" / "s" / "a.ris"
    assert [path.read_bytes() for path in (first, second, third)] == [b"one", b"two", b"two"]
    assert len({first, second, third}) == 3
    assert [json.loads(Path(f"{path}.report.json").read_text())["n"] for path in (first, second, third)] == [1, 2, 3]
    assert not (tmp_path / "s" / "a.ris").exists()


def test_a_file_that_was_replaced_meanwhile_stays_where_it_is(tmp_path: Path) -> None:
    drop = dropped(tmp_path, "a.ris", b"old")
    drop.path.write_bytes(b"new")
    assert drops.hold(drop, tmp_path, {}) == drop.path
    drops.remove(drop)
    assert drop.path.read_bytes() == b"new"
    drop.path.unlink()
    assert drops.archive(drop, tmp_path, {}) == drop.path


def test_a_drop_may_be_deleted(tmp_path: Path) -> None:
    drop = dropped(tmp_path)
    drops.remove(drop)
    assert not drop.path.exists()


def test_an_archive_on_another_file_system_gets_a_whole_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = dropped(tmp_path, "a.ris", b"whole")

    def rename(_self: Path, _goal: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", rename)
    goal = drops.archive(drop, tmp_path, {})
    assert goal.read_bytes() == b"whole"
    assert not drop.path.exists()
    assert [path.name for path in goal.parent.iterdir() if path.name.endswith(".part")] == []


def test_a_folder_that_cannot_be_written_leaves_the_file_and_says_so(tmp_path: Path) -> None:
    drop = dropped(tmp_path)
    (tmp_path / "done").write_text("no folder")
    with pytest.raises(ZotdropError, match="cannot be moved"):
        drops.archive(drop, tmp_path, {})
    assert drop.path.exists()


def test_what_came_on_standard_input_is_kept_whole_and_once(tmp_path: Path) -> None:
    one, again = drops.store(tmp_path, b"abc"), drops.store(tmp_path, b"abc")
    assert one == again
    assert one.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [one]
