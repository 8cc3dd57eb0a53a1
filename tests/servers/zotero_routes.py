"""The stand-in Zotero's address book: which request goes where, who may pass, and everything that only reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from sync.core import schema
from tests.servers import zotero_files as files
from tests.servers import zotero_lists as lists
from tests.servers import zotero_older
from tests.servers import zotero_types as types
from tests.servers import zotero_views as views
from tests.servers import zotero_writes as writes
from tests.servers.base import Reply, Request
from tests.servers.zotero_lists import QueryError
from tests.servers.zotero_storage import Kind, Stored
from tests.servers.zotero_world import READS, RefusalError, World
from tests.servers.zotero_writes import Call

Handler: TypeAlias = Callable[[Call], Reply]

KEPT_FORMATS = frozenset({"json", "keys", "versions"})
VERSIONS_SPOKEN, VERSIONS_KNOWN = frozenset({"3"}), frozenset({"1", "2", "3"})
LIBRARY_PATH = re.compile(r"/(?P<kind>user|group)s/(?P<ident>\d+)(?P<rest>/.*|)\Z")
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
_NOWHERE = "<h1>Not Found</h1>\n<p>The page you requested could not be found.</p>\n"


@dataclass(frozen=True, slots=True)
class Route:
    """A form of path and what may be done there."""

    form: re.Pattern[str]
    methods: Mapping[str, Handler]

    @property
    def allow(self) -> str:
        """The methods, as the Allow header names them."""
        reads = ["HEAD"] if "GET" in self.methods else []
        return ", ".join([*reads, *(name for name in _ORDER if name in self.methods)])


def answer(world: World, request: Request, *, maintenance: bool = False) -> Reply:
    """The answer to a request, whatever it is."""
    if request.path.startswith(files.STORE):
        return files.receive(world, request)
    try:
        return _routed(_arrived(world, request, maintenance=maintenance))
    except QueryError as fault:
        return views.said(400, str(fault), early=True)
    except RefusalError as fault:
        return views.said(fault.status, str(fault), fault.headers, early=fault.early)


def _arrived(world: World, request: Request, *, maintenance: bool) -> Call:
    """The request with its key, library and query read; what is wrong with those ends it here."""
    writing = request.method not in READS
    if "expect" in request.headers:
        raise RefusalError(417, "Expect header is not supported", early=True)
    if maintenance and writing:
        raise RefusalError(503, "Server updates in progress. Please try again in a few minutes.", early=True)
    _speaks(request)
    name = world.key_of(request)
    if name and name not in world.keys:
        raise RefusalError(403, "Invalid key", early=True)
    if writing and not name:
        raise RefusalError(403, "An API key is required for write requests.", early=True)
    call = _shelved(Call(world, request, lists.Query(request.params), name, world.keys.get(name)))
    if request.method in {"POST", "PUT", "PATCH"} and not request.body:
        raise RefusalError(400, f"{request.method} data not provided", early=True)
    writes.check_token(world, request, name)
    rest = (call.path or {}).get("rest", "")
    return replace(call, query=lists.query(request.params, "items" if "/items" in rest else "collections"))


def _speaks(request: Request) -> None:
    said = request.headers.get("zotero-api-version", "")
    asked = request.get("v")
    if said and asked and said != asked:
        raise RefusalError(400, "Zotero-API-Version header does not match 'v' query parameter", early=True)
    version = said or asked or "3"
    if version not in VERSIONS_KNOWN:
        raise RefusalError(400, f"Invalid API version '{version}'", early=True)
    if version not in VERSIONS_SPOKEN:
        raise RefusalError(501, f"This stand-in does not speak API version {version}", early=True)


def _shelved(call: Call) -> Call:
    found = LIBRARY_PATH.match(call.request.path)
    if not found:
        return call
    shelf = call.world.shelves.get(f"{found['kind']}s/{found['ident']}")
    if shelf is None:
        raise RefusalError(404, f"{found['kind'].capitalize()} {found['ident']} not found", early=True)
    return replace(call, library=shelf, path={"rest": found["rest"]})


def _routed(call: Call) -> Reply:
    rest = (call.path or {}).get("rest")
    if rest is None:
        return dispatched(call, GLOBAL, call.request.path)
    if rest != "/groups":
        _allowed(call)
    if unmodified(call):
        return Reply(304, b"", views.HTML)
    return dispatched(call, LIBRARY, rest)


def unmodified(call: Call) -> bool:
    """Whether a reader has seen all of the library already."""
    since = call.request.headers.get("if-modified-since-version", "")
    return call.request.method in READS and since.isdecimal() and call.shelf.version <= int(since)


def _allowed(call: Call) -> None:
    writing = call.request.method not in READS
    if not call.world.may(call.key, call.shelf, write=writing):
        raise RefusalError(403, "Write access denied" if writing else "Forbidden")


def dispatched(call: Call, routes: Sequence[Route], path: str) -> Reply:
    """The answer of the first route that fits. Raises RefusalError 405 where the method does not."""
    for each in routes:
        found = each.form.match(path)
        if not found:
            continue
        method = "GET" if call.request.method == "HEAD" else call.request.method
        if method not in each.methods:
            raise RefusalError(405, "Method not allowed", headers={"Allow": each.allow})
        return each.methods[method](replace(call, path=found.groupdict()))
    return Reply(404, _NOWHERE.encode(), views.HTML)


def _listed(call: Call, kind: Kind, pool: Callable[[], Iterable[Stored]]) -> Reply:
    """A list of objects in the format that was asked for."""
    shelf, asked = call.shelf, call.query
    found = _found(call, kind, pool)
    headers = lists.headers(len(found), asked, call.world.url + call.request.path, views.WEB + call.request.path)
    if asked.format not in KEPT_FORMATS or {"bib", "citation"} & set(asked.get("include").split(",")):
        return views.said(500, "An error occurred", headers)  # citations come from another service, absent here
    headers |= views.versioned(shelf.version)
    some = lists.page(found, asked)
    if asked.format == "keys":
        text = "".join(f"{held.key}\n" for held in some) or "\n"
        return Reply(200, text.encode(), {**views.SPEAKS, "Content-Type": views.NUMBERS, **headers})
    if asked.format == "versions":
        return views.told({held.key: held.version for held in some}, headers)
    return views.told([views.shown(call.world, shelf, kind, held) for held in some], headers)


def _found(call: Call, kind: Kind, pool: Callable[[], Iterable[Stored]]) -> Sequence[Stored]:
    """The objects that are meant, in order; kept for the next page as long as nothing changes."""
    params = frozenset(pair for pair in call.query.params if pair[0] not in {"start", "limit", "format"})
    return call.shelf.remembered(
        (call.request.path, params, bool(call.key and call.key.notes)),
        lambda: lists.chosen(kind, [held for held in pool() if _readable(call, held)], call.query),
    )


def _readable(call: Call, held: Stored) -> bool:
    return held.data.get("itemType") != "note" or call.shelf.kind == "group" or bool(call.key and call.key.notes)


def _shown(call: Call, pool: Iterable[Stored]) -> Iterable[Stored]:
    return (held for held in pool if lists.visible(call.query, held))


def items(call: Call) -> Reply:
    """Every item that is not in the trash; few that are named are looked up by their keys."""
    held, named = call.shelf.objects["items"], call.query.get("itemKey").split(",")
    if named != [""]:
        return _listed(call, "items", lambda: _shown(call, [held[key] for key in dict.fromkeys(named) if key in held]))
    return _listed(call, "items", lambda: _shown(call, call.shelf.items()))


def top_items(call: Call) -> Reply:
    """The items that are no children."""
    return _listed(call, "items", lambda: _shown(call, (i for i in call.shelf.items() if "parentItem" not in i.data)))


def trash(call: Call) -> Reply:
    """What lies in the trash."""
    return _listed(call, "items", lambda: (held for held in call.shelf.items() if held.data.get("deleted")))


def children(call: Call) -> Reply:
    """An item's children."""
    key = call.part("key")
    if key not in call.shelf.objects["items"]:
        raise RefusalError(404, "Item not found")
    return _listed(call, "items", lambda: _shown(call, call.shelf.children(key)))


