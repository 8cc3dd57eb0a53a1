"""A stand-in for the local API of a running Zotero (version 10), on loopback.

It shares the web API's storage and reading, and has its own door: no key to read; to write, the id of its database and a key
that a person gave. Left out: files, full text, saved searches, citations and exports.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Self

from tests.servers import zotero_local as local
from tests.servers import zotero_routes as routes
from tests.servers import zotero_views as views
from tests.servers import zotero_writes as writes
from tests.servers.base import NOT_EVEN_A_STATUS, Clock, Reply, Request
from tests.servers.zotero import GROUP, USER, Group, ZoteroServer, wall_clock
from tests.servers.zotero_lists import QueryError, query
from tests.servers.zotero_routes import LIBRARY_PATH
from tests.servers.zotero_world import READS, Key, RefusalError
from tests.servers.zotero_writes import Call

SERVER_ID = "d41d8cd98f00b204"
LOCAL_KEY = "localkeylocalkeylocalkeylocalkey"
PROMPTS, PROMPT_WINDOW = 5, 60.0  # dialogs in so many seconds
OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
PLAIN = {"Content-Type": "text/plain"}
SWITCHED_OFF = "Local API is not enabled"


class DesktopServer(ZoteroServer):
    """`with DesktopServer() as server:` is a Zotero that runs, with its local API on: `server.url` + `/api`.

    user: the number of the account it is logged in with (0 in a path means the same).  groups: by number.
    Switches: `enabled`; `person`, what is pressed when a program asks: `always`, `once` or `deny`; `old`, a Zotero 7 to 9, which
    can only be read and shows no id; `tells_deleted`, whether `/deleted` is there; `server_id`, another one means another
    database.  keys: by local key, whether it stays after its first use.  asked_for: the names of programs that asked.
    """

    def __init__(
        self,
        *,
        enabled: bool = True,
        person: str = "always",
        old: bool = False,
        user: int = USER,
        groups: Mapping[int, Group] | None = None,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = wall_clock,
        dice: random.Random | None = None,
    ) -> None:
        dice = dice or random.Random(10)
        shared = {GROUP: Group("Test group", user)} if groups is None else groups
        super().__init__({user: "tester"}, {}, shared, clock=clock, now=now, dice=dice)
        self.enabled, self.person, self.old, self.tells_deleted = enabled, person, old, True
        self.server_id, self.user = SERVER_ID, user
        self.keys: dict[str, bool] = {LOCAL_KEY: True}
        self.asked_for: list[str] = []
        self._prompts: list[float] = []
        self._dice = dice
        for shelf in self.world.shelves.values():
            shelf.local = True

    def __enter__(self) -> Self:
        entered = super().__enter__()
        self.world.url = f"{self.url}/api"
        return entered

    def allow(self, *, remember: bool = True) -> str:
        """A person gives a local key without being asked; one that is not remembered is good for a single request."""
        key = "".join(self._dice.choices("abcdefghjkmnpqrstuvwxyz23456789", k=32))
        self.keys[key] = remember
        return key

    def handle(self, request: Request) -> Reply:
        """The answer. Callers that look like a web page are cut off."""
        if _is_a_web_page(request):
            return Reply(keep=NOT_EVEN_A_STATUS)
        with self._lock:
            try:
                return self._signed(self._answer(request))
            except QueryError as fault:
                return self._signed(_said(400, str(fault)))
            except RefusalError as fault:
                reply = _said(fault.status, "Not found" if fault.status == 404 else str(fault), fault.headers)
                return reply if fault.early else self._signed(reply)

    def _signed(self, reply: Reply) -> Reply:
        mine = {} if self.old else {"Zotero-Server-ID": self.server_id}
        return replace(reply, headers={**reply.headers, **views.SPEAKS, **mine})

    def _answer(self, request: Request) -> Reply:
        if not self.enabled:
            raise RefusalError(403, SWITCHED_OFF)
        if request.path == "/api/":
            return _said(200, "Nothing to see here.")
        version = request.headers.get("zotero-api-version") or request.get("v") or "3"
        if version != "3":
            raise RefusalError(501, f"API version not implemented: {version}")
        writing = request.method not in READS
        self._know_each_other(request, writing=writing)
        if request.path == "/api/local/authorize" and writing:
            return self._authorize(request)
        call = self._call(request)
        return self._write(call) if writing else self._read(call)

    def _know_each_other(self, request: Request, *, writing: bool) -> None:
        """The id of the database, needed to write; a wrong one is refused to readers too."""
        if self.old:
            if writing:
                raise RefusalError(501, "Method not implemented")
            return
        said = request.headers.get("zotero-server-id")
        if said is None and writing:
            raise RefusalError(428, "Zotero-Server-ID not provided")
        if said not in {None, self.server_id}:
            raise RefusalError(412, "Zotero-Server-ID does not match this server")

    def _call(self, request: Request) -> Call:
        path = request.path.removeprefix("/api")
        found = LIBRARY_PATH.match(path)
        asked = query(request.params, "items" if "/items" in path else "collections", unlimited=True)
        call = Call(self.world, replace(request, path=path), asked, key=Key(self.user), path={"rest": path})
        if not found:
            return call
        kind, ident = found["kind"], int(found["ident"])
        if kind == "user" and ident not in {0, self.user}:
            words = "Only data for the logged-in user is available locally -- use userID 0"
            raise RefusalError(400, f"{words} or {self.user}")
        shelf = self.world.shelves.get(f"{kind}s/{self.user if kind == 'user' else ident}")
        if shelf is None:
            raise RefusalError(404, "Not found")
        return replace(call, library=shelf, path={"rest": found["rest"]})

    def _read(self, call: Call) -> Reply:
        rest = call.part("rest")
        if call.library is None:
            return routes.dispatched(call, routes.TYPES, rest)
        if rest == "/deleted" and not self.tells_deleted:
            raise RefusalError(404, "Not found")
        if routes.unmodified(call):
            return Reply(304, b"", views.versioned(call.shelf.version))
        reply = routes.dispatched(call, routes.LIBRARY, rest)
        return replace(reply, body=reply.body.rstrip(b"\n")) if call.query.format == "keys" else reply

    def _write(self, call: Call) -> Reply:
        self._use_key(call.request)
        if call.library is not None and not self.world.may(call.key, call.shelf, write=True):
            raise RefusalError(403, "Write access denied")
        writes.check_token(self.world, call.request, call.api_key)
        return routes.dispatched(call, local.ROUTES if call.library else (), call.part("rest"))

    def _use_key(self, request: Request) -> None:
        """A key is used up before the write runs, if it was given for one use."""
        key = request.headers.get("zotero-api-key") or request.get("key")
        if not key:
            challenge = {"WWW-Authenticate": 'Zotero-API-Key realm="Zotero Local API"'}
            words = "API key required -- POST /api/local/authorize to obtain one"
            raise RefusalError(401, words, early=True, headers=challenge)
        if key not in self.keys:
            raise RefusalError(401, "Invalid or expired API key", early=True)
        if not self.keys[key]:
            del self.keys[key]

    def _authorize(self, request: Request) -> Reply:
        try:
            sent = json.loads(request.body)
        except ValueError:
            sent = None
        name = sent.get("appName") if isinstance(sent, dict) else None
        if not isinstance(name, str) or not name.strip():
            raise RefusalError(400, "appName is required")
        self._await_prompt()
        self.asked_for.append(name.strip())
        if self.person == "deny":
            return Reply.json({"denied": True}, 403)
        remember = self.person == "always"
        return Reply.json({"key": self.allow(remember=remember), "remember": remember})

    def _await_prompt(self) -> None:
        now = self.clock()
        self._prompts = [at for at in self._prompts if at > now - PROMPT_WINDOW]
        if len(self._prompts) >= PROMPTS:
            pause = {"Retry-After": str(int(self._prompts[0] + PROMPT_WINDOW - now) or 1)}
            raise RefusalError(429, "Too many authorization requests", headers=pause)
        self._prompts.append(now)


def _is_a_web_page(request: Request) -> bool:
    """A foreign Host, an Origin, or a browser's name: Zotero lets nothing in that a page could have sent."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    browser = request.headers.get("user-agent", "").startswith("Mozilla/")
    return host not in OWN_HOSTS or browser or "origin" in request.headers


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, words.encode(), {**PLAIN, **(headers or {})})
