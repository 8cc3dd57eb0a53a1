"""Attachments end to end: the real command, files beside drops, services on loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from sync.config import load
from sync.libraries.api import Api
from sync.libraries.base import File, FileAnswer
from sync.libraries.files import upload
from sync.service import Daemon
from tests.scene import Scene, outcomes, scene
from tests.servers.base import Handle, Reply, Request
from tests.servers.desktop import DesktopServer
from tests.servers.zotero import API_KEY, GROUP, USER, Group
from tests.servers.zotero_files import STORE

PDF = b"%PDF-1.7 \r\n walls and \x00\xff lichens"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def ris(*records: Mapping[str, str]) -> str:
    """Records with these tags; each has a title of its own."""
    titles = ("Walls of the northern coast", "Lichens in wards", "Sleep and kelp: a cohort", "Mosses, an account")
    texts = []
    for title, tags in zip(titles, records, strict=False):
        lines = [f"{tag}  - {value}" for tag, value in tags.items()]
        texts.append("\n".join(["TY  - JOUR", f"TI  - {title}", *lines, "ER  - ", ""]))
    return "".join(texts)


def attachments(stage: Scene) -> list[dict[str, Any]]:
    """The attachments of the library, through `export`."""
    lines = stage.run("export").stdout.decode().splitlines()
    return [item for item in map(json.loads, lines) if item["itemType"] == "attachment"]


def problems(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and messages of files, in the order of the records."""
    told = [problem for drop in report["drops"] for record in drop["records"] for problem in record["problems"]]
    return [(problem["code"], problem["message"]) for problem in told if problem["code"].startswith("file-")]


def kept(stage: Scene, library: str, key: str) -> bytes | None:
    """The bytes of an attachment."""
    if library != "embedded":
        return stage.zotero.library(f"users/{USER}" if library == "user" else f"groups/{GROUP}").file(key)
    found = list((stage.folder / "library.sqlite.files" / key).glob("*"))
    return found[0].read_bytes() if found else None


def uploads(stage: Scene) -> list[Request]:
    return [request for request in stage.zotero.log if request.path.startswith(STORE) or request.path.endswith("/file")]


def beside(stage: Scene, *names: str, data: bytes = PDF) -> None:
    for name in names:
        path = stage.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.mark.parametrize("wanted", ["off", "links"])
def test_files_are_left_alone_where_they_are_not_asked_for(stage: Scene, wanted: str) -> None:
    stage.write_config("user", use=[], inbox_attachments=wanted)
    beside(stage, "a.pdf")
    report = stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    assert outcomes(report) == {"created": 1}
    assert attachments(stage) == []
    assert problems(report) == []
    assert uploads(stage) == []


@pytest.mark.parametrize("library", ["embedded", "user", "group"])
def test_addresses_become_links_and_are_never_fetched(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[], inbox_attachments="links")
    places = {
        tag: f"{server.url}/paper/{tag}.pdf"
        for tag, server in zip(("L1", "L2", "L3", "L4"), (stage.zotero, stage.crossref) * 2, strict=True)
    }
    stage.sync(str(stage.drop("search.ris", ris(places | {"UR": places["L1"]}))))
    found = attachments(stage)
    titles = dict(zip(("Full Text (PDF)", "Full Text (HTML)", "Related", "Image"), places.values(), strict=True))
    assert {item["title"]: item["url"] for item in found} == titles
    assert ({item["linkMode"] for item in found}, len(found)) == ({"linked_url"}, 4)
    assert {item["parentItem"] for item in found} == {item["key"] for item in stage.items()}
    for server in (stage.zotero, stage.crossref):
        assert not [request for request in server.log if "/paper/" in request.path]


def test_links_are_off_by_default(stage: Scene) -> None:
    stage.write_config(use=[])
    stage.sync(str(stage.drop("search.ris", ris({"L1": "https://press.example/a.pdf"}))))
    assert attachments(stage) == []


def test_an_item_that_was_there_gains_no_links(stage: Scene) -> None:
    stage.write_config(use=[], inbox_attachments="links")
    stage.sync(str(stage.drop("one.ris", ris({"DO": "10.5555/walls"}))))
    report = stage.sync(str(stage.drop("two.ris", ris({"DO": "10.5555/walls", "L1": "https://press.example/a.pdf"}))))
    assert outcomes(report) == {"updated": 1}
    assert attachments(stage) == []


