"""Files that are to be uploaded: noted together with their items, open until the library has them or they are given up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.state.database import Database, decode, encode


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for the attachment item `key`.

    path: absolute; None for the text of the record itself, which lies in the ledger.  md5: hex.  size: bytes.  mtime: milliseconds
    since 1970.
    """

    record: int
    key: str
    path: Path | None
    name: str
    content_type: str
    md5: str
    size: int
    mtime: int


class Uploads:
    """The tables `uploads` and `drop_folders`, for one library."""

    def __init__(self, database: Database, library: int) -> None:
        self._db, self._library = database, library

    def put(self, upload: Upload) -> None:
        """One file to upload, anew if it was there before. Call it inside the transaction that puts its item into the outbox."""
        with self._db.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO uploads (library, record, key, path_json, name, content_type, md5, size, mtime)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(
                        self._library,
                        upload.record,
                        upload.key,
                        encode(str(upload.path) if upload.path else None),
                        upload.name,
                    ),
                    *(upload.content_type, upload.md5, upload.size, upload.mtime),
                ),
            )

    def open(self, drop: int | None = None) -> list[Upload]:
        """What waits, of all drops or of one, and whose item has been sent; the smallest first: where room is short, most fit."""
        rows = self._db.rows(
            "SELECT u.* FROM uploads u WHERE u.library = ?1 AND u.state = 'open'"
            " AND (?2 IS NULL OR u.record IN (SELECT id FROM records WHERE drop_id = ?2))"
            " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.library = ?1 AND o.key = u.key AND o.state = 'pending')"
            " ORDER BY u.size, u.id",
            (self._library, drop),
        )
        return [_upload(row) for row in rows]

    def close(self, key: str, state: str) -> None:
        """What became of a file: done, theirs (other bytes lie there), gone (its item is), refused, changed (or lost here)."""
        with self._db.transaction() as sql:
            sql.execute("UPDATE uploads SET state = ? WHERE library = ? AND key = ?", (state, self._library, key))

    def came_from(self, drop: int, folder: Path) -> None:
        """Note the folder in which a drop lies; the last one counts."""
        with self._db.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO drop_folders VALUES (?, ?)", (drop, encode(str(folder))))

    def folder(self, drop: int) -> Path | None:
        """The folder in which a drop lay; None if that was not noted."""
        found = self._db.value("SELECT path_json FROM drop_folders WHERE drop_id = ?", (drop,))
        return Path(decode(found)) if found else None


def any_open(database: Database) -> bool:
    """Whether any library still waits for a file."""
    return bool(database.value("SELECT 1 FROM uploads WHERE state = 'open' LIMIT 1"))


def _upload(row: Any) -> Upload:
    noted = decode(row["path_json"])
    path = Path(noted) if noted is not None else None
    parts = {name: row[name] for name in ("record", "key", "name", "content_type", "md5", "size", "mtime")}
    return Upload(path=path, **parts)
