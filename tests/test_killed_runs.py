"""A run that is killed anywhere and started again ends as if nothing had happened: every record once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.scene import ROOT, Scene, outcomes, scene
from tests.servers.works import make_works, to_ris

RECORDS = 200
PLACES = 50
WORKS = make_works(RECORDS, seed=11)


def run_killed(stage: Scene, place: int, *words: str) -> tuple[int, int]:
    """The command, killed at this step (0: not at all): how it ended, and how many steps there were."""
    count = stage.folder / "steps"
    command = [sys.executable, "-m", "tests.killed", str(place), str(count), "-c", str(stage.config), *words]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, cwd=ROOT, env=stage.env())
    return done.returncode, int(count.read_text()) if count.exists() else 0


def titles(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(item["title"] for item in items if item["itemType"] not in {"note", "attachment"})


def essence(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items without what depends on time or on the order of writing, and on the identity of this library."""
    left_out = {"version", "dateAdded", "dateModified", "key", "collections"}
    plain = [{name: value for name, value in item.items() if name not in left_out} for item in items]
    for item in plain:
        item["tags"] = sorted(tag["tag"] for tag in item.get("tags", []))
    return sorted(plain, key=lambda item: str(item.get("DOI", "")))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[dict[str, Any]]]:
    """How many steps a run has that nobody kills, and the items it leaves."""
    with scene(tmp_path_factory.mktemp("undisturbed"), WORKS) as stage:
        stage.write_config("user")
        path = stage.drop("drop.ris", to_ris(WORKS, without={"VL"}))
        code, steps = run_killed(stage, 0, "sync", str(path))
        assert code == 0
        return steps, stage.zotero.library().items()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PLACES))
def test_a_run_that_is_killed_and_started_again_makes_every_item_once(
    part: int, tmp_path: Path, undisturbed: tuple[int, list[dict[str, Any]]]
) -> None:
    steps, expected = undisturbed
    assert steps >= PLACES, "too few steps to die at"
    place = 1 + part * (steps - 1) // (PLACES - 1)
    with scene(tmp_path, WORKS) as stage:
        stage.write_config("user")
        path = stage.drop("drop.ris", to_ris(WORKS, without={"VL"}))
        code, _ = run_killed(stage, place, "sync", str(path))
        assert code == -signal.SIGKILL
        report = stage.sync(str(path))
        items = stage.zotero.library().items()
    assert sum(outcomes(report).values()) == RECORDS
    assert set(outcomes(report)) <= {"created", "left"}
    assert len(items) == RECORDS
    assert set(titles(items).values()) == {1}
    assert essence(items) == essence(expected)
