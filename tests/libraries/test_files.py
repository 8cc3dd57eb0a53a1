"""Uploading to Zotero step by step, and to a folder: what goes over the wire, and what becomes of a step that fails."""

from __future__ import annotations

import errno
import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.errors import CredentialFault, Outage, Throttled
from sync.libraries import folder
from sync.libraries.base import NO_RIGHT, QUOTA, File, Kept, Refusal, Write
from sync.libraries.zotero import Zotero
from tests.servers.base import Handle, Reply, Request
from tests.servers.zotero import API_KEY, GROUP, USER, Group, Key, ZoteroServer
from tests.servers.zotero_files import STORE

PDF = b"%PDF-1.7 \r\n--" + random.Random(6).randbytes(100_000)
PARENT, CHILD = "ABCD2345", "EFGH6789"
Open = Callable[..., Zotero]


def file(data: bytes = PDF, **changed: Any) -> File:
    plain = File(
        CHILD,
        "Müller & Søn.pdf",
        "application/pdf",
        hashlib.md5(data).hexdigest(),
        len(data),
        1_790_000_000_000,
        io.BytesIO(data),
    )
    return replace(plain, **changed)


@pytest.fixture
def server() -> Iterator[ZoteroServer]:
    with ZoteroServer(keys={API_KEY: Key(USER), "b" * 24: Key(USER, files=False)}) as made:
        made.library().add(key=PARENT, itemType="book", title="Wards")
        child = {"itemType": "attachment", "linkMode": "imported_file", "parentItem": PARENT, "filename": "x.pdf"}
        made.library().add(key=CHILD, **child)
        yield made


@pytest.fixture
def opened(server: ZoteroServer) -> Iterator[Open]:
    made: list[Zotero] = []

    def opening(kind: str = "user", number: int = USER, api_key: str = API_KEY) -> Zotero:
        made.append(
            Zotero(
                library_type=kind,
                library_id=number,
                api_key=api_key,
                url=server.url,
                wait=lambda _: None,
                now=lambda: 0.0,
            )
        )
        return made[-1]

    yield opening
    for library in made:
        library.close()


def asks(request: Request) -> bool:
    return request.path.endswith("/file") and b"md5=" in request.body


def sends(request: Request) -> bool:
    return request.path.startswith(STORE)


def registers(request: Request) -> bool:
    return request.path.endswith("/file") and b"upload=" in request.body


def steps(server: ZoteroServer) -> str:
    """The steps that were gone: a(sk), s(end), r(egister)."""
    names = (("a", asks), ("s", sends), ("r", registers))
    return "".join(name for request in server.log for name, does in names if does(request))


def test_a_file_takes_three_steps_and_arrives_byte_for_byte(server: ZoteroServer, opened: Open) -> None:
    assert opened().upload(file()) is Kept.STORED
    assert steps(server) == "asr"
    assert server.library().file(CHILD) == PDF
    assert server.library().item(CHILD)["filename"] == "Müller & Søn.pdf"
    ask, send, register = server.log
    assert {ask.headers["if-none-match"], register.headers["if-none-match"]} == {"*"}
    assert "authorization" not in send.headers
    assert API_KEY not in str(dict(send.headers))


def test_bytes_that_zotero_has_already_are_not_sent(server: ZoteroServer, opened: Open) -> None:
    server.world.store.files[file().md5] = PDF
    assert opened().upload(file()) is Kept.STORED
    assert steps(server) == "a"
    assert server.library().file(CHILD) == PDF


@pytest.mark.parametrize("broken", [asks, sends, registers])
def test_a_step_that_breaks_is_gone_again(
    server: ZoteroServer, opened: Open, broken: Callable[[Request], bool]
) -> None:
    server.drop(when=broken)
    assert opened().upload(file()) is Kept.STORED
    assert server.library().file(CHILD) == PDF


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("busy", [asks, sends, registers])
def test_a_service_that_is_busy_is_asked_again(
    server: ZoteroServer, opened: Open, busy: Callable[[Request], bool], status: int
) -> None:
    server.fail(status=status, headers={"Retry-After": "1"}, when=busy)
    assert opened().upload(file()) is Kept.STORED
    assert server.library().file(CHILD) == PDF


