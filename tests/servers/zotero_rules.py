"""What Zotero's server accepts as an item or a collection, and what it makes of it: pure functions.

The rules follow the public data server (https://github.com/zotero/dataserver, model/Items.inc.php and Collections.inc.php)
as it answered when it was asked; where only one case was seen, the rule is that case.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from tests.servers import zotero_dates as dates
from tests.servers import zotero_types as types

Data: TypeAlias = dict[str, Any]
Sent: TypeAlias = Mapping[str, Any]

KEY = re.compile(r"[2-9A-NP-Z]{8}\Z")
FIELD_BYTES, NAME_CHARACTERS, TAG_CHARACTERS, NOTE_CHARACTERS = 65_535, 255, 255, 500_000
UNTYPED = frozenset({"collections", "relations", "inPublications"})  # a change of these leaves dateModified alone
PREDICATES = frozenset(
    {"owl:sameAs", "dc:relation", "dc:replaces", "dc:isReplacedBy", "mendeleyDB:relatedDocumentUUID"}
)
ITEM_URI = re.compile(r"http://zotero\.org/(users|groups)/(local/)?\w+/(items|collections)/[2-9A-NP-Z]{8}\Z")
LINK_MODES = ("imported_file", "imported_url", "linked_file", "linked_url", "embedded_image")
ATTACHMENT_FIELDS = ("title", "accessDate", "url")
FILE_PROPERTIES = ("contentType", "charset", "filename", "path", "md5", "mtime")
BOOKKEEPING = frozenset({"key", "version", "itemType", "dateAdded", "dateModified", "inPublications"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NAME_TOO_LONG = (
    "The creator name ‘{}…’ is too long to sync. Shorten the name and sync again.\n\nIf you receive this message repeatedly "
    "for items saved from a particular site, you can report this issue in the Zotero Forums."
)


class ObjectFault(Exception):
    """One object of a request is refused; the others are not touched."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None, key: str = "") -> None:
        super().__init__(message)
        self.code, self.data, self.key = code, data, key

    def report(self) -> Data:
        """The entry of a write report's `failed`."""
        entry: Data = {"code": self.code, "message": escaped(str(self))}
        return ({"key": self.key} if self.key else {}) | entry | ({"data": dict(self.data)} if self.data else {})


class PoisonError(Exception):
    """A value that breaks the server's loop: the whole request ends with 500, what came before it stays written."""


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
    """Where and when an object is written: its library, its key, the time (ISO 8601, UTC)."""

    place: Place
    key: str
    now: str


def sorted_tags(data: Sent) -> list[Data]:
    """An item's tags in the order in which they are shown."""
    return sorted(data.get("tags", ()), key=lambda tag: str(tag["tag"]))


def escaped(text: str) -> str:
    """Text as the server puts it into messages: quotes as they are, the rest of HTML's characters escaped."""
    return html.escape(text, quote=False).replace('"', "&quot;")


def shortened(text: str) -> str:
    """The first fifty characters and an ellipsis."""
    return f"{text[:50]}…"


def plain(name: str, value: object) -> str:
    """A field's value as stored: text, trimmed, no control characters but tab and line feed.

    Raises ObjectFault for an array, PoisonError for an object.
    """
    if isinstance(value, list):
        raise ObjectFault(400, f"Unexpected array for property '{name}'")
    if isinstance(value, Mapping):
        raise PoisonError(name)
    if value is None or value is False:
        return ""
    return _CONTROL.sub("", "1" if value is True else str(value)).strip()


def unwrapped(sent: Sent) -> Sent:
    """The editable part: a whole answer (`key, version, library, data`) may be sent back as it came."""
    return sent["data"] if "data" in sent and "key" in sent else sent


def item(old: Data | None, sent: Sent, scene: Scene) -> Data:
    """The item's data after writing `sent` over `old` (None: a new item). Raises ObjectFault, PoisonError."""
    kind = _kind(old, sent)
    for name, value in sent.items():
        _check(name, value, kind, old)
    new = types.converted(old, kind) if old else {"itemType": kind}
    _place(new, sent, scene)
    for name, value in sent.items():
        _put(new, name, value, scene)
    return {name: value for name, value in new.items() if value not in ("", [], {}, None, 0)}


