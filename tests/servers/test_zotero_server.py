"""The stand-in Zotero against what was recorded of the real one, and, without the recording, the rules that a writer leans on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.zotero import API_KEY, GROUP, USER, Key, ZoteroServer, writes_of
from tests.servers.zotero_replay import Replay

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "zotero" / "exchanges.json"


@pytest.fixture
def server() -> Iterator[ZoteroServer]:
    with ZoteroServer() as made:
        yield made


def call(server: ZoteroServer, method: str, path: str, key: str = API_KEY, **more: Any) -> httpx.Response:
    headers = {"Zotero-API-Key": key, **more.pop("headers", {})}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=10, **more)


def post(server: ZoteroServer, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = call(server, "POST", f"/users/{USER}/items", json=list(items), **more)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def book(key: str, version: int = 0, **more: Any) -> dict[str, Any]:
    return {"key": key, "version": version, "itemType": "book", "title": "A book", **more}


@pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded exchanges lie beside the checkout only where it is developed"
)
def test_every_recorded_exchange_comes_out_as_recorded() -> None:
    replay = Replay(json.loads(RECORDED.read_text(encoding="utf-8")))
    replay.run()
    assert len(replay.differences) == 214
    assert {number: found for number, found in replay.differences.items() if found} == {}


def test_a_keyed_create_sent_twice_is_refused_the_second_time_and_nothing_is_doubled(server: ZoteroServer) -> None:
    assert post(server, book("ABCD2345"))["success"] == {"0": "ABCD2345"}
    again = post(server, book("ABCD2345", title="Another"))
    assert again["failed"]["0"]["code"] == 412
    assert "expected 0" in again["failed"]["0"]["message"]
    assert "key" not in again["failed"]["0"]
    assert [item["title"] for item in server.library().items()] == ["A book"]


def test_one_bad_object_does_not_keep_the_others_out(server: ZoteroServer) -> None:
    report = post(
        server,
        book("ABCD2345"),
        book("ABCD2346", nosuchfield="x"),
        book("ABCD2347", bookTitle="x"),
        book("ABCD2348"),
    )
    assert sorted(report["success"]) == ["0", "3"]
    assert {index: fault["code"] for index, fault in report["failed"].items()} == {"1": 400, "2": 400}


def test_each_object_gets_a_version_of_its_own(server: ZoteroServer) -> None:
    report = post(server, book("ABCD2345"), book("ABCD2346"))
    versions = [report["successful"][index]["version"] for index in ("0", "1")]
    assert versions[1] == versions[0] + 1


def test_an_update_from_an_older_version_is_a_conflict_and_a_partial_one_keeps_the_rest(server: ZoteroServer) -> None:
    made = post(server, book("ABCD2345", ISBN="978-3-16-148410-0"))["successful"]["0"]["version"]
    fresh = post(server, {"key": "ABCD2345", "version": made, "title": "Changed"})
    assert fresh["successful"]["0"]["data"]["ISBN"] == "978-3-16-148410-0"
    stale = post(server, {"key": "ABCD2345", "version": made, "title": "Late"})
    assert stale["failed"]["0"]["code"] == 412
    assert server.library().item("ABCD2345")["title"] == "Changed"


def test_more_than_fifty_objects_are_refused_whole(server: ZoteroServer) -> None:
    items = [{"itemType": "book", "title": str(number)} for number in range(51)]
    assert call(server, "POST", f"/users/{USER}/items", json=items).status_code == 413
    assert server.library().items() == []


def test_what_was_deleted_is_listed_and_what_lies_in_the_trash_is_hidden(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"), book("ABCD2346"), book("ABCD2347"))
    server.trash("ABCD2345")
    server.delete("ABCD2346")
    shown = call(server, "GET", f"/users/{USER}/items?format=versions").json()
    assert list(shown) == ["ABCD2347"]
    everything = call(server, "GET", f"/users/{USER}/items?format=versions&includeTrashed=1").json()
    assert sorted(everything) == ["ABCD2345", "ABCD2347"]
    assert call(server, "GET", f"/users/{USER}/deleted?since=0").json()["items"] == ["ABCD2346"]


def test_a_read_only_key_may_not_write_and_a_strange_one_may_nothing() -> None:
    with ZoteroServer(keys={"readonly": Key(USER, write=False)}) as server:
        assert call(server, "GET", f"/users/{USER}/items", key="readonly").status_code == 200
        refused = call(server, "POST", f"/users/{USER}/items", key="readonly", json=[book("ABCD2345")])
        assert (refused.status_code, refused.text) == (403, "Write access denied")
        assert call(server, "GET", f"/users/{USER}/items", key="strange").status_code == 403


def test_a_group_is_a_library_of_its_own(server: ZoteroServer) -> None:
    answer = call(server, "POST", f"/groups/{GROUP}/items", json=[book("ABCD2345")])
    assert answer.json()["success"] == {"0": "ABCD2345"}
    assert server.library().items() == []
    assert len(server.library(f"groups/{GROUP}").items()) == 1


def test_an_answer_that_is_lost_after_the_commit_leaves_the_item(server: ZoteroServer) -> None:
    server.lose(1, when=writes_of)
    with pytest.raises(httpx.RemoteProtocolError):
        call(server, "POST", f"/users/{USER}/items", json=[book("ABCD2345")])
    assert [item["key"] for item in server.library().items()] == ["ABCD2345"]


def test_a_collection_that_is_not_there_is_a_409(server: ZoteroServer) -> None:
    report = post(server, book("ABCD2345", collections=["QQQQ2222"]))
    assert report["failed"]["0"]["code"] == 409


def test_a_throttled_request_says_how_long_to_wait(server: ZoteroServer) -> None:
    server.throttle(1, retry_after="7")
    answer = call(server, "GET", f"/users/{USER}/items")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
