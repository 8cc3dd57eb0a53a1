"""A library as last seen: items, where they are, and the block keys under which matching finds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from sync.core.bases import rebased, satisfied, with_taken_out
from sync.core.clusters import KEYED, block_keys
from sync.core.items import from_item, is_regular, replaced
from sync.core.plan import Place, Twin
from sync.core.sketch import Sketch, sketch
from sync.core.verdicts import Match
from sync.state.blocks import Blocks
from sync.state.database import Database, decode, encode
from sync.state.doubts import Doubts

_UNKNOWN: Mapping[str, Any] = {"itemType": "document"}  # what is told of an item that was deleted before we saw it


_NO_CONTENT = frozenset({"deleted", "relations"})  # where an item lies and what it belongs to
_KNOWN = " UNION ALL ".join(
    f"SELECT 1 FROM {table} WHERE library = ?1 AND key = ?2"  # noqa: S608  # names of ours
    for table in ("items", "bases", "tombstones")
)


def _compared(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of an item decides under which keys it is found: all but what the library keeps of it for itself."""
    kept = {"key", "version", "dateAdded", "dateModified", "collections", "relations", "tags", "deleted"}
    return {name: value for name, value in data.items() if value and name not in kept}


_SKETCHES = msgspec.json.Encoder()
_READ_SKETCHES = msgspec.json.Decoder(Sketch)