def _kind(old: Data | None, sent: Sent) -> str:
    kind = sent.get("itemType") if "itemType" in sent or not old else old["itemType"]
    if not kind:
        raise ObjectFault(400, "'itemType' property not provided")
    if kind not in types.all_types():
        raise ObjectFault(400, f"'{kind}' is not a valid itemType")
    if kind == "attachment" and not old:
        _link_mode(sent.get("linkMode"))
    return str(kind)


def _link_mode(mode: object) -> None:
    if not mode:
        raise ObjectFault(400, "'linkMode' property not provided")
    if mode not in LINK_MODES:
        raise ObjectFault(400, f"'{mode}' is not a valid linkMode")


def _check(name: str, value: object, kind: str, old: Data | None) -> None:
    """The shape of one property, before anything is set."""
    if name in SHAPES:
        SHAPES[name](value, kind, old)
    elif name in FILE_PROPERTIES and kind == "attachment":
        plain(name, value)
    elif name not in BOOKKEEPING:
        if name not in types.all_fields():
            raise ObjectFault(400, f"Invalid property '{name}'")
        plain(name, value)


def _check_creators(value: object, kind: str, old: Data | None) -> None:
    people = _listed("creators", value)
    for person in people:
        if not isinstance(person, Mapping):
            raise ObjectFault(400, "Creator must be an object")
        left_empty = len(people) == 1 and old is None
        _check_creator(person, kind, left_empty=left_empty)


def _check_creator(person: Sent, kind: str, *, left_empty: bool) -> None:
    stranger = next((name for name in person if name not in {"creatorType", "firstName", "lastName", "name"}), None)
    if stranger:
        raise ObjectFault(400, f"Invalid creator property '{stranger}'")
    if not person.get("creatorType"):
        raise ObjectFault(400, "creator object must contain 'creatorType'")
    _check_names(person, left_empty=left_empty)
    role = person["creatorType"]
    if role not in types.all_creator_types():
        raise ObjectFault(400, f"'{role}' is not a valid creator type")
    if role != "author" and role not in types.creator_types(kind):
        raise ObjectFault(400, f"'{role}' is not a valid creator type for item type '{kind}'")


def _check_names(person: Sent, *, left_empty: bool) -> None:
    for part in ("firstName", "lastName"):
        if "name" in person and part in person:
            raise ObjectFault(400, f"'{part}' and 'name' creator fields are mutually exclusive")
    for part, other in (("lastName", "firstName"), ("firstName", "lastName")):
        if part in person and other not in person:
            raise ObjectFault(400, f"'{other}' creator field must be set if '{part}' is set")
    if not (person.get("name") or person.get("lastName") or person.get("firstName") or left_empty):
        raise ObjectFault(400, "creator object must contain 'firstName'/'lastName' or 'name'")


def _check_tags(value: object, _kind: str, _old: Data | None) -> None:
    for tag in _listed("tags", value):
        if not isinstance(tag, Mapping):
            raise ObjectFault(400, "Tag must be an object")
        stranger = next((name for name in tag if name not in {"tag", "type"}), None)
        if stranger:
            raise ObjectFault(400, f"Invalid tag property '{stranger}'")
        if "tag" not in tag:
            raise ObjectFault(400, "'tag' property not provided")


def _check_collections(value: object, _kind: str, _old: Data | None) -> None:
    for key in _listed("collections", value):
        if not isinstance(key, str) or not KEY.match(key):
            raise ObjectFault(400, f"'{key}' is not a valid collection key")


