"""The schema table says what Zotero's schema 41 says, and names its strangers."""

from __future__ import annotations

import pytest

from sync.core import schema


def test_there_are_37_regular_types_and_no_children_among_them() -> None:
    assert len(schema.ITEM_TYPES) == 37
    assert not schema.ITEM_TYPES & {"note", "attachment", "annotation"}


@pytest.mark.parametrize("kind", sorted(schema.ITEM_TYPES))
def test_every_type_has_a_title_a_date_and_what_all_have(kind: str) -> None:
    known = schema.fields(kind)
    assert schema.own_field(kind, "title") in known
    assert schema.own_field(kind, "date") in known
    assert {"DOI", "citationKey", "extra", "url", "abstractNote"} <= known


@pytest.mark.parametrize("kind", sorted(schema.ITEM_TYPES))
def test_a_base_field_and_the_types_own_field_lead_to_each_other(kind: str) -> None:
    for base in ("title", "publicationTitle", "publisher", "date", "number", "type", "medium", "pages", "volume"):
        own = schema.own_field(kind, base)
        if own is not None:
            assert schema.base_field(kind, own) == base
            assert own == base or base not in schema.fields(kind)


@pytest.mark.parametrize(
    ("kind", "base", "own"),
    [
        ("bookSection", "publicationTitle", "bookTitle"),
        ("case", "title", "caseName"),
        ("email", "title", "subject"),
        ("statute", "date", "dateEnacted"),
        ("patent", "date", "issueDate"),
        ("thesis", "publisher", "university"),
        ("journalArticle", "publicationTitle", "publicationTitle"),
        ("journalArticle", "ISBN", None),
        ("hearing", "archive", None),
    ],
)
def test_a_type_has_its_own_name_for_a_base_field(kind: str, base: str, own: str | None) -> None:
    assert schema.own_field(kind, base) == own


def test_only_articles_have_pubmeds_numbers() -> None:
    assert [kind for kind in schema.ITEM_TYPES if "PMID" in schema.fields(kind)] == ["journalArticle"]
    assert [kind for kind in schema.ITEM_TYPES if "PMCID" in schema.fields(kind)] == ["journalArticle"]


def test_the_main_creator_comes_first() -> None:
    assert schema.creator_types("patent")[0] == schema.primary_creator("patent") == "inventor"
    assert schema.primary_creator("journalArticle") == "author"
    assert all(len(set(schema.creator_types(kind))) == len(schema.creator_types(kind)) for kind in schema.ITEM_TYPES)


@pytest.mark.parametrize("ask", [schema.fields, schema.creator_types, schema.primary_creator])
def test_an_unknown_type_is_named(ask: object) -> None:
    with pytest.raises(ValueError, match="'poem'"):
        ask("poem")  # type: ignore[operator]
    with pytest.raises(ValueError, match="'poem'"):
        schema.own_field("poem", "title")
    with pytest.raises(ValueError, match="'poem'"):
        schema.base_field("poem", "title")
