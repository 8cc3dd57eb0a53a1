"""The manners of the desktop's local API that differ from the web API's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pyzotero.zotero import Zotero

from tests.servers.desktop import LOCAL_KEY, SERVER_ID, DesktopServer
from tests.servers.zotero import GROUP, USER, Group

GOOD = {"Zotero-Server-ID": SERVER_ID, "Zotero-API-Key": LOCAL_KEY}
ITEMS = "/api/users/0/items"


@pytest.fixture
def server() -> Iterator[DesktopServer]:
    with DesktopServer() as made:
        yield made


def call(server: DesktopServer, method: str, path: str = ITEMS, **more: Any) -> httpx.Response:
    more.setdefault("headers", GOOD)
    return httpx.request(method, f"{server.url}{path}", timeout=10, **more)


def post(server: DesktopServer, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = call(server, "POST", json=list(items), **more)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def ask(server: DesktopServer, name: object = "zotdrop") -> httpx.Response:
    sent, headers = {"appName": name}, {"Zotero-Server-ID": server.server_id}
    return call(server, "POST", "/api/local/authorize", json=sent, headers=headers)


def book(version: int = 0, **more: Any) -> dict[str, Any]:
    return {"key": "ABCD2345", "version": version, "itemType": "book", "title": "A book", **more}


def test_reading_needs_no_key_and_every_answer_names_the_database(server: DesktopServer) -> None:
    answer = call(server, "GET", headers={})
    assert (answer.status_code, answer.headers["zotero-server-id"]) == (200, SERVER_ID)
    assert call(server, "GET", "/api/users/0/items/QQQQ2222", headers={}).headers["zotero-server-id"] == SERVER_ID


WRITERS = {
    "no database": ({"Zotero-API-Key": LOCAL_KEY}, 428, "Zotero-Server-ID not provided"),
    "another database": (GOOD | {"Zotero-Server-ID": "other"}, 412, "Zotero-Server-ID does not match this server"),
    "no key": (
        {"Zotero-Server-ID": SERVER_ID},
        401,
        "API key required -- POST /api/local/authorize to obtain one",
    ),
    "a wrong key": (GOOD | {"Zotero-API-Key": "wrong"}, 401, "Invalid or expired API key"),
}


@pytest.mark.parametrize("case", WRITERS)
def test_writing_needs_the_database_and_a_key(server: DesktopServer, case: str) -> None:
    headers, status, words = WRITERS[case]
    answer = call(server, "POST", json=[book()], headers=headers)
    assert (answer.status_code, answer.text) == (status, words)
    assert ("zotero-server-id" in answer.headers) is (status != 401)
    assert server.library().items() == []


def test_a_reader_of_another_database_is_told(server: DesktopServer) -> None:
    server.server_id = "restored"
    assert call(server, "GET").status_code == 412


def test_an_update_needs_the_very_version_and_a_failure_names_its_key(server: DesktopServer) -> None:
    made = post(server, book())["successful"]["0"]["version"]
    ahead = post(server, {"key": "ABCD2345", "version": made + 5, "title": "Ahead"})["failed"]["0"]
    message = f"item version mismatch: expected {made + 5}, found {made}"
    assert ahead == {"key": "ABCD2345", "code": 412, "message": message}
    again = post(server, book(), {**book(), "key": "ABCD2346"})
    assert again["failed"]["0"]["message"] == f"item version mismatch: expected 0, found {made}"
    assert again["success"] == {"1": "ABCD2346"}
    assert post(server, {"key": "ABCD2345", "version": made, "title": "Right"})["success"] == {"0": "ABCD2345"}


def test_a_keyed_write_without_a_version_is_taken(server: DesktopServer) -> None:
    post(server, book())
    assert post(server, {"key": "ABCD2345", "title": "Unasked"})["success"] == {"0": "ABCD2345"}


def test_an_item_that_is_gone_is_taken_for_a_new_one(server: DesktopServer) -> None:
    made = post(server, book())["successful"]["0"]["version"]
    server.delete("ABCD2345")
    partial = post(server, {"key": "ABCD2345", "version": made, "title": "Late"})["failed"]["0"]
    assert partial == {"key": "ABCD2345", "code": 400, "message": "itemType property not provided"}
    assert post(server, book(made))["success"] == {"0": "ABCD2345"}


def test_what_changes_nothing_changes_no_version(server: DesktopServer) -> None:
    made = post(server, book())["successful"]["0"]["version"]
    before = server.library().version
    assert post(server, book(made))["unchanged"] == {"0": "ABCD2345"}
    assert server.library().version == before


def test_a_foreign_field_moves_to_extra_and_what_was_there_stays(server: DesktopServer) -> None:
    post(server, book(PMID="123", shoeSize="41", extra="kept: yes"))
    (item,) = server.library().items()
    assert item["extra"] == "kept: yes\nPMID: 123\nshoeSize: 41"
    post(server, {"key": "ABCD2345", "version": item["version"], "issue": "7"})
    assert server.library().item("ABCD2345")["extra"] == "kept: yes\nPMID: 123\nshoeSize: 41\nissue: 7"


def test_lengths_and_dates_are_not_looked_at(server: DesktopServer) -> None:
    tag = {"tag": "t" * 300}
    post(server, book(abstractNote="x" * 70_000, tags=[tag], date="21-05-12", accessDate="yesterday"))
    (item,) = server.library().items()
    assert (len(item["abstractNote"]), item["tags"], item["date"], item["accessDate"]) == (
        70_000,
        [tag],
        "21-05-12",
        "",
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"itemType": "scroll"}, "Unknown itemType 'scroll'"),
        ({"collections": ["QQQQ2222"]}, "Collection QQQQ2222 not found"),
        ({"pages": {"first": 1}, "itemType": "journalArticle"}, "'pages' must be a string"),
        ({"key": "short"}, "Invalid key: 'short'"),
    ],
)
def test_whatever_is_wrong_with_one_object_is_its_400(
    server: DesktopServer, fields: dict[str, Any], words: str
) -> None:
    report = post(server, book(**fields), {**book(), "key": "ABCD2346"})
    assert (report["failed"]["0"]["code"], report["failed"]["0"]["message"]) == (400, words)
    assert report["success"] == {"1": "ABCD2346"}


def test_a_batch_has_one_to_fifty_objects(server: DesktopServer) -> None:
    many = [{"itemType": "book", "title": str(number)} for number in range(51)]
    assert [call(server, "POST", json=sent).status_code for sent in ([], many, many[:50])] == [400, 413, 200]


def test_a_list_has_no_end_and_keys_come_without_a_last_line_end(server: DesktopServer) -> None:
    keys = [server.library().add(itemType="book", title=str(number)) for number in range(130)]
    assert len(call(server, "GET").json()) == 130
    assert len(call(server, "GET", f"{ITEMS}?limit=120").json()) == 120
    text = call(server, "GET", f"{ITEMS}?format=keys").text
    assert not text.endswith("\n")
    assert set(text.split()) == set(keys)


def test_deleting_needs_the_version_and_finds_nothing_twice(server: DesktopServer) -> None:
    version = post(server, book())["successful"]["0"]["version"]
    at = f"{ITEMS}/ABCD2345"
    assert call(server, "DELETE", at).status_code == 428
    stale = call(server, "DELETE", at, headers=GOOD | {"If-Unmodified-Since-Version": str(version - 1)})
    words = f"item has been modified since specified version (expected {version - 1}, found {version})"
    assert (stale.status_code, stale.text) == (412, words)
    codes = [call(server, "DELETE", at, headers=GOOD | {"If-Unmodified-Since-Version": "99"}).status_code for _ in "12"]
    assert codes == [204, 404]
    assert call(server, "DELETE", f"{ITEMS}?itemKey=ABCD2345").status_code == 428


def test_a_single_write_makes_what_is_not_there_and_minds_the_version(server: DesktopServer) -> None:
    at = f"{ITEMS}/ABCD2345"
    made = call(server, "PUT", at, json={"itemType": "book", "title": "T"})
    version = int(made.headers["last-modified-version"])
    assert made.status_code == 204
    assert call(server, "PATCH", at, json={"title": "N"}).status_code == 428
    stale = call(server, "PATCH", at, json={"title": "N", "version": version - 1})
    assert (stale.status_code, stale.text) == (412, f"item version mismatch: expected {version - 1}, found {version}")
    assert call(server, "PATCH", at, json={"title": "N", "version": version}).status_code == 204
    gone = call(server, "PATCH", f"{ITEMS}/QQQQ2222", json={"title": "N", "version": 3})
    assert (gone.status_code, gone.text) == (400, "itemType property not provided")


def test_what_is_gone_is_listed_unless_this_zotero_does_not_tell(server: DesktopServer) -> None:
    post(server, book())
    server.delete("ABCD2345")
    assert call(server, "GET", "/api/users/0/deleted?since=0").json()["items"] == ["ABCD2345"]
    server.tells_deleted = False
    assert call(server, "GET", "/api/users/0/deleted?since=0").status_code == 404


@pytest.mark.parametrize(("person", "uses"), [("always", [200, 200]), ("once", [200, 401])])
def test_a_key_lasts_as_long_as_the_person_said(server: DesktopServer, person: str, uses: list[int]) -> None:
    server.person = person
    given = ask(server).json()
    headers = {**GOOD, "Zotero-API-Key": given["key"]}
    found = [
        call(server, "POST", json=[{**book(), "key": k}], headers=headers).status_code for k in ("ABCD2345", "ABCD2346")
    ]
    assert (found, given["remember"], server.asked_for) == (uses, person == "always", ["zotdrop"])


def test_a_key_for_one_use_is_gone_even_if_the_write_fails(server: DesktopServer) -> None:
    headers = {**GOOD, "Zotero-API-Key": server.allow(remember=False)}
    codes = [call(server, "POST", content=b"no JSON", headers=headers).status_code for _ in "12"]
    assert codes == [400, 401]


def test_a_person_may_deny(server: DesktopServer) -> None:
    server.person = "deny"
    answer = ask(server)
    assert (answer.status_code, answer.json()) == (403, {"denied": True})
    assert ask(server, "  ").status_code == 400


def test_a_person_is_asked_five_times_a_minute_at_most() -> None:
    clock = [0.0]
    with DesktopServer(clock=lambda: clock[0]) as server:
        assert [ask(server).status_code for _ in range(5)] == [200] * 5
        clock[0] = 20.0
        answer = ask(server)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "40")
        clock[0] = 60.0
        assert ask(server).status_code == 200


def test_the_api_may_be_off(server: DesktopServer) -> None:
    server.enabled = False
    answer = call(server, "GET")
    assert (answer.status_code, answer.text) == (403, "Local API is not enabled")


def test_an_old_zotero_can_only_be_read(server: DesktopServer) -> None:
    server.old = True
    answer = call(server, "GET")
    assert answer.status_code == 200
    assert "zotero-server-id" not in answer.headers
    assert call(server, "POST", json=[book()]).status_code == 501


@pytest.mark.parametrize(
    "headers", [{"User-Agent": "Mozilla/5.0"}, {"Origin": "https://example.org"}, {"Host": "example.org:23119"}]
)
def test_whoever_looks_like_a_web_page_is_cut_off(server: DesktopServer, headers: dict[str, str]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        call(server, "GET", headers=headers)


def test_only_the_own_library_and_groups_that_may_be_edited_are_written(server: DesktopServer) -> None:
    assert call(server, "GET", f"/api/users/{USER}/items").status_code == 200
    stranger = call(server, "GET", "/api/users/5/items")
    assert (stranger.status_code, "use userID 0" in stranger.text) == (400, True)
    assert call(server, "GET", "/api/groups/5/items").status_code == 404
    assert call(server, "POST", f"/api/groups/{GROUP}/items", json=[book()]).json()["success"] == {"0": "ABCD2345"}
    with DesktopServer(groups={5: Group("Read only", 2, frozenset({USER}), editing="admins")}) as other:
        assert call(other, "POST", "/api/groups/5/items", json=[book()]).status_code == 403


def test_another_version_of_the_api_is_only_spoken_of_at_the_root(server: DesktopServer) -> None:
    headers = {"Zotero-API-Version": "4"}
    assert [call(server, "GET", path, headers=headers).status_code for path in ("/api/", ITEMS)] == [200, 501]


def test_templates_and_keys_are_not_there(server: DesktopServer) -> None:
    paths = ("/api/itemTypes", "/api/items/new?itemType=book", "/api/keys/current", "/api/users/0/settings")
    assert [call(server, "GET", path).status_code for path in paths] == [200, 404, 404, 200]


def test_pyzotero_asks_for_a_key_and_writes_with_it(server: DesktopServer) -> None:
    client = Zotero(0, "user", local=True)
    client.endpoint = f"{server.url}/api"
    assert client.authorize_local("zotdrop")["remember"] is True
    assert client.create_items([book()])["success"] == {"0": "ABCD2345"}
    assert client.server_id == SERVER_ID
    assert client.item("ABCD2345")["data"]["title"] == "A book"
