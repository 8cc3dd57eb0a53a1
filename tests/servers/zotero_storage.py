"""What a Zotero library holds, in memory: items, collections, versions, the log of deletions. Shared by web and desktop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from tests.servers import zotero_basics as basics
from tests.servers import zotero_dates as dates
from tests.servers import zotero_rules as rules
from tests.servers import zotero_types as types
from tests.servers.zotero_basics import Data, ObjectError, Sent
from tests.servers.zotero_rules import Scene

Kind: TypeAlias = Literal["items", "collections"]
WORD: Mapping[Kind, str] = {"items": "Item", "collections": "Collection"}
RULES: Mapping[Kind, Callable[[Data | None, Sent, Scene], Data]] = {
    "items": rules.item,
    "collections": rules.collection,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """One object: `data` without empty values, relations as lists; `number` counts up in the order of creation."""

    key: str
    version: int
    number: int
    data: Data
    added: str = ""
    modified: str = ""
    author: int = 0
    editor: int = 0


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, when (ISO 8601, UTC), with what new keys; `dated` if its sent dateModified is believed."""

    now: str
    new_key: Callable[[], str]
    user: int = 0
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object; `changed` is False where it already said the same."""

    stored: Stored
    changed: bool


class Shelf:
    """One library. Not safe to share between threads by itself: its server holds the lock.

    prefix: `users/1001`.  number: the server's internal number of it.  version: of the whole library.
    stamp: counts every change, also those that leave the version alone.
    local: a desktop's: what changes nothing does not raise the version, and lengths are not looked at.
    """

    def __init__(self, kind: str, number: int, ident: int, name: str, version: int = 0) -> None:
        self.kind, self.number, self.ident, self.name, self.version = kind, number, ident, name, version
        self.stamp = 0
        self.local = False
        self.objects: Mapping[Kind, dict[str, Stored]] = {"items": {}, "collections": {}}
        self.gone: dict[str, dict[str, int]] = defaultdict(dict)
        self.tag_order: dict[tuple[str, int], None] = {}
        self._below: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._count = 0
        self._memory: tuple[object, Sequence[Stored]] = (None, ())

    @property
    def prefix(self) -> str:
        """`users/1001`, as in paths."""
        return f"{self.kind}s/{self.ident}"

    def kind_of_item(self, key: str) -> str:
        """The item type under a key; empty if there is none."""
        held = self.objects["items"].get(key)
        return str(held.data["itemType"]) if held else ""

    def has_collection(self, key: str) -> bool:
        """Whether a collection has this key."""
        return key in self.objects["collections"]

    def items(self) -> list[Stored]:
        """Every item, the trashed ones too, in the order of creation."""
        return list(self.objects["items"].values())

    def collections(self) -> list[Stored]:
        """Every collection, in the order of creation."""
        return list(self.objects["collections"].values())

    def children(self, key: str) -> list[Stored]:
        """An item's children, the trashed ones too."""
        return [self.objects["items"][child] for child in self._below[f"parentItem {key}"]]

    def members(self, key: str) -> list[Stored]:
        """A collection's items, the trashed ones too."""
        return [self.objects["items"][item] for item in self._below[f"collections {key}"]]

    def subcollections(self, key: str) -> list[Stored]:
        """The collections right under one."""
        return [self.objects["collections"][child] for child in self._below[f"parentCollection {key}"]]

    def remembered(self, question: object, found: Callable[[], Sequence[Stored]]) -> Sequence[Stored]:
        """What `found` gives; the answer to the last question is kept as long as nothing changes."""
        asked = (self.stamp, question)
        if self._memory[0] != asked:
            self._memory = (asked, found())
        return self._memory[1]

    def uri(self, key: str) -> str:
        """An item's URI as it stands in relations."""
        return f"http://zotero.org/{self.prefix}/items/{key}"

    def relations(self, item: Stored) -> dict[str, Any]:
        """An item's relations as they are shown: those that others have to it included, single values bare."""
        shown = {name: list(targets) for name, targets in item.data.get("relations", {}).items()}
        back = [self.uri(key) for key in self._below[f"dc:relation {self.uri(item.key)}"]]
        if back:
            shown["dc:relation"] = list(dict.fromkeys([*shown.get("dc:relation", ()), *back]))
        return {name: targets[0] if len(targets) == 1 else targets for name, targets in shown.items() if targets}

    def bump(self) -> int:
        """The next version of the library."""
        self.version += 1
        return self.version

    def write(self, kind: Kind, key: str, sent: Sent, writer: Writer) -> Outcome:
        """Write one object under a key, new or over what is there. Raises ObjectError, PoisonError; then nothing changed."""
        old = self.objects[kind].get(key)
        data = RULES[kind](old.data if old else None, sent, Scene(self, key, writer.now, lenient=self.local))
        added, modified = rules.stamped(sent, "dateAdded"), rules.stamped(sent, "dateModified")
        if old is None:
            self._count += 1
            new = Stored(
                key, 0, self._count, data, added or writer.now, modified or writer.now, writer.user, writer.user
            )
        else:
            if self._same(old, data) and added in {"", old.added}:
                self.version += 0 if self.local else 1
                return Outcome(old, changed=False)
            believed = modified if writer.dated else ""
            new = replace(old, data=data, added=added or old.added, editor=writer.user)
            new = replace(new, modified=believed or (writer.now if _touched(old.data, data) else old.modified))
        return Outcome(self.put(kind, replace(new, version=self.bump())), changed=True)

    def _same(self, old: Stored, data: Data) -> bool:
        one, other = ({**each, "relations": {}, "tags": basics.sorted_tags(each)} for each in (old.data, data))
        return one == other and self.relations(old) == self.relations(replace(old, data=data))

    def put(self, kind: Kind, new: Stored) -> Stored:
        """Put an object where it belongs, under its own version."""
        old = self.objects[kind].get(new.key)
        for place in _places(old) - _places(new):
            self._below[place].pop(new.key, None)
        for place in _places(new) - _places(old):
            self._below[place][new.key] = None
        self.objects[kind][new.key] = new
        self.gone[kind].pop(new.key, None)
        self.tag_order |= {(tag["tag"], tag.get("type", 0)): None for tag in new.data.get("tags", ())}
        self.stamp += 1
        return new

    def join(self, item: Stored, collection: str) -> None:
        """Put an item into a collection under the library's present version, which does not rise."""
        inside = list(dict.fromkeys([*item.data.get("collections", ()), collection]))
        self.put("items", replace(item, version=self.version, data={**item.data, "collections": inside}))

    def delete(self, kind: Kind, keys: Iterable[str]) -> int:
        """Take objects away for good, with what hangs below; unknown keys are passed over. Gives the new version."""
        version = self.bump()
        for key in keys:
            for gone in list(self._family(kind, key)):
                self._take(kind, gone, version)
        return version

    def lose(self, kind: Kind, key: str) -> None:
        """An object is there no more and nobody took it away, as after a backup was put back."""
        held = self.objects[kind].pop(key)
        for place in _places(held):
            self._below[place].pop(key, None)
        self.stamp += 1

    def _family(self, kind: Kind, key: str) -> Iterator[str]:
        if key not in self.objects[kind]:
            return
        for below in self.children(key) if kind == "items" else self.subcollections(key):
            yield from self._family(kind, below.key)
        yield key

    def _take(self, kind: Kind, key: str, version: int) -> None:
        held = self.objects[kind].pop(key)
        for place in _places(held):
            self._below[place].pop(key, None)
        self.gone[kind][key] = version
        self.stamp += 1
        for item in self.members(key) if kind == "collections" else ():
            rest = [other for other in item.data["collections"] if other != key]
            self.put("items", replace(item, data={**item.data, "collections": rest}))

    def tags(self) -> dict[tuple[str, int], list[str]]:
        """Every tag in use, by name and type, in the order in which they came first, with the keys of its items."""
        used: dict[tuple[str, int], list[str]] = {tag: [] for tag in self.tag_order}
        for item in self.items():
            for tag in item.data.get("tags", ()):
                used[tag["tag"], tag.get("type", 0)].append(item.key)
        return {tag: keys for tag, keys in used.items() if keys}

    def untag(self, names: Iterable[str], now: str) -> int:
        """Take tags off every item and log them as deleted. Gives the new version."""
        version, lost = self.bump(), set(names)
        for item in self.items():
            rest = [tag for tag in item.data.get("tags", ()) if tag["tag"] not in lost]
            if len(rest) < len(item.data.get("tags", ())):
                self.put("items", replace(item, version=version, modified=now, data={**item.data, "tags": rest}))
        self.gone["tags"] |= dict.fromkeys(lost, version)
        return version


