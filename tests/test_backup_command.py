"""backup, cleanup and rebuild beside the living service."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemons import daemon
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(5, seed=3)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0)
        yield made


def test_beside_the_service_the_ledger_is_copied_cleaned_and_completed(stage: Scene) -> None:
    archived = stage.inbox / "done" / "a.ris"
    archived.parent.mkdir(parents=True)
    archived.write_text(to_ris(WORKS))
    with daemon(stage):
        told = json.loads(stage.run("backup", "--json").stdout)
        rebuilt = json.loads(stage.run("rebuild", "--json").stdout)
        cleaned = json.loads(stage.run("cleanup", "--json").stdout)
    copy = Path(told["path"])
    assert copy.parent == stage.folder / "state" / "backups"
    with closing(sqlite3.connect(copy)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert rebuilt["rebuild"]["drops"][0]["outcomes"] == {"not-in-library": 5}
    assert "let_go" in cleaned["cleanup"]
    assert b"is no backup of a ledger" in stage.run("backup", str(stage.config), code=2).stderr
