"""Keywords become tags by the table of their inbox; what it does not name goes, or stays automatic."""

from __future__ import annotations

import pytest

from sync.core.items import new_item
from sync.core.keywords import Keywords, table_of
from sync.core.record import Record

TABLE = table_of(
    {"Depression": "Depressive disorder", "Depressió": "Depressive disorder", "Humans": "", "rct": " Trial "}
)


def mapped(*words: str, others: str = "off") -> list[dict[str, object]]:
    return Keywords("mapped", TABLE, others).tags(words)


@pytest.mark.parametrize("word", ["depression", "DEPRESSION", "Dépression", "  depression\u00a0", "depressio\u0301n"])
def test_a_keyword_is_found_without_case_and_diacritics(word: str) -> None:
    assert mapped(word) == [{"tag": "Depressive disorder"}]


def test_signs_tell_keywords_apart() -> None:
    assert Keywords("mapped", table_of({"C": "see", "C++": "plus"})).tags(["C++"]) == [{"tag": "plus"}]


def test_what_the_table_does_not_name_is_dropped_or_stays_automatic() -> None:
    assert mapped("kelp", "rct") == [{"tag": "Trial"}]
    assert mapped("kelp", "rct", others="automatic") == [{"tag": "kelp", "type": 1}, {"tag": "Trial"}]


def test_an_empty_tag_drops_a_keyword_whatever_becomes_of_the_others() -> None:
    assert mapped("humans", others="automatic") == []


def test_two_keywords_of_one_tag_give_it_once_and_as_a_person_s() -> None:
    assert mapped("Depression", "depressió") == [{"tag": "Depressive disorder"}]
    assert mapped("Trial", "rct", others="automatic") == [{"tag": "Trial"}]


def test_a_large_drop_keeps_what_the_table_says_and_nothing_automatic() -> None:
    large = Keywords("mapped", TABLE, "automatic").without_automatic()
    assert large.tags(["kelp", "rct"]) == [{"tag": "Trial"}]
    assert Keywords("automatic").without_automatic().tags(["kelp"]) == []
    assert Keywords("manual").without_automatic().tags(["kelp"]) == [{"tag": "kelp"}]


def test_a_new_item_gets_the_mapped_tags_beside_those_of_the_inbox() -> None:
    record = Record("book", fields={"title": "Kelp"}, tags=("RCT", "kelp"))
    assert new_item(record, tags=("Trial",), keywords=Keywords("mapped", TABLE))["tags"] == [{"tag": "Trial"}]