def collections(call: Call) -> Reply:
    """Every collection."""
    return _listed(call, "collections", call.shelf.collections)


def top_collections(call: Call) -> Reply:
    """The collections that are under none."""
    return _listed(call, "collections", lambda: (c for c in call.shelf.collections() if not c.data["parentCollection"]))


def _collection(call: Call) -> str:
    if not call.shelf.has_collection(call.part("key")):
        raise RefusalError(404, "Collection not found")
    return call.part("key")


def subcollections(call: Call) -> Reply:
    """The collections right under one."""
    key = _collection(call)
    return _listed(call, "collections", lambda: call.shelf.subcollections(key))


def members(call: Call) -> Reply:
    """The items of a collection."""
    key = _collection(call)
    return _listed(call, "items", lambda: _shown(call, call.shelf.members(key)))


def one(call: Call, kind: Kind) -> Reply:
    """One object, in the trash or not."""
    held = call.shelf.objects[kind].get(call.part("key"))
    if held is None or not _readable(call, held):
        raise RefusalError(404, "Item does not exist" if kind == "items" else "Collection not found")
    return views.told(views.shown(call.world, call.shelf, kind, held), views.versioned(held.version))


def deleted(call: Call) -> Reply:
    """The keys of what is gone for good since a version."""
    since = call.query.since
    if since is None:
        raise RefusalError(400, "'since' parameter must be provided")
    names = ("collections", "items", "searches", "tags", "settings")
    lost = {name: sorted(key for key, at in call.shelf.gone[name].items() if at > since) for name in names}
    return views.told(lost, views.versioned(call.shelf.version))


def tags(call: Call) -> Reply:
    """The tags of the library."""
    shelf, asked = call.shelf, call.query
    found = [views.tag(call.world, shelf, name, kind, len(keys)) for (name, kind), keys in shelf.tags().items()]
    headers = lists.headers(len(found), asked, call.world.url + call.request.path, views.WEB + call.request.path)
    return views.told(list(lists.page(found, asked)), {**headers, **views.versioned(shelf.version)})


