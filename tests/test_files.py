"""Files beside a drop: found within bounds, told from drops, opened only as they were found."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sync import drops
from sync.core.attachments import file_paths
from sync.core.record import Problem
from sync.drops import files
from sync.drops.files import Changed, Found, accompanies, find, only_drops, opened

PDF = b"%PDF-1.7 walls"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "spring" / "files" / "12").mkdir(parents=True)
    return tmp_path / "inbox"


def put(path: Path, data: bytes = PDF) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def found(named: str, folder: Path, root: Path, most_mb: float = 1.0) -> Found:
    one = find(named, file_paths(named), folder, root, most_mb)
    assert isinstance(one, Found), one
    return one


def refused(named: str, folder: Path, root: Path, most_mb: float = 1.0) -> Problem:
    one = find(named, file_paths(named), folder, root, most_mb)
    assert isinstance(one, Problem), one
    assert one.message.startswith(named)
    assert "attach it in Zotero" in one.message
    return one


@pytest.mark.parametrize(
    "named",
    [
        "files/12/Moss.pdf",
        "files\\12\\Moss.pdf",
        "files/12/M%6Fss.pdf",
        "./files/../files/12/Moss.pdf",
        "C:\\Users\\ada\\Zotero\\files\\12\\Moss.pdf",
        "/Users/ada/Zotero/files/12/Moss.pdf",
        "file:///Users/ada/files/12/Moss.pdf",
        "file:///C:/Users/ada/files/12/Moss.pdf",
    ],
)
def test_a_file_is_found_however_the_export_names_it(inbox: Path, named: str) -> None:
    path = put(inbox / "spring" / "files" / "12" / "Moss.pdf")
    one = found(named, inbox / "spring", inbox)
    assert (one.path, one.place, one.name) == (path, "files/12/Moss.pdf", "Moss.pdf")
    assert (one.md5, one.size) == (hashlib.md5(PDF).hexdigest(), len(PDF))
    assert (one.mtime, one.content_type) == (path.stat().st_mtime_ns // 1_000_000, "application/pdf")


@pytest.mark.parametrize("place", ["PDF/0123/Moss.pdf", "0123/Moss.pdf", "Moss.pdf"])
def test_a_file_of_endnote_is_found_where_it_is_laid(inbox: Path, place: str) -> None:
    put(inbox / place)
    assert found("internal-pdf://0123/Moss.pdf", inbox, inbox).place == place


def test_a_file_in_another_folder_of_the_inbox_is_found(inbox: Path) -> None:
    put(inbox / "autumn" / "Moss.pdf")
    assert found("../autumn/Moss.pdf", inbox / "spring", inbox).place == "../autumn/Moss.pdf"


def test_a_file_without_a_date_has_the_first_one_that_zotero_takes(inbox: Path) -> None:
    os.utime(put(inbox / "a.pdf"), (0, 0))
    assert found("a.pdf", inbox, inbox).mtime == 1


def test_a_file_that_is_not_there_is_missing(inbox: Path) -> None:
    assert refused("files/12/Moss.pdf", inbox, inbox).code == "file-missing"


@pytest.mark.parametrize(
    "named", ["../outside.pdf", "{}/outside.pdf", "file://{}/outside.pdf", "spring/../../outside.pdf"]
)
def test_a_file_outside_the_inbox_is_not_taken(inbox: Path, named: str) -> None:
    put(inbox.parent / "outside.pdf")
    assert refused(named.format(inbox.parent), inbox, inbox).code == "file-outside"


def test_a_copy_inside_goes_before_the_original_outside(inbox: Path) -> None:
    put(inbox.parent / "paper.pdf", b"outside")
    put(inbox / "paper.pdf")
    assert found(f"{inbox.parent}/paper.pdf", inbox, inbox).path == inbox / "paper.pdf"


def test_a_link_that_leads_out_is_not_taken(inbox: Path) -> None:
    put(inbox.parent / "outside" / "a.pdf")
    (inbox / "a.pdf").symlink_to(inbox.parent / "outside" / "a.pdf")
    (inbox / "folder").symlink_to(inbox.parent / "outside")
    assert refused("a.pdf", inbox, inbox).code == "file-outside"
    assert refused("folder/a.pdf", inbox, inbox).code == "file-outside"


def test_a_link_that_stays_inside_is_taken_as_what_it_leads_to(inbox: Path) -> None:
    real = put(inbox / "spring" / "real.pdf")
    (inbox / "a.pdf").symlink_to(real)
    assert found("a.pdf", inbox, inbox).path == real


def test_links_in_a_circle_lead_nowhere(inbox: Path) -> None:
    (inbox / "a.pdf").symlink_to(inbox / "b.pdf")
    (inbox / "b.pdf").symlink_to(inbox / "a.pdf")
    assert refused("a.pdf", inbox, inbox).code == "file-missing"


def test_an_inbox_behind_a_link_is_an_inbox(inbox: Path) -> None:
    put(inbox / "a.pdf")
    (inbox.parent / "shortcut").symlink_to(inbox)
    one = found("a.pdf", inbox.parent / "shortcut", inbox.parent / "shortcut")
    assert (one.path, one.place) == (inbox / "a.pdf", "a.pdf")


def test_a_file_over_the_limit_is_not_taken(inbox: Path) -> None:
    put(inbox / "a.pdf", bytes(1_000_001))
    assert refused("a.pdf", inbox, inbox).code == "file-too-large"
    assert found("a.pdf", inbox, inbox, 1.1).size == 1_000_001


@pytest.mark.parametrize("named", [".ssh/id", ".env"])
def test_hidden_files_are_not_taken(inbox: Path, named: str) -> None:
    put(inbox / named)
    assert refused(named, inbox, inbox).code == "file-hidden"


def test_of_several_places_the_likeliest_says_what_is_wrong(inbox: Path) -> None:
    put(inbox / "PDF" / "1" / "a.pdf", bytes(1_000_001))
    (inbox / "a.pdf").mkdir()
    assert refused("internal-pdf://1/a.pdf", inbox, inbox).code == "file-too-large"


def test_folders_and_pipes_are_no_files(inbox: Path) -> None:
    os.mkfifo(inbox / "pipe.pdf")
    assert refused("spring", inbox, inbox).code == "file-odd"
    assert refused("pipe.pdf", inbox, inbox).code == "file-odd"


def test_a_file_that_cannot_be_read_is_told(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    put(inbox / "a.pdf")
    monkeypatch.setattr(files, "_open", closed)
    assert refused("a.pdf", inbox, inbox).code == "file-unreadable"


def test_a_name_that_is_no_text_becomes_one(inbox: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(inbox) + b"/M\xfcller.pdf"))
    put(path)
    one = find("Müller.pdf", [path.name], inbox, inbox, 1.0)
    assert isinstance(one, Found)
    assert (one.name, one.path) == ("M?ller.pdf", path)


def read_again(one: Found) -> bytes:
    with opened(one.path, md5=one.md5, size=one.size, mtime=one.mtime) as data:
        return data.read()


def test_a_file_is_opened_as_it_was_found(inbox: Path) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    assert read_again(one) == PDF


def test_a_file_that_was_only_touched_is_the_same(inbox: Path) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    os.utime(one.path, (1, 1))
    assert read_again(one) == PDF


@pytest.mark.parametrize("data", [b"%PDF-1.7 other", b"longer than before"])
def test_a_file_with_other_bytes_is_changed(inbox: Path, data: bytes) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    put(one.path, data)
    os.utime(one.path, (1, 1))
    with pytest.raises(Changed) as told:
        read_again(one)
    assert told.value.problem.code == "file-changed"


def test_a_file_of_another_size_is_changed_whatever_its_date_says(inbox: Path) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    before = one.path.stat()
    put(one.path, PDF + b" more")
    os.utime(one.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Changed):
        read_again(one)


def test_a_file_that_is_gone_since_is_missing(inbox: Path) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    one.path.unlink()
    with pytest.raises(Changed) as told:
        read_again(one)
    assert told.value.problem.code == "file-missing"


def test_a_link_put_in_place_of_a_file_is_not_followed(inbox: Path) -> None:
    one = found("a.pdf", put(inbox / "a.pdf").parent, inbox)
    put(inbox.parent / "outside.pdf")
    one.path.unlink()
    one.path.symlink_to(inbox.parent / "outside.pdf")
    with pytest.raises(Changed) as told:
        read_again(one)
    assert told.value.problem.code == "file-changed"


@pytest.mark.parametrize(
    ("name", "data", "beside"),
    [
        ("a.pdf", b"", True),
        ("A.PDF", b"", True),
        ("page.html", b"<html>", True),
        ("paper", PDF, True),
        ("archive.ris", b"PK\x03\x04", True),
        ("search.ris", b"TY  - JOUR\n", False),
        ("search.txt", b"\xff\xfeT\0Y\0", False),
        ("search.xml", b"<?xml", False),
        ("empty", b"", False),
    ],
)
def test_what_accompanies_drops_is_told_by_name_or_content(
    tmp_path: Path, name: str, data: bytes, beside: bool
) -> None:
    assert accompanies(put(tmp_path / name, data)) is beside


def test_what_is_gone_accompanies_nothing(tmp_path: Path) -> None:
    assert not accompanies(tmp_path / "search.ris")


def test_drops_wait_for_the_files_beside_them(tmp_path: Path) -> None:
    drop, paper = put(tmp_path / "search.ris", b"TY  - JOUR"), put(tmp_path / "a.pdf")
    listing = drops.scan(tmp_path)
    assert only_drops([drop], listing) == []
    assert only_drops([drop, paper], listing) == [drop]
    other = put(tmp_path / "other.ris", b"TY")
    assert only_drops([drop, paper], [drop, paper, other]) == [drop]


def test_the_kind_of_a_file_is_the_same_on_every_machine(inbox: Path) -> None:
    kinds = {
        name: found(name, put(inbox / name).parent, inbox).content_type for name in ("a.PDF", "a.png", "a.xyz", "a")
    }
    assert kinds == {
        "a.PDF": "application/pdf",
        "a.png": "image/png",
        "a.xyz": "application/octet-stream",
        "a": "application/octet-stream",
    }
