"""A user's or a group's library at zotero.org (or a server of one's own), through the web API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pyzotero.zotero import Zotero as Pyzotero

from sync.core import schema
from sync.errors import ConfigFault, CredentialFault, KeyRefused
from sync.libraries.api import PAGE, Api, Final, Service
from sync.libraries.base import ALL_KNOWN, BATCH, NOTHING, Answer, Delta, File, FileAnswer, Item, Refusal, Write
from sync.libraries.clean import misshapen
from sync.libraries.files import upload
from sync.libraries.groups import closed, objection
from sync.libraries.rules import Fault
from sync.libraries.tree import Tree
from sync.libraries.writing import Writer

URL = "https://api.zotero.org"
KEYS_PAGE = "https://www.zotero.org/settings/keys"
WRITE_TIMEOUT = 90.0  # s; fifty full items can take the server a while
_NOT_ITEMS = frozenset({"note", "attachment", "annotation"})

WEB = Service(
    name="zotero",
    away="the service cannot be reached; it will be tried again",
    final=(
        Final(401, "", KeyRefused, f"Zotero refuses the API key ({{said}}): make a new one at {KEYS_PAGE}"),
        Final(403, "Invalid key", KeyRefused, f"Zotero does not know this API key: make a new one at {KEYS_PAGE}"),
        Final(403, "", CredentialFault, f"Zotero says {{said}}: give the API key the right at {KEYS_PAGE}"),
        Final(404, r"^(User|Group) \d+ not found", ConfigFault, "[library] id: Zotero says {said}"),
    ),
)


class ApiLibrary:
    """What the libraries behind Zotero's API share. identity, api and check are the kind's own."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tree_made: Tree | None = None
        self._lacks = ALL_KNOWN

    @property
    def identity(self) -> str:
        """What this library is, for ever."""
        raise NotImplementedError

    @property
    def requests(self) -> int:
        """How many requests were sent, those that failed too."""
        return self._api.requests

    @property
    def lacks(self) -> Mapping[str, frozenset[str]]:
        """Fields of our schema that it does not know, by item type: an older server says which schema it has."""
        return self._lacks

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """What changed, in pages of 100. Who knows nothing yet is told all that is gone: an item of ours may be among it.

        The keys are listed first and read by key, so that what changes meanwhile moves no page: it comes next time. Earlier
        pages carry `since`: only the last one is a place to go on from.
        """
        versions = self._api.versions(since, trashed=True)
        newest = self._api.version
        if newest > since or since == 0:
            wanted = [key for key, version in versions.items() if known.get(key) != version]
            yield from (Delta(since, tuple(page)) for page in self._pages(wanted))
            yield Delta(newest, gone=tuple(self._gone(since)) if newest else ())
        else:
            yield Delta(newest)

    def collection(self, path: Sequence[str]) -> str:
        """The key of the collection at this path, made with its parents where missing."""
        return self._tree.key(path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """One answer per write, in order. ValueError for more than BATCH."""
        if len(batch) > BATCH:
            raise ValueError(f"{len(batch)} objects in one batch; {BATCH} is the most")
        return Writer(self._api, self._tree, self._fault).write(batch) if batch else []

    @property
    def takes_files(self) -> bool:
        """Not where the kind does not say so."""
        return False

    def upload(self, file: File) -> FileAnswer:
        """Refused."""
        return Refusal(file.key, 501, "no files are uploaded to this library")

    def items(self) -> Iterator[Item]:
        """In the order in which they were added; children come after all the items."""
        shown, below = set[str](), list[Item]()
        for page in self._pages(list(self._api.versions(0, trashed=False))):
            for item in page:
                if item.trashed:
                    continue
                if item.data["itemType"] in _NOT_ITEMS:
                    below.append(item)
                else:
                    shown.add(item.key)
                    yield item
        yield from _hanging(below, shown)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def cut(self) -> None:
        """Break the connections off, from any thread: who waits for an answer gets none."""
        self._api.cut()

    @property
    def _tree(self) -> Tree:
        if self._tree_made is None:
            self._tree_made = Tree(self._api, self.identity)
        return self._tree_made

    def _pages(self, keys: Sequence[str]) -> Iterator[list[Item]]:
        for start in range(0, len(keys), PAGE):
            found = {item["key"]: item for item in self._api.items(keys[start : start + PAGE])}
            here = [found[key] for key in keys[start : start + PAGE] if key in found]
            yield [Item(item["key"], item["version"], item["data"]) for item in here]

    def _gone(self, since: int) -> list[str]:
        return self._api.deleted(since)

    def _fault(self, data: Mapping[str, Any], new: bool) -> Fault | None:  # noqa: ARG002 (the desktop asks)
        """What would make the server fail for a whole request; all else it says itself."""
        bent = misshapen(data)
        return Fault(400, f"Unexpected array for property '{bent}'") if bent else None


class Zotero(ApiLibrary):
    """A `Library` at zotero.org.

    library_type: `user` or `group`.  library_id: its number.  url: of the API.  wait: sleeps so many seconds, may raise
    Interrupted.  now: seconds on any steady clock.  timeout: of a write, in seconds.
    """

    def __init__(
        self,
        *,
        library_type: str,
        library_id: int | str,
        api_key: str | None,
        wait: Callable[[float], None],
        url: str = URL,
        now: Callable[[], float] = time.monotonic,
        timeout: float = WRITE_TIMEOUT,
    ) -> None:
        client = Pyzotero(library_id, library_type, api_key)
        client.endpoint = url.rstrip("/")
        super().__init__(Api(client, WEB, wait=wait, now=now, timeout=timeout, secrets=[api_key]))
        host = urlsplit(url).hostname
        away = "" if host == urlsplit(URL).hostname else f"@{host}"
        self._identity = f"zotero:{library_type}s/{library_id}{away}"
        self._type, self._id, self._has_key = library_type, str(library_id), bool(api_key)

    @property
    def identity(self) -> str:
        """`zotero:users/123` or `zotero:groups/5`; with `@host` for a server that is not zotero.org's."""
        return self._identity

    def check(self) -> None:
        """Raise CredentialFault that names the missing right, Outage where the service cannot be reached."""
        if not self._has_key:
            raise CredentialFault(f"[library] api_key is missing: make a key that may write at {KEYS_PAGE}")
        rights = self._api.rights()
        access = rights.get("access") or {}
        if self._type == "user":
            self._check_owner(rights)
            self._check_rights(access.get("user") or {}, "the library", "Allow library access and Allow write access")
        else:
            groups = access.get("groups") or {}
            given = groups.get(self._id) or groups.get("all") or {}
            self._check_rights(given, f"group {self._id}", "Read/Write under Group Permissions")
            self._check_role(str(rights.get("userID")))
        self._lacks = self._lacking() if 0 < self._api.schema < schema.VERSION else ALL_KNOWN

    @property
    def takes_files(self) -> bool:
        """Whether there is room, and the right to it, shows at the first file."""
        return True

    def upload(self, file: File) -> FileAnswer:
        """Through Zotero's own upload. A file counts for the quota of the library's owner."""
        return upload(self._api, file)

    def _lacking(self) -> Mapping[str, frozenset[str]]:
        """What an older server does not know of the types that it has; what it does not tell shows when it refuses an item."""
        known = self._api.fields_of()
        if known is None:
            fields = self._api.fields()
            known = dict.fromkeys(schema.ITEM_TYPES, fields) if fields else {}
        lacking = {kind: schema.fields(kind) - known[kind] for kind in schema.ITEM_TYPES & known.keys()}
        return {kind: fields for kind, fields in lacking.items() if fields}

    def _check_owner(self, rights: Mapping[str, Any]) -> None:
        owner = str(rights.get("userID"))
        if owner != self._id:
            raise CredentialFault(
                f"the API key belongs to user {owner}, [library] id names user {self._id}: the right number and key stand at"
                f" {KEYS_PAGE}"
            )

    def _check_role(self, user: str) -> None:
        """A key has no more rights in a group than its user."""
        try:
            group = self._api.group(self._id)
        except CredentialFault:
            raise CredentialFault(closed(self._id, user)) from None
        if against := objection(group, user):
            raise CredentialFault(against)

    def _check_rights(self, given: Mapping[str, Any], what: str, tick: str) -> None:
        missing = [verb for right, verb in (("library", "read"), ("write", "write")) if not given.get(right)]
        if missing:
            raise CredentialFault(f"the API key may not {' or '.join(missing)} {what}: tick '{tick}' at {KEYS_PAGE}")


def _hanging(below: Sequence[Item], shown: set[str]) -> Iterator[Item]:
    """The items that hang from one that was shown, at any depth."""
    while below:
        now = [item for item in below if item.data.get("parentItem") in shown]
        if not now:
            return
        yield from now
        shown |= {item.key for item in now}
        below = [item for item in below if item.key not in shown]
