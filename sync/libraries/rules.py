"""Zotero's own rules for an item, in its own words: what it refuses, and what becomes of what it takes. Pure.

Source: how https://github.com/zotero/dataserver (model/Items.inc.php) answers; limits from
https://www.zotero.org/support/dev/web_api/v3/write_requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sync.core import schema
from sync.core.keys import ALPHABET, LENGTH
from sync.libraries.clean import NAME_CHARACTERS, misshapen

Data: TypeAlias = Mapping[str, Any]

FIELD_BYTES, NOTE_CHARACTERS = 65_535, 500_000
CHILDREN = frozenset({"note", "attachment"})
LINK_MODES = ("imported_file", "imported_url", "linked_file", "linked_url", "embedded_image")
PREDICATES = ("owl:sameAs", "dc:relation", "dc:replaces", "dc:isReplacedBy", "mendeleyDB:relatedDocumentUUID")
KEY = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")
BOOKKEEPING = frozenset({"key", "version", "itemType", "dateAdded", "dateModified", "inPublications"})
_ATTACHMENT = ("title", "url", "accessDate", "linkMode", "contentType", "charset", "filename", "path", "md5", "mtime")
_URI = re.compile(r"https?://zotero\.org/(users|groups)/(local/)?\w+/(items|collections)/[2-9A-NP-Z]{8}")
_ACCESS = re.compile(r"(\d{4}(?:-\d{2}){0,2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)Z?)?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}Z?)?")
_FIELDS = frozenset(name for kind in schema.ITEM_TYPES for name in schema.fields(kind)) | {*_ATTACHMENT, "note"}
_ROLES = frozenset(role for kind in schema.ITEM_TYPES for role in schema.creator_types(kind))
_CREATOR_PARTS = frozenset({"creatorType", "firstName", "lastName", "name"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item is refused: Zotero's code and words."""

    code: int
    message: str


class Place(Protocol):
    """What the rules ask of the library that an item goes to."""

    def kind_of_item(self, key: str) -> str:
        """The item type under a key, empty if there is none."""
        ...

    def has_collection(self, key: str) -> bool:
        """Whether there is a collection with this key."""
        ...


def fault(sent: Data, old: Data | None, place: Place | None = None) -> Fault | None:
    """The first thing wrong with writing `sent` over `old` (None: a new item); None if it can be taken.

    place: None leaves out what only the library knows: whether parent and collections exist.
    """
    kind = sent.get("itemType") or (old or {}).get("itemType")
    if not kind:
        return Fault(400, "'itemType' property not provided")
    if kind not in schema.ITEM_TYPES and kind not in CHILDREN:
        return Fault(400, f"'{kind}' is not a valid itemType")
    found = next(_wrong(sent, str(kind), old), "")
    if found:
        return Fault(400, found)
    return next(_too_long(sent), None) or (_misplaced(sent, str(kind), place) if place else None)


def merged(sent: Data, old: Data | None, now: str) -> dict[str, Any]:
    """The item's data after `sent` was written over `old`; empty values are not kept, `now` is an ISO 8601 instant."""
    kind = str(sent.get("itemType") or (old or {})["itemType"])
    own = own_fields(kind)
    new: dict[str, Any] = {name: value for name, value in (old or {}).items() if name not in _FIELDS or name in own}
    for name, value in sent.items():
        if name not in {"key", "version", "dateModified"} and not (name in _FIELDS and name not in own):
            new[name] = _KEPT[name](value) if name in _KEPT else value
    if new.get("accessDate"):
        new["accessDate"] = _access_date(new["accessDate"], now)
    if new.get("parentItem"):
        new.pop("collections", None)
    new["dateAdded"] = new.get("dateAdded") or now
    new["dateModified"] = _modified(sent, old, new, now)
    return {name: value for name, value in new.items() if value not in ("", None, 0, [], {})}


