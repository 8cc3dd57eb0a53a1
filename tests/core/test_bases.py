"""A person's edits are told from ours, whatever else we wrote since."""

from __future__ import annotations

from typing import Any

from sync.core.bases import once_held, ours_of, rebased, touched, with_taken_out

MADE: dict[str, Any] = {
    "itemType": "journalArticle",
    "title": "Kelp",
    "volume": "",
    "tags": [{"tag": "a"}, {"tag": "b", "type": 1}],
    "collections": ["CCCC2222"],
}


def test_what_we_did_not_write_keeps_its_base() -> None:
    theirs = {**MADE, "title": "My kelp", "tags": [{"tag": "b", "type": 1}]}
    sent = {"volume": "8", "tags": [{"tag": "b", "type": 1}, {"tag": "new"}]}
    base = rebased(MADE, theirs, {**theirs, **sent}, sent)
    assert (base["title"], base["volume"]) == ("Kelp", "8")
    assert {tag["tag"] for tag in base["tags"]} == {"a", "b", "new"}
    assert touched(base, {**theirs, **sent}) == ["tags", "title"]


def test_what_we_take_out_leaves_the_base_and_what_others_did_meanwhile_stays_theirs() -> None:
    now = {**MADE, "tags": [{"tag": "b", "type": 1}, {"tag": "theirs"}]}
    base = rebased(MADE, MADE, now, {"tags": [{"tag": "b", "type": 1}]})
    assert [tag["tag"] for tag in base["tags"]] == ["b"]
    assert ours_of(MADE, now, {"tags": [{"tag": "b", "type": 1}]}) == {"tags": [{"tag": "b", "type": 1}]}


def test_the_first_write_to_anothers_item_takes_it_as_it_stands() -> None:
    assert rebased(None, MADE, {**MADE, "volume": "8"}, {"volume": "8"})["title"] == "Kelp"


def test_lines_of_extra_that_zotero_moves_into_fields_are_nobodys_edit() -> None:
    base = {**MADE, "extra": "PMID: 123\nmine"}
    assert touched(base, {**MADE, "extra": "mine", "PMID": "123"}) == []
    assert touched(base, {**MADE, "extra": "mine", "PMID": "124"}) == ["PMID", "extra"]
    assert touched(base, {**MADE, "extra": "", "PMID": "123"}) == ["extra"]
    assert once_held(base, "PMID")
    assert not once_held(base, "DOI")


def test_relations_to_our_own_items_and_the_trash_are_no_edits() -> None:
    related = {**MADE, "deleted": 1, "relations": {"dc:relation": "http://zotero.org/users/1/items/AAAA2222"}}
    assert touched(MADE, related, {"AAAA2222"}) == []
    assert touched(MADE, related) == ["relations"]
    merged = {**MADE, "relations": {"dc:replaces": "http://zotero.org/users/1/items/AAAA2222"}}
    assert touched(MADE, merged, {"AAAA2222"}) == ["relations"]


def test_what_somebody_took_out_is_remembered() -> None:
    before = {**MADE, "publisher": "Theirs", "tags": [*MADE["tags"], {"tag": "mine"}], "deleted": 1}
    base = with_taken_out(MADE, before, {**MADE, "collections": []})
    assert base["publisher"] == "Theirs"
    assert {tag["tag"] for tag in base["tags"]} == {"a", "b", "mine"}
    assert base["collections"] == ["CCCC2222"]
    assert "deleted" not in base


def test_notes_attachments_and_annotations_have_no_extra_and_are_compared_all_the_same() -> None:
    for kind in ("note", "attachment", "annotation"):
        base: dict[str, Any] = {"itemType": kind, "parentItem": "AAAA2222", "note": "<p>ours</p>", "tags": []}
        assert touched(base, {**base, "version": 8}) == []
        assert touched(base, {**base, "note": "<p>theirs</p>"}) == ["note"]
        assert not once_held({**base, "note": ""}, "note")