class Snapshot(Doubts):
    """The tables `libraries`, `items`, `item_blocks`, `bases`, `tombstones` of one library."""

    def __init__(self, database: Database, identity: str) -> None:
        self._db = database
        self.identity = identity
        self.id: int = self._number() or self._new_number()
        self._blocks = Blocks(database, self.id)
        if self._db.value("SELECT keyed FROM libraries WHERE id = ?", (self.id,)) != KEYED:
            self._key_anew()

    def _number(self) -> int | None:
        found: int | None = self._db.value("SELECT id FROM libraries WHERE identity = ?", (self.identity,))
        return found

    def _new_number(self) -> int:
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR IGNORE INTO libraries (identity, keyed, regained)"
                " VALUES (?, ?, COALESCE((SELECT regained FROM ledger_mark WHERE id = 1), 0))",
                (self.identity, KEYED),
            )
        return self._number() or 0

    def _key_anew(self) -> None:
        """Sketches and block keys of all items, after an update that makes them otherwise."""
        with self._db.transaction() as sql:
            self._blocks.clear()
            for key, data in sql.execute("SELECT key, data_json FROM items WHERE library = ?", (self.id,)).fetchall():
                self._put_sketch(key, decode(data), frozenset())
            sql.execute("UPDATE libraries SET keyed = ? WHERE id = ?", (KEYED, self.id))

    @property
    def version(self) -> int:
        """The library's version up to which the snapshot is whole."""
        found: int = self._db.value("SELECT version FROM libraries WHERE id = ?", (self.id,))
        return found

    def reached(self, version: int) -> None:
        """The snapshot is whole up to here."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE libraries SET version = ? WHERE id = ?", (version, self.id))

    def take(self, items: Iterable[tuple[str, int, Mapping[str, Any]]], gone: Iterable[str] = ()) -> None:
        """Items (key, version, data) as the library holds them now, and keys it no longer holds."""
        with self._db.transaction() as sql:
            for key, version, data in items:
                before = self._held(key)
                if before:
                    self._note_taken_out(key, data)
                self._put(key, version, data, before)
            for table in ("items", "children"):
                sql.executemany(
                    f"UPDATE {table} SET place = ? WHERE library = ? AND key = ?",  # noqa: S608  # two names
                    [(Place.GONE.value, self.id, key) for key in gone],
                )

    def planned(self, key: str, data: Mapping[str, Any], seen: Sketch) -> None:
        """An item that is to be made, so that later works of the drop find it. seen: the sketch of its record."""
        with self._db.transaction():
            if self._held(key):
                self.take([(key, 0, data)])
            else:
                self._insert(key, 0, data, seen)

    def landed(
        self,
        key: str,
        version: int,
        data: Mapping[str, Any],
        *,
        made: bool,
        sent: Mapping[str, Any] | None = None,
        found: bool = False,
    ) -> None:
        """What the library answered to a write of ours: the newest we know, and what its base is made of.

        made: the write created it (once made by us, it stays so).  sent: what was written, without it all of `data`.  found: it
        had landed before, and somebody may have changed it since; whether it was that one who put it into the trash is not known then.
        """
        sent = data if sent is None else sent
        with self._db.transaction() as sql:
            held = self._held(key)
            before = None if made else self.data(key)
            base = rebased(self.base(key), before, sent if found and made else data, sent)
            differs = not satisfied(data, base)
            written = 0 if found and data.get("deleted") else version
            sql.execute(
                "INSERT INTO bases VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (library, key) DO UPDATE SET version = excluded.version,"
                " data_json = excluded.data_json, made = MAX(made, excluded.made), differs = excluded.differs",
                (self.id, key, written, int(made), encode(base), int(differs)),
            )
            self._put(key, version, data, held)

    def may_have_landed(self, key: str, sent: Mapping[str, Any], *, undo: bool = False) -> None:
        """A change of which nobody knows whether it landed: what it brought and is not there now counts as taken out by somebody.

        undo: it took something back, be it by putting the item into the trash; what is there again was brought back by somebody.
        """
        wrote = {name: value for name, value in sent.items() if undo or name not in _NO_CONTENT}
        now = self.data(key) or {}
        base = rebased(self.base(key), now, {**now, **wrote}, wrote)
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT INTO bases SELECT library, key, version, 0, ?, 1 FROM items WHERE library = ? AND key = ?"
                " ON CONFLICT (library, key) DO UPDATE SET data_json = excluded.data_json, differs = 1",
                (encode(base), self.id, key),
            )

    def base(self, key: str) -> Mapping[str, Any] | None:
        """What our writes left in an object; None if we never wrote it."""
        found = self._db.value("SELECT data_json FROM bases WHERE library = ? AND key = ?", (self.id, key))
        return dict(decode(found)) if found else None

    def new_works(self, drop: int) -> int:
        """How many works of a drop that have no action yet share no block key with any item: what may become new items."""
        found: int = self._db.value(
            "SELECT COUNT(*) FROM records r WHERE r.drop_id = ? AND r.state IN ('read', 'waiting') AND NOT EXISTS"
            " (SELECT 1 FROM record_blocks b JOIN item_blocks i ON i.library = ? AND i.block = b.block WHERE b.record = r.id)",
            (drop, self.id),
        )
        return found

    def forget(self, key: str) -> None:
        """Take out an item that was only planned and then refused."""
        with self._db.transaction() as sql:
            self._blocks.move(key, self._found_under(key), frozenset())
            sql.execute("DELETE FROM items WHERE library = ? AND key = ?", (self.id, key))

    def twin(self, key: str, match: Match) -> Twin | None:
        """The item with this key, whatever became of it, as the twin that `match` makes it."""
        row = self._db.one(
            "SELECT i.key, i.version, i.place, i.data_json, b.data_json AS base_json, b.made, b.version AS written FROM items i"
            " LEFT JOIN bases b ON b.library = i.library AND b.key = i.key WHERE i.library = ? AND i.key = ?",
            (self.id, key),
        )
        if row is None:
            return Twin(key, 0, _UNKNOWN, None, Place.GONE, match, made=True) if self.buried(key) else None
        base = decode(row["base_json"]) if row["base_json"] else None
        data, place = decode(row["data_json"]), Place(row["place"])
        undone = place is not Place.ALIVE and bool(base and base.get("deleted")) and row["written"] == row["version"]
        return Twin(row["key"], row["version"], data, base, place, match, made=bool(row["made"]), undone=undone)

    def heir(self, key: str) -> str:
        """The item that stands for this one by now: itself, or what it was merged into in Zotero, and that again."""
        seen = {key}
        while True:
            found = self._db.one(
                "SELECT m.survivor FROM merged m JOIN items i ON i.library = m.library AND i.key = m.survivor"
                " WHERE m.library = ? AND m.key = ? ORDER BY i.place <> ?, m.survivor LIMIT 1",
                (self.id, key, Place.ALIVE.value),
            )
            if found is None or found[0] in seen:
                return key
            key = found[0]
            seen.add(key)

    def worked_on(self, key: str) -> bool:
        """Whether somebody gave an item a note, an attachment or an annotation, or changed one that we gave it."""
        return bool(
            self._db.value(
                "SELECT 1 FROM children c LEFT JOIN bases b ON b.library = c.library AND b.key = c.key"
                " WHERE c.library = ? AND c.parent = ? AND c.place = ? AND (b.key IS NULL OR (b.differs OR b.version <> c.version)"
                " AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.library = c.library AND u.key = c.key)) LIMIT 1",
                (self.id, key, Place.ALIVE.value),
            )
        )

    def child(self, key: str, match: Match) -> Twin | None:
        """A note or attachment that we wrote, as last seen; None if there is none of ours. An edited one has an empty base."""
        row = self._db.one(
            "SELECT c.version, c.place, b.version AS written, b.data_json, b.made FROM children c JOIN bases b"
            " ON b.library = c.library AND b.key = c.key WHERE c.library = ? AND c.key = ?",
            (self.id, key),
        )
        if row is None:
            return None
        data, place = decode(row["data_json"]), Place(row["place"])
        ours = row["written"] == row["version"]
        undone = place is not Place.ALIVE and ours and bool(data.get("deleted"))
        return Twin(key, row["version"], data, data if ours else {}, place, match, bool(row["made"]), undone)

    def made(self) -> set[str]:
        """The keys of all objects that we made."""
        return {row[0] for row in self._db.rows("SELECT key FROM bases WHERE library = ? AND made", (self.id,))}

    def versions(self) -> dict[str, int]:
        """Key and version of every object as last seen, so that a reading that was cut off goes on."""
        rows = self._db.rows(
            "SELECT key, version FROM items WHERE library = ?1 AND place <> ?2"
            " UNION ALL SELECT key, version FROM children WHERE library = ?1 AND place <> ?2",
            (self.id, Place.GONE.value),
        )
        return {row[0]: row[1] for row in rows}

    def newest(self) -> int:
        """The highest version of any object that was seen in the library, or written to it."""
        found: int = self._db.value("SELECT COALESCE(MAX(version), 0) FROM items WHERE library = ?", (self.id,))
        return found

    def tell_once(self, what: str) -> bool:
        """Whether this was not told before; from now on it was."""
        with self._db.transaction() as sql:
            return sql.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (self.id, what)).rowcount > 0

    def told(self, what: str) -> bool:
        """Whether this was told before."""
        return bool(self._db.value("SELECT 1 FROM told WHERE library = ? AND what = ?", (self.id, what)))

    def sketches(self, keys: Collection[str]) -> dict[str, tuple[Sketch, bool]]:
        """What matching compares of these items, and whether somebody changed them since we last wrote them."""
        if not keys:
            return {}
        marks = ", ".join("?" * len(keys))
        rows = self._db.rows(
            f"SELECT i.key, i.sketch_json, b.made AND (b.differs OR b.version <> i.version) FROM items i LEFT JOIN bases b"  # noqa: S608  # marks only
            f" ON b.library = i.library AND b.key = i.key WHERE i.library = ? AND i.key IN ({marks})",
            (self.id, *keys),
        )
        return {key: (_READ_SKETCHES.decode(one), bool(edited)) for key, one, edited in rows}

    def data(self, key: str) -> Mapping[str, Any] | None:
        """The item data as last seen; None for a key never seen or deleted."""
        row = self._db.one(
            "SELECT data_json FROM items WHERE library = ? AND key = ? AND place <> ?", (self.id, key, Place.GONE.value)
        )
        return dict(decode(row["data_json"])) if row else None

    def keys(self, blocks: Iterable[str], *, but: Collection[str] = ()) -> list[str]:
        """Keys of the items that share one of these blocks, without those in `but`.

        A block that more than `CROWD` items share tells nothing, and is not read to its end.
        """
        return self._blocks.sharing(blocks, but)

    def identified(self) -> list[tuple[str, bool]]:
        """The living items that have an identifier, in order: key, and whether we made it."""
        rows = self._db.rows(
            "SELECT i.key, COALESCE(b.made, 0) FROM items i LEFT JOIN bases b ON b.library = i.library AND b.key = i.key"
            " WHERE i.library = ?1 AND i.place = ?2 AND i.key IN (SELECT key FROM item_blocks WHERE library = ?1"
            " AND (block BETWEEN 'doi:' AND 'doi;' OR block BETWEEN 'pmid:' AND 'pmid;')) ORDER BY i.key",
            (self.id, Place.ALIVE.value),
        )
        return [(row[0], bool(row[1])) for row in rows]

    def lives(self, key: str) -> bool:
        """Whether an item is there, and not in the trash."""
        found = "SELECT 1 FROM items WHERE library = ? AND key = ? AND place = ?"
        return bool(self._db.value(found, (self.id, key, Place.ALIVE.value)))

    def deleted(self, key: str) -> bool:
        """Whether an item, planned or seen before, is gone for good."""
        found = "SELECT 1 FROM items WHERE library = ? AND key = ? AND place = ?"
        return bool(self._db.value(found, (self.id, key, Place.GONE.value)))

    def known(self, key: str) -> bool:
        """Whether this key was ever seen in the library, or written by us."""
        return bool(
            self._db.value(
                f"{_KNOWN} LIMIT 1",  # a constant, no input
                (self.id, key),
            )
        )

    def wrote(self, key: str) -> bool:
        """Whether we made the object with this key."""
        return bool(self._db.value("SELECT made FROM bases WHERE library = ? AND key = ?", (self.id, key)))

    def count(self) -> int:
        """How many living items of their own the snapshot holds."""
        found: int = self._db.value(
            "SELECT COUNT(*) FROM items WHERE library = ? AND place = ?", (self.id, Place.ALIVE.value)
        )
        return found

    def lost(self) -> int:
        """How many items lie in the trash or are gone, without those that our own undo put there."""
        found: int = self._db.value(
            "SELECT COUNT(*) FROM items i LEFT JOIN bases b ON b.library = i.library AND b.key = i.key"
            " WHERE i.library = ? AND i.place <> ? AND NOT (i.place = ? AND b.version IS i.version"
            " AND COALESCE(json_extract(b.data_json, '$.deleted'), 0))",
            (self.id, Place.ALIVE.value, Place.TRASH.value),
        )
        return found

    def _held(self, key: str) -> str:
        """The data of an item as last seen, in JSON, wherever it is; empty for one that was never seen."""
        return str(self._db.value("SELECT data_json FROM items WHERE library = ? AND key = ?", (self.id, key)) or "")

    def _put(self, key: str, version: int, data: Mapping[str, Any], before: str) -> None:
        """before: what `_held` gives of it."""
        place = Place.TRASH if data.get("deleted") else Place.ALIVE
        self._db.connection.execute("DELETE FROM tombstones WHERE library = ? AND key = ?", (self.id, key))
        if not is_regular(data):
            self._db.connection.execute(
                "INSERT OR REPLACE INTO children VALUES (?, ?, ?, ?, ?)",
                (self.id, key, data.get("parentItem") or "", version, place.value),
            )
            return
        if not before:
            self._insert(key, version, data, sketch(from_item(data)))
            return
        self._db.connection.execute(
            "UPDATE items SET version = ?, place = ?, data_json = ? WHERE library = ? AND key = ?",
            (version, place.value, encode(data), self.id, key),
        )
        self._note_merged(key, data)
        if _compared(decode(before)) != _compared(data):
            self._put_sketch(key, data, self._found_under(key))

    def _insert(self, key: str, version: int, data: Mapping[str, Any], seen: Sketch) -> None:
        """An item that was not known, with its sketch and its block keys."""
        place = Place.TRASH if data.get("deleted") else Place.ALIVE
        self._db.connection.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)",
            (self.id, key, version, place.value, encode(data), _SKETCHES.encode(seen).decode()),
        )
        self._note_merged(key, data)
        self._blocks.insert(key, block_keys(seen))

    def _note_merged(self, key: str, data: Mapping[str, Any]) -> None:
        self._db.connection.executemany(
            "INSERT OR IGNORE INTO merged VALUES (?, ?, ?)", [(self.id, other, key) for other in replaced(data)]
        )

    def _note_taken_out(self, key: str, now: Mapping[str, Any]) -> None:
        """Tags and collections that somebody took out of an item of which we keep a base."""
        base, before = self.base(key), self.data(key)
        if base is None or before is None:
            return
        found = with_taken_out(base, before, now)
        if found != base:
            self._db.connection.execute(
                "UPDATE bases SET data_json = ?, differs = 1 WHERE library = ? AND key = ?",
                (encode(found), self.id, key),
            )

    def _found_under(self, key: str) -> frozenset[str]:
        """The block keys of an item, as its sketch has them."""
        one = self._db.value("SELECT sketch_json FROM items WHERE library = ? AND key = ?", (self.id, key))
        return block_keys(_READ_SKETCHES.decode(one)) if one else frozenset()

    def _put_sketch(self, key: str, data: Mapping[str, Any], held: frozenset[str]) -> None:
        """held: the block keys that are noted of it."""
        one = sketch(from_item(data))
        self._db.connection.execute(
            "UPDATE items SET sketch_json = ? WHERE library = ? AND key = ?",
            (_SKETCHES.encode(one).decode(), self.id, key),
        )
        self._blocks.move(key, held, block_keys(one))