def shown(data: Data) -> dict[str, Any]:
    """Item data as the API shows it: with the properties that every item has, be they empty."""
    usual: dict[str, Any] = {"tags": [], "relations": {}}
    usual |= {"creators": []} if data["itemType"] in schema.ITEM_TYPES else {}
    usual |= {} if data.get("parentItem") else {"collections": []}
    return {"itemType": data["itemType"], **usual, **data}


def own_fields(kind: str) -> frozenset[str]:
    """The fields of an item type, notes and attachments included."""
    if kind == "note":
        return frozenset({"note"})
    return frozenset({*_ATTACHMENT, "note"}) if kind == "attachment" else schema.fields(kind)


def _wrong(sent: Data, kind: str, old: Data | None) -> Iterator[str]:
    bent = misshapen(sent)
    if bent:
        yield f"Unexpected array for property '{bent}'"
    if kind == "attachment" and old is None and sent.get("linkMode") not in LINK_MODES:
        mode = sent.get("linkMode")
        yield f"'{mode}' is not a valid linkMode" if mode else "'linkMode' property not provided"
    for name, value in sent.items():
        if name in _SHAPES:
            yield from _SHAPES[name](value, kind)
        elif name not in BOOKKEEPING:
            yield from _field(name, value, kind)


def _field(name: str, value: Any, kind: str) -> Iterator[str]:
    if name not in _FIELDS:
        yield f"Invalid property '{name}'"
    if name == "note" and kind not in CHILDREN:
        yield "'note' property is valid only for note and attachment items"
    if value and name not in own_fields(kind):
        yield f"'{name}' is not a valid field for type '{kind}'"
    if name == "accessDate" and value and value != "CURRENT_TIMESTAMP" and not _ACCESS.fullmatch(str(value)):
        wanted = "must be in ISO 8601 or UTC 'YYYY-MM-DD[ hh:mm:ss]' format or 'CURRENT_TIMESTAMP'"
        yield f"'accessDate' {wanted} ({value})"


def _creators(value: Any, kind: str) -> Iterator[str]:
    for person in value if isinstance(value, list) else ():
        yield from _creator(person, kind) if isinstance(person, Mapping) else ("Creator must be an object",)
    if not isinstance(value, list):
        yield "'creators' property must be an array"


def _creator(person: Data, kind: str) -> Iterator[str]:
    role = person.get("creatorType")
    yield from (f"Invalid creator property '{part}'" for part in person if part not in _CREATOR_PARTS)
    if not role:
        yield "creator object must contain 'creatorType'"
    if role not in _ROLES:
        yield f"'{role}' is not a valid creator type"
    if kind in CHILDREN or role not in {*schema.creator_types(kind), "author"}:
        yield f"'{role}' is not a valid creator type for item type '{kind}'"
    for part, other in (("firstName", "lastName"), ("lastName", "firstName")):
        if part in person and "name" in person:
            yield f"'{part}' and 'name' creator fields are mutually exclusive"
        if other in person and part not in person:
            yield f"'{part}' creator field must be set if '{other}' is set"
    if not any(person.get(part) for part in ("firstName", "lastName", "name")):
        yield "creator object must contain 'firstName'/'lastName' or 'name'"