def _check_relations(value: object, _kind: str, _old: Data | None) -> None:
    if value == []:
        return
    if not isinstance(value, Mapping):
        raise ObjectFault(400, "'relations' property must be an object")
    for predicate, target in value.items():
        if predicate not in PREDICATES:
            raise ObjectFault(400, f"Unsupported predicate '{predicate}'")
        if not all(isinstance(uri, str) and ITEM_URI.match(uri) for uri in _several(target)):
            raise ObjectFault(400, "'relations' values currently must be Zotero item URIs")


def _check_note(_value: object, kind: str, _old: Data | None) -> None:
    if kind not in types.NOT_REGULAR:
        raise ObjectFault(400, "'note' property is valid only for note and attachment items")


def _check_notes(_value: object, _kind: str, _old: Data | None) -> None:
    raise ObjectFault(400, "'notes' property is no longer supported")


def _check_deleted(value: object, _kind: str, _old: Data | None) -> None:
    if value not in (0, 1):  # True and False are 1 and 0
        raise ObjectFault(500, "An error occurred")


def _check_link_mode(value: object, kind: str, _old: Data | None) -> None:
    if kind != "attachment":
        raise PoisonError("linkMode")
    _link_mode(value)


def _check_parent(value: object, _kind: str, _old: Data | None) -> None:
    if value is not False and not (isinstance(value, str) and (not value or KEY.match(value))):
        raise ObjectFault(400, "'parentItem' must be a valid item key")


SHAPES: Mapping[str, Callable[[object, str, Data | None], None]] = {
    "creators": _check_creators,
    "tags": _check_tags,
    "collections": _check_collections,
    "relations": _check_relations,
    "note": _check_note,
    "notes": _check_notes,
    "deleted": _check_deleted,
    "linkMode": _check_link_mode,
    "parentItem": _check_parent,
}


