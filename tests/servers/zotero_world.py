"""Who may do what in the stand-in Zotero: users, groups, API keys, and the limits that guard the door."""

from __future__ import annotations

import random
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from tests.servers import zotero_dates as dates
from tests.servers.base import Clock, Request
from tests.servers.zotero_older import OlderSchema
from tests.servers.zotero_storage import Shelf, Writer
from tests.servers.zotero_store import Store

ALPHABET = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN_LIFE = 12 * 3600.0  # s
_BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9]+)\Z")
_ALL: Mapping[int | str, bool] = MappingProxyType({"all": True})


@dataclass(frozen=True, slots=True)
class Key:
    """An API key. groups: may write, by group number or `all`; a group that is not named may not even be read."""

    user: int
    write: bool = True
    library: bool = True
    files: bool = True
    notes: bool = True
    groups: Mapping[int | str, bool] = field(default_factory=lambda: _ALL)


@dataclass(frozen=True, slots=True)
class Group:
    """A private group. members, admins: user numbers beside the owner; editing `admins` leaves writing to owner and admins, files
    those of files (`none`: nobody; empty: as editing).
    """

    name: str
    owner: int
    members: frozenset[int] = frozenset()
    editing: str = "members"
    version: int = 1
    admins: frozenset[int] = frozenset()
    files: str = ""

    def has(self, user: int) -> bool:
        """Whether the user belongs to it."""
        return self.runs(user) or user in self.members

    def runs(self, user: int) -> bool:
        """Whether the user is its owner or an admin."""
        return user == self.owner or user in self.admins

    def may_edit_files(self, user: int) -> bool:
        """Whether the user may upload."""
        who = self.files or self.editing
        return who == "members" or (who == "admins" and user == self.owner)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service allows; None switches a limit off.

    burst, refill: requests in a bucket per user, and how many come back each second.  concurrent: requests of a user at
    once.  wrong_keys: unknown keys of one address within `lock` seconds before that address is locked out.
    """

    burst: int | None = None
    refill: float = 10.0
    concurrent: int | None = None
    wrong_keys: int | None = 5
    lock: float = 300.0


LIVE = Limits(burst=100, concurrent=5)  # as zotero.org does


class RefusalError(Exception):
    """The request ends here. early: before the server says which version it speaks."""

    def __init__(
        self, status: int, message: str, *, early: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.early, self.headers = status, early, dict(headers or {})


def key_maker(dice: random.Random) -> Callable[[], str]:
    """Gives a new object key at each call."""
    return lambda: "".join(dice.choices(ALPHABET, k=8))


class Door:
    """The limits at work: buckets, requests under way, wrong keys. The caller holds a lock."""

    def __init__(self, limits: Limits, clock: Clock, dice: random.Random) -> None:
        self.limits, self._clock, self._dice = limits, clock, dice
        self._buckets: dict[str, tuple[float, float]] = {}
        self._inside: defaultdict[str, int] = defaultdict(int)
        self._wrong: deque[float] = deque()

    def reset(self, limits: Limits) -> None:
        """Other limits, with full buckets and no wrong keys; requests under way stay counted."""
        self.limits = limits
        self._buckets.clear()
        self._wrong.clear()

    def enter(self, caller: str) -> tuple[str, str] | None:
        """None lets the caller in, `leave` is owed; else message and Retry-After (empty: none is sent)."""
        if self._locked():
            return "Too many authentication failures", ""
        if self.limits.concurrent is not None and self._inside[caller] >= self.limits.concurrent:
            return "Concurrent request limit exceeded", str(self._dice.randint(1, 30))
        if not self._drawn(caller):
            return "Request rate limit exceeded", "10"
        self._inside[caller] += 1
        return None

    def leave(self, caller: str) -> None:
        """The caller's request is done."""
        self._inside[caller] -= 1

    def wrong_key(self) -> bool:
        """Somebody came with a key that does not exist; whether that was once too often."""
        self._wrong.append(self._clock())
        return self._locked()

    def _locked(self) -> bool:
        while self._wrong and self._wrong[0] <= self._clock() - self.limits.lock:
            self._wrong.popleft()
        return self.limits.wrong_keys is not None and len(self._wrong) > self.limits.wrong_keys

    def _drawn(self, caller: str) -> bool:
        if self.limits.burst is None:
            return True
        now = self._clock()
        level, at = self._buckets.get(caller, (float(self.limits.burst), now))
        level = min(float(self.limits.burst), level + (now - at) * self.limits.refill)
        self._buckets[caller] = (max(level - 1, 0.0) if level >= 1 else level, now)
        return level >= 1


class World:
    """Everything behind the door. The server holds `lock` around each request, and so do its views."""

    def __init__(
        self,
        users: Mapping[int, str],
        keys: Mapping[str, Key],
        groups: Mapping[int, Group],
        *,
        now: Callable[[], datetime],
        new_key: Callable[[], str],
        clock: Clock,
    ) -> None:
        self.users, self.keys, self.groups = dict(users), dict(keys), dict(groups)
        self.now, self.new_key, self.clock = now, new_key, clock
        self.url = ""
        self.older: OlderSchema | None = None
        self.store = Store()
        self.tokens: dict[tuple[str, str], float] = {}
        self.born = dates.iso(now())
        self.shelves: dict[str, Shelf] = {}
        for number, shelf in enumerate(self._shelves(), start=1):
            shelf.number = number
            self.shelves[shelf.prefix] = shelf

    def _shelves(self) -> Iterator[Shelf]:
        yield from (Shelf("user", 0, ident, name) for ident, name in self.users.items())
        yield from (Shelf("group", 0, ident, group.name) for ident, group in self.groups.items())

    def key_of(self, request: Request) -> str:
        """The API key that a request carries; empty if none. Raises RefusalError where it is ill-formed or said twice."""
        said = request.headers.get("zotero-api-key", "")
        bearer = request.headers.get("authorization", "")
        if bearer:
            found = _BEARER.match(bearer)
            if not found:
                raise RefusalError(400, "Invalid Authorization header format", early=True)
            said = said or found[1]
        asked = next((value for name, value in request.params if name == "key"), "")
        if said and asked and said != asked:
            raise RefusalError(400, "Zotero-API-Key header and 'key' parameter differ", early=True)
        return said or asked

    def may(self, key: Key | None, shelf: Shelf, *, write: bool) -> bool:
        """Whether the key's owner may read (or write) this library with it."""
        if key is None:
            return False
        if shelf.kind == "user":
            return key.user == shelf.ident and key.library and (key.write or not write)
        group = self.groups[shelf.ident]
        given = key.groups.get(shelf.ident, key.groups.get("all"))
        if given is None or not group.has(key.user):
            return False
        return not write or (given and (group.editing == "members" or group.runs(key.user)))

    def use_token(self, api_key: str, token: str) -> None:
        """Remember a write token for twelve hours."""
        self.tokens[api_key, token] = self.clock()

    def token_used(self, api_key: str, token: str) -> bool:
        """Whether this token came before, within twelve hours."""
        at = self.tokens.get((api_key, token))
        return at is not None and self.clock() - at < TOKEN_LIFE

    def writer(self, user: int, agent: str = "") -> Writer:
        """Somebody who writes now. agent: the User-Agent; Zotero's own clients set dateModified themselves."""
        return Writer(dates.iso(self.now()), self.new_key, user, dated="Zotero" in agent or "Firefox" in agent)
