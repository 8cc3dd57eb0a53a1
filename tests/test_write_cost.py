"""What a run costs zotero.org: a thousand new records are twenty writes and five other requests, and what meets in an item is one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.scene import Scene, outcomes, scene
from tests.servers.base import Request
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import writes_of

RECORDS = 1_000


def kinds(log: list[Request]) -> Counter[str]:
    """Writes of items, and other requests by method and place."""
    return Counter(
        "write" if writes_of(r) and r.path.endswith("/items") else f"{r.method} {r.path.rpartition('/')[2]}"
        for r in log
    )


def asked(stage: Scene) -> list[Request]:
    return list(stage.zotero.log)


@pytest.mark.parametrize(("library", "others"), [("user", 4), ("group", 5)])
def test_a_thousand_new_records_are_twenty_writes_and_five_other_requests(
    library: str, others: int, tmp_path: Path
) -> None:
    works = make_works(RECORDS, seed=31)
    with scene(tmp_path) as stage:
        stage.write_config(library, use=[])
        report = stage.sync(str(stage.drop("drop.ris", to_ris(works))))
        assert outcomes(report) == {"created": RECORDS}
        found = kinds(asked(stage))
        assert found.pop("write") == RECORDS // 50
        # Who may write (in a group also its role), what there is, the collections, and making those that are missing.
        assert found.total() <= others, found
        assert report["requests"]["zotero"] == len(stage.zotero.log)
