"""Files to upload in the ledger: durable, smallest first, and only once their item is on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.core.record import Entry, Reading, Record
from sync.state.ledger import Ledger
from sync.state.uploads import Upload, Uploads, any_open

AT = "2026-11-23T08:00:00Z"
ONE = Upload(1, "AAAA2222", Path("/inbox/a.pdf"), "a.pdf", "application/pdf", "ab" * 16, 500, 1_790_000_000_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "ledger.sqlite")
    opened.start_run("r1", "sync", AT)
    for number in (1, 2):
        row = opened.records.arrive(
            library=opened.snapshot("embedded:1").id,
            sha256=f"{number}" * 64,
            wish="w",
            path="a.ris",
            inbox="default",
            format_name="",
            arrived=AT,
            run="r1",
        )
        entry = Entry(1, (1, 1), (0, 9), 0, (), "raw")
        opened.records.note(row.id, [Reading(entry, Record("book", fields={"title": "Kelp"}))])
    yield opened
    opened.close()


@pytest.fixture
def uploads(ledger: Ledger) -> Uploads:
    return Uploads(ledger.database, ledger.snapshot("embedded:1").id)


def test_what_is_put_is_open_and_comes_back_as_it_was(ledger: Ledger, uploads: Uploads) -> None:
    assert not any_open(ledger.database)
    odd = replace(ONE, path=Path("/inbox/M\udcfcller.pdf"))
    uploads.put(odd)
    assert uploads.open() == [odd]
    assert any_open(ledger.database)
    assert ledger.waits()["files to be uploaded to the library"] == 1


@pytest.mark.parametrize("state", ["done", "theirs", "gone", "refused", "changed"])
def test_what_is_closed_is_open_no_more_unless_it_is_put_again(ledger: Ledger, uploads: Uploads, state: str) -> None:
    uploads.put(ONE)
    uploads.close(ONE.key, state)
    assert uploads.open() == []
    assert not any_open(ledger.database)
    uploads.put(ONE)
    assert uploads.open() == [ONE]


def test_the_smallest_comes_first(uploads: Uploads) -> None:
    for key, size in (("AAAA2222", 30), ("BBBB2222", 10), ("CCCC2222", 20)):
        uploads.put(replace(ONE, key=key, size=size))
    assert [upload.size for upload in uploads.open()] == [10, 20, 30]


def test_the_files_of_one_drop_can_be_asked_for(uploads: Uploads) -> None:
    uploads.put(ONE)
    uploads.put(replace(ONE, record=2, key="BBBB2222"))
    assert [upload.record for upload in uploads.open(2)] == [2]
    assert len(uploads.open()) == 2


def test_a_file_waits_for_its_item(ledger: Ledger, uploads: Uploads) -> None:
    outbox = ledger.outbox(ledger.snapshot("embedded:1").id)
    post = outbox.put("r1", 1, ONE.key, 0, {})
    uploads.put(ONE)
    assert uploads.open() == []
    outbox.answered(post, "done")
    assert uploads.open() == [ONE]


def test_libraries_do_not_meet(ledger: Ledger, uploads: Uploads) -> None:
    uploads.put(ONE)
    other = Uploads(ledger.database, ledger.snapshot("embedded:2").id)
    assert other.open() == []
    other.close(ONE.key, "done")
    assert uploads.open() == [ONE]


def test_the_last_folder_of_a_drop_counts(uploads: Uploads) -> None:
    assert uploads.folder(1) is None
    uploads.came_from(1, Path("/one"))
    uploads.came_from(1, Path("/other\udcff"))
    assert uploads.folder(1) == Path("/other\udcff")
