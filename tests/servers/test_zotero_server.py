"""The stand-in Zotero against what was recorded of the real one, and, without the recording, the rules that a writer leans on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from pyzotero.zotero import Zotero

from tests.servers.zotero import API_KEY, GROUP, LIVE, USER, Group, Key, Limits, ZoteroServer, writes_of
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


def item(server: ZoteroServer, **fields: Any) -> dict[str, Any]:
    """What becomes of one new item."""
    made: dict[str, Any] = post(server, {"itemType": "journalArticle", "title": "T", **fields})["successful"]["0"]
    return made


def refused(server: ZoteroServer, **fields: Any) -> tuple[int, str]:
    failed = post(server, {"itemType": "journalArticle", "title": "T", **fields})["failed"]["0"]
    return failed["code"], failed["message"]


REFUSED: Mapping[str, tuple[dict[str, Any], int, str]] = {
    "a field of no type": ({"shoeSize": "41"}, 400, "Invalid property 'shoeSize'"),
    "a field of another type": (
        {"bookTitle": "B"},
        400,
        "'bookTitle' is not a valid field for type 'journalArticle'",
    ),
    "no such type": ({"itemType": "scroll"}, 400, "'scroll' is not a valid itemType"),
    "an array": ({"pages": ["1"]}, 400, "Unexpected array for property 'pages'"),
    "a creator of no type": (
        {"creators": [{"creatorType": "wizard", "name": "N"}]},
        400,
        "'wizard' is not a valid creator type",
    ),
    "half a name": (
        {"creators": [{"creatorType": "author", "lastName": "N"}]},
        400,
        "'firstName' creator field must be set if 'lastName' is set",
    ),
    "two kinds of name": (
        {"creators": [{"creatorType": "author", "name": "N", "lastName": "N"}]},
        400,
        "'lastName' and 'name' creator fields are mutually exclusive",
    ),
    "a tag that is text": ({"tags": ["sleep"]}, 400, "Tag must be an object"),
    "a bad collection key": ({"collections": ["x"]}, 400, "'x' is not a valid collection key"),
    "an unknown parent": (
        {"itemType": "note", "title": "", "parentItem": "QQQQ2222"},
        409,
        "Parent item QQQQ2222 not found",
    ),
    "a relation elsewhere": (
        {"relations": {"dc:relation": "https://example.org/1"}},
        400,
        "'relations' values currently must be Zotero item URIs",
    ),
    "the state of a string": ({"deleted": "yes"}, 500, "An error occurred"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_is_refused_in_the_servers_words(server: ZoteroServer, case: str) -> None:
    fields, code, message = REFUSED[case]
    assert refused(server, **fields) == (code, message)
    assert server.library().items() == []


def test_messages_are_escaped_as_if_they_were_html(server: ZoteroServer) -> None:
    assert refused(server, itemType="<b>&")[1] == "'&lt;b&gt;&amp;' is not a valid itemType"


@pytest.mark.parametrize(
    ("fields", "longest"),
    [
        (lambda n: {"abstractNote": "x" * n}, 65_535),
        (lambda n: {"creators": [{"creatorType": "author", "name": "x" * n}]}, 255),
        (lambda n: {"tags": [{"tag": "x" * n}]}, 255),
    ],
    ids=["field", "name", "tag"],
)
def test_what_is_too_long_by_one_is_a_413(
    server: ZoteroServer, fields: Callable[[int], dict[str, Any]], longest: int
) -> None:
    assert item(server, **fields(longest))["key"]
    assert refused(server, **fields(longest + 1))[0] == 413


def test_an_object_as_a_value_ends_the_request_and_leaves_what_came_before(server: ZoteroServer) -> None:
    sent = [book("ABCD2345"), book("ABCD2346", pages={"first": 1}), book("ABCD2347")]
    answer = call(server, "POST", f"/users/{USER}/items", json=sent)
    assert (answer.status_code, answer.text) == (500, "An error occurred")
    assert [each["key"] for each in server.library().items()] == ["ABCD2345"]


def test_values_are_trimmed_and_lose_control_characters(server: ZoteroServer) -> None:
    data = item(server, title=" a\x07b\tc\r ", volume=12, issue=None, pages=True, rights="one\ntwo")["data"]
    assert [data[name] for name in ("title", "volume", "issue", "pages", "rights")] == [
        "ab\tc",
        "12",
        "",
        "1",
        "one\ntwo",
    ]


def test_a_creator_of_blanks_takes_the_later_ones_away(server: ZoteroServer) -> None:
    names = ["Marrow", "\N{NO-BREAK SPACE}", "Holm"]
    people = [{"creatorType": "author", "firstName": "", "lastName": name} for name in names]
    assert [person["lastName"] for person in item(server, creators=people)["data"]["creators"]] == ["Marrow"]


def test_an_author_becomes_the_main_creator_of_a_type_that_has_none(server: ZoteroServer) -> None:
    [person] = item(server, itemType="film", creators=[{"creatorType": "author", "name": "N"}])["data"]["creators"]
    assert person["creatorType"] == "director"


DATES = {
    "2021": "2021",
    "May 2021": "2021-05",
    "12 May 2021": "2021-05-12",
    "12/05/2021": "2021-12-05",
    "31/05/2021": "2021-05-31",
    "2021/05/12/Print": "2021-05-12",
    "2021/05//": "2021",
    "2021 Jan-Feb": "2021-02",
    "2021-14-40": "2021",
    "20210512": None,
    "in press": None,
}


@pytest.mark.parametrize("date", DATES)
def test_dates_are_kept_and_read_as_the_server_reads_them(server: ZoteroServer, date: str) -> None:
    made = item(server, date=date)
    assert (made["data"]["date"], made["meta"].get("parsedDate")) == (date, DATES[date])


def test_a_date_with_a_short_year_comes_back_damaged(server: ZoteroServer) -> None:
    assert item(server, date="21-05-12")["data"]["date"] == "2012-05-21 21-05-12"


def test_a_relation_shows_on_the_other_item_without_a_new_version(server: ZoteroServer) -> None:
    made = post(server, book("ABCD2345"))["successful"]["0"]
    uri = f"http://zotero.org/users/{USER}/items/ABCD2345"
    post(server, book("ABCD2346", relations={"dc:relation": [uri]}))
    other = call(server, "GET", f"/users/{USER}/items/ABCD2345").json()
    assert other["data"]["relations"] == {"dc:relation": uri.replace("2345", "2346")}
    assert other["version"] == made["version"]


def test_what_changes_nothing_keeps_its_version_and_raises_the_librarys(server: ZoteroServer) -> None:
    made = post(server, book("ABCD2345"))["successful"]["0"]["version"]
    before = server.library().version
    assert post(server, {"key": "ABCD2345", "version": made, "title": "A book"})["unchanged"] == {"0": "ABCD2345"}
    assert server.library().item("ABCD2345")["version"] == made
    assert server.library().version == before + 1


def test_a_key_without_a_version_is_a_428_unless_the_library_is_named(server: ZoteroServer) -> None:
    bare = {"key": "ABCD2345", "itemType": "book", "title": "T"}
    assert post(server, bare)["failed"]["0"]["code"] == 428
    version = {"If-Unmodified-Since-Version": str(server.library().version)}
    assert post(server, bare, headers=version)["success"] == {"0": "ABCD2345"}
    answer = call(server, "POST", f"/users/{USER}/items", json=[bare], headers=version)
    assert answer.status_code == 412


def test_a_version_that_is_ahead_passes(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"))
    ahead = {"If-Unmodified-Since-Version": "999"}
    assert post(server, {"key": "ABCD2345", "version": 999, "title": "N"}, headers=ahead)["success"] == {
        "0": "ABCD2345"
    }


def test_a_key_without_the_library_may_not_read_it() -> None:
    with ZoteroServer(keys={"grouponly": Key(USER, library=False)}) as server:
        assert call(server, "GET", f"/users/{USER}/items", key="grouponly").status_code == 403
        assert call(server, "GET", f"/groups/{GROUP}/items", key="grouponly").status_code == 200


def test_an_update_of_what_is_not_there_is_a_404_and_version_0_makes_it_anew(server: ZoteroServer) -> None:
    made = post(server, book("ABCD2345"))["successful"]["0"]["version"]
    server.delete("ABCD2345")
    gone = post(server, {"key": "ABCD2345", "version": made, "title": "T"})["failed"]["0"]
    assert gone == {"code": 404, "message": f"Item doesn't exist (expected version {made}; use 0 instead)"}
    assert post(server, book("ABCD2345"))["success"] == {"0": "ABCD2345"}
    assert server.library().deleted() == set()


def test_a_trashed_item_keeps_its_key_taken(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"))
    server.trash("ABCD2345")
    assert post(server, book("ABCD2345"))["failed"]["0"]["code"] == 412


def test_a_child_comes_after_its_parent_and_goes_with_it(server: ZoteroServer) -> None:
    child = {"key": "NNNN2222", "version": 0, "itemType": "note", "parentItem": "ABCD2345", "note": "<p>kept</p>"}
    assert list(post(server, child, book("ABCD2345"))["failed"]) == ["0"]
    assert post(server, child)["success"] == {"0": "NNNN2222"}
    listed = call(server, "GET", f"/users/{USER}/items/ABCD2345/children?format=keys").text
    assert listed.split() == ["NNNN2222"]
    server.delete("ABCD2345")
    assert server.library().deleted() == {"ABCD2345", "NNNN2222"}


def test_a_write_token_counts_once_the_last_object_went_well(server: ZoteroServer) -> None:
    good, bad = {"itemType": "book", "title": "T"}, {"itemType": "scroll"}
    for token, batch, second in (("forgotten", [good, bad], 200), ("remembered", [bad, good], 412)):
        headers = {"Zotero-Write-Token": token}
        post(server, *batch, headers=headers)
        again = call(server, "POST", f"/users/{USER}/items", json=batch, headers=headers)
        assert again.status_code == second, token


def test_a_write_token_lasts_twelve_hours() -> None:
    clock = [0.0]
    with ZoteroServer(clock=lambda: clock[0]) as server:
        headers, sent = {"Zotero-Write-Token": "remembered"}, [{"itemType": "book", "title": "T"}]
        found = []
        for clock[0] in (0.0, 43_199.0, 43_200.0):
            found.append(call(server, "POST", f"/users/{USER}/items", json=sent, headers=headers).status_code)
        assert found == [200, 412, 200]


def test_pages_follow_each_other_by_their_links(server: ZoteroServer) -> None:
    for number in range(60):
        server.library().add(itemType="book", title=f"{number:02}")
    url, seen = f"{server.url}/users/{USER}/items?sort=title", []
    while url:
        page = httpx.get(url, headers={"Zotero-API-Key": API_KEY})
        seen += [each["data"]["title"] for each in page.json()]
        assert page.headers["total-results"] == "60"
        url = page.links.get("next", {}).get("url", "")
    assert seen == [f"{number:02}" for number in range(60)]


def test_a_page_has_25_and_at_most_100_and_keys_have_no_end(server: ZoteroServer) -> None:
    for number in range(120):
        server.library().add(itemType="book", title=str(number))
    items = f"/users/{USER}/items"
    assert [len(call(server, "GET", items + tail).json()) for tail in ("", "?limit=500")] == [25, 100]
    keys = call(server, "GET", f"{items}?format=keys").text.split()
    assert len(keys) == 120
    assert len(call(server, "GET", f"{items}?itemKey={','.join(keys)}").json()) == 100


def test_since_is_strict_and_a_reader_who_knows_all_gets_a_304(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"), book("ABCD2346"))
    version = server.library().item("ABCD2345")["version"]
    assert list(call(server, "GET", f"/users/{USER}/items?format=versions&since={version}").json()) == ["ABCD2346"]
    known = {"If-Modified-Since-Version": str(server.library().version)}
    assert call(server, "GET", f"/users/{USER}/items", headers=known).status_code == 304


def test_a_list_shows_what_changed_since_the_same_question(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"))
    items = f"/users/{USER}/items"
    before = call(server, "GET", items).json()[0]["data"]["title"]
    server.edit("ABCD2345", title="Changed")
    assert (before, call(server, "GET", items).json()[0]["data"]["title"]) == ("A book", "Changed")


def test_a_search_does_not_look_at_identifiers(server: ZoteroServer) -> None:
    item(server, title="Sleep diaries", DOI="10.5555/ward.1", date="2021-05")
    hits = [
        len(call(server, "GET", f"/users/{USER}/items?q={word}").json())
        for word in ("diaries", "2021", "10.5555/ward.1")
    ]
    assert hits == [1, 1, 0]


def test_a_persons_edit_raises_the_version_and_sets_the_date() -> None:
    moments = iter(datetime(2026, 11, 23, 8, minute, tzinfo=UTC) for minute in range(9))
    with ZoteroServer(now=lambda: next(moments)) as server:
        key = server.library().add(itemType="book", title="T")
        before = server.library().item(key)
        assert server.edit(key, title="Changed") == before["version"] + 1
        after = server.library().item(key)
        assert after["dateAdded"] == before["dateAdded"]
        assert after["dateModified"] > before["dateModified"]


def test_collections_nest_keep_their_keys_and_let_their_items_live(server: ZoteroServer) -> None:
    sent = [
        {"key": "CCCC2222", "version": 0, "name": "Above"},
        {"key": "CCCC2223", "version": 0, "name": "Below", "parentCollection": "CCCC2222"},
    ]
    url = f"/users/{USER}/collections"
    assert call(server, "POST", url, json=sent).json()["success"] == {"0": "CCCC2222", "1": "CCCC2223"}
    assert call(server, "POST", url, json=sent[:1]).json()["failed"]["0"]["code"] == 412
    post(server, book("ABCD2345", collections=["CCCC2223"]))
    assert call(server, "GET", f"{url}/CCCC2223/items?format=keys").text.split() == ["ABCD2345"]
    server.library().delete("CCCC2222", "collections")
    assert server.library().collections() == []
    assert server.library().item("ABCD2345")["collections"] == []


def test_a_put_needs_its_properties_and_keeps_the_fields_it_leaves_out(server: ZoteroServer) -> None:
    version = post(server, book("ABCD2345", ISBN="978-3-16-148410-0"))["successful"]["0"]["version"]
    url, sent = f"/users/{USER}/items/ABCD2345", {"itemType": "book", "title": "New", "version": version}
    bare = call(server, "PUT", url, json=sent)
    assert (bare.status_code, bare.text) == (400, "'tags' property not provided")
    assert call(server, "PUT", url, json={**sent, "tags": [], "collections": [], "relations": {}}).status_code == 204
    held = server.library().item("ABCD2345")
    assert (held["title"], held["ISBN"]) == ("New", "978-3-16-148410-0")


def test_another_type_takes_along_what_fits(server: ZoteroServer) -> None:
    made = item(server, publicationTitle="Annals of Wards", issue="4", date="2021")
    moved = post(server, {"key": made["key"], "version": made["version"], "itemType": "bookSection"})
    data = moved["successful"]["0"]["data"]
    assert (data["bookTitle"], data["date"], "issue" in data) == ("Annals of Wards", "2021", False)


def test_many_can_be_deleted_at_once_and_unknown_keys_do_not_matter(server: ZoteroServer) -> None:
    post(server, book("ABCD2345"), book("ABCD2346"))
    url = f"/users/{USER}/items?itemKey=ABCD2345,QQQQ2222"
    stale = call(server, "DELETE", url, headers={"If-Unmodified-Since-Version": "1"})
    assert stale.status_code == 412
    assert call(server, "DELETE", url).status_code == 204
    assert server.library().deleted() == {"ABCD2345"}


def test_too_many_wrong_keys_lock_the_address_for_the_right_one_too() -> None:
    clock = [0.0]
    with ZoteroServer(clock=lambda: clock[0]) as server:
        items = f"/users/{USER}/items"
        assert [call(server, "GET", items, key="wrong").status_code for _ in range(6)] == [403] * 5 + [429]
        locked = call(server, "GET", items)
        assert (locked.status_code, "retry-after" in locked.headers) == (429, False)
        clock[0] = 300.0
        assert call(server, "GET", items).status_code == 200


def test_the_live_limits_let_a_hundred_through_and_then_ten_a_second() -> None:
    clock = [0.0]
    with ZoteroServer(limits=LIVE, clock=lambda: clock[0]) as server, httpx.Client() as client:
        headers = {"Zotero-API-Key": API_KEY}

        def burst(count: int) -> list[int]:
            return [client.get(f"{server.url}/keys/current", headers=headers).status_code for _ in range(count)]

        assert burst(101) == [200] * 100 + [429]
        clock[0] = 1.0
        assert burst(11) == [200] * 10 + [429]


def test_a_sixth_request_at_the_same_time_is_refused() -> None:
    with ZoteroServer(limits=Limits(concurrent=5)) as server:
        held = Event()
        server.hang(held, 5)
        waiting = [Thread(target=call, args=(server, "GET", "/keys/current")) for _ in range(5)]
        for thread in waiting:
            thread.start()
        server.await_pending(5)
        answer = call(server, "GET", "/keys/current")
        held.set()
        for thread in waiting:
            thread.join()
        assert (answer.status_code, answer.text) == (429, "Concurrent request limit exceeded")
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert call(server, "GET", "/keys/current").status_code == 200


def test_maintenance_stops_writing_and_backoff_comes_with_every_answer(server: ZoteroServer) -> None:
    server.maintenance, server.backoff = True, 7
    write = call(server, "POST", f"/users/{USER}/items", json=[book("ABCD2345")])
    read = call(server, "GET", f"/users/{USER}/items")
    assert [(a.status_code, a.headers["backoff"]) for a in (write, read)] == [(503, "7"), (200, "7")]
    assert server.library().items() == []


def test_a_failure_after_the_commit_leaves_the_item(server: ZoteroServer) -> None:
    server.fail_after(1, status=503, headers={"Retry-After": "3"})
    answer = call(server, "POST", f"/users/{USER}/items", json=[book("ABCD2345")])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert post(server, book("ABCD2345"))["failed"]["0"]["code"] == 412
    assert len(server.library().items()) == 1


def test_a_group_is_for_its_members_and_a_key_that_names_it() -> None:
    keys = {"member": Key(2), "stranger": Key(3), "ungrouped": Key(2, groups={}), "reader": Key(2, groups={7: False})}
    groups = {7: Group("Ward", 1, frozenset({2})), 8: Group("Closed", 1, frozenset({2}), editing="admins")}
    with ZoteroServer({1: "a", 2: "b", 3: "c"}, keys, groups) as server:

        def codes(key: str, group: int) -> tuple[int, int]:
            url = f"/groups/{group}/items"
            return (
                call(server, "GET", url, key=key).status_code,
                call(server, "POST", url, key=key, json=[{"itemType": "book", "title": "T"}]).status_code,
            )

        assert codes("member", 7) == (200, 200)
        assert codes("member", 8) == (200, 403)
        assert codes("reader", 7) == (200, 403)
        assert codes("stranger", 7) == codes("ungrouped", 7) == (403, 403)
        seen = call(server, "GET", "/users/2/groups", key="member").json()
        assert [each["id"] for each in seen] == [7, 8]


def test_a_group_tells_who_runs_it_and_who_may_edit() -> None:
    keys = {"owner": Key(1), "admin": Key(2), "member": Key(3), "stranger": Key(4)}
    closed = Group("Ward", 1, frozenset({3}), editing="admins", admins=frozenset({2}))
    with ZoteroServer({1: "a", 2: "b", 3: "c", 4: "d"}, keys, {7: closed, 8: Group("Alone", 1)}) as server:
        data = call(server, "GET", "/groups/7", key="member").json()["data"]
        told = {name: data[name] for name in ("id", "owner", "admins", "members", "libraryEditing")}
        assert told == {"id": 7, "owner": 1, "admins": [2], "members": [3], "libraryEditing": "admins"}
        assert not {"admins", "members"} & set(call(server, "GET", "/groups/8", key="owner").json()["data"])
        assert call(server, "GET", "/groups/7", key="stranger").status_code == 403
        assert call(server, "GET", "/groups/9", key="owner").status_code == 404
        sent = [{"itemType": "book", "title": "T"}]
        codes = {key: call(server, "POST", "/groups/7/items", key=key, json=sent).status_code for key in keys}
        assert codes == {"owner": 200, "admin": 200, "member": 403, "stranger": 403}


def test_a_key_says_what_it_may(server: ZoteroServer) -> None:
    rights = call(server, "GET", "/keys/current").json()
    assert rights["userID"] == USER
    assert rights["access"] == {
        "user": {"library": True, "files": True, "notes": True, "write": True},
        "groups": {"all": {"library": True, "write": True}},
    }


def test_a_key_without_notes_writes_them_and_does_not_see_them() -> None:
    with ZoteroServer(keys={"nonotes": Key(USER, notes=False)}) as server:
        sent = [{"itemType": "note", "note": "x"}]
        assert call(server, "POST", f"/users/{USER}/items", key="nonotes", json=sent).json()["success"]
        assert call(server, "GET", f"/users/{USER}/items", key="nonotes").json() == []


def test_half_a_character_makes_the_whole_body_no_array(server: ZoteroServer) -> None:
    answer = call(server, "POST", f"/users/{USER}/items", content=b'[{"itemType":"book","title":"\\ud800"}]')
    assert (answer.status_code, answer.text) == (400, "Uploaded data must be a JSON array")


def test_a_packed_body_is_unpacked(server: ZoteroServer) -> None:
    packed = gzip.compress(json.dumps([book("ABCD2345")]).encode())
    answer = call(server, "POST", f"/users/{USER}/items", content=packed, headers={"Content-Encoding": "gzip"})
    assert answer.json()["success"] == {"0": "ABCD2345"}


def test_the_date_of_a_change_is_the_servers_unless_a_zotero_sends_it(server: ZoteroServer) -> None:
    sent = "2001-02-03T04:05:06Z"
    for agent, kept in (("zotdrop/1", False), ("Zotero/10", True)):
        made = item(server)
        change = {"key": made["key"], "version": made["version"], "title": "New", "dateModified": sent}
        data = post(server, change, headers={"User-Agent": agent})["successful"]["0"]["data"]
        assert (data["dateModified"] == sent) is kept, agent


def test_pyzotero_reads_and_writes_as_with_the_real_service(server: ZoteroServer) -> None:
    client = Zotero(USER, "user", API_KEY)
    client.endpoint = server.url
    made = client.create_items([book("ABCD2345")])
    assert made["success"] == {"0": "ABCD2345"}
    assert client.item("ABCD2345")["data"]["title"] == "A book"
    assert client.item_versions() == {"ABCD2345": 1}
    assert client.num_items() == 1
