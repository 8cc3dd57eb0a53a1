"""The pauses of a group's library in real runs: a stop ends them at once, and what waited is written later."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.steps.tools import instant
from tests.daemons import daemon, ends, until
from tests.scene import Scene, outcomes, scene
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import GROUP, writes_of

WORKS = make_works(6, seed=21)
LONG: dict[str, Any] = {"ZOTDROP__WRITE__BURST_SECONDS": "5", "ZOTDROP__WRITE__PAUSE_SECONDS": "3000"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        made.write_config("group", use=[])
        yield made


def wrote_for(stage: Scene, seconds: float) -> None:
    """As if the run before this one had begun to write so long ago, and not paused since."""
    with closing(sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite")) as ledger, ledger:
        at = instant(datetime.now(UTC) - timedelta(seconds=seconds))
        ledger.execute("UPDATE journal SET at = ? WHERE id = (SELECT MIN(id) FROM journal)", (at,))


def written(stage: Scene) -> int:
    return sum(writes_of(request) for request in stage.zotero.log)


def test_a_pause_is_kept_across_runs_and_a_stop_ends_it_at_once(stage: Scene) -> None:
    assert outcomes(stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:2]))))) == {"created": 2}
    wrote_for(stage, 60)
    before = written(stage)
    (stage.inbox / "b.ris").write_text(to_ris(WORKS[2:]))
    with daemon(stage, **LONG) as process:
        until(lambda: b"so that members' desktops can sync" in (stage.folder / "daemon.log").read_bytes(), "a pause")
        assert ends(process, signal.SIGTERM) == 0
    assert written(stage) == before, "nothing is written in a pause"
    report = stage.sync(**LONG, ZOTDROP__WRITE__EXCLUSIVE="true")
    assert outcomes(report) == {"created": 4}
    assert len(stage.zotero.library(f"groups/{GROUP}").items()) == 6


def test_a_library_of_ones_own_has_no_pauses(stage: Scene) -> None:
    stage.write_config("user", use=[])
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:2]))))
    wrote_for(stage, 60)
    assert outcomes(stage.sync(str(stage.drop("b.ris", to_ris(WORKS[2:]))), **LONG)) == {"created": 4}
