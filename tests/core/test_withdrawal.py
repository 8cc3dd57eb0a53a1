"""What a whole drop takes back from one object, and what it leaves to others."""

from __future__ import annotations

from typing import Any

import pytest

from sync.core.plan import Place, Twin
from sync.core.undo import Written
from sync.core.verdicts import Match, Verdict
from sync.core.withdrawal import withdrawal

SAME = Match(Verdict.SAME, ("same-item",))
ITEM = {
    "key": "AAAA2222",
    "itemType": "book",
    "title": "Tides",
    "collections": ["OLDS2222"],
    "tags": [{"tag": "ours"}, {"tag": "sea", "type": 1}],
}
MADE = [Written("AAAA2222", None, ITEM)]


def now(place: Place = Place.ALIVE, **changed: Any) -> Twin:
    return Twin("AAAA2222", 5, {**ITEM, **changed}, ITEM, place, SAME, made=True)


def asked(
    twin: Twin | None, writes: list[Written] = MADE, *, used: str = "", worked_on: bool = False
) -> tuple[str, dict[str, Any], str]:
    found = withdrawal(writes, twin, ours=(), worked_on=worked_on, used=used, tags=("ours",))
    return found.did, dict(found.change), found.why


def test_an_item_that_only_the_drop_made_goes() -> None:
    assert asked(now()) == ("trashed", {"deleted": 1}, "")


@pytest.mark.parametrize("twin", [None, now(Place.GONE), now(Place.TRASH)])
def test_of_an_item_that_is_not_there_nothing_is_taken(twin: Twin | None) -> None:
    did, change, _ = asked(twin)
    assert (did, change) == ("kept", {})


@pytest.mark.parametrize(("twin", "worked_on"), [(now(title="Mine"), False), (now(), True)])
def test_one_that_somebody_works_with_leaves_the_drops_collection_and_the_inboxs_tag(
    twin: Twin, worked_on: bool
) -> None:
    assert asked(twin, worked_on=worked_on) == (
        "restored",
        {"collections": [], "tags": [{"tag": "sea", "type": 1}]},
        "",
    )


def test_one_that_another_drop_has_keeps_its_tags_and_one_collection() -> None:
    both = now(collections=["OLDS2222", "NEWS2222"])
    assert asked(both, used="b.ris brought it, too") == ("restored", {"collections": ["NEWS2222"]}, "")
    assert asked(now(), used="b.ris brought it, too") == ("kept", {}, "b.ris brought it, too")


def test_what_somebody_took_out_already_is_not_taken_out_again() -> None:
    assert asked(now(title="Mine", collections=[], tags=[])) == ("kept", {}, "changed since: collections, tags, title")


def test_values_filled_into_an_item_of_others_go_unless_another_drop_has_it() -> None:
    filled = [
        Written("AAAA2222", {"volume": "", "collections": []}, {"volume": "8", "collections": ["OLDS2222"]}),
    ]
    held = now(volume="8", collections=["OLDS2222", "NEWS2222"])
    assert asked(held, filled) == ("restored", {"collections": ["NEWS2222"], "volume": ""}, "")
    assert asked(held, filled, used="b.ris brought it, too") == ("restored", {"collections": ["NEWS2222"]}, "")
