"""Where a drop came from and where its items go: the database its records name, its search, its collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sync.core.reviews import NOWHERE, Assigned
from sync.state.database import Database, decode, encode


@dataclass(frozen=True, slots=True)
class Route:
    """What is known of the way of a drop.

    database: that most of its records name; empty where they name none.  assigned: its review and search.  path: the names of the
    nested collections that its items go to; None as long as that was not found out.
    """

    database: str = ""
    assigned: Assigned = NOWHERE
    path: tuple[str, ...] | None = None


class Routes:
    """The table `drop_routes`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, drop: int) -> Route:
        """The route of a drop."""
        row = self._db.one("SELECT database, assigned_json, path_json FROM drop_routes WHERE drop_id = ?", (drop,))
        if row is None:
            return Route()
        path = tuple(decode(row["path_json"])) if row["path_json"] else None
        return Route(row["database"], Assigned(**decode(row["assigned_json"])), path)

    def assign(self, drop: int, assigned: Assigned) -> None:
        """Note the review and the search of a drop; the first that was noted stays."""
        self._put("assigned_json", drop, encode(asdict(assigned)), stays=True)

    def came_from(self, drop: int, database: str) -> None:
        """Note the database that the records of a drop name."""
        self._put("database", drop, database, stays=False)

    def leads_to(self, drop: int, path: Sequence[str]) -> None:
        """Note the collection of a drop: what is decided of it later goes there too."""
        self._put("path_json", drop, encode(list(path)), stays=False)

    def _put(self, column: str, drop: int, value: str, *, stays: bool) -> None:
        then = "NOTHING" if stays else f"UPDATE SET {column} = excluded.{column}"
        with self._db.transaction() as sql:
            sql.execute(
                f"INSERT INTO drop_routes (drop_id, {column}) VALUES (?, ?) ON CONFLICT (drop_id) DO {then}",  # noqa: S608  # our own names
                (drop, value),
            )