@pytest.mark.parametrize("library", ["embedded", "user", "group"])
def test_a_file_beside_the_drop_is_uploaded_once(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[], inbox_attachments="files")
    beside(stage, "files/12/Moss.pdf")
    drop = stage.drop("search.ris", ris({"L1": "files/12/Moss.pdf", "L4": "C:\\Users\\ada\\files\\12\\Moss.pdf"}))
    assert problems(stage.sync(str(drop))) == []
    (item,) = attachments(stage)
    assert (item["linkMode"], item["filename"]) == ("imported_file", "Moss.pdf")
    assert (item["contentType"], item["title"]) == ("application/pdf", "Full Text (PDF)")
    assert kept(stage, library, item["key"]) == PDF
    sent = len(uploads(stage))
    assert sent == (0 if library == "embedded" else 3)
    assert stage.sync(str(drop))["changed"] is False
    assert attachments(stage) == [item]
    assert len(uploads(stage)) == sent


@pytest.mark.parametrize("words", [["sync"], ["run", "--once"]])
def test_files_of_an_inbox_are_no_drops_and_stay(stage: Scene, words: list[str]) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "inbox/spring/a paper.pdf", "inbox/alone.pdf")
    (stage.inbox / "spring" / "search.ris").write_text(ris({"L1": "a%20paper.pdf"}))
    stage.run(*words)
    (item,) = attachments(stage)
    assert kept(stage, "user", item["key"]) == PDF
    left = {str(path.relative_to(stage.inbox)) for path in stage.inbox.rglob("*") if path.is_file()}
    assert left == {
        "spring/a paper.pdf",
        "alone.pdf",
        "done/spring/search.ris",
        "done/spring/search.ris.report.json",
    }


def test_a_folder_is_read_without_the_files_beside_its_drops(stage: Scene) -> None:
    stage.write_config(use=[], inbox_attachments="files")
    beside(stage, "export/a.pdf")
    (stage.folder / "export" / "search.ris").write_text(ris({"L1": "a.pdf"}))
    report = stage.sync(str(stage.folder / "export"))
    assert outcomes(report) == {"created": 1}
    assert kept(stage, "embedded", attachments(stage)[0]["key"]) == PDF


def test_a_pdf_in_an_inbox_that_attaches_no_files_is_told(stage: Scene) -> None:
    beside(stage, "inbox/a.pdf")
    assert b"this is a PDF" in stage.run("sync", code=5).stdout
    assert (stage.inbox / "held" / "a.pdf").exists()


