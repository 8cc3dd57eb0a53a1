"""Files: found when they are whole, read to the byte, moved and never lost."""

from __future__ import annotations

import codecs
import errno
import hashlib
import io
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync import drops
from sync.core.encodings import Detector
from sync.drops import lines as reading
from sync.errors import UsageFault, ZotdropError

TEXT = "TY  - JOUR\r\nTI  - Müller über “Größe”\rAU  - Åström, É.\nER  - \n"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
NAMED = [
    "utf-8",
    "utf-8-sig",
    "UTF-16",
    "UTF-16LE",
    "UTF_16_BE",
    "cp1252",
    "latin1",
    "shift-jis",
    "gb18030",
    "big5",
    "euc-kr",
]
# Letters whose two bytes look like line ends, or like halves of them, to who does not count in twos; and a pair of surrogates.
TRICKY = "\u0a0d\u0d0a\u0a00\u0d00\u000b\u0085\u2028\u2020\u0020\u0a20\U0001f600é"


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


def split(text: str) -> list[str]:
    """The lines of a text, at CRLF, CR and LF alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n") if text else []


@given(
    st.lists(st.sampled_from([*TRICKY, "a", "\r", "\n", "\r\n", "TY  - "]), max_size=40).map("".join),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030"]),
    st.booleans(),
    st.integers(1, 9),
)
def test_letters_that_look_like_line_ends_are_none_wherever_the_file_is_cut_for_reading(
    text: str, encoding: str, marked: bool, chunk: int
) -> None:
    mark = "\ufeff".encode(encoding) if marked and encoding != "gb18030" else b""
    data = mark + text.encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        lines = list(drops.lines_of(data, encoding))
    event(f"{encoding}, {len(lines) > 3}")
    assert b"".join(data[line.start : line.end] for line in lines) == data
    assert [line.text for line in lines if line.text or text] == split(text)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


@given(st.binary(max_size=60), st.sampled_from(["auto", *NAMED]), st.integers(1, 9), st.integers(4, 12))
def test_whatever_the_bytes_and_however_long_the_lines_the_ranges_are_the_file(
    data: bytes, encoding: str, chunk: int, longest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        patch.setattr(reading, "LONGEST", longest)
        lines = list(drops.lines_of(data, encoding))
    event(f"in pieces: {len({line.number for line in lines}) < len(lines)}")
    assert [line.start for line in lines] == [0, *(line.end for line in lines[:-1])][: len(lines)]
    assert (lines[-1].end if lines else 0) == len(data)
    assert all(line.start < line.end for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_line_that_is_too_long_is_cut_at_blanks_and_keeps_its_number(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 16)
    monkeypatch.setattr(reading, "LONGEST", 64)
    text = "Schöne Wörter \u2020\u0100\u0120\u2000ab " * 20  # two letters side by side may hold the bytes of a blank
    lines = list(drops.lines_of(f"TY  - JOUR\r\n{text}\r\nER  - \r\n".encode(encoding), encoding))
    pieces = [line for line in lines if line.number == 2]
    assert len(pieces) > 3
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text.endswith(" ") for piece in pieces[:-1])
    assert (lines[0].text, lines[-1].text, lines[-1].number) == ("TY  - JOUR", "ER  - ", 3)


@pytest.mark.parametrize(("encoding", "asked"), [("utf-8", "auto"), ("utf-16", "auto"), ("cp1252", "cp1252")])
@pytest.mark.parametrize("end", ["", "\r\n", "\r"])
def test_memory_grows_neither_with_a_file_nor_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, asked: str, end: str
) -> None:
    monkeypatch.setattr(reading, "CHUNK", 1 << 12)
    monkeypatch.setattr(reading, "LONGEST", 1 << 14)
    path = tmp_path / "a.ris"
    path.write_bytes((f"é word after word {end}" * 36_000).encode(encoding))
    tracemalloc.start()
    with drops.open_lines(path, asked) as lines:
        read = sum(line.end - line.start for line in lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == path.stat().st_size > 640_000
    assert peak < 400_000


def test_a_file_that_is_nothing_but_a_mark_is_one_empty_line() -> None:
    assert [(line.start, line.end, line.text) for line in drops.lines_of(codecs.BOM_UTF8)] == [(0, 3, "")]


@pytest.mark.parametrize("encoding", NAMED)
def test_an_encoding_may_be_named_in_any_of_its_spellings(encoding: str) -> None:
    text = "TY  - JOUR\r\nTI  - plain\nER  - "
    data = text.encode(encoding)
    lines = list(drops.lines_of(data, encoding))
    assert [line.text for line in lines] == split(text)
    assert b"".join(data[line.start : line.end] for line in lines) == data


@pytest.mark.parametrize("encoding", ["klingon", "hex", "undefined", "a\0b", "utf-32", "cp037", "idna"])
def test_an_encoding_that_nobody_knows_is_said(encoding: str) -> None:
    with pytest.raises(UsageFault, match="no encoding that text is read in"):
        drops.lines_of(b"x", encoding)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="cannot be read"), drops.open_lines(tmp_path / "gone.ris"):
        pass


@pytest.mark.parametrize("encoding", ["auto", "utf-8", "utf-16-le"])
@pytest.mark.parametrize("whole", [0, 1, 3])
def test_a_disk_that_breaks_off_in_the_middle_of_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, whole: int
) -> None:
    class Breaking(io.BytesIO):
        name, reads = str(tmp_path / "a.ris"), 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            if self.reads > whole:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    monkeypatch.setattr(reading, "CHUNK", 16)
    monkeypatch.setattr(reading, "opened", lambda *_: Breaking(b"TY  - JOUR\r\n" * 40))
    with (
        pytest.raises(UsageFault, match=r"a\.ris: cannot be read to its end \(Input/output error\)"),
        drops.open_lines(tmp_path / "a.ris", encoding) as lines,
    ):
        list(lines)


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
    monkeypatch.setattr(reading, "CHUNK", 16)
    data = b"a" * 100 + b"\r" + b"b" * 15 + b"\r\n" + b"c" * 40
    (tmp_path / "a.ris").write_bytes(data)
    with drops.open_lines(tmp_path / "a.ris") as lines:
        assert [len(line.text) for line in lines] == [100, 15, 40]


def test_only_files_that_may_be_drops_are_seen(tmp_path: Path) -> None:
    for name in ("a.ris", "sub/b.ris", "done/c.ris", "held/d.ris", "sub/done/e.ris"):
        dropped(tmp_path, name)
    for name in (
        "x.ris.part", "x.crdownload", "x.partial", "x.ris.download", ".x.swp", "x.ris~", "x.TMP", "x.filepart", "x.tmp", "~$x.docx", ".hidden", ".~lock.x#", ".syncthing.x", "~syncthing~x",
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


@pytest.mark.parametrize("refused", ["sub", "gone"])
def test_what_cannot_be_looked_at_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    dropped(tmp_path)
    (tmp_path / "sub").mkdir()
    real = os.scandir

    class Gone:
        name, path = "gone.ris", str(tmp_path / "gone.ris")

        def is_file(self, *, follow_symlinks: bool) -> bool:
            return not follow_symlinks

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            return Path(self.path).stat(follow_symlinks=follow_symlinks)

    @contextmanager
    def scandir(folder: Path) -> Iterator[list[Any]]:
        if folder.name == refused:
            raise PermissionError(13, "Permission denied")
        with real(folder) as entries:
            yield [*entries, Gone()]

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(drops.scan(tmp_path)) == [tmp_path / "a.ris"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ris")
    for path in (tmp_path / "pipe.ris", tmp_path):
        with pytest.raises(UsageFault, match="zotdrop sync -"):
            drops.take(path, "x", tmp_path)


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageFault, match="/nowhere"):
        drops.scan(Path("/nowhere"))


def test_a_file_is_taken_once_it_has_been_still_long_enough() -> None:
    settle, path = drops.Settle[Path](10.0), Path("a.ris")
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


def test_a_report_whose_drop_was_taken_away_is_not_written_over(tmp_path: Path) -> None:
    first = drops.archive(dropped(tmp_path, "a.ris", b"one"), tmp_path, {"n": 1})
    first.unlink()
    second = drops.archive(dropped(tmp_path, "a.ris", b"two"), tmp_path, {"n": 2})
    assert second.name == f"a.{hashlib.sha256(b'two').hexdigest()[:8]}.ris"
    assert json.loads(Path(f"{first}.report.json").read_text()) == {"n": 1}


def test_a_link_that_leads_nowhere_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "a.ris").symlink_to(tmp_path / "nowhere")
    goal = drops.archive(dropped(tmp_path), tmp_path, {})
    assert (goal.name != "a.ris", goal.read_bytes()) == (True, b"TY  - JOUR\nER  - \n")
    assert (tmp_path / "done" / "a.ris").is_symlink()


@pytest.mark.parametrize("name", ["é" * 125 + ".ris", "x" * 255, "a." + "y" * 250, "b" * 251 + ".ris"])
def test_a_name_that_leaves_no_room_for_the_report_s_is_shortened(tmp_path: Path, name: str) -> None:
    goals = [drops.archive(dropped(tmp_path, name, data), tmp_path, {}) for data in (b"one", b"two")]
    assert [goal.read_bytes() for goal in goals] == [b"one", b"two"]
    assert all(
        goal.suffix in {".ris", "", f".{hashlib.sha256(b'two').hexdigest()[:8]}"} or "y" in goal.name for goal in goals
    )
    assert all(Path(f"{goal}.report.json").exists() for goal in goals)


def test_a_name_that_is_no_text_does_not_stop_the_archive(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.ris"))
    path.write_bytes(b"x")
    goal = drops.hold(drops.take(path, "x", tmp_path), tmp_path, {"path": str(path)})
    assert os.fsencode(goal).endswith(b"/held/caf\xe9.ris")
    assert json.loads(Path(f"{goal}.report.json").read_bytes())["path"] == str(path)


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


def refusing(number: int) -> Callable[[Path, Path], Path]:
    """A rename that fails: EXDEV is another file system."""

    def rename(_self: Path, _goal: Path) -> Path:
        raise OSError(number, os.strerror(number))

    return rename


def test_an_archive_on_another_file_system_gets_a_whole_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = dropped(tmp_path, "a.ris", b"whole")
    monkeypatch.setattr(Path, "rename", refusing(errno.EXDEV))
    goal = drops.archive(drop, tmp_path, {"n": 1})
    assert goal.read_bytes() == b"whole"
    assert not drop.path.exists()
    assert sorted(path.name for path in goal.parent.iterdir()) == ["a.ris", "a.ris.report.json"]


def test_a_move_that_is_not_allowed_is_not_made_by_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = dropped(tmp_path)
    monkeypatch.setattr(Path, "rename", refusing(errno.EACCES))
    with pytest.raises(ZotdropError, match="cannot be moved"):
        drops.archive(drop, tmp_path, {})
    assert drop.path.exists()


def test_a_file_that_changes_while_it_is_copied_stays_and_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = dropped(tmp_path, "a.ris", b"whole")

    def copyfile(_source: Path, goal: Path) -> None:
        goal.write_bytes(b"who")

    monkeypatch.setattr(Path, "rename", refusing(errno.EXDEV))
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(ZotdropError, match="changed while it was copied"):
        drops.archive(drop, tmp_path, {})
    assert drop.path.read_bytes() == b"whole"
    assert list((tmp_path / "done").iterdir()) == []


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EACCES])
def test_a_drop_that_cannot_leave_its_inbox_is_not_copied_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    drop, real = dropped(tmp_path), Path.unlink

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        if path == drop.path:
            raise PermissionError(13, "Permission denied")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "rename", refusing(number))
    monkeypatch.setattr(Path, "unlink", unlink)
    for _ in range(2):
        with pytest.raises(ZotdropError, match=r"a.ris: worked off, but cannot be moved to .*Permission denied.*mend"):
            drops.archive(drop, tmp_path, {})
    with pytest.raises(ZotdropError, match=r"a.ris: worked off, but cannot be deleted"):
        drops.remove(drop)
    assert drop.path.exists()
    assert list((tmp_path / "done").iterdir()) == []


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


def test_what_could_not_be_kept_whole_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        drops.store(tmp_path, b"abc")
    assert list(tmp_path.iterdir()) == []
