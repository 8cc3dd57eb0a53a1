"""What every library promises, whatever is behind it: one suite over the file, zotero.org's two kinds, and the desktop."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from sync.core.keys import derived_key
from sync.errors import Outage
from sync.libraries.base import BATCH, Answer, Conflict, Delta, Item, Library, Receipt, Refusal, Write
from sync.libraries.desktop import Desktop
from sync.libraries.embedded import Embedded
from sync.libraries.zotero import Zotero
from tests.servers.desktop import DesktopServer
from tests.servers.zotero import API_KEY, GROUP, USER, ZoteroServer

NOW = "2026-11-23T08:00:00Z"


class Person(Protocol):
    """Somebody who works in the same library with another program."""

    def edit(self, key: str, **fields: Any) -> None: ...
    def trash(self, key: str) -> None: ...
    def delete(self, key: str) -> None: ...


class Bench:
    """A library under test; `reopen` gives it as a restarted program finds it."""

    def __init__(self, person: Person, opened: Callable[[], Library]) -> None:
        self.person, self._opened = person, opened
        self._open: list[Library] = []
        self.library = self.reopen()

    def reopen(self) -> Library:
        self._open.append(self._opened())
        self.library = self._open[-1]
        return self.library

    def close(self) -> None:
        for library in self._open:
            library.close()


class AtTheFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def edit(self, key: str, **fields: Any) -> None:
        library = Embedded(self._path, now=lambda: NOW)
        try:
            held = next(item for item in read(library.changes(0)).values() if item.key == key)
            [answer] = library.write([Write(key, held.version, fields)])
            assert isinstance(answer, Receipt)
        finally:
            library.close()

    def trash(self, key: str) -> None:
        self.edit(key, deleted=1)

    def delete(self, key: str) -> None:
        library = Embedded(self._path, now=lambda: NOW)
        library.delete([key])
        library.close()


class AtAServer:
    def __init__(self, view: Any) -> None:
        self._view = view

    def edit(self, key: str, **fields: Any) -> None:
        self._view.edit(key, **fields)

    def trash(self, key: str) -> None:
        self._view.trash(key)

    def delete(self, key: str) -> None:
        self._view.delete(key)


def never(seconds: float) -> None:
    raise AssertionError(f"nothing here is worth a wait of {seconds} s")


def embedded(tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "library.sqlite"
    yield Bench(AtTheFile(path), lambda: Embedded(path, now=lambda: NOW))


def web(kind: str, number: int) -> Iterator[Bench]:
    with ZoteroServer(dice=random.Random(4)) as server:
        view = server.library(f"{kind}s/{number}")

        def opened() -> Library:
            return Zotero(
                library_type=kind, library_id=number, api_key=API_KEY, url=server.url, wait=never, now=lambda: 0.0
            )

        yield Bench(AtAServer(view), opened)


def desktop(_tmp_path: Path) -> Iterator[Bench]:
    with DesktopServer() as server:
        key = server.allow()
        yield Bench(
            AtAServer(server.library()), lambda: Desktop(url=server.url, api_key=key, wait=never, now=lambda: 0.0)
        )


BENCHES: Mapping[str, Callable[[Path], Iterator[Bench]]] = {
    "embedded": embedded,
    "zotero-user": lambda _: web("user", USER),
    "zotero-group": lambda _: web("group", GROUP),
    "desktop": desktop,
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    for made in BENCHES[request.param](tmp_path):
        try:
            yield made
        finally:
            made.close()


def key(number: object) -> str:
    return derived_key("test", number)


def article(number: object = 1, **fields: Any) -> Write:
    data = {
        "itemType": "journalArticle",
        "title": f"Sleep diaries in ward {number}",
        "creators": [{"creatorType": "author", "firstName": "Ilse", "lastName": "Marrow"}],
        "publicationTitle": "Annals of Quiet Wards",
        "date": "2021-05",
        "tags": [],
        "collections": [],
        "relations": {},
    }
    return Write(key(number), 0, {**data, **fields})


def note(number: object, parent: str, html: str = "<p>kept</p>") -> Write:
    return Write(key(number), 0, {"itemType": "note", "parentItem": parent, "note": html, "tags": [], "relations": {}})


def only(answers: Sequence[Answer]) -> Answer:
    [answer] = answers
    return answer


def landed(answer: Answer) -> Receipt:
    assert isinstance(answer, Receipt), answer
    return answer


def read(deltas: Iterator[Delta]) -> dict[str, Item]:
    """What the pages say, later ones winning; keys that are gone taken out."""
    held: dict[str, Item] = {}
    for delta in deltas:
        held |= {item.key: item for item in delta.items}
        for lost in delta.gone:
            held.pop(lost, None)
    return held


def newest(library: Library) -> int:
    return list(library.changes(0))[-1].version


def filled(data: Mapping[str, Any]) -> dict[str, Any]:
    own = {"key", "version", "dateAdded", "dateModified"}
    return {name: value for name, value in data.items() if value and name not in own}


def test_a_check_passes_where_writing_is_allowed(bench: Bench) -> None:
    bench.library.check()


def test_identity_stays_the_same(bench: Bench) -> None:
    before = bench.library.identity
    assert bench.reopen().identity == before
    assert before.partition(":")[0] in {"embedded", "zotero", "desktop"}


def test_an_empty_library_has_one_empty_delta(bench: Bench) -> None:
    [delta] = bench.library.changes(0)
    assert (delta.items, delta.gone) == ((), ())


def test_a_create_lands_under_its_key(bench: Bench) -> None:
    write = article()
    receipt = landed(only(bench.library.write([write])))
    assert receipt.key == write.key
    assert receipt.version > 0
    assert filled(receipt.data) == filled(write.data)
    assert (receipt.data["key"], receipt.data["version"]) == (receipt.key, receipt.version)


def test_a_receipt_says_what_the_library_says_later(bench: Bench) -> None:
    receipt = landed(only(bench.library.write([article()])))
    held = read(bench.library.changes(0))[receipt.key]
    assert (held.version, held.data) == (receipt.version, receipt.data)


def test_a_create_whose_answer_was_lost_lands_once(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    again = landed(only(bench.reopen().write([article()])))
    assert (again.version, again.data) == (first.version, first.data)
    assert len(list(bench.library.items())) == 1


def test_a_create_never_overwrites_what_lies_under_its_key(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    bench.person.edit(first.key, title="A person's title")
    again = landed(only(bench.library.write([article()])))
    assert again.data["title"] == "A person's title"
    assert again.version > first.version


def test_a_create_over_a_trashed_item_shows_it_trashed(bench: Bench) -> None:
    bench.library.write([article()])
    bench.person.trash(key(1))
    again = landed(only(bench.library.write([article()])))
    assert Item(again.key, again.version, again.data).trashed


def test_a_partly_landed_batch_is_completed(bench: Bench) -> None:
    bench.library.write([article(2)])
    answers = bench.library.write([article(1), article(2), article(3)])
    assert [landed(answer).key for answer in answers] == [key(1), key(2), key(3)]
    assert len(list(bench.library.items())) == 3


def test_a_partial_update_leaves_the_rest_alone(bench: Bench) -> None:
    first = landed(only(bench.library.write([article(abstractNote="Long nights.")])))
    after = landed(only(bench.library.write([Write(first.key, first.version, {"DOI": "10.5555/ward.1"})])))
    assert after.version > first.version
    assert filled(after.data) == {**filled(first.data), "DOI": "10.5555/ward.1"}


def test_an_empty_value_clears_a_field_and_an_empty_array_its_property(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    after = landed(only(bench.library.write([Write(first.key, first.version, {"date": "", "creators": []})])))
    assert not after.data.get("date")
    assert after.data["creators"] == []
    assert after.data["title"] == first.data["title"]


def test_an_update_that_changes_nothing_is_a_receipt(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    again = landed(only(bench.library.write([Write(first.key, first.version, {"date": "2021-05"})])))
    assert (again.version, again.data) == (first.version, first.data)


def test_an_update_of_a_changed_item_is_a_conflict_with_theirs(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    bench.person.edit(first.key, title="A person's title")
    answer = only(bench.library.write([Write(first.key, first.version, {"title": "Ours"})]))
    assert isinstance(answer, Conflict)
    assert answer.theirs is not None
    assert answer.theirs["title"] == "A person's title"
    assert answer.version > first.version
    assert read(bench.library.changes(0))[first.key].data["title"] == "A person's title"


def test_a_conflict_names_the_version_to_go_on_from(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    bench.person.edit(first.key, title="A person's title")
    answer = only(bench.library.write([Write(first.key, first.version, {"date": "2022"})]))
    assert isinstance(answer, Conflict)
    after = landed(only(bench.library.write([Write(first.key, answer.version, {"date": "2022"})])))
    assert (after.data["title"], after.data["date"]) == ("A person's title", "2022")


def test_an_update_of_a_deleted_item_is_a_conflict_without_theirs(bench: Bench) -> None:
    first = landed(only(bench.library.write([article()])))
    bench.person.delete(first.key)
    answer = only(bench.library.write([Write(first.key, first.version, {"title": "Ours"})]))
    assert isinstance(answer, Conflict)
    assert answer.theirs is None
    assert not list(bench.library.items())


def test_a_deleted_item_can_be_made_again_under_its_key(bench: Bench) -> None:
    bench.library.write([article()])
    bench.person.delete(key(1))
    landed(only(bench.library.write([article()])))
    assert [item.key for item in bench.library.items()] == [key(1)]
    assert key(1) in read(bench.library.changes(0))


def test_a_note_lands_under_its_parent_in_the_same_batch(bench: Bench) -> None:
    answers = bench.library.write([article(), note("n", key(1), "<p>Unmapped: <b>M2</b> &amp; more</p>")])
    child = landed(answers[1])
    assert child.data["parentItem"] == key(1)
    assert child.data["note"] == "<p>Unmapped: <b>M2</b> &amp; more</p>"
    assert [item.key for item in bench.library.items()] == [key(1), child.key]


def test_a_note_without_its_parent_is_refused(bench: Bench) -> None:
    answer = only(bench.library.write([note("n", key("nobody"))]))
    assert isinstance(answer, Refusal)
    assert answer.key == key("n")


def test_one_refused_object_does_not_keep_the_others(bench: Bench) -> None:
    bad = article(2, runningTime="12:00")
    answers = bench.library.write([article(1), bad, article(3)])
    assert [type(answer) for answer in answers] == [Receipt, Refusal, Receipt]
    refusal = answers[1]
    assert isinstance(refusal, Refusal)
    assert (refusal.key, refusal.code) == (key(2), 400)
    assert "runningTime" in refusal.message
    assert [item.key for item in bench.library.items()] == [key(1), key(3)]


REFUSED: Mapping[str, tuple[int, dict[str, Any]]] = {
    "an unknown field": (400, {"shoeSize": "41"}),
    "a foreign field": (400, {"bookTitle": "Wards"}),
    "an unknown type": (400, {"itemType": "scroll"}),
    "a foreign creator": (400, {"creators": [{"creatorType": "artist", "firstName": "A", "lastName": "B"}]}),
    "half a name": (400, {"creators": [{"creatorType": "author", "lastName": "B"}]}),
    "an object as a value": (400, {"pages": {"first": 1}}),
    "an array as a value": (400, {"pages": ["1", "2"]}),
    "a bad access date": (400, {"accessDate": "yesterday"}),
    "a long value": (413, {"abstractNote": "\N{LATIN SMALL LETTER E WITH ACUTE}" * 32_768}),
    "a long tag": (413, {"tags": [{"tag": "t" * 256}]}),
    "a long name": (413, {"creators": [{"creatorType": "author", "name": "n" * 256}]}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_zotero_refuses_is_refused_with_its_code(bench: Bench, case: str) -> None:
    code, fields = REFUSED[case]
    answers = bench.library.write([article(1, **fields), article(2)])
    assert isinstance(answers[0], Refusal), answers[0]
    assert answers[0].code == code
    assert answers[0].message
    landed(answers[1])


def test_an_author_is_taken_on_every_type(bench: Bench) -> None:
    film = {"itemType": "film", "title": "Night ward", "creators": [{"creatorType": "author", "name": "A. Group"}]}
    assert landed(only(bench.library.write([Write(key(1), 0, film)]))).data["creators"][0]["name"] == "A. Group"


def test_tags_are_a_set_with_types(bench: Bench) -> None:
    tags = [{"tag": " sleep "}, {"tag": "Sleep"}, {"tag": "sleep", "type": 1}, {"tag": "sleep", "type": 0}, {"tag": ""}]
    receipt = landed(only(bench.library.write([article(tags=tags)])))
    assert {(tag["tag"], tag.get("type", 0)) for tag in receipt.data["tags"]} == {
        ("sleep", 0),
        ("Sleep", 0),
        ("sleep", 1),
    }
    assert len(receipt.data["tags"]) == 3


def test_a_partial_update_replaces_tags(bench: Bench) -> None:
    first = landed(only(bench.library.write([article(tags=[{"tag": "a"}, {"tag": "b"}])])))
    after = landed(only(bench.library.write([Write(first.key, first.version, {"tags": [{"tag": "b"}, {"tag": "c"}]})])))
    assert {tag["tag"] for tag in after.data["tags"]} == {"b", "c"}


UNICODE = {
    "title": "Ξύπνος \N{SLEEPING FACE} <i>in vitro</i> & H<sub>2</sub>O, 睡眠",
    "publicationTitle": "Cafe\N{COMBINING ACUTE ACCENT}",
}


def test_unicode_comes_back_as_it_went(bench: Bench) -> None:
    receipt = landed(only(bench.library.write([article(**UNICODE)])))
    held = read(bench.reopen().changes(0))[receipt.key].data
    assert {name: held[name] for name in UNICODE} == UNICODE


def test_broken_characters_and_blanks_do_not_reach_the_library(bench: Bench) -> None:
    dirty = article(title="\N{NO-BREAK SPACE} Half \ud800a\x07 character\n", volume=12, issue=None)
    data = landed(only(bench.library.write([dirty]))).data
    assert (data["title"], data["volume"]) == ("Half a character", "12")
    assert not data.get("issue")


def test_a_blank_creator_does_not_take_the_next_ones_away(bench: Bench) -> None:
    blank = {"creatorType": "author", "firstName": "", "lastName": "\N{NO-BREAK SPACE}"}
    people = [blank, {"creatorType": "author", "firstName": "Ada", "lastName": "Holm"}]
    assert [p["lastName"] for p in landed(only(bench.library.write([article(creators=people)]))).data["creators"]] == [
        "Holm"
    ]


def test_fifty_objects_land_in_order(bench: Bench) -> None:
    answers = bench.library.write([article(n) for n in range(BATCH)])
    assert [landed(answer).key for answer in answers] == [key(n) for n in range(BATCH)]
    assert len({landed(answer).version for answer in answers}) == BATCH


def test_more_than_fifty_are_not_taken(bench: Bench) -> None:
    with pytest.raises(ValueError, match="51"):
        bench.library.write([article(n) for n in range(BATCH + 1)])
    assert not list(bench.library.items())


def test_an_empty_batch_is_answered_by_nothing(bench: Bench) -> None:
    assert list(bench.library.write([])) == []


def test_changes_begin_after_a_version(bench: Bench) -> None:
    bench.library.write([article(1), article(2)])
    reached = newest(bench.library)
    assert read(bench.library.changes(reached)) == {}
    bench.library.write([article(3)])
    bench.person.edit(key(1), title="A person's title")
    assert set(read(bench.library.changes(reached))) == {key(1), key(3)}


def test_changes_read_every_page(bench: Bench) -> None:
    for first in range(0, 250, BATCH):
        bench.library.write([article(n) for n in range(first, first + BATCH)])
    assert set(read(bench.library.changes(0))) == {key(n) for n in range(250)}
    assert len(list(bench.library.items())) == 250


def test_a_change_between_two_pages_loses_nothing(bench: Bench) -> None:
    for first in range(0, 550, BATCH):
        bench.library.write([article(n) for n in range(first, first + BATCH)])
    bench.person.edit(key(499), title="Newest of all")
    pages = bench.library.changes(0)
    seen = {item.key: item for item in next(pages).items}
    bench.person.edit(key(549), title="Later")
    bench.person.delete(key(0))
    last = Delta(0)
    for last in pages:
        seen |= {item.key: item for item in last.items}
    after = list(bench.library.changes(last.version))
    seen |= {item.key: item for delta in after for item in delta.items}
    gone = {lost for delta in (last, *after) for lost in delta.gone}
    assert set(seen) == {key(n) for n in range(550)}
    assert seen[key(549)].data["title"] == "Later"
    assert gone == {key(0)}


def test_an_interrupted_reading_begins_again_where_it_began(bench: Bench) -> None:
    for first in range(0, 550, BATCH):
        bench.library.write([article(n) for n in range(first, first + BATCH)])
    pages = list(bench.library.changes(0))
    assert len(pages) > 1
    assert {page.version for page in pages[:-1]} == {0}


def test_what_is_trashed_is_seen_and_left_out_of_the_export(bench: Bench) -> None:
    bench.library.write([article(1), article(2)])
    reached = newest(bench.library)
    bench.person.trash(key(1))
    changed = read(bench.library.changes(reached))
    assert [(item.key, item.trashed) for item in changed.values()] == [(key(1), True)]
    assert [item.key for item in bench.library.items()] == [key(2)]


def test_an_update_brings_an_item_out_of_the_trash(bench: Bench) -> None:
    bench.library.write([article()])
    bench.person.trash(key(1))
    held = read(bench.library.changes(0))[key(1)]
    landed(only(bench.library.write([Write(key(1), held.version, {"deleted": 0})])))
    assert [item.key for item in bench.library.items()] == [key(1)]


def test_what_is_deleted_for_good_is_told(bench: Bench) -> None:
    bench.library.write([article(1), article(2)])
    reached = newest(bench.library)
    bench.person.delete(key(1))
    assert [lost for delta in bench.library.changes(reached) for lost in delta.gone] == [key(1)]
    assert set(read(bench.library.changes(0))) == {key(2)}


def test_export_leaves_out_notes_without_an_item(bench: Bench) -> None:
    bench.library.write([article(1), article(2), note("a", key(1)), note("b", key(2))])
    bench.person.trash(key(2))
    assert {item.key for item in bench.library.items()} == {key(1), key("a")}


def test_collections_nest_and_are_made_once(bench: Bench) -> None:
    below = bench.library.collection(["zotdrop", "spring"])
    other = bench.library.collection(["zotdrop", "autumn"])
    again = bench.reopen()
    assert again.collection(["zotdrop", "spring"]) == below
    assert again.collection([" zotdrop ", "", "autumn"]) == other
    assert len({below, other, again.collection(["zotdrop"]), again.collection(["spring"])}) == 4


def test_a_collection_without_a_name_is_a_mistake(bench: Bench) -> None:
    with pytest.raises(ValueError, match="name"):
        bench.library.collection([" "])


def test_items_go_into_collections(bench: Bench) -> None:
    inside = bench.library.collection(["zotdrop", "spring"])
    assert landed(only(bench.library.write([article(collections=[inside])]))).data["collections"] == [inside]


def test_a_very_long_collection_name_is_cut_the_same_way_each_time(bench: Bench) -> None:
    made = bench.library.collection(["x" * 300])
    assert bench.reopen().collection(["x" * 300]) == made


def test_requests_are_counted_where_there_are_any(bench: Bench) -> None:
    bench.library.check()  # a desktop is asked which database it has, once
    before = bench.library.requests
    bench.library.write([article()])
    made = bench.library.requests - before
    assert made == (0 if bench.library.identity.startswith("embedded") else 1)


def test_a_library_that_is_gone_is_an_outage() -> None:
    with ZoteroServer() as server:
        url = server.url
    library = Zotero(
        library_type="user", library_id=USER, api_key=API_KEY, url=url, wait=lambda _: None, now=lambda: 0.0
    )
    with pytest.raises(Outage, match="cannot be reached"):
        library.write([article()])
    library.close()
