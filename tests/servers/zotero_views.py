"""The stand-in's answers: objects as the web API shows them, reports, headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.servers import zotero_basics as basics
from tests.servers import zotero_types as types
from tests.servers.base import Reply
from tests.servers.zotero_storage import Kind, Shelf, Stored, collection_data, item_data, item_meta
from tests.servers.zotero_world import Key, World

WEB = "https://www.zotero.org"
SPEAKS = {"Zotero-API-Version": "3", "Zotero-Schema-Version": "41"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
NUMBERS = "text/plain;charset=UTF-8"


def said(status: int, message: str, headers: Mapping[str, str] | None = None, *, early: bool = False) -> Reply:
    """Plain words, which the server calls HTML."""
    return Reply(status, basics.escaped(message).encode(), {**({} if early else SPEAKS), **HTML, **(headers or {})})


def told(data: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """JSON; without the server's indentation, which costs time."""
    return Reply(
        200,
        json.dumps(data, ensure_ascii=False).encode(),
        {**SPEAKS, "Content-Type": "application/json", **(headers or {})},
    )


def versioned(version: int) -> dict[str, str]:
    """The header that tells a version."""
    return {"Last-Modified-Version": str(version)}


def _link(href: str, kind: str = "application/json") -> dict[str, str]:
    return {"href": href, "type": kind}


def library(shelf: Shelf) -> dict[str, Any]:
    """The library that an object belongs to."""
    page = f"{WEB}/{shelf.name}" if shelf.kind == "user" else f"{WEB}/groups/{shelf.ident}"
    links = {"alternate": _link(page, "text/html")}
    return {"type": shelf.kind, "id": shelf.ident, "name": shelf.name, "links": links}


def _links(world: World, shelf: Shelf, kind: Kind, held: Stored) -> dict[str, Any]:
    page = f"{WEB}/{shelf.name}" if shelf.kind == "user" else f"{WEB}/groups/{shelf.ident}"
    links = {
        "self": _link(f"{world.url}/{shelf.prefix}/{kind}/{held.key}"),
        "alternate": _link(f"{page}/{kind}/{held.key}", "text/html"),
    }
    above = held.data.get("parentItem") or held.data.get("parentCollection")
    return links | ({"up": _link(f"{world.url}/{shelf.prefix}/{kind}/{above}")} if above else {})


def person(world: World, user: int) -> dict[str, Any]:
    """A user, as groups name the one who made an item."""
    name = world.users.get(user, "")
    links = {"alternate": _link(f"{WEB}/{name}", "text/html")}
    return {"id": user, "username": name, "name": "", "links": links}


def shown(world: World, shelf: Shelf, kind: Kind, held: Stored) -> dict[str, Any]:
    """One object in full."""
    whole: dict[str, Any] = {"key": held.key, "version": held.version, "library": library(shelf)}
    whole["links"] = _links(world, shelf, kind, held)
    if kind == "collections":
        meta = {"numCollections": len(shelf.subcollections(held.key)), "numItems": len(shelf.members(held.key))}
        return whole | {"meta": meta, "data": collection_data(held)}
    return whole | {"meta": _people(world, shelf, held) | item_meta(shelf, held), "data": item_data(shelf, held)}


def _people(world: World, shelf: Shelf, held: Stored) -> dict[str, Any]:
    if shelf.kind != "group":
        return {}
    made = {"createdByUser": person(world, held.author)}
    return made | ({"lastModifiedByUser": person(world, held.editor)} if held.editor != held.author else {})


def tag(world: World, shelf: Shelf, name: str, kind: int, count: int) -> dict[str, Any]:
    """One tag with the number of its items."""
    tail = f"/{shelf.prefix}/tags/{quote(name, safe='')}"
    links = {"self": _link(world.url + tail), "alternate": _link(f"http://zotero.org{tail}", "text/html")}
    return {"tag": name, "links": links, "meta": {"type": kind, "numItems": count}}


def group(world: World, shelf: Shelf, user: int) -> dict[str, Any]:
    """A group; its version is that of its own data, not of its library."""
    held = world.groups[shelf.ident]
    page = _link(f"{WEB}/groups/{shelf.ident}", "text/html")
    meta = {"created": world.born, "lastModified": world.born, "numItems": len(shelf.items())}
    return {
        "id": shelf.ident,
        "version": held.version,
        "links": {"self": _link(f"{world.url}/groups/{shelf.ident}"), "alternate": page},
        "meta": meta | ({"isAdmin": True} if held.runs(user) else {}),
        "data": {
            "id": shelf.ident,
            "version": held.version,
            "name": held.name,
            "owner": held.owner,
            "type": "Private",
            "description": "",
            "url": "",
            "libraryEditing": held.editing,
            "libraryReading": "members",
            "fileEditing": held.files or held.editing,
            **{name: sorted(users) for name, users in (("admins", held.admins), ("members", held.members)) if users},
        },
    }


def key_info(world: World, name: str, key: Key) -> dict[str, Any]:
    """What a key may do; rights that it has not are left out."""
    rights = {"library": key.library, "files": key.files, "notes": key.notes, "write": key.write}
    access: dict[str, Any] = {"user": {right: True for right, given in rights.items() if given}}
    groups = {str(ident): {"library": True, "write": write} for ident, write in key.groups.items()}
    access |= {"groups": groups} if groups else {}
    whole = {"key": name, "userID": key.user, "username": world.users[key.user], "displayName": ""}
    return {**whole, "access": access}


def template(kind: str) -> dict[str, Any]:
    """An empty item of a type."""
    names = dict.fromkeys(types.fields(kind), "")
    first = dict(list(names.items())[:1])
    people = [{"creatorType": types.creator_types(kind)[0], "firstName": "", "lastName": ""}]
    return {"itemType": kind, **first, "creators": people, **names, "tags": [], "collections": [], "relations": {}}