def test_a_file_that_becomes_shorter_while_it_is_sent_is_an_outage(server: ZoteroServer, opened: Open) -> None:
    with pytest.raises(Outage, match="became shorter"):
        opened().upload(replace(file(), size=len(PDF) + 10))
    assert server.library().file(CHILD) is None


def test_a_file_that_grows_while_it_is_sent_is_sent_as_it_was(server: ZoteroServer, opened: Open) -> None:
    assert opened().upload(replace(file(), data=io.BytesIO(PDF + b" more"))) is Kept.STORED
    assert server.library().file(CHILD) == PDF


@pytest.mark.parametrize("broken", [asks, sends, registers])
def test_a_run_that_ends_before_a_step_is_finished_by_the_next(
    server: ZoteroServer, opened: Open, broken: Callable[[Request], bool]
) -> None:
    server.drop(None, when=broken)
    with pytest.raises(Outage):
        opened().upload(file())
    assert server.library().file(CHILD) is None
    server.heal()
    assert opened().upload(file()) is Kept.STORED
    assert server.library().file(CHILD) == PDF


def test_a_registration_whose_answer_is_lost_counts_and_is_not_made_twice(server: ZoteroServer, opened: Open) -> None:
    server.lose(when=registers)
    assert opened().upload(file()) is Kept.THERE
    version = server.library().item(CHILD)["version"]
    assert opened().upload(file()) is Kept.THERE
    assert server.library().item(CHILD)["version"] == version
    assert server.library().file(CHILD) == PDF


def test_a_file_that_came_while_ours_was_sent_stays(server: ZoteroServer, opened: Open) -> None:
    theirs = hashlib.md5(b"theirs").hexdigest()

    def faster(handle: Handle, request: Request) -> Reply:
        server.edit(CHILD, md5=theirs)
        return handle(request)

    server.twist(faster, when=registers)
    assert opened().upload(file()) is Kept.THEIRS
    assert server.library().item(CHILD)["md5"] == theirs


def test_an_attachment_deleted_while_its_file_was_sent_is_gone(server: ZoteroServer, opened: Open) -> None:
    def deleting(handle: Handle, request: Request) -> Reply:
        server.delete(CHILD)
        return handle(request)

    server.twist(deleting, when=registers)
    assert opened().upload(file()) is Kept.GONE


def test_an_attachment_deleted_after_it_was_said_to_have_a_file_is_gone(server: ZoteroServer, opened: Open) -> None:
    server.fail(status=412, body="If-None-Match: * set but file exists", when=asks)
    server.delete(CHILD)
    assert opened().upload(file()) is Kept.GONE


def test_a_full_quota_is_a_refusal_that_names_the_room(server: ZoteroServer, opened: Open) -> None:
    server.room(0.05)
    answer = opened().upload(file())
    assert answer == Refusal(CHILD, QUOTA, "File would exceed quota (0.0 + 0.1 > 0.05)")
    assert steps(server) == "a"


def test_files_of_a_group_count_for_its_owner() -> None:
    with ZoteroServer({1: "owner", 2: "member"}, {API_KEY: Key(2)}, {GROUP: Group("g", 1, frozenset({2}))}) as server:
        view = server.library(f"groups/{GROUP}")
        view.add(key=CHILD, itemType="attachment", linkMode="imported_file")
        library = Zotero(
            library_type="group",
            library_id=GROUP,
            api_key=API_KEY,
            url=server.url,
            wait=lambda _: None,
            now=lambda: 0.0,
        )
        server.room(0.0, 2)
        server.room(0.0, 1)
        answer = library.upload(file())
        assert isinstance(answer, Refusal)
        assert answer.code == QUOTA
        server.room(1.0, 1)
        assert library.upload(file()) is Kept.STORED
        library.close()


def test_a_key_without_the_right_to_files_is_a_refusal_and_goes_on_writing(opened: Open) -> None:
    library = opened(api_key="b" * 24)
    assert library.upload(file()) == Refusal(CHILD, NO_RIGHT, "Forbidden")
    assert library.write([Write("ABCD9999", 0, {"itemType": "book", "title": "On"})])[0].key == "ABCD9999"


