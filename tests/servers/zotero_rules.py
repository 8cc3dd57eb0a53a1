"""The second half of Zotero's rules: what becomes of a sent item or collection. Pure.

The rules follow the public data server (https://github.com/zotero/dataserver, model/Items.inc.php and Collections.inc.php)
as it answered when it was asked; where only one case was seen, the rule is that case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.servers import zotero_checks as checks
from tests.servers import zotero_dates as dates
from tests.servers import zotero_types as types
from tests.servers.zotero_basics import (
    ATTACHMENT_FIELDS,
    BOOKKEEPING,
    CONTROL,
    FIELD_BYTES,
    FILE_PROPERTIES,
    NAME_CHARACTERS,
    NOTE_CHARACTERS,
    TAG_CHARACTERS,
    Data,
    ObjectError,
    Sent,
    plain,
    shortened,
)

UNTYPED = frozenset({"collections", "relations", "inPublications"})  # a change of these leaves dateModified alone
_NAME_TOO_LONG = (
    "The creator name {} is too long to sync. Shorten the name and sync again.\n\nIf you receive this message repeatedly "
    "for items saved from a particular site, you can report this issue in the Zotero Forums."
)


class Place(Protocol):
    """What the rules ask of the library they write to."""

    @property
    def number(self) -> int:
        """The internal number that stands in some messages."""

    @property
    def kind(self) -> str:
        """`user` or `group`."""

    def kind_of_item(self, key: str) -> str:
        """The item type under a key; empty if there is none."""

    def has_collection(self, key: str) -> bool:
        """Whether a collection has this key."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when an object is written: its library, its key, the time (ISO 8601, UTC).

    lenient: lengths and dates are taken as they come, as a desktop does, which is told only when it syncs.
    """

    place: Place
    key: str
    now: str
    lenient: bool = False


def item(old: Data | None, sent: Sent, scene: Scene) -> Data:
    """The item's data after writing `sent` over `old` (None: a new item). Raises ObjectError, PoisonError."""
    kind = checks.kind_of(old, sent)
    for name, value in sent.items():
        checks.shape(name, value, kind, old)
    new = types.converted(old, kind) if old else {"itemType": kind}
    _place(new, sent, scene)
    for name, value in sent.items():
        _put(new, name, value, scene)
    return {name: value for name, value in new.items() if value not in ("", [], {}, None, 0)}


def _place(new: Data, sent: Sent, scene: Scene) -> None:
    """Where the item hangs: under a parent, or in collections, and not in both."""
    parent = sent.get("parentItem", new.get("parentItem", ""))
    if not parent:
        new.pop("parentItem", None)
    elif new["itemType"] not in types.NOT_REGULAR:
        raise ObjectError(400, "Child item must be note, attachment, or annotation")
    elif sent.get("collections"):
        raise ObjectError(400, "Child items cannot be assigned to collections")
    elif not scene.place.kind_of_item(parent):
        raise ObjectError(409, f"Parent item {parent} not found", {"parentItem": parent})
    elif scene.place.kind_of_item(parent) == "note":
        raise ObjectError(409, f"Parent item {parent} cannot be a note", {"parentItem": parent})
    else:
        new["parentItem"] = parent
        new.pop("collections", None)


def _put(new: Data, name: str, value: Any, scene: Scene) -> None:
    if name in PUTS:
        PUTS[name](new, value, scene)
    elif name in FILE_PROPERTIES and new["itemType"] == "attachment":
        new[name] = value if name == "mtime" else plain(name, value)
    elif name not in BOOKKEEPING and name != "parentItem":
        new[name] = _field(name, plain(name, value), new["itemType"], scene)


def _field(name: str, value: str, kind: str, scene: Scene) -> str:
    own = ATTACHMENT_FIELDS if kind == "attachment" else types.fields(kind)
    if name not in own and value:
        raise ObjectError(400, f"'{name}' is not a valid field for type '{kind}'")
    if len(value.encode()) > FIELD_BYTES and not scene.lenient:
        label, cut = types.label(name), shortened(value)
        message = f"{label} field value '{cut}' too long for item '{scene.place.number}/{scene.key}'"
        raise ObjectError(413, message, {"field": label, "value": cut})
    if name == "accessDate" and value:
        return _access_date(value, scene)
    return dates.rewritten(value) if types.is_date(kind, name) and not scene.lenient else value


def _access_date(value: str, scene: Scene) -> str:
    stamp = scene.now if value == "CURRENT_TIMESTAMP" else dates.access_date(value)
    if not stamp:
        wanted = "must be in ISO 8601 or UTC 'YYYY-MM-DD[ hh:mm:ss]' format or 'CURRENT_TIMESTAMP'"
        raise ObjectError(400, f"'accessDate' {wanted} ({value})")
    return stamp


