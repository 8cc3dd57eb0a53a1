"""Collections by path: found, or made under keys that come out the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sync.core.keys import derived_key
from sync.errors import ConfigFault, Outage
from sync.libraries.clean import collection_names

SALTS = 10


class Shelf(Protocol):
    """What the tree needs of a library's API."""

    def collections(self) -> list[dict[str, Any]]:
        """The `data` of every collection."""
        ...

    def collection(self, key: str) -> dict[str, Any] | None:
        """The `data` of one collection, trashed or not; None if there is none."""
        ...

    def deleted_collections(self) -> list[str]:
        """The keys of collections that somebody deleted for good."""
        ...

    def create_collections(self, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write collections, each with key and version; the service's report."""
        ...


class Tree:
    """The collections of one library, read once."""

    def __init__(self, shelf: Shelf, identity: str) -> None:
        self._shelf, self._identity = shelf, identity
        self._known: list[dict[str, Any]] | None = None
        self._keys: dict[tuple[str, ...], str] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._astray: set[str] = set()
        self.gone: set[str] = set()  # collections that nothing stands for any more

    def key(self, path: Sequence[str]) -> str:
        """The key of the collection at this path, made with its parents where missing.

        Raises ValueError for a path without names, ConfigFault for a name that the library refuses, Outage.
        """
        names = collection_names(path)
        if names not in self._keys:
            self._make_at_once(names)
            parent = self.key(names[:-1]) if names[1:] else ""
            self._keys[names] = self._found(names, parent) or self._made(names, parent)
            self._paths[self._keys[names]] = names
        return self._keys[names]

    def again(self, lost: str) -> str:
        """What stands for a collection that is not there any more: one that was ours is made again. Empty where it was not, or
        somebody deleted it: then it stays away.
        """
        path = self._paths.get(lost, ())
        self.forget()
        ours = lost in [self._derived(path, salt) for salt in range(SALTS)] if path else False
        if ours and lost not in self._shelf.deleted_collections():
            return self.key(path)
        self.gone.add(lost)
        return ""

    def forget(self) -> None:
        """Read the collections again when they are next needed: some are not there any more."""
        self._known = None
        self._keys.clear()

    def _make_at_once(self, names: tuple[str, ...]) -> None:
        """Where several collections of a path are missing, make them in one request. What fails is left to be made by itself."""
        parent, depth = "", 0
        while depth < len(names) and (found := self._here(names[: depth + 1], parent)):
            parent, depth = found, depth + 1
        if len(names) - depth < 2:
            return
        chain = [names[:end] for end in range(depth + 1, len(names) + 1)]
        keys = [self._derived(each, 0) for each in chain]
        if not {str(each["key"]) for each in self._all()}.isdisjoint(keys):
            return  # one of them lies in the trash, or somebody renamed it
        sent = [
            {"key": key, "version": 0, "name": each[-1], "parentCollection": above or False}
            for key, each, above in zip(keys, chain, [parent, *keys], strict=False)
        ]
        failed = self._shelf.create_collections(sent).get("failed", {})
        astray = False  # what was made under one that is not to be used
        for place, each in enumerate(sent):
            if str(place) in failed:
                held = self._shelf.collection(keys[place])
                astray = astray or held is None or bool(held.get("deleted"))
            elif astray:
                self._astray.add(keys[place])
            else:
                self._all().append(each)

    def _all(self) -> list[dict[str, Any]]:
        if self._known is None:
            self._known = self._shelf.collections()
        return self._known

    def _here(self, names: tuple[str, ...], parent: str) -> str:
        return self._keys.get(names) or self._found(names, parent)

    def _found(self, names: tuple[str, ...], parent: str) -> str:
        """Among several of one name the one that is ours, else the oldest."""
        here = [
            each
            for each in self._all()
            if each["name"] == names[-1] and (each.get("parentCollection") or "") == parent and not each.get("deleted")
        ]
        own = [self._derived(names, salt) for salt in range(SALTS)]
        best = min(here, key=lambda each: (each["key"] not in own, each["version"], each["key"]), default=None)
        return str(best["key"]) if best else ""

    def _made(self, names: tuple[str, ...], parent: str) -> str:
        """A key that is taken is ours: its answer was lost, or somebody renamed it. One in the trash stays there."""
        for salt in range(SALTS):
            key = self._derived(names, salt)
            if key in self._astray:
                continue
            if self._create(key, names[-1], parent):
                return key
            held = self._shelf.collection(key)
            if held and not held.get("deleted"):
                return key
        raise ConfigFault(
            f"the collection {'/'.join(names)} lies in the trash {SALTS} times; restore one, or name another"
        )

    def _create(self, key: str, name: str, parent: str) -> bool:
        """Whether it was made just now; False if the key is taken."""
        sent = {"key": key, "version": 0, "name": name, "parentCollection": parent or False}
        report = self._shelf.create_collections([sent])
        failed = next(iter(report.get("failed", {}).values()), None)
        if failed is None:
            return True
        if failed["code"] == 412:
            return False
        if failed["code"] in {400, 413}:
            raise ConfigFault(f"the library refuses the collection {name!r}: {failed['message']}")
        self.forget()
        raise Outage(f"the collection {name!r} could not be made: {failed['message']}", service="zotero")

    def _derived(self, names: tuple[str, ...], salt: int) -> str:
        return derived_key("collection", self._identity, *names, *([salt] if salt else []))
