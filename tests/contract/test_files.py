"""What every library that takes files promises of them: kept once, whole, and never over somebody else's."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from sync.libraries.base import File, Kept, Receipt, Refusal, Write
from sync.libraries.desktop import Desktop
from sync.libraries.embedded import Embedded
from tests.contract.test_libraries import NOW, Bench, article, embedded, key, never, read, web
from tests.servers.desktop import DesktopServer
from tests.servers.zotero import GROUP, USER

PDF = b"%PDF-1.7 " + random.Random(5).randbytes(3_000_000)

BENCHES: Mapping[str, Callable[[Path], Iterator[Bench]]] = {
    "embedded": embedded,
    "zotero-user": lambda _: web("user", USER),
    "zotero-group": lambda _: web("group", GROUP),
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    for made in BENCHES[request.param](tmp_path):
        try:
            yield made
        finally:
            made.close()


def attachment(number: object, mode: str = "imported_file") -> Write:
    data = {
        "itemType": "attachment",
        "linkMode": mode,
        "parentItem": key(1),
        "title": "PDF",
        "tags": [],
        "relations": {},
    }
    data |= (
        {"filename": "a paper.pdf", "contentType": "application/pdf"}
        if mode == "imported_file"
        else {"url": "http://a.example/"}
    )
    return Write(key(number), 0, data)


def file(number: object, data: bytes = PDF) -> File:
    digest = hashlib.md5(data).hexdigest()
    return File(key(number), "a paper.pdf", "application/pdf", digest, len(data), 1_790_000_000_000, io.BytesIO(data))


def written(bench: Bench, *writes: Write) -> None:
    assert all(isinstance(answer, Receipt) for answer in bench.library.write([article(1), *writes]))


def test_a_file_is_kept_with_its_attachment(bench: Bench) -> None:
    written(bench, attachment("a"))
    assert bench.library.takes_files
    assert bench.library.upload(file("a")) is Kept.STORED
    held = read(bench.reopen().changes(0))[key("a")].data
    assert (held["md5"], held["mtime"]) == (file("a").md5, 1_790_000_000_000)
    assert (held["filename"], held["contentType"]) == ("a paper.pdf", "application/pdf")


def test_a_kept_file_is_a_change_of_its_attachment(bench: Bench) -> None:
    written(bench, attachment("a"))
    before = list(bench.library.changes(0))[-1].version
    bench.library.upload(file("a"))
    assert set(read(bench.library.changes(before))) == {key("a")}


def test_a_file_whose_answer_was_lost_is_kept_once(bench: Bench) -> None:
    written(bench, attachment("a"))
    bench.library.upload(file("a"))
    before = read(bench.library.changes(0))[key("a")]
    assert bench.reopen().upload(file("a")) is Kept.THERE
    assert read(bench.library.changes(0))[key("a")] == before


def test_a_file_of_somebody_else_stays(bench: Bench) -> None:
    written(bench, attachment("a"))
    bench.library.upload(file("a", b"%PDF theirs"))
    assert bench.library.upload(file("a")) is Kept.THEIRS
    assert read(bench.library.changes(0))[key("a")].data["md5"] == file("a", b"%PDF theirs").md5


def test_the_same_bytes_at_two_attachments_are_kept_with_both(bench: Bench) -> None:
    written(bench, attachment("a"), attachment("b"))
    assert [bench.library.upload(file(each)) for each in "ab"] == [Kept.STORED, Kept.STORED]
    held = read(bench.library.changes(0))
    assert held[key("a")].data["md5"] == held[key("b")].data["md5"] == file("a").md5


def test_an_empty_file_is_a_file(bench: Bench) -> None:
    written(bench, attachment("a"))
    assert bench.library.upload(file("a", b"")) is Kept.STORED


def test_a_file_for_a_deleted_attachment_is_gone(bench: Bench) -> None:
    written(bench, attachment("a"))
    bench.person.delete(key("a"))
    assert bench.library.upload(file("a")) is Kept.GONE
    assert key("a") not in read(bench.library.changes(0))


def test_a_file_for_a_link_is_refused(bench: Bench) -> None:
    written(bench, attachment("a", "linked_url"))
    answer = bench.library.upload(file("a"))
    assert isinstance(answer, Refusal)
    assert (answer.key, answer.code) == (key("a"), 400)


def test_the_desktop_says_that_it_takes_no_files() -> None:
    with DesktopServer() as server:
        library = Desktop(url=server.url, api_key=server.allow(), wait=never, now=lambda: 0.0)
        assert not library.takes_files
        assert isinstance(library.upload(file("a")), Refusal)
        library.close()


def test_an_embedded_library_has_its_files_beside_it(tmp_path: Path) -> None:
    library = Embedded(tmp_path / "library.sqlite", now=lambda: NOW)
    library.write([article(1), attachment("a")])
    library.upload(file("a"))
    library.close()
    (kept,) = (path for path in (tmp_path / "library.sqlite.files").rglob("*") if path.is_file())
    assert kept == tmp_path / "library.sqlite.files" / key("a") / "a paper.pdf"
    assert kept.read_bytes() == PDF
