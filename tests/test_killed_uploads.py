"""A run that is killed while files are uploaded and started again ends as if nothing had happened: every file once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.scene import Scene, scene
from tests.servers.zotero_files import STORE
from tests.test_attachments import PDF, beside, kept, ris, uploads
from tests.test_killed_runs import run_killed

PLACES = 14  # at which a run is killed


def with_files(stage: Scene) -> None:
    stage.write_config("user", use=[], inbox_attachments="files")
    beside(stage, "inbox/a.pdf")
    beside(stage, "inbox/b.pdf", data=PDF * 2)
    (stage.inbox / "search.ris").write_text(ris({"L1": "a.pdf"}, {"L1": "b.pdf", "L2": "https://press.example/"}))


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> int:
    with scene(tmp_path_factory.mktemp("undisturbed")) as stage:
        with_files(stage)
        code, found = run_killed(stage, 0, "sync")
        assert code == 0
        assert [request.path.rpartition("/")[0] for request in uploads(stage)].count(STORE.rstrip("/")) == 2
        return found


@pytest.mark.parametrize("part", range(PLACES))
def test_a_run_that_is_killed_and_started_again_has_every_file_once(part: int, steps: int, tmp_path: Path) -> None:
    place = steps - part * 2  # the last steps: items, attachments, files, putting away
    with scene(tmp_path) as stage:
        with_files(stage)
        assert run_killed(stage, place, "sync")[0] == -signal.SIGKILL
        stage.sync()
        held = stage.zotero.library().items()
        assert (stage.inbox / "done" / "search.ris").exists()
        assert not (stage.inbox / "search.ris").exists()
        files = [item for item in held if item.get("linkMode") == "imported_file"]
        assert sorted(kept(stage, "user", item["key"]) or b"" for item in files) == [PDF, PDF * 2]
    assert sorted(item["itemType"] for item in held) == ["attachment"] * 3 + ["journalArticle"] * 2
