"""The right to write, as the commands tell it: who may not, what to do, and that a refused key is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scene import SAMPLE, Scene, scene
from tests.servers.zotero import GROUP, USER, Group


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config("user", use=[])
        yield made


def test_a_group_that_only_its_admins_edit_ends_with_3_and_the_page_to_mend_it(stage: Scene) -> None:
    stage.write_config("group", use=[])
    stage.zotero.world.groups[GROUP] = Group("Ward", 9, frozenset({USER}), editing="admins")
    for words in (["check"], ["sync", str(SAMPLE)]):
        done = stage.run(*words, code=3)
        told = (done.stdout + done.stderr).decode()
        assert "its owner (user 9)" in told
        assert f"https://www.zotero.org/groups/{GROUP}/settings/library" in told
    assert {request.method for request in stage.zotero.log} == {"GET"}
    stage.zotero.world.groups[GROUP] = Group("Ward", 9, editing="admins", admins=frozenset({USER}))
    stage.run("check")
    stage.run("sync", str(SAMPLE))
    assert len(stage.zotero.library(f"groups/{GROUP}").items()) == 1
