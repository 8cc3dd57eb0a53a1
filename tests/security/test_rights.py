"""Who may read what zotdrop writes: ledger and library its own user alone, reports whoever works in the inbox."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.scene import ROOT, scene
from tests.servers.works import make_works, to_ris

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")

WORKS = make_works(2, seed=44)
GROUP = 65_111  # some group that this process is not in


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run(stage_command: list[str], env: dict[str, str], umask: int) -> None:
    done = subprocess.run(stage_command, capture_output=True, check=False, cwd=ROOT, env=env, umask=umask, timeout=120)
    assert done.returncode in {0, 5}, done.stderr


def test_ledger_and_library_are_for_their_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    with scene(tmp_path, WORKS) as stage:
        stage.write_config(use=[])
        path = stage.drop("a.ris", to_ris(WORKS))
        run(stage.command("sync", str(path)), stage.env(), 0)
    for file in (tmp_path / "library.sqlite", *(tmp_path / "state").glob("zotdrop.sqlite*")):
        if not file.name.endswith(".lock"):
            assert mode(file) == 0o600, file


def test_a_library_that_is_there_keeps_the_rights_that_somebody_gave_it(tmp_path: Path) -> None:
    with scene(tmp_path, WORKS) as stage:
        stage.write_config(use=[])
        stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:1]))))
        (tmp_path / "library.sqlite").chmod(0o640)
        stage.sync(str(stage.drop("b.ris", to_ris(WORKS[1:]))))
    assert mode(tmp_path / "library.sqlite") == 0o640


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_what_lies_in_done_and_held_is_for_whoever_works_in_the_inbox(tmp_path: Path, umask: int) -> None:
    with scene(tmp_path, WORKS) as stage:
        stage.write_config(use=[])
        if os.geteuid() == 0:
            os.chown(stage.inbox, -1, GROUP)
        stage.inbox.chmod(0o2770)
        (stage.inbox / "sub").mkdir()
        (stage.inbox / "sub" / "a.ris").write_text(to_ris(WORKS))
        (stage.inbox / "b.ris").write_text("nothing")
        run(stage.command("run", "--once"), stage.env(), umask)
        made = [stage.inbox / "done", stage.inbox / "done" / "sub", stage.inbox / "held"]
        assert [stat.filemode(path.stat().st_mode)[4:7] for path in made] == ["rws"] * 3
        reports = [made[1] / "a.ris.report.json", made[2] / "b.ris.report.json"]
        assert [stat.filemode(path.stat().st_mode)[4:7] for path in reports] == ["rw-"] * 2
        assert {path.stat().st_gid for path in (*made, *reports)} == {stage.inbox.stat().st_gid}
