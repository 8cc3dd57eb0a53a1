"""The first half of Zotero's rules for items: whether each property has a shape that can be taken. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.servers import zotero_types as types
from tests.servers.zotero_basics import BOOKKEEPING, FILE_PROPERTIES, KEY, Data, ObjectError, PoisonError, Sent, plain

PREDICATES = frozenset(
    {"owl:sameAs", "dc:relation", "dc:replaces", "dc:isReplacedBy", "mendeleyDB:relatedDocumentUUID"}
)
ITEM_URI = re.compile(r"http://zotero\.org/(users|groups)/(local/)?\w+/(items|collections)/[2-9A-NP-Z]{8}\Z")
LINK_MODES = ("imported_file", "imported_url", "linked_file", "linked_url", "embedded_image")


def kind_of(old: Data | None, sent: Sent) -> str:
    """The item type that the item will have. Raises ObjectError for none, or one that there is not."""
    kind = sent.get("itemType") if "itemType" in sent or not old else old["itemType"]
    if not kind:
        raise ObjectError(400, "'itemType' property not provided")
    if kind not in types.all_types():
        raise ObjectError(400, f"'{kind}' is not a valid itemType")
    if kind == "attachment" and not old:
        _link_mode(sent.get("linkMode"))
    return str(kind)


def _link_mode(mode: object) -> None:
    if not mode:
        raise ObjectError(400, "'linkMode' property not provided")
    if mode not in LINK_MODES:
        raise ObjectError(400, f"'{mode}' is not a valid linkMode")


def shape(name: str, value: object, kind: str, old: Data | None) -> None:
    """The shape of one property, before anything is set."""
    if name in SHAPES:
        SHAPES[name](value, kind, old)
    elif name in FILE_PROPERTIES and kind == "attachment":
        plain(name, value)
    elif name not in BOOKKEEPING:
        if name not in types.all_fields():
            raise ObjectError(400, f"Invalid property '{name}'")
        plain(name, value)


def _check_creators(value: object, kind: str, old: Data | None) -> None:
    people = _listed("creators", value)
    for person in people:
        if not isinstance(person, Mapping):
            raise ObjectError(400, "Creator must be an object")
        left_empty = len(people) == 1 and old is None
        _check_creator(person, kind, left_empty=left_empty)


def _check_creator(person: Sent, kind: str, *, left_empty: bool) -> None:
    stranger = next((name for name in person if name not in {"creatorType", "firstName", "lastName", "name"}), None)
    if stranger:
        raise ObjectError(400, f"Invalid creator property '{stranger}'")
    if not person.get("creatorType"):
        raise ObjectError(400, "creator object must contain 'creatorType'")
    _check_names(person, left_empty=left_empty)
    role = person["creatorType"]
    if role not in types.all_creator_types():
        raise ObjectError(400, f"'{role}' is not a valid creator type")
    if role != "author" and role not in types.creator_types(kind):
        raise ObjectError(400, f"'{role}' is not a valid creator type for item type '{kind}'")


def _check_names(person: Sent, *, left_empty: bool) -> None:
    for part in ("firstName", "lastName"):
        if "name" in person and part in person:
            raise ObjectError(400, f"'{part}' and 'name' creator fields are mutually exclusive")
    for part, other in (("lastName", "firstName"), ("firstName", "lastName")):
        if part in person and other not in person:
            raise ObjectError(400, f"'{other}' creator field must be set if '{part}' is set")
    if not (person.get("name") or person.get("lastName") or person.get("firstName") or left_empty):
        raise ObjectError(400, "creator object must contain 'firstName'/'lastName' or 'name'")


def _check_tags(value: object, _kind: str, _old: Data | None) -> None:
    for tag in _listed("tags", value):
        if not isinstance(tag, Mapping):
            raise ObjectError(400, "Tag must be an object")
        stranger = next((name for name in tag if name not in {"tag", "type"}), None)
        if stranger:
            raise ObjectError(400, f"Invalid tag property '{stranger}'")
        if "tag" not in tag:
            raise ObjectError(400, "'tag' property not provided")


def _check_collections(value: object, _kind: str, _old: Data | None) -> None:
    for key in _listed("collections", value):
        if not isinstance(key, str) or not KEY.match(key):
            raise ObjectError(400, f"'{key}' is not a valid collection key")


def check_relations(value: object, _kind: str, _old: Data | None) -> None:
    """Known predicates, each with one Zotero URI or an array of them; an empty array stands for none."""
    if value == []:
        return
    if not isinstance(value, Mapping):
        raise ObjectError(400, "'relations' property must be an object")
    for predicate, target in value.items():
        if predicate not in PREDICATES:
            raise ObjectError(400, f"Unsupported predicate '{predicate}'")
        if not all(isinstance(uri, str) and ITEM_URI.match(uri) for uri in several(target)):
            raise ObjectError(400, "'relations' values currently must be Zotero item URIs")


def _check_note(_value: object, kind: str, _old: Data | None) -> None:
    if kind not in types.NOT_REGULAR:
        raise ObjectError(400, "'note' property is valid only for note and attachment items")


def _check_notes(_value: object, _kind: str, _old: Data | None) -> None:
    raise ObjectError(400, "'notes' property is no longer supported")


def check_deleted(value: object, _kind: str, _old: Data | None) -> None:
    """True, false, 1 or 0; anything else is an error that the server has no words for."""
    if value not in (0, 1):  # True and False are 1 and 0
        raise ObjectError(500, "An error occurred")


def _check_link_mode(value: object, kind: str, _old: Data | None) -> None:
    if kind != "attachment":
        raise PoisonError("linkMode")
    _link_mode(value)


def _check_parent(value: object, _kind: str, _old: Data | None) -> None:
    if value is not False and not (isinstance(value, str) and (not value or KEY.match(value))):
        raise ObjectError(400, "'parentItem' must be a valid item key")


SHAPES: Mapping[str, Callable[[object, str, Data | None], None]] = {
    "creators": _check_creators,
    "tags": _check_tags,
    "collections": _check_collections,
    "relations": check_relations,
    "note": _check_note,
    "notes": _check_notes,
    "deleted": check_deleted,
    "linkMode": _check_link_mode,
    "parentItem": _check_parent,
}


def _listed(name: str, value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ObjectError(400, f"'{name}' property must be an array")
    return value


def several(value: object) -> Sequence[Any]:
    """The values of a relation, be it one or an array."""
    return value if isinstance(value, list) else [value]
