"""The real service: how it is seen from beside and over HTTP while it works, and after it was killed."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sync.health.bulletin import read_bulletin
from tests.daemons import LONGEST, daemon, ends, until
from tests.health.test_metrics import read
from tests.notify.test_ways import Listener
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(30, seed=5)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


def free_port() -> int:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


def page(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def status(stage: Scene) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(stage.run("status", "--json").stdout)
    return told


def test_while_it_works_everybody_can_see_at_what_and_after_a_kill_what_it_was_at(stage: Scene) -> None:
    port, never = free_port(), Event()
    ledger = str(stage.folder / "state" / "zotdrop.sqlite")
    stage.crossref.hang(never, times=None)
    (stage.inbox / "held").mkdir()
    (stage.inbox / "held" / "old.ris").write_text("x")
    with Listener() as listener:
        environment = {
            "ZOTDROP__HEALTH__LISTEN": f"127.0.0.1:{port}",
            "ZOTDROP__NOTIFY__WEBHOOK__URL": listener.url,
        }
        with daemon(stage, **environment) as process:
            until(lambda: bool(read_bulletin(ledger).get("next")), "the pulse beats")
            assert page(port, "/healthz")[0] == 200
            (stage.inbox / "slow.ris").write_text(to_ris(WORKS[:3]))
            stage.crossref.await_pending(1, LONGEST)
            told = status(stage)
            assert told["daemon"] is True
            assert told["doing"]["inbox"] == "default"
            assert "slow.ris" in told["doing"]["what"]
            assert "inbox-default" in told["next"]
            assert {file["path"].rsplit("/", 1)[1] for file in told["stays"]["files"]} == {"slow.ris", "old.ris"}
            assert told["stays"]["by"]["held"] == 1
            assert told["oldest_open"]["path"].endswith("slow.ris")
            code, body = page(port, "/healthz")
            assert (code, json.loads(body)["doing"]["inbox"]) == (200, "default")
            found = read(page(port, "/metrics")[1])
            assert found["zotdrop_working", ()] == 1
            assert found["zotdrop_inbox_files", (("inbox", "default"),)] == 1
            text = stage.run("status").stdout.decode()
            assert "service: running since 20" in text
            assert "now: " in text
            assert ends(process, signal.SIGKILL) == -signal.SIGKILL
        told = status(stage)
        assert (told["daemon"], told["doing"]) == (False, None)
        assert "slow.ris" in told["died"]["doing"]["what"]
        assert "it ended without a word after 20" in stage.run("status").stdout.decode()

        never.set()
        stage.crossref.heal()
        with daemon(stage, **environment) as process:
            assert status(stage)["died"] is None
            until((stage.inbox / "done" / "slow.ris").exists, "it goes on")
            until(lambda: any(request.json()["kind"] == "recovered" for request in listener.log), "it is told of")
            until(lambda: read(page(port, "/metrics")[1])["zotdrop_working", ()] == 0, "it rests")
            age = "zotdrop_oldest_unfinished_drop_age_seconds"
            until(lambda: read(page(port, "/metrics")[1])[age, ()] == 0, "the next look finds the inbox empty")
            assert read(page(port, "/metrics")[1])["zotdrop_records", (("outcome", "created"),)] == 3
            assert ends(process, signal.SIGTERM) == 0
        told = status(stage)
        assert (told["daemon"], told["died"]) == (False, None)
        assert told["runs"][0]["finished"]
