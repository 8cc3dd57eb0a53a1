"""The right to write, as the commands tell it: who may not, what to do, and that a refused key is not sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scene import SAMPLE, Scene, scene
from tests.servers.zotero import GROUP, USER, Group, Key, ZoteroServer

WRONG = "wr0ngwr0ngwr0ngwr0ngwr0n"


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


def refused(stage: Scene, *words: str, key: str = WRONG) -> str:
    """What a command says that ends with 3 because its key is refused."""
    done = stage.run(*words, code=3, ZOTERO_API_KEY=key)
    return (done.stdout + done.stderr).decode()


def test_ten_runs_with_a_wrong_key_make_one_request(stage: Scene) -> None:
    path = str(SAMPLE)
    kinds = (["sync", path], ["run", "--once"], ["export"], ["sync", "--dry-run", path], ["sync", "--json", path])
    told = [refused(stage, *words) for words in kinds * 2]
    assert [request.path for request in stage.zotero.log] == ["/keys/current"]
    assert all("https://www.zotero.org/settings/keys" in words for words in told)
    plain = [
        words.replace(f"zotdrop -c {stage.config} ", "zotdrop ") for words in told
    ]  # the service's log names no config
    assert all("not sent again until it changes (`zotdrop check` tries it once more)" in words for words in plain[1:])
    assert WRONG not in "".join(told)
    assert all(
        WRONG.encode() not in file.read_bytes() for file in (stage.folder / "state").rglob("*") if file.is_file()
    )


def test_a_key_that_changed_is_tried_and_so_is_the_same_key_elsewhere(stage: Scene) -> None:
    refused(stage, "sync", str(SAMPLE))
    refused(stage, "sync", str(SAMPLE), key=WRONG[::-1])
    assert len(stage.zotero.log) == 2
    with ZoteroServer(keys={WRONG: Key(USER)}) as elsewhere:
        stage.write_config("user", use=[], zotero_url=elsewhere.url)
        stage.run("export", ZOTERO_API_KEY=WRONG)
        assert elsewhere.log
    stage.write_config("user", use=[])
    stage.run("sync", str(SAMPLE))
    assert len(stage.items()) == 1


def test_check_tries_a_refused_key_once_more_and_lets_it_in_again(stage: Scene) -> None:
    refused(stage, "sync", str(SAMPLE))
    assert "does not know this API key" in refused(stage, "check")
    stage.zotero.world.keys[WRONG] = Key(USER)
    assert "not sent again" in refused(stage, "sync", str(SAMPLE))
    assert len(stage.zotero.log) == 2
    assert set(json.loads(stage.run("--json", "status").stdout)["stopped"]) == {"main"}
    stage.run("check", ZOTERO_API_KEY=WRONG)
    stage.run("sync", str(SAMPLE), ZOTERO_API_KEY=WRONG)
    assert json.loads(stage.run("--json", "status").stdout)["stopped"] == {}
    assert len(stage.zotero.library().items()) == 1
