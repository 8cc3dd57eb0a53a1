"""Drops by name, and those that hold nearly all of what an earlier one brought: an export that was made again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from sync.errors import UsageFault
from sync.state.database import Database

FEW = 10  # works: smaller drops lie within earlier ones by chance
MOST, HALF = 0.9, 0.5  # so many of the works of the one drop are the other's; and of the other's works it holds so many
_SHA = re.compile(r"[0-9a-f]{6,64}")
_NUMBER = re.compile(r"(?:drop:|#)([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A drop that looks like a newer export of an earlier one. earlier_works: of the earlier one; shared: in both."""

    drop: int
    path: str
    sha256: str
    earlier: int
    earlier_path: str
    earlier_sha256: str
    shared: int
    works: int
    earlier_works: int

    @property
    def says(self) -> str:
        """What a person is told, and how to answer."""
        gone = self.earlier_works - self.shared
        others = f" (whose {gone} other work{'s then go' if gone > 1 else ' then goes'})" if gone else ""
        return (
            f"{self.shared} of its {self.works} works are those of {self.earlier_path}: a newer export of the same search? If it"
            f" shall stand for that one{others}: zotdrop supersede {self.earlier_sha256[:8]} {self.sha256[:8]}."
            " If both shall stay, nothing need be done"
        )


class Overlaps:
    """The table `overlaps`, and the drops by their names."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(self, drop: int) -> Overlap | None:
        """Look whether a drop that is done is a newer export of an earlier one; if so it is noted, once."""
        works = self._works(drop)
        row = self._db.one(_NEAREST, (drop,)) if works >= FEW and not self._db.value(_BEFORE, (drop,)) else None
        if row is None or not _nearly_one(row[1], works, self._works(row[0])):
            return None
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR IGNORE INTO overlaps (drop_id, earlier, shared, works) VALUES (?, ?, ?, ?)",
                (drop, row[0], row[1], works),
            )
        found = self._db.one(f"{_OPEN} AND v.drop_id = ?", (drop,))  # a constant, no input
        return Overlap(*found) if found else None

    def _works(self, drop: int) -> int:
        return int(self._db.value("SELECT COUNT(DISTINCT key) FROM records WHERE drop_id = ?", (drop,)))

    def open(self) -> list[Overlap]:
        """Those that nobody has answered, both of whose drops still stand."""
        return [Overlap(*row) for row in self._db.rows(f"{_OPEN} ORDER BY n.id")]  # a constant, no input

    def answer(self, drop: int, answer: str) -> None:
        """What a person decided."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE overlaps SET answer = ? WHERE drop_id = ?", (answer, drop))

    def drop_called(self, name: str) -> int:
        """The drop with this number (`drop:7`, `#7`), path, file name, or beginning of its hash (from six letters).

        Raises UsageFault for none, or for several.
        """
        rows = [tuple(row) for row in self._db.rows("SELECT id, path, sha256, state FROM drops ORDER BY id")]
        number = _NUMBER.fullmatch(name)
        numbered = [row for row in rows if number and row[0] == int(number[1])]
        exact = [row for row in rows if row[1] == name]
        near = [row for row in rows if PurePath(row[1]).name == name]
        hashed = [row for row in rows if _SHA.fullmatch(name) and row[2].startswith(name)]
        found = numbered or exact or near or hashed
        standing = [row for row in found if row[3] != "undone"]
        if len(standing) == 1:
            return int(standing[0][0])
        if not standing:
            why = "was taken back already" if found else "there is no such drop; zotdrop history names them"
            raise UsageFault(f"{name}: {why}")
        several = ", ".join(f"drop:{row[0]} ({row[1]}, {row[2][:8]})" for row in standing)
        raise UsageFault(f"{name}: that are {len(standing)} drops; say which by its number: {several}")

    def with_bytes(self, sha256: str) -> list[tuple[int, str]]:
        """The drops with these bytes: number and path."""
        rows = self._db.rows("SELECT id, path FROM drops WHERE sha256 = ? ORDER BY id", (sha256,))
        return [(row[0], row[1]) for row in rows]


def _nearly_one(shared: int, works: int, earlier: int) -> bool:
    """Whether nearly all of the one is in the other, which is not far larger: a search that found more, or lost some, since."""
    if shared < FEW:
        return False
    return (shared > MOST * works and shared >= HALF * earlier) or (shared > MOST * earlier and shared >= HALF * works)


# The same bytes came before: no newer export.
_BEFORE = "SELECT 1 FROM drops n JOIN drops b ON b.sha256 = n.sha256 AND b.library = n.library AND b.id < n.id WHERE n.id = ? LIMIT 1"
_NEAREST = (
    "SELECT o.drop_id, COUNT(DISTINCT r.key) AS shared FROM records r JOIN records o ON o.key = r.key AND o.drop_id < r.drop_id"
    " JOIN drops d ON d.id = o.drop_id JOIN drops n ON n.id = r.drop_id"
    " WHERE r.drop_id = ? AND d.library = n.library AND d.state = 'done' AND d.sha256 <> n.sha256"
    " GROUP BY o.drop_id ORDER BY shared DESC, o.drop_id DESC LIMIT 1"
)
_OPEN = (
    "SELECT n.id, n.path, n.sha256, e.id, e.path, e.sha256, v.shared, v.works,"
    " (SELECT COUNT(DISTINCT key) FROM records WHERE drop_id = e.id)"
    " FROM overlaps v JOIN drops n ON n.id = v.drop_id JOIN drops e ON e.id = v.earlier"
    " WHERE v.answer = '' AND n.state = 'done' AND e.state = 'done'"
)