def stamped(sent: Sent, name: str) -> str:
    """A sent `dateAdded` or `dateModified`, as ISO 8601; empty where none was sent. Raises ObjectError."""
    value = sent.get(name)
    if not value:
        return ""
    stamp = dates.instant(str(value))
    if not stamp:
        raise ObjectError(400, f"'{name}' must be in ISO 8601 or UTC 'YYYY-MM-DD hh:mm:ss' format ({value})")
    return stamp


def _put_creators(new: Data, value: Sequence[Sent], scene: Scene) -> None:
    roles = types.creator_types(new["itemType"])
    people: list[Data] = []
    for person in value:
        names = {part: plain(part, person[part]) for part in ("firstName", "lastName", "name") if part in person}
        if not any(names.values()):
            break  # a name of nothing but blanks ends the list: who stands behind it is lost
        long = next((name for name in names.values() if len(name) > NAME_CHARACTERS), None)
        if long and not scene.lenient:
            cut = shortened(long)
            raise ObjectError(
                413,
                _NAME_TOO_LONG.format(f"\N{LEFT SINGLE QUOTATION MARK}{cut}…\N{RIGHT SINGLE QUOTATION MARK}"),
                {"field": "creator", "value": cut},
            )
        role = person["creatorType"]
        people.append({"creatorType": role if role in roles or not roles else roles[0], **names})
    new["creators"] = people


def _put_tags(new: Data, value: Sequence[Sent], scene: Scene) -> None:
    tags: dict[tuple[str, int], Data] = {}
    for sent in value:
        name, kind = plain("tag", sent["tag"]), int(sent.get("type") or 0)
        if len(name) > TAG_CHARACTERS and not scene.lenient:
            raise ObjectError(413, f"Tag '{shortened(name)}' too long", {"tag": name})
        if name:
            tags[name, kind] = {"tag": name, "type": kind} if kind else {"tag": name}
    new["tags"] = list(tags.values())


def _put_collections(new: Data, value: Sequence[str], scene: Scene) -> None:
    missing = next((key for key in value if not scene.place.has_collection(key)), None)
    if missing:
        raise ObjectError(409, f"Collection {missing} not found", {"collection": missing})
    new["collections"] = list(dict.fromkeys(value))


def _put_relations(new: Data, value: Any, _scene: Scene) -> None:
    new["relations"] = {
        name: list(dict.fromkeys(checks.several(targets))) for name, targets in dict(value or {}).items()
    }


def _put_note(new: Data, value: Any, scene: Scene) -> None:
    note = CONTROL.sub("", str(value or ""))
    if len(note) > NOTE_CHARACTERS and not scene.lenient:
        raise ObjectError(413, f"Note '{note[:79]}...' too long")
    new["note"] = note


def _put_deleted(new: Data, value: Any, _scene: Scene) -> None:
    new["deleted"] = int(value)


def _put_link_mode(new: Data, value: str, scene: Scene) -> None:
    if value == "linked_file" and scene.place.kind == "group":
        raise ObjectError(400, "Linked files can only be added to user libraries")
    new.setdefault("linkMode", value)


PUTS: Mapping[str, Callable[[Data, Any, Scene], None]] = {
    "creators": _put_creators,
    "tags": _put_tags,
    "collections": _put_collections,
    "relations": _put_relations,
    "note": _put_note,
    "deleted": _put_deleted,
    "linkMode": _put_link_mode,
}


def collection(old: Data | None, sent: Sent, scene: Scene) -> Data:
    """The collection's data after writing `sent` over `old` (None: a new one). Raises ObjectError."""
    if "name" not in sent and not old:
        raise ObjectError(400, "'name' property not provided")
    new: Data = dict(old or {"parentCollection": False})
    for name, value in sent.items():
        if name in COLLECTION_PUTS:
            COLLECTION_PUTS[name](new, value, scene)
        elif name not in BOOKKEEPING:
            raise ObjectError(400, f"Invalid property '{name}'")
    return {name: value for name, value in new.items() if name == "parentCollection" or value}


def _name(new: Data, value: Any, scene: Scene) -> None:
    name = plain("name", value)
    if not name:
        raise ObjectError(400, "Collection name cannot be empty")
    if len(name) > NAME_CHARACTERS and not scene.lenient:
        raise ObjectError(413, f"Collection name '{shortened(name)}' too long", {"value": shortened(name)})
    new["name"] = name


def _parent_collection(new: Data, value: Any, scene: Scene) -> None:
    if value and not scene.place.has_collection(value):
        raise ObjectError(409, f"Parent collection {value} not found", {"collection": value})
    new["parentCollection"] = value or False


def _collection_relations(new: Data, value: Any, scene: Scene) -> None:
    checks.check_relations(value, "", None)
    _put_relations(new, value, scene)


def _collection_deleted(new: Data, value: Any, scene: Scene) -> None:
    checks.check_deleted(value, "", None)
    _put_deleted(new, value, scene)


COLLECTION_PUTS: Mapping[str, Callable[[Data, Any, Scene], None]] = {
    "name": _name,
    "parentCollection": _parent_collection,
    "relations": _collection_relations,
    "deleted": _collection_deleted,
}
