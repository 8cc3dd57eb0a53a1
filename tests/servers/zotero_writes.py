"""The write half of the stand-in Zotero's API: POST of many objects, PUT and PATCH of one, DELETE, write tokens."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.servers import zotero_basics as basics
from tests.servers import zotero_views as views
from tests.servers.base import Reply, Request
from tests.servers.zotero_basics import ObjectError, PoisonError, Sent
from tests.servers.zotero_lists import Query
from tests.servers.zotero_storage import WORD, Kind, Shelf, Writer, refused
from tests.servers.zotero_world import Key, RefusalError, World

MOST = 50
NOT_AN_ARRAY = "Uploaded data must be a JSON array"
NEEDS_VERSION = "Either If-Unmodified-Since-Version or object version property must be provided for key-based writes"
NEEDS_OBJECT_VERSION = (
    "Either If-Unmodified-Since-Version or 'version' property must be provided for 'key'-based writes"
)
PUT_NEEDS = ("itemType", "tags", "collections", "relations")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way: who asks, of which library, with what in the path."""

    world: World
    request: Request
    query: Query
    api_key: str = ""
    key: Key | None = None
    library: Shelf | None = None
    path: Mapping[str, str] | None = None

    @property
    def shelf(self) -> Shelf:
        """The library that the path names."""
        if self.library is None:
            raise LookupError(self.request.path)
        return self.library

    @property
    def user(self) -> int:
        """The number of the user who asks, 0 for nobody."""
        return self.key.user if self.key else 0

    @property
    def writer(self) -> Writer:
        """The one who asks, as a writer."""
        return self.world.writer(self.user, self.request.headers.get("user-agent", ""))

    def part(self, name: str) -> str:
        """A part of the path."""
        return (self.path or {})[name]


def content(request: Request) -> bytes:
    """The body, unpacked where it came packed."""
    return gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body


def decoded(request: Request, wanted: type, refusal: str = NOT_AN_ARRAY) -> Any:
    """The JSON of the body. Raises RefusalError for what is no JSON, not of the wanted kind, or holds half a character."""
    raw = content(request)
    try:
        data = json.loads(raw)
        if _SURROGATE.search(raw):
            json.dumps(data, ensure_ascii=False).encode()
    except UnicodeError:
        raise RefusalError(400, refusal) from None
    except ValueError:
        raise RefusalError(400, "JSON Error: Syntax error, malformed JSON") from None
    if not isinstance(data, wanted):
        raise RefusalError(400, refusal)
    return data


def expected(request: Request) -> int | None:
    """The version that the request was computed from, as its header says. Raises RefusalError if that is no number."""
    given = request.headers.get("if-unmodified-since-version")
    if given is not None and not given.isdecimal():
        raise RefusalError(400, "Invalid If-Unmodified-Since-Version value")
    return None if given is None else int(given)


def fresh(call: Call) -> int | None:
    """`expected`, held against the whole library. Raises RefusalError 412 if the library is newer."""
    version, now = expected(call.request), call.shelf.version
    if version is not None and now > version:
        raise RefusalError(412, f"Library has been modified since specified version (expected {version}, found {now})")
    return version


def post(call: Call, kind: Kind) -> Reply:
    """Write up to fifty objects, each by itself; the report tells what became of each."""
    header = fresh(call)
    sent = decoded(call.request, list)
    if len(sent) > MOST:
        raise RefusalError(413, f"Cannot add more than {MOST} {kind} at a time")
    report: dict[str, dict[str, Any]] = {"successful": {}, "success": {}, "unchanged": {}, "failed": {}}
    for index, each in enumerate(sent):
        try:
            _write_one(call, kind, each, header, report, str(index))
        except ObjectError as fault:
            report["failed"][str(index)] = fault.report()
        except PoisonError:
            raise RefusalError(500, "An error occurred") from None
    if not (sent and str(len(sent) - 1) in report["failed"]):  # a failure at the end makes the server forget the token
        note_token(call)
    return views.told(report, views.versioned(call.shelf.version))


def _write_one(call: Call, kind: Kind, each: Any, header: int | None, report: dict[str, Any], index: str) -> None:
    if not isinstance(each, Mapping):
        raise ObjectError(400, f"Invalid value for index {index} in uploaded data; expected JSON {kind[:-1]} object")
    sent = basics.unwrapped(each)
    key = keyed(kind, sent)
    version = sent.get("version")
    if key and version is None and header is None:
        raise ObjectError(428, NEEDS_OBJECT_VERSION)
    if key:
        fault = refused(kind, call.shelf.objects[kind].get(key), version)
        if fault:
            raise fault
    _known(call, kind, key, sent)
    outcome = call.shelf.write(kind, key or call.world.new_key(), sent, call.writer)
    if not outcome.changed:
        report["unchanged"][index] = outcome.stored.key
        return
    report["successful"][index] = views.shown(call.world, call.shelf, kind, outcome.stored)
    report["success"][index] = outcome.stored.key


def _known(call: Call, kind: Kind, key: str, sent: Sent) -> None:
    """Raise ObjectError for what an older schema does not know."""
    held = call.shelf.objects[kind].get(key)
    if call.world.older and kind == "items":
        call.world.older.check(held.data if held else None, sent)