def _tags(value: Any, _kind: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield "'tags' property must be an array"
        return
    for tag in value:
        if not isinstance(tag, Mapping):
            yield "Tag must be an object"
            return
        yield from (f"Invalid tag property '{name}'" for name in tag if name not in {"tag", "type"})
        if "tag" not in tag:
            yield "'tag' property not provided"


def _collections(value: Any, _kind: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield "'collections' property must be an array"
        return
    yield from (f"'{key}' is not a valid collection key" for key in value if not KEY.fullmatch(str(key)))


def _relations(value: Any, _kind: str) -> Iterator[str]:
    if value == []:
        return
    if not isinstance(value, Mapping):
        yield "'relations' property must be an object"
        return
    for predicate, them in value.items():
        if predicate not in PREDICATES:
            yield f"Unsupported predicate '{predicate}'"
        if not all(isinstance(uri, str) and _URI.fullmatch(uri) for uri in _several(them)):
            yield "'relations' values currently must be Zotero item URIs"


def _deleted(value: Any, _kind: str) -> Iterator[str]:
    if value not in (0, 1):
        yield "'deleted' must be 0 or 1"


def _parent(value: Any, _kind: str) -> Iterator[str]:
    if value and not KEY.fullmatch(str(value)):
        yield "'parentItem' must be a valid item key"


def _instant(name: str) -> Callable[[Any, str], Iterator[str]]:
    def check(value: Any, _kind: str) -> Iterator[str]:
        if value and not _INSTANT.fullmatch(str(value)):
            yield f"'{name}' must be in ISO 8601 or UTC 'YYYY-MM-DD hh:mm:ss' format ({value})"

    return check


_SHAPES: Mapping[str, Callable[[Any, str], Iterator[str]]] = {
    "creators": _creators,
    "tags": _tags,
    "collections": _collections,
    "relations": _relations,
    "deleted": _deleted,
    "parentItem": _parent,
    "dateAdded": _instant("dateAdded"),
    "dateModified": _instant("dateModified"),
}


def _too_long(sent: Data) -> Iterator[Fault]:
    for name, value in sent.items():
        if name == "note" and len(value) > NOTE_CHARACTERS:
            yield Fault(413, f"Note '{value[:79]}...' too long")
        elif name != "note" and isinstance(value, str) and len(value.encode()) > FIELD_BYTES:
            yield Fault(413, f"{name} field value '{value[:50]}…' too long")
    for person in sent.get("creators", ()):
        for part in ("firstName", "lastName", "name"):
            if len(person.get(part, "")) > NAME_CHARACTERS:
                yield Fault(413, f"The creator name '{person[part][:50]}…' is too long to sync")
    for tag in sent.get("tags", ()):
        if len(tag["tag"]) > NAME_CHARACTERS:
            yield Fault(413, f"Tag '{tag['tag'][:50]}…' too long")


def _misplaced(sent: Data, kind: str, place: Place) -> Fault | None:
    parent = sent.get("parentItem")
    if parent and kind not in CHILDREN:
        return Fault(400, "Child item must be note, attachment, or annotation")
    if parent and sent.get("collections"):
        return Fault(400, "Child items cannot be assigned to collections")
    if parent and not place.kind_of_item(parent):
        return Fault(409, f"Parent item {parent} not found")
    if parent and place.kind_of_item(parent) in CHILDREN:
        return Fault(409, f"Parent item {parent} cannot be a note or attachment")
    lost = next((key for key in sent.get("collections", ()) if not place.has_collection(key)), None)
    return Fault(409, f"Collection {lost} not found") if lost else None


def _access_date(value: str, now: str) -> str:
    found = _ACCESS.fullmatch(value)
    if not found:
        return now
    return f"{found[1]}T{found[2]}Z" if found[2] else found[1]


def _modified(sent: Data, old: Data | None, new: Data, now: str) -> str:
    """Putting an item into collections or relating it does not make it modified."""
    if old is None:
        return str(sent.get("dateModified") or now)
    aside = {"collections", "relations", "dateModified"}
    touched = any(old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - aside)
    return now if touched else str(old.get("dateModified", now))


def _kept_tags(value: Sequence[Data]) -> list[dict[str, Any]]:
    """No empty tag, none twice; type 0 is not written out."""
    named = {(tag["tag"], int(tag.get("type") or 0)): None for tag in value if tag["tag"]}
    return [{"tag": name, "type": kind} if kind else {"tag": name} for name, kind in named]


def _kept_relations(value: Any) -> dict[str, Any]:
    """Each target once; one alone stands bare."""
    several = {name: list(dict.fromkeys(_several(them))) for name, them in dict(value or {}).items()}
    return {name: them[0] if len(them) == 1 else them for name, them in several.items() if them}


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


_KEPT: Mapping[str, Callable[[Any], Any]] = {
    "tags": _kept_tags,
    "relations": _kept_relations,
    "collections": lambda value: list(dict.fromkeys(value)),
    "deleted": int,
    "parentItem": lambda value: value or "",
}
