"""Events of files wake the look; nothing relies on them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.service.events import Events, touched
from tests.daemons import LONGEST, daemon, ends, log_of, until
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(4, seed=10)
NEVER = LONGEST * 10  # seconds: longer than any test waits


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


def test_a_file_is_taken_as_soon_as_it_has_settled_however_seldom_the_folder_is_looked_at(stage: Scene) -> None:
    stage.write_config(use=[], inbox_poll_seconds=NEVER, inbox_settle_seconds=0.2)
    with daemon(stage) as process:
        (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]))
        until((stage.inbox / "done" / "a.ris").exists, "it is done")
        (stage.inbox / "sub").mkdir()
        (stage.inbox / "sub" / "b.ris").write_text(to_ris(WORKS[2:]))
        until((stage.inbox / "done" / "sub" / "b.ris").exists, "in a folder that is new, too")
        assert ends(process, signal.SIGTERM) == 0


def test_without_events_polling_does_it(stage: Scene) -> None:
    """As on a network share, where the watcher never says a word."""
    stage.write_config(use=[], inbox_poll_seconds=0.2, inbox_settle_seconds=0.2)
    with daemon(stage, before=("tests.stuck", "events"), said="stuck in events") as process:
        (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]))
        until((stage.inbox / "done" / "a.ris").exists, "it is done")
        assert ends(process, signal.SIGTERM) == 0
    assert "Traceback" not in log_of(stage)


def test_a_watcher_that_fails_is_told_and_ends_nothing(
    stage: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import watchfiles

    from sync.config import load

    def no_more(*_args: object, **_more: object) -> Iterator[set[tuple[int, str]]]:
        raise OSError(28, "inotify watch limit reached")

    caplog.set_level("INFO")
    monkeypatch.setattr(watchfiles, "watch", no_more)
    events = Events(lambda _: None)
    events.watch(load(stage.config, stage.env()))
    until(lambda: "looked at every few seconds all the same" in caplog.text, "it is told")


def test_what_is_put_away_wakes_nobody() -> None:
    roots = {"/in/one": "one", "/in/one more": "more"}
    assert touched(roots, ["/in/one/done/a.ris", "/in/one/held/b.ris", "/in/one"]) == set()
    assert touched(roots, ["/in/one/sub/done/a.ris"]) == {"one"}
    assert touched(roots, ["/in/one more/a.ris"]) == {"more"}
