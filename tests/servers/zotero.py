"""A stand-in for Zotero's Web API, version 3: a real server on loopback with users, groups, keys and limits.

It answers as Zotero's own server code was seen to answer, its oddities included. Left out: downloads of files, saved searches, settings,
annotations, Atom, citations, API versions 1 and 2.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from tests.servers import zotero_routes as routes
from tests.servers import zotero_views as views
from tests.servers.base import Clock, Fault, Reply, Request, StandIn, When, always
from tests.servers.zotero_older import OlderSchema
from tests.servers.zotero_storage import Kind, Outcome, Shelf, Stored, Writer, collection_data, item_data
from tests.servers.zotero_store import Store
from tests.servers.zotero_world import LIVE, Door, Group, Key, Limits, RefusalError, World, key_maker

__all__ = ["API_KEY", "GROUP", "LIVE", "USER", "Group", "Key", "LibraryView", "Limits", "Stored", "ZoteroServer"]

USER, GROUP, API_KEY = 1001, 7, "abcdefghijklmnopqrstuvwx"


def wall_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def writes_of(request: Request) -> bool:
    """Requests that change something: for the `when` of a fault."""
    return request.method in {"POST", "PUT", "PATCH", "DELETE"}


class LibraryView:
    """One library as a test sees and changes it, past the API: what a person does at another computer."""

    def __init__(self, shelf: Shelf, lock: threading.RLock, writer: Callable[[], Writer], store: Store) -> None:
        self._shelf, self._lock, self._writer, self._store = shelf, lock, writer, store

    @property
    def version(self) -> int:
        """The library's version."""
        return self._shelf.version

    def items(self, *, trashed: bool = False) -> list[dict[str, Any]]:
        """The `data` of every item, in the order of creation; `trashed` shows those in the trash too."""
        with self._lock:
            held = [item for item in self._shelf.items() if trashed or not item.data.get("deleted")]
            return [item_data(self._shelf, item) for item in held]

    def item(self, key: str) -> dict[str, Any]:
        """The `data` of one item, trashed or not. KeyError if there is none."""
        with self._lock:
            return item_data(self._shelf, self._shelf.objects["items"][key])

    def file(self, key: str) -> bytes | None:
        """The bytes of an attachment; None as long as there are none."""
        with self._lock:
            return self._store.files.get(str(self.item(key).get("md5")))

    def collections(self) -> list[dict[str, Any]]:
        """The `data` of every collection."""
        with self._lock:
            return [collection_data(held) for held in self._shelf.collections()]

    def deleted(self) -> set[str]:
        """The keys of items that are gone for good."""
        return set(self._shelf.gone["items"])

    def edit(self, key: str, **fields: Any) -> int:
        """Somebody changes an item; gives its new version. KeyError if there is none."""
        with self._lock:
            _ = self._shelf.objects["items"][key]
            return self._write("items", key, fields).stored.version

    def add(self, **fields: Any) -> str:
        """Somebody makes an item (`itemType="book", title="..."`); gives its key."""
        with self._lock:
            return self._write("items", fields.pop("key", "") or self._writer().new_key(), fields).stored.key

    def add_collection(self, name: str, parent: str = "") -> str:
        """Somebody makes a collection; gives its key."""
        with self._lock:
            sent = {"name": name, "parentCollection": parent or False}
            return self._write("collections", self._writer().new_key(), sent).stored.key

    def trash(self, key: str) -> int:
        """Somebody moves an item to the trash."""
        return self.edit(key, deleted=1)

    def delete(self, key: str, kind: Kind = "items") -> int:
        """Somebody deletes an object for good; gives the library's new version. KeyError if there is none."""
        with self._lock:
            _ = self._shelf.objects[kind][key]
            return self._shelf.delete(kind, [key])

    def lose(self, key: str, kind: Kind = "items") -> None:
        """An object is not there any more and nobody deleted it: the server was set back. KeyError if there is none."""
        with self._lock:
            self._shelf.lose(kind, key)

    def _write(self, kind: Kind, key: str, sent: Mapping[str, Any]) -> Outcome:
        return self._shelf.write(kind, key, sent, self._writer())