def keyed(kind: Kind, sent: Sent) -> str:
    """The key that an object brings, empty if none. Raises ObjectError for one that cannot be."""
    old = f"{kind[:-1]}Key"
    if old in sent:
        raise ObjectError(400, f"'{old}' property is now 'key'", key=str(sent[old]))
    if "key" not in sent:
        if "version" in sent:
            raise ObjectError(400, f"'version' is valid only if {kind[:-1]} key is provided")
        return ""
    key = str(sent["key"])
    if not basics.KEY.match(key):
        raise ObjectError(400, f"'{key}' is not a valid {kind[:-1]} key")
    return key


def put(call: Call, kind: Kind) -> Reply:
    """Write one object; PUT may create it without a version."""
    return _single(call, kind, partial=False)


def patch(call: Call, kind: Kind) -> Reply:
    """Change one object; with version 0 it may be created."""
    return _single(call, kind, partial=True)


def _single(call: Call, kind: Kind, *, partial: bool) -> Reply:
    key, shelf = call.part("key"), call.shelf
    sent = basics.unwrapped(decoded(call.request, dict, "Uploaded data must be a JSON object"))
    version = _agreed(call, sent)
    if sent.get("key", key) != key:
        raise RefusalError(409, f"'key' property in JSON does not match {kind[:-1]} key of request")
    held = shelf.objects[kind].get(key)
    if held is None and partial and version is None:
        how = "to create, use If-Unmodified-Since-Version: 0, JSON 'version' 0, or PUT method"
        raise RefusalError(404, f"{WORD[kind]} not found ({how})")
    if held is not None and version is None:
        raise RefusalError(428, NEEDS_VERSION)
    fault = refused(kind, held, version)
    if fault:
        raise RefusalError(fault.code, str(fault), headers=views.versioned(held.version) if held else None)
    if held is not None and not partial:
        _complete(kind, sent, held.data)
    try:
        _known(call, kind, key, sent)
        outcome = shelf.write(kind, key, sent, call.writer)
    except ObjectError as fault:
        raise RefusalError(fault.code, str(fault)) from None
    except PoisonError:
        raise RefusalError(500, "An error occurred") from None
    note_token(call)
    return Reply(204, b"", {**views.SPEAKS, **views.HTML, **views.versioned(outcome.stored.version)})


def _agreed(call: Call, sent: Sent) -> int | None:
    header, version = expected(call.request), sent.get("version")
    if header is not None and version is not None and header != version:
        words = "If-Unmodified-Since-Version value does not match JSON 'version' property"
        raise RefusalError(400, f"{words} ({header} != {version})")
    return header if header is not None else version


def _complete(kind: Kind, sent: Sent, held: Mapping[str, Any]) -> None:
    """PUT over an object needs some properties; fields that it leaves out are kept all the same."""
    needed = PUT_NEEDS if kind == "items" else ("name",)
    missing = next((n for n in needed if n not in sent and not (n == "collections" and "parentItem" in held)), None)
    if missing:
        raise RefusalError(400, f"'{missing}' property not provided")


def delete_one(call: Call, kind: Kind) -> Reply:
    """Take one object away for good."""
    key, version = call.part("key"), expected(call.request)
    held = call.shelf.objects[kind].get(key)
    if version is None:
        raise RefusalError(428, "If-Unmodified-Since-Version must be provided for delete requests")
    if held is None and version:
        raise RefusalError(412, f"{WORD[kind]} not found (expected version {version})")
    fault = refused(kind, held, version)
    if fault and held:
        raise RefusalError(412, str(fault), headers=views.versioned(held.version))
    return _gone(call.shelf.delete(kind, [key]))


def delete_many(call: Call, kind: Kind) -> Reply:
    """Take objects away for good; unknown keys are passed over, a version need not be given."""
    keys = call.query.get(f"{kind[:-1]}Key")
    if not keys:
        raise RefusalError(400, f"'{kind[:-1]}Key' not provided")
    fresh(call)
    return _gone(call.shelf.delete(kind, keys.split(",")))


def delete_tags(call: Call) -> Reply:
    """Take tags off all items."""
    if expected(call.request) is None:
        raise RefusalError(428, "If-Unmodified-Since-Version not provided")
    fresh(call)
    names = [name for value in call.query.all("tag") for name in value.split(" || ")]
    return _gone(call.shelf.untag(names, call.writer.now))


def _gone(version: int) -> Reply:
    return Reply(204, b"", {**views.SPEAKS, **views.HTML, **views.versioned(version)})


def add_to_collection(call: Call) -> Reply:
    """Put items into a collection by their keys. The library's version stays, so that other clients miss the change."""
    key, shelf = call.part("key"), call.shelf
    if not shelf.has_collection(key):
        raise RefusalError(404, "Collection not found")
    for name in content(call.request).decode().split():
        held = shelf.objects["items"].get(name)
        if held is None:
            raise RefusalError(404, f"Item {name} not found")
        shelf.join(held, key)
    return _gone(shelf.version)


def leave_collection(_call: Call) -> Reply:
    """Fails on the real server too, with status 200, and takes nothing out."""
    return views.said(200, "An error occurred")


def note_token(call: Call) -> None:
    """Remember the request's write token, now that it is done."""
    token = call.request.headers.get("zotero-write-token")
    if token:
        call.world.use_token(call.api_key, token)


def check_token(world: World, request: Request, api_key: str) -> None:
    """Raise RefusalError where the write token is ill-formed, or was used before."""
    token = request.headers.get("zotero-write-token")
    if token is None:
        return
    if not 5 <= len(token) <= 32:
        raise RefusalError(400, "Write token must be 5-32 characters in length", early=True)
    if world.token_used(api_key, token):
        raise RefusalError(412, "Write token already used", early=True)
