"""What people do meanwhile: they put files into the inboxes, and they edit the library."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos.parcels import Parcel, Press
from tests.servers.works import Work
from tests.servers.zotero import LibraryView

Script = Iterator[float]  # what it gives: seconds until it goes on

NOT_REGULAR = frozenset({"note", "attachment", "annotation"})


class Librarian:
    """Puts parcels into an inbox, in every way in which files come to be in a folder. arrived: all that lies whole there."""

    def __init__(self, inbox: Path, press: Press, dice: random.Random, *, settle: float, every: float) -> None:
        self.inbox, self._press, self._dice, self._settle, self._every = inbox, press, dice, settle, every
        self.arrived: list[Parcel] = []
        self.ways: Counter[str] = Counter()
        self.refused = 0
        self.closed = False
        self._numbers = itertools.count(1)

    def work(self) -> Script:
        """Until the shop is closed or nothing is left to be dropped."""
        ways = [self._at_once, self._moved_in, self._slowly, self._twice, self._below]
        while not (self.closed or self._press.used_up):
            for way in self._dice.sample(ways, len(ways)):
                self.ways[way.__name__.strip("_").replace("_", " ")] += 1
                yield from way(self._press.parcel())
                yield self._dice.uniform(0.2, 1.8) * self._every
                if self._is_closed():
                    return

    def _is_closed(self) -> bool:
        return self.closed

    def _name(self, parcel: Parcel) -> str:
        return f"{next(self._numbers):04d} {parcel.kind}{parcel.suffix}"

    def _at_once(self, parcel: Parcel) -> Script:
        self._put(self.inbox / self._name(parcel), parcel)
        yield 0.0

    def _moved_in(self, parcel: Parcel) -> Script:
        part = self.inbox / f".{self._name(parcel)}.part"
        if self._wrote(part, parcel.data):
            yield 0.3
            part.rename(self.inbox / part.name[1:].removesuffix(".part"))
            self.arrived.append(parcel)

    def _twice(self, parcel: Parcel) -> Script:
        """The same bytes under two names, one right after the other."""
        for _ in range(2):
            self._put(self.inbox / self._name(parcel), parcel)
            yield 0.2

    def _below(self, parcel: Parcel) -> Script:
        folder = self.inbox / self._dice.choice(["Été", "a", "a/b c"])
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._put(folder / self._name(parcel), parcel)
        yield 0.0

    def _slowly(self, parcel: Parcel) -> Script:
        """Piece by piece. If the machine stalls for longer than a file has to be still, it is brought once more, whole."""
        path, stalled, last = self.inbox / self._name(parcel), False, time.monotonic()
        size = len(parcel.data) // 6 + 1
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(parcel.data), size):
                try:
                    whole = file.write(parcel.data[start : start + size]) == len(parcel.data[start : start + size])
                except OSError:
                    whole = False
                if not whole:
                    path.unlink(missing_ok=True)
                    self.refused += 1
                    return
                stalled = stalled or time.monotonic() - last > self._settle * 0.8
                last = time.monotonic()
                yield 0.1
        self.arrived.append(parcel)
        if stalled or not path.exists():
            self.ways["stalled"] += 1
            self._put(self.inbox / self._name(parcel), parcel)

    def _put(self, path: Path, parcel: Parcel) -> None:
        if self._wrote(path, parcel.data):
            self.arrived.append(parcel)

    def _wrote(self, path: Path, data: bytes) -> bool:
        """Whether the disk took it; half a file is taken away again, as a file manager does."""
        try:
            with path.open("wb", buffering=0) as file:
                if file.write(data) == len(data):
                    return True
        except OSError:
            pass
        with suppress(OSError):
            path.unlink()
        self.refused += 1
        return False


class Editor:
    """Works in the library at another computer. wrote: what the person left in each field; it has to stay.

    own: items of the person's, by key.  trashed: what the person threw away.  tags: those put on, by key.
    """

    def __init__(self, library: LibraryView, press: Press, dice: random.Random, *, every: float) -> None:
        self._library, self._press, self._dice, self._every = library, press, dice, every
        self.wrote: dict[tuple[str, str], Any] = {}
        self.own: dict[str, Work] = {}
        self.trashed: set[str] = set()
        self.tags: dict[str, set[str]] = {}
        self.removed: dict[str, set[str]] = {}
        self.did: Counter[str] = Counter()
        self.closed = False
        self._numbers = itertools.count(1)

    def work(self) -> Script:
        deeds = [self._types, self._clears, self._tags, self._untags, self._trashes, self._adds, self._types]
        while not self.closed:
            for deed in self._dice.sample(deeds, len(deeds)):
                yield self._dice.uniform(0.2, 1.8) * self._every
                if self._is_closed():
                    return
                with self._library._lock:
                    if deed():
                        self.did[deed.__name__.strip("_")] += 1

    def _is_closed(self) -> bool:
        return self.closed

    def meddle(self, keys: Sequence[str]) -> None:
        """Somebody is faster by a moment: a tag is put on what is about to be written."""
        with self._library._lock:
            for key in keys[:2]:
                with suppress(KeyError):
                    if self._library.item(key)["itemType"] not in NOT_REGULAR:
                        self._put_tag(key)

    def _some(self) -> dict[str, Any] | None:
        """An item that is there; any of the newest is as likely as any of all others."""
        held = list(self._library._shelf.objects["items"].values())
        for _ in range(10):
            if not held:
                return None
            one = self._dice.choice(held[-40:] if self._dice.random() < 0.5 else held)
            if one.data["itemType"] not in NOT_REGULAR and not one.data.get("deleted"):
                return self._library.item(one.key)
        return None

    def _write(self, key: str, field: str, value: Any) -> bool:
        self._library.edit(key, **{field: value})
        self.wrote[key, field] = value
        return True

    def _types(self) -> bool:
        item, number = self._some(), next(self._numbers)
        if item is None:
            return False
        field = self._dice.choice(["abstractNote", "volume", "publicationTitle", "extra", "title", "pages"])
        value = f"{item['title']} [seen]" if field == "title" else f"as I have it, {number}"
        return not (field == "title" and "[seen]" in item["title"]) and self._write(item["key"], field, value)

    def _clears(self) -> bool:
        item = self._some()
        if item is None:
            return False
        filled = [name for name in ("volume", "issue", "language", "abstractNote") if item.get(name)]
        return bool(filled) and self._write(item["key"], self._dice.choice(filled), "")

    def _put_tag(self, key: str) -> None:
        held = {tag["tag"]: tag for tag in self._library.item(key)["tags"]}
        mine = f"mine {next(self._numbers)}"
        self._library.edit(key, tags=[*held.values(), {"tag": mine}])
        self.tags.setdefault(key, set()).add(mine)

    def _tags(self) -> bool:
        item = self._some()
        if item:
            self._put_tag(item["key"])
        return bool(item)

    def _untags(self) -> bool:
        item = self._some()
        theirs = [tag["tag"] for tag in item["tags"] if not tag["tag"].startswith("mine")] if item else []
        if not item or not theirs:
            return False
        gone = self._dice.choice(theirs)
        self._library.edit(item["key"], tags=[tag for tag in item["tags"] if tag["tag"] != gone])
        self.removed.setdefault(item["key"], set()).add(gone)
        return True

    def _trashes(self) -> bool:
        item = self._some()
        if item:
            self._library.trash(item["key"])
            self.trashed.add(item["key"])
        return bool(item)

    def _adds(self) -> bool:
        """An item of a work that comes in a drop later: it has to be found then."""
        work = self._press.fresh()
        if work is None or work in self.own.values():
            return False
        fields = {"title": work.plain_title, "DOI": work.doi, "extra": "my own"}
        key = self._library.add(itemType="journalArticle", **fields)
        self.own[key] = work
        self.wrote |= {(key, name): value for name, value in fields.items()}
        return True