def test_a_group_whose_files_members_may_not_edit_is_a_refusal() -> None:
    with ZoteroServer(groups={GROUP: Group("g", USER, files="none")}) as server:
        server.library(f"groups/{GROUP}").add(key=CHILD, itemType="attachment", linkMode="imported_file")
        library = Zotero(
            library_type="group",
            library_id=GROUP,
            api_key=API_KEY,
            url=server.url,
            wait=lambda _: None,
            now=lambda: 0.0,
        )
        assert library.upload(file()) == Refusal(CHILD, NO_RIGHT, "You do not have file editing access")
        library.close()


def test_a_wrong_key_is_still_a_fault_of_the_key(opened: Open) -> None:
    with pytest.raises(CredentialFault):
        opened(api_key="z" * 24).upload(file())


def test_a_long_pause_is_not_waited_for(server: ZoteroServer, opened: Open) -> None:
    server.throttle(retry_after="600", when=asks)
    with pytest.raises(Throttled):
        opened().upload(file())


@pytest.mark.parametrize("status", [302, 400, 403])
def test_a_file_store_that_refuses_is_an_outage_and_no_fault_of_the_key(
    server: ZoteroServer, opened: Open, status: int
) -> None:
    server.fail(status=status, headers={"Location": f"{server.url}/elsewhere"}, body="<Error/>", when=sends)
    with pytest.raises(Outage, match=f"file store answers {status}") as told:
        opened().upload(file())
    assert not isinstance(told.value, CredentialFault)
    assert opened().upload(file()) is Kept.STORED
    assert not [request for request in server.log if request.path == "/elsewhere"]


def test_a_registration_that_is_refused_is_tried_from_the_beginning(server: ZoteroServer, opened: Open) -> None:
    server.fail(status=400, body="Upload key not found", when=registers)
    with pytest.raises(Outage, match="Upload key not found"):
        opened().upload(file())
    assert opened().upload(file()) is Kept.STORED


@pytest.mark.parametrize(
    "body",
    [
        '{"url": "file:///etc/passwd", "contentType": "a/b", "prefix": "", "suffix": "", "uploadKey": "u"}',
        '{"url": "/storage", "contentType": "a/b", "prefix": "", "suffix": "", "uploadKey": "u"}',
        '{"url": "https://s.example/", "contentType": "a/b", "prefix": ""}',
        "[1]",
    ],
)
def test_a_leave_that_is_none_sends_nothing_anywhere(server: ZoteroServer, opened: Open, body: str) -> None:
    server.fail(None, status=200, headers={"Content-Type": "application/json"}, body=body, when=asks)
    with pytest.raises(Outage, match=r"leave|address of the web"):
        opened().upload(file())
    assert steps(server) == "a"


def test_a_file_without_its_condition_is_a_mistake_of_ours(server: ZoteroServer, opened: Open) -> None:
    server.fail(status=428, body="If-Match/If-None-Match header not provided", when=asks)
    with pytest.raises(RuntimeError, match="condition"):
        opened().upload(file())


class Watched(io.BytesIO):
    """Notes how much is read at once."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked.append(-1 if size is None else size)
        return super().read(size)


@pytest.mark.parametrize("place", ["web", "folder"])
def test_a_large_file_is_read_piece_by_piece(opened: Open, tmp_path: Path, place: str) -> None:
    data = Watched(bytes(5_000_000))
    large = replace(file(data.getvalue()), data=data)
    if place == "web":
        assert opened().upload(large) is Kept.STORED
    else:
        assert folder.keep(tmp_path, large) is None
    assert len(data.asked) >= 5
    assert max(data.asked) <= 1 << 20
    assert min(data.asked) > 0


@pytest.mark.parametrize("name", ["", "..", "a/b.pdf", "a\0b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    answer = folder.keep(tmp_path / "files", file(name=name))
    assert answer is not None
    assert answer.code == 400
    assert not list(tmp_path.rglob("*.pdf"))


def test_a_file_that_changes_while_it_is_copied_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(Outage, match="changed"):
        folder.keep(tmp_path, replace(file(), data=io.BytesIO(b"other")))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_full_disk_is_a_full_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "_copy", full)
    answer = folder.keep(tmp_path, file())
    assert answer is not None
    assert answer.code == QUOTA


def test_another_fault_of_the_disk_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(folder, "_copy", broken)
    with pytest.raises(OSError, match="Input/output"):
        folder.keep(tmp_path, file())