def _places(held: Stored | None) -> set[str]:
    """Below what an object hangs: parent, collections, and the items it relates to."""
    if held is None:
        return set()
    single = {f"{name} {held.data[name]}" for name in ("parentItem", "parentCollection") if held.data.get(name)}
    related = held.data.get("relations", {}).get("dc:relation", ())
    return (
        single
        | {f"collections {key}" for key in held.data.get("collections", ())}
        | {f"dc:relation {u}" for u in related}
    )


def _touched(old: Data, new: Data) -> bool:
    """Whether anything changed that makes an item modified."""
    names = (old.keys() | new.keys()) - rules.UNTYPED
    return any(old.get(name) != new.get(name) for name in names)


def item_data(shelf: Shelf, item: Stored) -> Data:
    """An item's `data` as it is shown: every field of its type, empty ones too."""
    held, kind = item.data, item.data["itemType"]
    child = "parentItem" in held
    shown: Data = {"key": item.key, "version": item.version}
    shown |= ({"parentItem": held["parentItem"]} if child else {}) | {"itemType": kind}
    shown |= _body(held, kind)
    shown["tags"] = basics.sorted_tags(held)
    shown |= {} if child else {"collections": held.get("collections", [])}
    shown["relations"] = shelf.relations(item)
    shown |= {"deleted": 1} if held.get("deleted") else {}
    return shown | {"dateAdded": item.added, "dateModified": item.modified}


