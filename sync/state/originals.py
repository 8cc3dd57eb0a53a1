"""The text of records as it stood in their drop."""

from __future__ import annotations

from sync.core.originals import joined
from sync.state.database import Database


def original_of(database: Database, record: int) -> str:
    """What stood in the drop for a record, and for those of the drop that joined it; empty where it is not kept any more."""
    rows = database.rows("SELECT raw FROM records WHERE id = ?1 OR survivor = ?1 ORDER BY id <> ?1, id", (record,))
    return joined([row[0] or "" for row in rows])
