"""A stand-in for the local API of the Zotero 10 desktop, on loopback: the same objects as the web API, other manners.

As its source (server_localAPI.js) has it: reading needs no key; writing needs the database's `Zotero-Server-ID` and a local key
that a person gave; a sent object version has to be equal, not merely not older; foreign fields are moved to Extra; a failed
object names its key. Left out: files, groups, saved searches.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sync.core import schema
from tests.servers.base import Reply, Request
from tests.servers.zotero import API_KEY, USER, LibraryView, ZoteroServer

SERVER_ID = "d41d8cd98f00b204"
LOCAL_KEY = "localkeylocalkeylocalkey"
_NOT_FIELDS = frozenset(
    {
        "key",
        "version",
        "itemType",
        "creators",
        "tags",
        "collections",
        "relations",
        "dateAdded",
        "dateModified",
        "deleted",
    }
    | {"parentItem", "note", "linkMode", "title", "url", "accessDate", "contentType", "charset", "filename", "path"}
)
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class DesktopServer(ZoteroServer):
    """`with DesktopServer() as server:` is a Zotero that runs, with its local API switched on.

    enabled: the switch in its settings.  person: what the person presses when a program asks: always, once or deny.
    old: a Zotero 7 to 9, which can only be read and shows no server id.
    """

    def __init__(self, *, enabled: bool = True, person: str = "always", old: bool = False) -> None:
        super().__init__()
        self.enabled, self.person, self.old = enabled, person, old
        self.keys: dict[str, bool] = {LOCAL_KEY: True}  # whether it stays after its first use
        self.asked_for: list[str] = []

    def library(self, prefix: str = "") -> LibraryView:
        """The library of the user who is logged in."""
        return super().library(prefix or f"users/{USER}")

    def allow(self) -> str:
        """A local key as "Always Allow" gives it."""
        return LOCAL_KEY

    def handle(self, request: Request) -> Reply:
        """The answer, with the id of this database."""
        if not self.enabled:
            return Reply.text("Local API is not enabled", 403)
        reply = self._answer(request)
        return reply if self.old else replace(reply, headers={**reply.headers, "Zotero-Server-ID": SERVER_ID})

    def _answer(self, request: Request) -> Reply:
        if request.path in {"/api", "/api/"}:
            return Reply.text("Nothing to see here.")
        if request.method in WRITES:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
        if request.path == "/api/local/authorize":
            return self._authorize(request)
        path = request.path.removeprefix("/api").replace("/users/0/", f"/users/{USER}/")
        inside = replace(request, path=path, headers={**request.headers, "zotero-api-key": API_KEY})
        if request.method == "POST" and path.endswith("/items"):
            return self._items(inside)
        return super().handle(inside)

    def _refusal(self, request: Request) -> Reply | None:
        """Writing: first the id of the database, then a key; a key for one use is gone before the write runs."""
        if self.old:
            return Reply.text("Method not implemented", 501)
        sent = request.headers.get("zotero-server-id")
        if sent is None:
            return Reply.text("Zotero-Server-ID not provided", 428)
        if sent != SERVER_ID:
            return Reply.text(f"Zotero-Server-ID {sent} does not match {SERVER_ID}", 412)
        if request.path == "/api/local/authorize":
            return None
        key = request.headers.get("zotero-api-key", "")
        if key not in self.keys:
            return Reply.text("API key not provided or unknown", 401)
        if not self.keys[key]:
            del self.keys[key]
        return None

    def _authorize(self, request: Request) -> Reply:
        self.asked_for.append(str(json.loads(request.body or b"{}").get("appName", "")))
        if self.person == "deny":
            return Reply.json({"denied": True}, 403)
        key = f"given{len(self.asked_for):019d}"
        self.keys[key] = self.person == "always"
        return Reply.json({"key": key})

    def _items(self, request: Request) -> Reply:
        """A POST of items: what has another version than the item is refused here, the rest goes the way of the web API."""
        objects = json.loads(request.body)
        stale = {index: self._mismatch(each) for index, each in enumerate(objects)}
        passed = [index for index, fault in stale.items() if not fault]
        body = json.dumps([_moved(objects[index]) for index in passed]).encode()
        reply = super().handle(replace(request, body=body))
        if reply.status != 200:
            return reply
        told = json.loads(reply.body)
        report: dict[str, Any] = {
            part: {str(passed[int(index)]): value for index, value in told.get(part, {}).items()}
            for part in ("successful", "success", "unchanged", "failed")
        }
        for index, fault in stale.items():
            if fault:
                report["failed"][str(index)] = {"code": 412, "message": fault}
        for index, failed in report["failed"].items():
            failed["key"] = objects[int(index)].get("key", "")
        return Reply.json(report, headers={k: v for k, v in reply.headers.items() if k.lower() != "content-type"})

    def _mismatch(self, sent: Mapping[str, Any]) -> str:
        """Why the version of an object is refused: a local one must be equal (0 for one that is not there)."""
        if "key" not in sent or "version" not in sent:
            return ""
        try:
            held = int(self.library().item(sent["key"])["version"])
        except KeyError:
            held = 0
        return "" if held == sent["version"] else f"item version mismatch: expected {sent['version']}, found {held}"


def _moved(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that the type does not have, as lines of Extra."""
    kind = sent.get("itemType", "")
    if kind not in schema.ITEM_TYPES:
        return dict(sent)
    known = schema.fields(kind) | _NOT_FIELDS
    foreign = [f"{name}: {value}" for name, value in sent.items() if name not in known and value]
    kept = {name: value for name, value in sent.items() if name in known}
    if not foreign:
        return kept
    return {**kept, "extra": "\n".join([*([sent["extra"]] if sent.get("extra") else []), *foreign])}