def _body(held: Data, kind: str) -> Data:
    if kind == "note":
        return {"note": held.get("note", "")}
    if kind == "attachment":
        return _attachment(held)
    names = types.fields(kind)
    first = names[:1]
    values = {name: held.get(name, "") for name in names}
    return {name: values[name] for name in first} | {"creators": held.get("creators", [])} | values


def _attachment(held: Data) -> Data:
    mode = held["linkMode"]
    shown: Data = {"linkMode": mode}
    shown |= {name: held.get(name, "") for name in (*basics.ATTACHMENT_FIELDS, "note", "contentType", "charset")}
    if mode == "linked_file":
        shown["path"] = held.get("path", "")
    elif mode != "linked_url":
        shown |= {"filename": held.get("filename", ""), "md5": held.get("md5"), "mtime": held.get("mtime")}
    return shown


def collection_data(collection: Stored) -> Data:
    """A collection's `data` as it is shown."""
    held = collection.data
    shown: Data = {"key": collection.key, "version": collection.version, "name": held["name"]}
    shown |= {"parentCollection": held["parentCollection"], "relations": held.get("relations", {})}
    return shown | ({"deleted": True} if held.get("deleted") else {})


def item_meta(shelf: Shelf, item: Stored) -> Data:
    """What stands beside an item: authors in short, the date as understood, the number of children."""
    kind, meta = item.data["itemType"], Data()
    summary = _summary(item.data)
    day = dates.parsed(item.data.get(types.own(kind, "date") or "date", ""))
    meta |= ({"creatorSummary": summary} if summary else {}) | ({"parsedDate": day} if day else {})
    if not item.data.get("linkMode", "").startswith("linked_"):
        meta["numChildren"] = sum(not child.data.get("deleted") for child in shelf.children(item.key))
    return meta


def _summary(data: Data) -> str:
    people, roles = data.get("creators", ()), types.creator_types(data["itemType"])
    chosen = (
        [p for p in people if p["creatorType"] == roles[0]]
        or [p for p in people if p["creatorType"] == "editor"]
        or people
    )
    names = [person.get("name") or person.get("lastName") or person.get("firstName", "") for person in chosen]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def refused(kind: Kind, held: Stored | None, version: int | None, *, strict: bool = False) -> ObjectError | None:
    """Why an object may not be written from this version; None if it may.

    version: what the writer knew, None if it did not say.  strict: it must be the very version (the desktop's rule).
    """
    word = WORD[kind]
    if held is None:
        return (
            ObjectError(404, f"{word} doesn't exist (expected version {version}; use 0 instead)") if version else None
        )
    if version is None or held.version == version or (held.version < version and not strict):
        return None
    if strict:
        return ObjectError(412, f"{word.lower()} version mismatch: expected {version}, found {held.version}")
    return ObjectError(
        412, f"{word} has been modified since specified version (expected {version}, found {held.version})"
    )