def test_what_may_not_be_uploaded_is_told_and_the_items_go_on(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files", inbox_attachment_max_mb=0.001)
    beside(stage, "inbox/large.pdf", data=bytes(1_001))
    beside(stage, "outside.pdf")
    (stage.inbox / "link.pdf").symlink_to(stage.folder / "outside.pdf")
    text = ris({"L1": "large.pdf"}, {"L1": "link.pdf"}, {"L1": "missing.pdf"}, {"L1": "../outside.pdf"})
    (stage.inbox / "search.ris").write_text(text)
    done = stage.run("sync")
    (report,) = [json.loads(path.read_text()) for path in (stage.inbox / "done").glob("*.report.json")]
    assert report["outcomes"]["created"] == 4
    told = [problem["code"] for record in report["records"] for problem in record["problems"]]
    assert told == ["file-too-large", "file-outside", "file-missing", "file-outside"]
    assert b"! file-missing: missing.pdf: no such file beside the drop; the item was made without it" in done.stdout
    assert attachments(stage) == []
    assert uploads(stage) == []


@pytest.mark.parametrize(
    ("library", "close", "code"),
    [("user", "room", "file-quota"), ("group", "room", "file-quota"), ("group", "right", "file-no-right")],
)
def test_a_library_that_takes_no_more_files_is_told_once_and_asked_again_by_later_runs(
    stage: Scene, library: str, close: str, code: str
) -> None:
    stage.write_config(library, use=[], inbox_attachments="files")
    beside(stage, "a.pdf", data=PDF)
    beside(stage, "b.pdf", data=PDF * 2)
    beside(stage, "c.pdf", data=PDF * 3)
    stage.zotero.room(0.0 if close == "room" else 300.0)
    stage.zotero.world.groups[GROUP] = Group("g", USER, files="none" if close == "right" else "members")
    drop = stage.drop("search.ris", ris({"L1": "a.pdf"}, {"L1": "b.pdf"}, {"L1": "c.pdf"}))
    report = stage.sync(str(drop))
    assert outcomes(report) == {"created": 3}
    assert [found for found, _ in problems(report)] == [code] * 3
    assert [bool(message) for _, message in problems(report)] == [True, False, False]
    assert len(uploads(stage)) == 1
    assert "waiting: files to be uploaded to the library: 3" in stage.run("status").stdout.decode()
    stage.sync()
    assert len(uploads(stage)) == 2  # one more try
    stage.zotero.room(300.0)
    stage.zotero.world.groups[GROUP] = Group("g", USER)
    again = stage.sync()
    assert again["changed"] is True
    assert {kept(stage, library, item["key"]) for item in attachments(stage)} == {PDF, PDF * 2, PDF * 3}
    assert stage.sync()["changed"] is False
    for item in stage.items():
        assert code not in stage.run("show", item["key"]).stdout.decode()


def test_a_library_that_refuses_the_attachment_itself_keeps_the_item(stage: Scene) -> None:
    stage.write_config("group", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")

    def refusing(handle: Handle, request: Request) -> Reply:
        reply = handle(replace(request, body=json.dumps(request.json()[:1]).encode()))
        report = json.loads(reply.body)
        report["failed"] = {"1": {"code": 403, "message": "You do not have file editing access"}}
        return Reply.json(report, headers={"Last-Modified-Version": "9"})

    stage.zotero.twist(refusing, when=lambda request: request.method == "POST" and request.path.endswith("/items"))
    report = stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    assert outcomes(report) == {"created": 1}
    (problem,) = report["drops"][0]["records"][0]["problems"]
    assert problem["code"] == "attachment-refused-403"
    assert "waiting: files" not in stage.run("status").stdout.decode()


def test_the_service_takes_a_drop_once_the_files_beside_it_are_whole_and_uploads_what_was_left(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files", inbox_settle_seconds=10.0)
    beside(stage, "inbox/a.pdf", data=PDF[:5])
    (stage.inbox / "search.ris").write_text(ris({"L1": "a.pdf"}))
    clock = [0.0]
    environment = {"ZOTERO_API_KEY": API_KEY}
    with mock.patch.dict(os.environ, environment):
        daemon = Daemon(load(stage.config, environment), now=lambda: clock[0])
        daemon.look("default")
        clock[0] = 11.0
        beside(stage, "inbox/a.pdf")
        daemon.look("default")
        assert (stage.inbox / "search.ris").exists()
        clock[0] = 22.0
        stage.zotero.room(0.0)
        daemon.look("default")
        assert not (stage.inbox / "search.ris").exists()
        stage.zotero.room(300.0)
        daemon.fill_owed()
    assert kept(stage, "user", attachments(stage)[0]["key"]) == PDF


def test_the_report_tells_a_full_quota_in_one_line(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf", "b.pdf")
    stage.zotero.room(0.0)
    text = stage.run("sync", str(stage.drop("search.ris", ris({"L1": "a.pdf"}, {"L1": "b.pdf"})))).stdout.decode()
    assert text.count("file-quota") == 1
    assert "File would exceed quota" in text


def test_a_file_store_that_is_away_keeps_no_item_waiting(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "inbox/a.pdf")
    (stage.inbox / "search.ris").write_text(ris({"L1": "a.pdf"}))
    fault = stage.zotero.fail(None, status=403, when=lambda request: request.path.startswith(STORE))
    report = stage.sync()
    assert outcomes(report) == {"created": 1}
    assert [code for code, _ in problems(report)] == ["file-waits"]
    assert fault.hits == 1
    stage.zotero.heal()
    stage.sync()
    assert kept(stage, "user", attachments(stage)[0]["key"]) == PDF


def test_a_file_that_changed_before_it_could_be_uploaded_is_not_uploaded(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")
    stage.zotero.room(0.0)
    stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    beside(stage, "a.pdf", data=b"%PDF other")
    stage.zotero.room(300.0)
    stage.sync()
    (item,) = attachments(stage)
    assert kept(stage, "user", item["key"]) is None
    assert "file-changed" in stage.run("show", item["parentItem"]).stdout.decode()
    assert stage.sync()["changed"] is False


def test_a_file_that_cannot_be_read_any_more_is_told_and_given_up(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")
    stage.zotero.room(0.0)
    stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    stage.zotero.room(300.0)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("sync.libraries.zotero.upload", broken)
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    Daemon(load(stage.config, {})).fill_owed()
    told = stage.run("show", attachments(stage)[0]["parentItem"]).stdout.decode()
    assert "file-unreadable" in told
    assert "waiting: files" not in stage.run("status").stdout.decode()


def test_a_persons_file_in_our_attachment_stays(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")
    stage.zotero.room(0.0)
    stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    (item,) = attachments(stage)
    stage.zotero.edit(item["key"], md5="ab" * 16)
    stage.zotero.room(300.0)
    stage.sync()
    assert attachments(stage)[0]["md5"] == "ab" * 16
    assert "file-theirs" in stage.run("show", item["parentItem"]).stdout.decode()


def test_an_attachment_that_a_person_deleted_is_not_made_again(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")
    stage.zotero.room(0.0)
    stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf"}))))
    stage.zotero.delete(attachments(stage)[0]["key"])
    stage.zotero.room(300.0)
    assert stage.sync()["changed"] is False
    assert attachments(stage) == []


def test_a_dry_run_uploads_nothing(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "a.pdf")
    drop = stage.drop("search.ris", ris({"L1": "a.pdf"}))
    assert outcomes(stage.sync("--dry-run", str(drop))) == {"created": 1}
    assert [request for request in stage.zotero.log if request.method != "GET"] == []
    stage.sync(str(drop))
    assert kept(stage, "user", attachments(stage)[0]["key"]) == PDF


def test_a_record_that_a_person_was_asked_about_gets_its_file_later(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "inbox/spring/a.pdf")
    text = "TY  - JOUR\nTI  - Walls\nER  - \n\nTY  - JOUR\nTI  - Lichens\nL1  - a.pdf\nDO  - 10.5555/li"
    (stage.inbox / "spring" / "cut.ris").write_text(text)
    assert outcomes(stage.sync()) == {"created": 1, "asked": 1}
    assert (stage.inbox / "done" / "spring" / "cut.ris").exists()
    (question,) = map(json.loads, stage.run("--json", "review", "list").stdout.splitlines())
    stage.run("review", "accept", str(question["number"]))
    stage.sync()
    (item,) = attachments(stage)
    assert kept(stage, "user", item["key"]) == PDF


def test_a_drop_that_came_before_files_were_asked_for_says_that_its_place_is_not_known(stage: Scene) -> None:
    stage.write_config(use=[])
    beside(stage, "a.pdf")
    drop = stage.drop("cut.ris", "TY  - JOUR\nTI  - Lichens\nL1  - a.pdf\nDO  - 10.5555/li")
    assert outcomes(stage.sync(str(drop))) == {"asked": 1}
    stage.write_config(use=[], inbox_attachments="files")
    (question,) = map(json.loads, stage.run("--json", "review", "list").stdout.splitlines())
    stage.run("review", "accept", str(question["number"]))
    stage.sync()
    (item,) = stage.items()
    assert "file-missing: a.pdf: where the drop lay is not known" in stage.run("show", item["key"]).stdout.decode()


def test_a_desktop_gets_links_and_says_that_it_takes_no_files(stage: Scene) -> None:
    beside(stage, "a.pdf")
    with DesktopServer() as desktop:
        stage.write_config(use=[], inbox_attachments="files")
        wanted = f'kind = "desktop"\nurl = "{desktop.url}"\napi_key = "{desktop.allow()}"'
        text = stage.config.read_text().replace('kind = "embedded"\npath = "library.sqlite"', wanted)
        stage.config.write_text(text)
        report = stage.sync(str(stage.drop("search.ris", ris({"L1": "a.pdf", "L2": "https://press.example/"}))))
        assert outcomes(report) == {"created": 1}
        assert [code for code, _ in problems(report)] == ["file-not-taken"]
        assert [item["linkMode"] for item in attachments(stage)] == ["linked_url"]


def test_a_stop_between_two_files_leaves_the_rest_to_the_next_run(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "inbox/a.pdf")
    beside(stage, "inbox/b.pdf", data=PDF * 2)
    (stage.inbox / "search.ris").write_text(ris({"L1": "a.pdf"}, {"L1": "b.pdf"}))
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    daemon = Daemon(load(stage.config, {}))

    def stopping(api: Api, file: File) -> FileAnswer:
        daemon.stop.set()
        return upload(api, file)

    monkeypatch.setattr("sync.libraries.zotero.upload", stopping)
    daemon.run_inbox("default")
    assert sorted(kept(stage, "user", item["key"]) or b"" for item in attachments(stage)) == [b"", PDF]
    assert (stage.inbox / "search.ris").exists()
    stage.sync()
    assert {kept(stage, "user", item["key"]) for item in attachments(stage)} == {PDF, PDF * 2}
    assert (stage.inbox / "done" / "search.ris").exists()


def test_asking_for_files_later_looks_at_the_drop_again(stage: Scene) -> None:
    drop = stage.drop("search.ris", ris({"L1": "https://press.example/a.pdf"}))
    assert outcomes(stage.sync(str(drop))) == {"created": 1}
    stage.write_config(inbox_attachments="links")
    assert stage.sync(str(drop))["drops"][0]["records"][0]["reasons"] != ["same-drop"]
