"""The web API's bad days: throttled, down, half written, locked out, with keys that may not."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync.core.keys import derived_key
from sync.errors import ConfigFault, CredentialFault, Interrupted, Outage, Throttled
from sync.libraries.base import BATCH, Conflict, Receipt, Refusal, Write
from sync.libraries.zotero import Zotero
from tests.servers.base import Reply, Request
from tests.servers.zotero import API_KEY, GROUP, USER, Key, LibraryView, Limits, ZoteroServer


class Clock:
    """Seconds that pass only while somebody waits."""

    def __init__(self) -> None:
        self.time, self.waits = 0.0, list[float]()

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


class Bench:
    def __init__(self, server: ZoteroServer) -> None:
        self.server, self.clock = server, Clock()
        self.view: LibraryView = server.library()
        self.open: list[Zotero] = []
        self.library = self.reopen()

    def reopen(self, **changed: Any) -> Zotero:
        usual: dict[str, Any] = {
            "library_type": "user",
            "library_id": USER,
            "api_key": API_KEY,
            "url": self.server.url,
            "wait": self.clock.wait,
            "now": self.clock.now,
        }
        self.library = Zotero(**usual | changed)
        self.open.append(self.library)
        return self.library

    def sent(self) -> list[int]:
        """How many objects each POST of items carried."""
        return [
            len(request.json()) for request in self.server.log if request.path.endswith("/items") and posts(request)
        ]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ZoteroServer(limits=Limits(wrong_keys=5)) as server:
        made = Bench(server)
        yield made
        for library in made.open:
            library.close()


def posts(request: Request) -> bool:
    return request.method == "POST"


def key(number: object) -> str:
    return derived_key("test", number)


def article(number: object = 1, **fields: Any) -> Write:
    return Write(key(number), 0, {"itemType": "journalArticle", "title": f"Ward {number}", **fields})


def batch(count: int = 4) -> list[Write]:
    return [article(n) for n in range(count)]


# Whole requests that fail


def test_a_throttled_write_waits_as_long_as_it_is_told_and_lands_once(bench: Bench) -> None:
    bench.server.throttle(2, retry_after="7")
    answers = bench.library.write(batch())
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert bench.clock.waits == [7.0, 7.0]
    assert len(bench.view.items()) == 4


def test_a_pause_may_be_a_date(bench: Bench) -> None:
    dates = {"Retry-After": "Mon, 23 Nov 2026 08:00:20 GMT", "Date": "Mon, 23 Nov 2026 08:00:00 GMT"}

    def dated(_handle: Callable[[Request], Reply], _request: Request) -> Reply:
        return Reply(503, b"busy", {"Retry-After": dates["Retry-After"]})

    bench.server.twist(dated, 1)
    hook = bench.library._api._on_response
    bench.library._api._zotero.client.event_hooks = {
        "request": [],
        "response": [lambda response: (response.headers.update({"Date": dates["Date"]}), hook(response))],
    }
    bench.library.write(batch())
    assert bench.clock.waits == [20.0]


def test_a_throttled_reading_is_read_again(bench: Bench) -> None:
    bench.library.write(batch())
    bench.server.throttle(1, retry_after="3")
    assert sum(len(delta.items) for delta in bench.library.changes(0)) == 4
    assert bench.clock.waits == [3.0]


def test_a_pause_that_is_too_long_is_an_outage_that_names_it(bench: Bench) -> None:
    bench.server.throttle(1, retry_after="3600")
    with pytest.raises(Throttled) as told:
        bench.library.write(batch())
    assert told.value.seconds == 3600
    assert bench.clock.waits == []


def test_an_endless_throttle_ends_in_an_outage(bench: Bench) -> None:
    bench.server.throttle(None, retry_after="2")
    with pytest.raises(Throttled):
        bench.library.write(batch())
    assert bench.clock.waits == [2.0] * 4


def test_a_throttle_without_a_time_is_not_asked_again(bench: Bench) -> None:
    bench.server.throttle(None, retry_after=None)
    with pytest.raises(Throttled) as told:
        bench.library.write(batch())
    assert told.value.seconds == 300
    assert bench.library.requests == 1


def never(seconds: float) -> None:
    raise AssertionError(f"{seconds} s of sleep that no stop can end")


def test_a_wish_for_rest_on_a_good_answer_is_obeyed_before_the_next_request(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", never)
    bench.server.backoff = 11
    bench.library.write([article(1)])
    assert bench.clock.waits == []
    bench.clock.time += 5
    bench.server.backoff = None
    bench.library.write([article(2)])
    assert bench.clock.waits == [6.0]


def test_a_stop_ends_the_wait(bench: Bench) -> None:
    def stopped(_seconds: float) -> None:
        raise Interrupted("stop")

    bench.reopen(wait=stopped)
    bench.server.throttle(1, retry_after="30")
    with pytest.raises(Interrupted):
        bench.library.write(batch())


def test_maintenance_is_an_outage_for_writes_while_reading_goes_on(bench: Bench) -> None:
    bench.server.maintenance = True
    assert len(list(bench.library.changes(0))) == 1
    with pytest.raises(Outage, match="503"):
        bench.library.write(batch())


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_answer_that_failed_after_the_work_was_done_makes_nothing_twice(bench: Bench, status: int) -> None:
    bench.server.fail_after(1, status=status)
    answers = bench.library.write(batch())
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert len(bench.view.items()) == 4
    assert bench.sent() == [4, 4]


@pytest.mark.parametrize("fault", ["lose", "drop", "truncate", "html"])
def test_a_broken_answer_is_asked_for_again_and_makes_nothing_twice(bench: Bench, fault: str) -> None:
    getattr(bench.server, fault)(1, when=posts)
    answers = bench.library.write(batch())
    assert [answer.key for answer in answers if isinstance(answer, Receipt)] == [write.key for write in batch()]
    assert len(bench.view.items()) == 4


@pytest.mark.parametrize("fault", ["drop", "truncate", "html"])
def test_a_broken_reading_is_read_again(bench: Bench, fault: str) -> None:
    bench.library.write(batch())
    getattr(bench.server, fault)(1)
    assert sum(len(delta.items) for delta in bench.library.changes(0)) == 4


def test_a_service_that_answers_with_web_pages_is_an_outage(bench: Bench) -> None:
    bench.server.html(None)
    with pytest.raises(Outage, match="no answer of its API"):
        bench.library.write(batch())
    with pytest.raises(Outage, match="no answer of its API"):
        list(bench.library.changes(0))


def test_a_write_without_an_answer_in_time_is_an_outage_and_may_be_sent_again(bench: Bench) -> None:
    bench.reopen(timeout=0.2)
    go_on = threading.Event()
    bench.server.hang(go_on, when=posts)
    with pytest.raises(Outage, match="in time"):
        bench.library.write(batch())
    go_on.set()
    bench.reopen(timeout=30.0)
    assert all(isinstance(answer, Receipt) for answer in bench.library.write(batch()))
    assert len(bench.view.items()) == 4


# 500: one object or all of them


def poisoned(*numbers: int) -> Callable[[Request], bool]:
    """Requests that carry one of these objects: what the server falls over."""
    keys = {key(number) for number in numbers}
    return lambda request: posts(request) and any(each["key"] in keys for each in request.json())


def test_one_poisonous_object_is_found_and_the_others_land(bench: Bench) -> None:
    bench.server.fail(None, status=500, body="An error occurred", when=poisoned(17))
    answers = bench.library.write(batch(BATCH))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert [(answer.key, answer.code) for answer in refused] == [(key(17), 500)]
    assert len(bench.view.items()) == BATCH - 1
    assert [answer.key for answer in answers] == [key(n) for n in range(BATCH)]


def test_what_landed_before_a_500_lands_once(bench: Bench) -> None:
    bench.server.fail_after(1, status=500)
    answers = bench.library.write(batch())
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert len(bench.view.items()) == 4


@pytest.mark.parametrize(("status", "stumbles"), [(500, 2), (500, 3), (400, 1), (400, 2)])
def test_a_server_that_stumbles_over_a_lone_object_refuses_it_not_for_good(
    bench: Bench, status: int, stumbles: int
) -> None:
    bench.server.fail(stumbles, status=status, body="An error occurred", when=poisoned(0))
    (answer,) = bench.library.write(batch(1))
    assert isinstance(answer, Receipt)
    assert len(bench.view.items()) == 1


def test_a_server_that_fails_for_everything_refuses_nothing(bench: Bench) -> None:
    bench.server.fail(None, status=500, body="An error occurred", when=posts)
    with pytest.raises(Outage, match="500"):
        bench.library.write(batch(BATCH))
    assert bench.library.requests < 15


def test_a_lone_poisonous_object_is_refused_where_the_server_else_answers(bench: Bench) -> None:
    bench.server.fail(None, status=500, body="An error occurred", when=poisoned(1))
    [answer] = bench.library.write([article(1)])
    assert isinstance(answer, Refusal)
    assert answer.code == 500


def test_a_lone_object_is_not_refused_where_the_server_is_down(bench: Bench) -> None:
    bench.server.fail(None, status=500, body="An error occurred", when=posts)
    with pytest.raises(Outage, match="500"):
        bench.library.write([article(1)])


def test_a_batch_that_is_too_large_is_halved(bench: Bench) -> None:
    def large(request: Request) -> bool:
        return posts(request) and len(request.json()) > 3

    bench.server.fail(None, status=413, body="Request Entity Too Large", when=large)
    answers = bench.library.write(batch(10))
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert max(count for count in bench.sent()[1:] if count <= 3) <= 3
    assert len(bench.view.items()) == 10


def test_an_object_that_alone_is_too_large_is_refused(bench: Bench) -> None:
    bench.server.fail(None, status=413, body="Request Entity Too Large", when=poisoned(2))
    answers = bench.library.write(batch())
    assert [type(answer) for answer in answers] == [Receipt, Receipt, Refusal, Receipt]


def test_an_object_that_fails_once_inside_a_good_request_is_sent_once_more(bench: Bench) -> None:
    bench.server.twist(reported(500, "An error occurred"), 1, posts)
    [answer] = bench.library.write([article(1)])
    assert isinstance(answer, Receipt)


def reported(code: int, message: str) -> Callable[[Callable[[Request], Reply], Request], Reply]:
    """A good request whose first object failed."""
    report = {"successful": {}, "success": {}, "unchanged": {}, "failed": {"0": {"code": code, "message": message}}}
    return lambda _handle, _request: Reply.json(report)


def test_an_object_that_the_key_may_not_write_is_a_credential_fault(bench: Bench) -> None:
    bench.server.twist(reported(403, "Write access denied"), 1, posts)
    with pytest.raises(CredentialFault, match="Write access denied"):
        bench.library.write([article(1)])


def test_a_write_without_a_version_is_our_own_mistake(bench: Bench) -> None:
    bench.server.twist(reported(428, "'version' property must be provided"), 1, posts)
    with pytest.raises(RuntimeError, match="without its version"):
        bench.library.write([article(1)])


def test_a_message_is_read_as_text(bench: Bench) -> None:
    bench.server.twist(reported(400, "&#039;a &lt; b&#039; is not valid &amp; refused"), 1, posts)
    [answer] = bench.library.write([article(1)])
    assert answer == Refusal(key(1), 400, "'a < b' is not valid & refused")


def test_a_collection_that_went_while_it_was_made_is_made_under_another_key(bench: Bench) -> None:
    bench.server.twist(
        reported(412, "Collection has been modified since specified version (expected 0, found 3)"), 1, posts
    )
    made = bench.library.collection(["zotdrop"])
    assert [each["key"] for each in bench.view.collections()] == [made]


def test_a_collections_name_that_is_refused_is_a_config_fault(bench: Bench) -> None:
    bench.server.twist(reported(400, "Collection name cannot be empty"), 1, posts)
    with pytest.raises(ConfigFault, match="cannot be empty"):
        bench.library.collection(["zotdrop"])


def test_a_parent_collection_that_went_is_an_outage_and_made_the_next_time(bench: Bench) -> None:
    above = bench.library.collection(["zotdrop"])
    bench.view.delete(above, "collections")
    with pytest.raises(Outage, match="not found"):
        bench.library.collection(["zotdrop", "spring"])
    bench.library.collection(["zotdrop", "spring"])
    assert {each["name"] for each in bench.view.collections()} == {"zotdrop", "spring"}


def test_a_pause_that_nobody_can_read_is_no_pause(bench: Bench) -> None:
    bench.server.fail(1, status=503, headers={"Retry-After": "soon"})
    bench.library.write(batch())
    assert bench.clock.waits == [1.0]


def test_a_report_that_leaves_an_object_out_is_an_outage(bench: Bench) -> None:
    def silent(_handle: Callable[[Request], Reply], _request: Request) -> Reply:
        return Reply.json({"successful": {}, "success": {}, "unchanged": {}, "failed": {}})

    bench.server.twist(silent, 1, posts)
    with pytest.raises(Outage, match="leaves an object out"):
        bench.library.write([article(1)])


def test_two_poisonous_objects_are_found_and_what_landed_before_each_lands_once(bench: Bench) -> None:
    # A property that is no link of an attachment makes the server fall over, after it wrote what came before: no fault is planned.
    writes = batch(BATCH)
    for number in (11, 40):
        writes[number] = article(number, linkMode="linked_url")
    answers = bench.library.write(writes)
    assert [answer.key for answer in answers if isinstance(answer, Refusal)] == [key(11), key(40)]
    assert all(isinstance(answer, Receipt) for n, answer in enumerate(answers) if n not in {11, 40})
    assert {item["key"] for item in bench.view.items()} == {key(n) for n in range(BATCH)} - {key(11), key(40)}
    assert len(bench.view.items()) == BATCH - 2
    assert len(bench.sent()) < 4 * 6 + 2 * 2, "each is found by halving, and tried twice more alone"


# Collections that somebody takes away


def test_a_collection_that_was_lost_is_made_again(bench: Bench) -> None:
    inside = bench.library.collection(["zotdrop", "spring"])
    bench.view.lose(inside, "collections")
    note = Write(key("n"), 0, {"itemType": "note", "parentItem": key(1), "note": "<p>kept</p>"})
    answers = bench.library.write([article(1, collections=[inside]), note, article(2)])
    assert [type(answer) for answer in answers] == [Receipt] * 3
    [name] = [
        each["name"] for each in bench.view.collections() if each["key"] in bench.view.item(key(1))["collections"]
    ]
    assert name == "spring"


def test_a_collection_that_somebody_deleted_stays_away_and_is_named(bench: Bench) -> None:
    inside, kept = bench.library.collection(["zotdrop", "spring"]), bench.view.add_collection("kept")
    bench.view.delete(inside, "collections")
    asked = len(bench.server.log)
    answers = [bench.library.write([article(n, collections=[inside, kept])])[0] for n in range(3)]
    assert [answer.without for answer in answers if isinstance(answer, Receipt)] == [(inside,)] * 3
    assert {tuple(bench.view.item(key(n))["collections"]) for n in range(3)} == {(kept,)}
    assert inside not in {each["key"] for each in bench.view.collections()}
    assert len(bench.server.log) - asked == 5, "what is known to be gone is not sent again"


def test_a_persons_collection_that_was_lost_is_not_made_by_us(bench: Bench) -> None:
    theirs = bench.view.add_collection("zotdrop")
    assert bench.library.collection(["zotdrop"]) == theirs
    bench.view.lose(theirs, "collections")
    [answer] = bench.library.write([article(1, collections=[theirs])])
    assert isinstance(answer, Receipt)
    assert answer.without == (theirs,)
    assert bench.view.collections() == []


def test_a_path_of_collections_is_made_in_one_request(bench: Bench) -> None:
    inside = bench.library.collection(["zotdrop", "2026", "spring"])
    assert [len(r.json()) for r in bench.server.log if posts(r)] == [3]
    assert bench.reopen().collection(["zotdrop", "2026", "spring"]) == inside
    bench.library.collection(["zotdrop", "2026", "autumn"])
    assert [each["name"] for each in bench.view.collections()] == ["zotdrop", "2026", "spring", "autumn"]


@pytest.mark.parametrize("hidden", [False, True], ids=["listed", "not-listed"])
def test_nothing_is_made_under_a_collection_in_the_trash(bench: Bench, hidden: bool) -> None:
    above = bench.library.collection(["zotdrop"])
    bench.view._write("collections", above, {"deleted": True})
    if hidden:
        bench.server.twist(lambda _handle, _request: Reply.json([], headers={"Total-Results": "0"}), 1)
    inside = bench.reopen().collection(["zotdrop", "spring"])
    held = {each["key"]: each for each in bench.view.collections()}
    assert held[inside]["parentCollection"] not in {above, False}
    assert not held[held[inside]["parentCollection"]].get("deleted")
    assert bench.reopen().collection(["zotdrop", "spring"]) == inside


def test_an_unknown_collection_that_is_gone_does_not_keep_the_item_out(bench: Bench) -> None:
    kept, lost = bench.view.add_collection("kept"), bench.view.add_collection("lost")
    bench.view.delete(lost, "collections")
    [answer] = bench.library.write([article(1, collections=[lost, kept])])
    assert isinstance(answer, Receipt)
    assert answer.data["collections"] == [kept]


def test_a_renamed_collection_of_ours_is_used_under_its_new_name(bench: Bench) -> None:
    made = bench.library.collection(["zotdrop"])
    bench.view._write("collections", made, {"name": "Renamed by a person"})
    assert bench.reopen().collection(["zotdrop"]) == made
    assert [each["name"] for each in bench.view.collections()] == ["Renamed by a person"]


def test_a_trashed_collection_is_left_there(bench: Bench) -> None:
    made = bench.library.collection(["zotdrop"])
    bench.view._write("collections", made, {"deleted": True})
    new = bench.reopen().collection(["zotdrop"])
    assert new != made
    assert bench.reopen().collection(["zotdrop"]) == new


def test_a_collection_whose_answer_was_lost_is_made_once(bench: Bench) -> None:
    bench.server.lose(1, when=posts)
    made = bench.library.collection(["zotdrop"])
    assert [each["key"] for each in bench.view.collections()] == [made]


def test_a_persons_collection_of_that_name_is_used(bench: Bench) -> None:
    own = bench.view.add_collection("zotdrop")
    assert bench.library.collection(["zotdrop"]) == own
    assert len(bench.view.collections()) == 1


def test_more_than_a_page_of_collections_is_known(bench: Bench) -> None:
    made = [bench.view.add_collection(f"c{n:03}") for n in range(130)]
    assert [bench.library.collection([f"c{n:03}"]) for n in (0, 99, 100, 129)] == [made[n] for n in (0, 99, 100, 129)]
    assert len(bench.view.collections()) == 130


# Keys and rights


def refused(bench: Bench, **changed: Any) -> CredentialFault:
    with pytest.raises(CredentialFault) as told:
        bench.reopen(**changed).check()
    return told.value


RIGHTS: dict[str, tuple[Key, dict[str, Any], str]] = {
    "read-only": (Key(USER, write=False), {}, "may not write the library"),
    "no library": (Key(USER, write=False, library=False), {}, "may not read or write the library"),
    "other user": (Key(USER), {"library_id": 2002}, "belongs to user 1001"),
    "group not named": (Key(USER, groups={}), {"library_type": "group", "library_id": GROUP}, "write group 7"),
    "group read-only": (
        Key(USER, groups={GROUP: False}),
        {"library_type": "group", "library_id": GROUP},
        "write group 7",
    ),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_a_missing_right_is_named_with_the_page_where_it_is_given(bench: Bench, case: str) -> None:
    rights, changed, words = RIGHTS[case]
    bench.server.world.keys["k" * 24] = rights
    message = str(refused(bench, api_key="k" * 24, **changed))
    assert words in message
    assert "https://www.zotero.org/settings/keys" in message


def test_a_key_for_all_groups_may_write_a_group(bench: Bench) -> None:
    bench.server.world.keys["k" * 24] = Key(USER, groups={"all": True})
    bench.reopen(api_key="k" * 24, library_type="group", library_id=GROUP).check()


def test_no_key_at_all_asks_nobody(bench: Bench) -> None:
    assert "api_key is missing" in str(refused(bench, api_key=None))
    assert bench.library.requests == 0


def test_a_wrong_key_is_tried_once(bench: Bench) -> None:
    bench.reopen(api_key="wrongwrongwrongwrong")
    for _ in range(8):
        with pytest.raises(CredentialFault, match="does not know this API key"):
            bench.library.check()
        with pytest.raises(CredentialFault):
            bench.library.write(batch())
        with pytest.raises(CredentialFault):
            list(bench.library.changes(0))
    assert bench.library.requests == 1


def test_a_write_without_the_right_is_a_credential_fault(bench: Bench) -> None:
    bench.server.world.keys["k" * 24] = Key(USER, write=False)
    with pytest.raises(CredentialFault, match="Write access denied"):
        bench.reopen(api_key="k" * 24).write(batch())


def test_a_library_that_does_not_exist_is_a_config_fault(bench: Bench) -> None:
    with pytest.raises(ConfigFault, match="Group 99 not found"):
        list(bench.reopen(library_type="group", library_id=99).changes(0))


def test_a_note_that_may_not_be_read_counts_as_landed(bench: Bench) -> None:
    bench.server.world.keys["k" * 24] = Key(USER, notes=False)
    bench.reopen(api_key="k" * 24)
    note = Write(key("n"), 0, {"itemType": "note", "parentItem": key(1), "note": "<p>kept</p>"})
    bench.library.write([article(1), note])
    again = bench.library.write([article(1), note])
    assert [type(answer) for answer in again] == [Receipt, Receipt]
    assert again[1] == Receipt(note.key, bench.view.item(note.key)["version"], dict(note.data))


# What must not get out


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def test_the_key_is_in_no_error_no_repr_and_no_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "s3cretS3cretS3cretS3cret"
    bench.server.world.keys[secret] = Key(USER)
    library = bench.reopen(api_key=secret)
    library.check()
    library.write(batch())
    said = [repr(library), repr(vars(library))]
    for status in (400, 403, 500):
        bench.server.fail(None, status=status, body=f"no, {secret} may not")
        with pytest.raises((Outage, CredentialFault)) as told:
            list(bench.reopen(api_key=secret).changes(0))
        said.append(everything_said(told.value))
        bench.server.heal()
    assert secret not in "".join(said)
    assert secret not in caplog.text
    assert all(secret not in request.path + request.query for request in bench.server.log)


def test_the_user_agent_names_us_and_not_zotero(bench: Bench) -> None:
    bench.library.check()
    bench.library.collection(["zotdrop"])
    bench.library.write(batch())
    list(bench.library.changes(0))
    agents = {request.headers["user-agent"] for request in bench.server.log}
    assert len(agents) == 1
    assert agents.pop().startswith("zotdrop/")


def test_every_request_that_left_is_counted(bench: Bench) -> None:
    bench.server.throttle(1, retry_after="1")
    bench.server.drop(1, when=posts)
    bench.library.check()
    bench.library.write(batch())
    list(bench.library.changes(0))
    assert bench.library.requests == len(bench.server.log)


def test_nothing_new_costs_one_request(bench: Bench) -> None:
    bench.library.write(batch())
    newest = list(bench.library.changes(0))[-1].version
    before = bench.library.requests
    assert [(delta.version, delta.items) for delta in bench.library.changes(newest)] == [(newest, ())]
    assert bench.library.requests == before + 1


def test_the_identity_names_the_library_and_a_foreign_host(bench: Bench) -> None:
    assert bench.library.identity == "zotero:users/1001@127.0.0.1"
    there = bench.reopen(url="https://api.zotero.org", library_type="group", library_id=5)
    assert there.identity == "zotero:groups/5"
    assert bench.reopen(url="https://api.zotero.org/").identity == "zotero:users/1001"


def test_a_conflict_and_a_receipt_in_one_batch_are_told_apart(bench: Bench) -> None:
    first, second = bench.library.write([article(1), article(2)])
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    bench.server.edit(first.key, title="A person's title")
    answers = bench.library.write(
        [
            Write(first.key, first.version, {"date": "2021"}),
            Write(second.key, second.version, {"date": "2021"}),
            article(3),
        ]
    )
    assert [type(answer) for answer in answers] == [Conflict, Receipt, Receipt]


def test_a_title_with_tags_in_it_goes_through(bench: Bench) -> None:
    bench.library.write([article(1, title="tags and hashtags")])
    assert next(iter(bench.library.items())).data["title"] == "tags and hashtags"


@pytest.mark.parametrize("lost", [True, False])
def test_a_conflict_after_an_answer_that_was_lost_says_that_the_write_may_have_landed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    (made,) = bench.library.write([article()])
    assert isinstance(made, Receipt)

    def a_person_empties_it(_seconds: float = 0.0) -> None:
        bench.view.edit(key(1), volume="")

    if lost:
        bench.server.lose(1, when=posts)
        monkeypatch.setattr(bench.library._api, "_wait", a_person_empties_it)
    else:
        bench.view.edit(key(1), volume="7")
    (answer,) = bench.library.write([Write(key(1), made.version, {"volume": "35"})])
    assert isinstance(answer, Conflict)
    assert answer.resent is lost