def _listed(name: str, value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ObjectFault(400, f"'{name}' property must be an array")
    return value


def _several(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _place(new: Data, sent: Sent, scene: Scene) -> None:
    """Where the item hangs: under a parent, or in collections, and not in both."""
    parent = sent.get("parentItem", new.get("parentItem", ""))
    if not parent:
        new.pop("parentItem", None)
    elif new["itemType"] not in types.NOT_REGULAR:
        raise ObjectFault(400, "Child item must be note, attachment, or annotation")
    elif sent.get("collections"):
        raise ObjectFault(400, "Child items cannot be assigned to collections")
    elif not scene.place.kind_of_item(parent):
        raise ObjectFault(409, f"Parent item {parent} not found", {"parentItem": parent})
    elif scene.place.kind_of_item(parent) == "note":
        raise ObjectFault(409, f"Parent item {parent} cannot be a note", {"parentItem": parent})
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
        raise ObjectFault(400, f"'{name}' is not a valid field for type '{kind}'")
    if len(value.encode()) > FIELD_BYTES:
        label, cut = types.label(name), shortened(value)
        message = f"{label} field value '{cut}' too long for item '{scene.place.number}/{scene.key}'"
        raise ObjectFault(413, message, {"field": label, "value": cut})
    if name == "accessDate" and value:
        return _access_date(value, scene)
    return dates.rewritten(value) if types.is_date(kind, name) else value


def _access_date(value: str, scene: Scene) -> str:
    stamp = scene.now if value == "CURRENT_TIMESTAMP" else dates.access_date(value)
    if not stamp:
        wanted = "must be in ISO 8601 or UTC 'YYYY-MM-DD[ hh:mm:ss]' format or 'CURRENT_TIMESTAMP'"
        raise ObjectFault(400, f"'accessDate' {wanted} ({value})")
    return stamp


def stamped(sent: Sent, name: str) -> str:
    """A sent `dateAdded` or `dateModified`, as ISO 8601; empty where none was sent. Raises ObjectFault."""
    value = sent.get(name)
    if not value:
        return ""
    stamp = dates.instant(str(value))
    if not stamp:
        raise ObjectFault(400, f"'{name}' must be in ISO 8601 or UTC 'YYYY-MM-DD hh:mm:ss' format ({value})")
    return stamp


def _put_creators(new: Data, value: Sequence[Sent], _scene: Scene) -> None:
    roles = types.creator_types(new["itemType"])
    people: list[Data] = []
    for person in value:
        names = {part: plain(part, person[part]) for part in ("firstName", "lastName", "name") if part in person}
        if not any(names.values()):
            break  # a name of nothing but blanks ends the list: who stands behind it is lost
        long = next((name for name in names.values() if len(name) > NAME_CHARACTERS), None)
        if long:
            cut = shortened(long)
            raise ObjectFault(413, _NAME_TOO_LONG.format(cut), {"field": "creator", "value": cut})
        role = person["creatorType"]
        people.append({"creatorType": role if role in roles or not roles else roles[0], **names})
    new["creators"] = people


def _put_tags(new: Data, value: Sequence[Sent], _scene: Scene) -> None:
    tags: dict[tuple[str, int], Data] = {}
    for sent in value:
        name, kind = plain("tag", sent["tag"]), int(sent.get("type") or 0)
        if len(name) > TAG_CHARACTERS:
            raise ObjectFault(413, f"Tag '{shortened(name)}' too long", {"tag": name})
        if name:
            tags[name, kind] = {"tag": name, "type": kind} if kind else {"tag": name}
    new["tags"] = list(tags.values())


def _put_collections(new: Data, value: Sequence[str], scene: Scene) -> None:
    missing = next((key for key in value if not scene.place.has_collection(key)), None)
    if missing:
        raise ObjectFault(409, f"Collection {missing} not found", {"collection": missing})
    new["collections"] = list(dict.fromkeys(value))


def _put_relations(new: Data, value: Any, _scene: Scene) -> None:
    new["relations"] = {name: list(dict.fromkeys(_several(targets))) for name, targets in dict(value or {}).items()}


def _put_note(new: Data, value: Any, _scene: Scene) -> None:
    note = _CONTROL.sub("", str(value or ""))
    if len(note) > NOTE_CHARACTERS:
        raise ObjectFault(413, f"Note '{note[:79]}...' too long")
    new["note"] = note


def _put_deleted(new: Data, value: Any, _scene: Scene) -> None:
    new["deleted"] = int(value)


def _put_link_mode(new: Data, value: str, scene: Scene) -> None:
    if value == "linked_file" and scene.place.kind == "group":
        raise ObjectFault(400, "Linked files can only be added to user libraries")
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
    """The collection's data after writing `sent` over `old` (None: a new one). Raises ObjectFault."""
    if "name" not in sent and not old:
        raise ObjectFault(400, "'name' property not provided")
    new: Data = dict(old or {"parentCollection": False})
    for name, value in sent.items():
        if name in COLLECTION_PUTS:
            COLLECTION_PUTS[name](new, value, scene)
        elif name not in BOOKKEEPING:
            raise ObjectFault(400, f"Invalid property '{name}'")
    return {name: value for name, value in new.items() if name == "parentCollection" or value}


def _name(new: Data, value: Any, _scene: Scene) -> None:
    name = plain("name", value)
    if not name:
        raise ObjectFault(400, "Collection name cannot be empty")
    if len(name) > NAME_CHARACTERS:
        raise ObjectFault(413, f"Collection name '{shortened(name)}' too long", {"value": shortened(name)})
    new["name"] = name


def _parent_collection(new: Data, value: Any, scene: Scene) -> None:
    if value and not scene.place.has_collection(value):
        raise ObjectFault(409, f"Parent collection {value} not found", {"collection": value})
    new["parentCollection"] = value or False


def _collection_relations(new: Data, value: Any, scene: Scene) -> None:
    _check_relations(value, "", None)
    _put_relations(new, value, scene)


def _collection_deleted(new: Data, value: Any, scene: Scene) -> None:
    _check_deleted(value, "", None)
    _put_deleted(new, value, scene)


COLLECTION_PUTS: Mapping[str, Callable[[Data, Any, Scene], None]] = {
    "name": _name,
    "parentCollection": _parent_collection,
    "relations": _collection_relations,
    "deleted": _collection_deleted,
}