def nothing(call: Call) -> Reply:
    """Saved searches and settings: none are kept here."""
    empty: object = {} if call.request.path.endswith("/settings") else []
    return views.told(empty, {"Total-Results": "0", **views.versioned(call.shelf.version)})


def groups(call: Call) -> Reply:
    """The groups of a user, as far as the key may see them."""
    found = [s for s in call.world.shelves.values() if s.kind == "group" and call.world.may(call.key, s, write=False)]
    mine = [s for s in found if call.world.groups[s.ident].has(call.shelf.ident)]
    headers = lists.headers(len(mine), call.query, call.world.url + call.request.path, views.WEB + call.request.path)
    if call.query.format == "versions":
        return views.told({str(s.ident): call.world.groups[s.ident].version for s in mine}, headers)
    return views.told([views.group(call.world, shelf, call.user) for shelf in mine], headers)


def group(call: Call) -> Reply:
    """One group."""
    if call.shelf.kind != "group":
        raise RefusalError(404, "Not found")
    version = call.world.groups[call.shelf.ident].version
    return views.told(views.group(call.world, call.shelf, call.user), views.versioned(version))


def key_info(call: Call) -> Reply:
    """What a key may do."""
    name = call.part("name")
    name = call.api_key if name == "current" else name
    if not name:
        raise RefusalError(403, "Forbidden")
    if name not in call.world.keys:
        raise RefusalError(404, "Key not found")
    return views.told(views.key_info(call.world, name, call.world.keys[name]))


def template(call: Call) -> Reply:
    """An empty item."""
    kind = call.query.get("itemType")
    if kind not in schema.ITEM_TYPES:
        raise RefusalError(400, f"'{kind}' is not a valid item type")
    return views.told(views.template(kind))


def item_types(_call: Call) -> Reply:
    """Every item type."""
    return views.told([{"itemType": name, "localized": types.label(name)} for name in types.listed()])


def item_fields(call: Call) -> Reply:
    """Every field."""
    known = types.all_fields() - (call.world.older.everywhere if call.world.older else frozenset())
    return views.told([{"field": name, "localized": types.label(name)} for name in sorted(known)])


def type_fields(call: Call) -> Reply:
    """The fields of a type."""
    return views.told([{"field": name, "localized": types.label(name)} for name in types.fields(_type(call))])


def type_creators(call: Call) -> Reply:
    """The creator types of a type."""
    names = types.creator_types(_type(call))
    return views.told([{"creatorType": name, "localized": types.label(name)} for name in names])


def _type(call: Call) -> str:
    kind = call.query.get("itemType")
    if kind not in types.all_types():
        raise RefusalError(400, f"Invalid item type '{kind}'")
    return kind


def whole_schema(call: Call) -> Reply:
    """Every type with its fields."""
    told = zotero_older.told(call.world.older)
    return views.told(told) if told else Reply(404, _NOWHERE.encode(), views.HTML)


def route(form: str, **methods: Handler) -> Route:
    """A route; KEY in its form stands for an object's key, `call.part("key")`."""
    return Route(re.compile(form.replace("KEY", "(?P<key>[0-9A-Za-z]+)") + r"\Z"), methods)


def _objects(kind: Kind) -> tuple[Route, Route]:
    many, single = partial(writes.post, kind=kind), partial(one, kind=kind)
    put, patch = partial(writes.put, kind=kind), partial(writes.patch, kind=kind)
    reading: Handler = items if kind == "items" else collections
    lost_many, lost_one = partial(writes.delete_many, kind=kind), partial(writes.delete_one, kind=kind)
    return (
        route(f"/{kind}", GET=reading, POST=many, DELETE=lost_many),
        route(f"/{kind}/KEY", GET=single, PUT=put, PATCH=patch, DELETE=lost_one),
    )


TYPES: Sequence[Route] = (
    route("/itemTypes", GET=item_types),
    route("/itemFields", GET=item_fields),
    route("/itemTypeFields", GET=type_fields),
    route("/itemTypeCreatorTypes", GET=type_creators),
)
GLOBAL: Sequence[Route] = (
    route(r"/keys/(?P<name>\w+)", GET=key_info),
    route("/items/new", GET=template),
    route("/schema", GET=whole_schema),
    *TYPES,
)
LIBRARY: Sequence[Route] = (
    route("", GET=group),
    route("/groups", GET=groups),
    route("/items/top", GET=top_items),
    route("/items/trash", GET=trash),
    route("/items/KEY/children", GET=children),
    route("/items/KEY/file", POST=files.post),
    route("/collections/top", GET=top_collections),
    route("/collections/KEY/collections", GET=subcollections),
    route("/collections/KEY/items", GET=members, POST=writes.add_to_collection),
    route("/collections/KEY/items/(?P<item>[0-9A-Z]+)", DELETE=writes.leave_collection),
    route("/tags", GET=tags, DELETE=writes.delete_tags),
    route("/deleted", GET=deleted),
    route("/(searches|settings)", GET=nothing),
    *_objects("items"),
    *_objects("collections"),
)