class ZoteroServer(StandIn):
    """`with ZoteroServer() as server:` gives user 1001 (a library and a group, 7) and one key, API_KEY, that may do everything.

    users: names by number.  keys: rights by API key.  groups: by number.  limits: `LIVE` for those of zotero.org, else only
    wrong keys are counted.  now: the time that dates are set from.  dice: chooses keys and some waits.
    Switches: `backoff` (s, sent with every answer; None: not sent), `maintenance` (reads go on, writes get 503), `older` (a schema
    that knows less).
    """

    def __init__(
        self,
        users: Mapping[int, str] | None = None,
        keys: Mapping[str, Key] | None = None,
        groups: Mapping[int, Group] | None = None,
        *,
        limits: Limits | None = None,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = wall_clock,
        dice: random.Random | None = None,
    ) -> None:
        super().__init__(clock=clock)
        dice = dice or random.Random(8)
        people = {USER: "tester"} if users is None else users
        first = next(iter(people))
        self.world = World(
            people,
            {API_KEY: Key(first)} if keys is None else keys,
            {GROUP: Group("Test group", first)} if groups is None else groups,
            now=now,
            new_key=key_maker(dice),
            clock=clock,
        )
        self.backoff: int | None = None
        self.maintenance = False
        self.older: OlderSchema | None = None
        self._lock = threading.RLock()
        self._door = Door(limits or Limits(), clock, dice)

    def __enter__(self) -> Self:
        self.world.url = self.url
        return super().__enter__()

    def library(self, prefix: str = "") -> LibraryView:
        """A library by `users/1001` or `groups/7`; the first user's if not named."""
        shelf = self.world.shelves[prefix] if prefix else next(iter(self.world.shelves.values()))
        return LibraryView(shelf, self._lock, lambda: self.world.writer(0), self.world.store)

    def room(self, megabytes: float, user: int = USER) -> None:
        """How much room for files a user has, and with that the user's groups."""
        self.world.store.quota[user] = megabytes

    def edit(self, key: str, **fields: Any) -> int:
        """`library().edit`."""
        return self.library().edit(key, **fields)

    def trash(self, key: str) -> int:
        """`library().trash`."""
        return self.library().trash(key)

    def delete(self, key: str) -> int:
        """`library().delete`."""
        return self.library().delete(key)

    def limit(self, limits: Limits) -> None:
        """Set other limits; what was counted so far is forgotten."""
        with self._lock:
            self._door.reset(limits)

    def throttle(self, times: int | None = 1, *, retry_after: str | None = "10", when: When = always) -> Fault:
        """Refuse for the rate; `retry_after` as the header says it (seconds or a date), None: no header."""
        headers = dict(views.HTML) | ({} if retry_after is None else {"Retry-After": retry_after})
        return self.fail(times, status=429, headers=headers, body="Request rate limit exceeded", when=when)

    def fail_after(
        self,
        times: int | None = 1,
        *,
        status: int = 503,
        headers: Mapping[str, str] | None = None,
        body: str = "An error occurred",
        when: When = writes_of,
    ) -> Fault:
        """Do the work, then answer as if it had failed."""
        reply = Reply(status, body.encode(), {**views.HTML, **(headers or {})})

        def twist(handle: Callable[[Request], Reply], request: Request) -> Reply:
            handle(request)
            return reply

        return self.twist(twist, times, when)

    def admit(self, request: Request) -> Reply | None:
        """A refusal where a limit is reached."""
        with self._lock:
            refusal = self._door.enter(self._caller(request))
        if refusal is None:
            return None
        message, pause = refusal
        return views.said(429, message, {"Retry-After": pause} if pause else None, early=True)

    def release(self, request: Request) -> None:
        """An admitted request is done."""
        with self._lock:
            self._door.leave(self._caller(request))

    def _caller(self, request: Request) -> str:
        try:
            key = self.world.keys.get(self.world.key_of(request))
        except RefusalError:
            return ""
        return str(key.user) if key else ""

    def handle(self, request: Request) -> Reply:
        """The answer, with a Backoff header while one is set."""
        with self._lock:
            self.world.older = self.older
            reply = routes.answer(self.world, request, maintenance=self.maintenance)
            if reply.status == 403 and reply.body == b"Invalid key" and self._door.wrong_key():
                reply = views.said(429, "Too many authentication failures", early=True)
        reply = self.older.stamped(reply) if self.older else reply
        if self.backoff is None:
            return reply
        return Reply(reply.status, reply.body, {**reply.headers, "Backoff": str(self.backoff)}, reply.keep)
