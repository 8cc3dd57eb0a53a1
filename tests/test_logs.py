"""The log: each line says whose it is, and none can hold a key or what a terminal would obey."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest

from sync import logs, wiring
from sync.config import load
from sync.orders import Order, carry_out
from sync.pipeline import Stage, flow
from sync.secrets import Secret, resolve
from tests.scene import NOWHERE, scene
from tests.servers.works import make_works, to_ris

KEY = "m4rk/That Nobody+May'See"
WORKS = make_works(3, seed=5)


@pytest.fixture(autouse=True)
def _known() -> None:
    resolve(Secret("env", "A"), {"A": KEY}, word=False)


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """What a logger in JSON writes, at any level, where no run has been yet."""
    logs.run_is("")
    out, logger = io.StringIO(), logging.getLogger("zotdrop")
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.Json())
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield out
    logger.removeHandler(handler)
    logger.setLevel(before)


def record(message: str, *parts: object, exc_info: BaseException | None = None) -> logging.LogRecord:
    fault = (type(exc_info), exc_info, exc_info.__traceback__) if exc_info else None
    return logging.LogRecord("zotdrop.x", logging.INFO, __file__, 1, message, parts, fault)


@pytest.mark.parametrize(
    "form",
    [KEY, quote(KEY, safe=""), json.dumps(KEY), repr(KEY), base64.b64encode(KEY.encode()).decode()],
    ids=["plain", "in an address", "json", "repr", "base64"],
)
@pytest.mark.parametrize("formatter", [logs.Text(), logs.Json()])
def test_no_line_holds_a_key_in_any_form(form: str, formatter: logging.Formatter) -> None:
    line = formatter.format(record("before %s after", form))
    assert KEY not in line
    assert form.strip("'\"=") not in line
    assert "before" in line
    assert "after" in line


def test_a_key_in_a_traceback_is_taken_out_too() -> None:
    try:
        raise KeyError(KEY)  # noqa: TRY301
    except KeyError as fault:
        line = logs.Text().format(record("broken", exc_info=fault))
    assert "KeyError" in line
    assert KEY not in line
    assert logs.HIDDEN in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://a.example/b?api_key=s3cret&x=1 it", "at https://a.example/b?... it"),
        ("https://me:s3cret@a.example/b", f"https://{logs.HIDDEN}@a.example/b"),
        ("is it 5? yes", "is it 5? yes"),
    ],
)
def test_what_an_address_may_hide_is_taken_out(text: str, shown: str) -> None:
    assert logs.safe(text) == shown


def test_what_a_terminal_would_obey_is_spelt_out() -> None:
    name = "a\x1b]0;owned\x07\nb\u202e\udcff.ris"
    assert logs.safe(name) == "a\\x1b]0;owned\\x07\\nb\\u202e\\udcff.ris"
    line = logs.Text().format(record("%s: gone", name))
    assert line.isprintable()
    assert json.loads(logs.Json().format(record("%s", name)))["message"] == logs.safe(name)


def test_a_line_of_a_thread_that_works_for_a_run_says_so(told: io.StringIO) -> None:
    def work(piece: int) -> int:
        logging.getLogger("zotdrop.thread").info("piece %d", piece)
        return piece

    def run() -> list[int]:
        logs.run_is("run-1")
        logs.drop_is("x.ris")
        return list(flow([1, 2], [Stage(work, apart=True)], ahead=2))

    assert copy_context().run(run) == [1, 2]
    logging.getLogger("zotdrop.thread").info("after it")
    first, second, after = map(json.loads, told.getvalue().splitlines())
    assert (first["run"], first["drop"], second["run"]) == ("run-1", "x.ris", "run-1")
    assert "run" not in after


def test_every_line_between_begin_and_end_of_a_run_names_it_and_its_drop(tmp_path: Path, told: io.StringIO) -> None:
    with scene(tmp_path, WORKS) as stage:
        stage.write_config(crossref_url=NOWHERE, pubmed_url=NOWHERE, limits_max_new_per_run=1)
        path = stage.drop("many.ris", to_ris(WORKS))
        config = load(stage.config, stage.env())
        (report,) = carry_out(config, Order(paths=(str(path),)), kind="sync", stop=Event(), tell=lambda *_: None)
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [(line["run"], line["drop"]) for line in lines] == [(report.run, str(path))]
    assert "max_new_per_run" in lines[0]["message"]


def test_the_run_ends_with_the_order(tmp_path: Path, told: io.StringIO) -> None:
    with scene(tmp_path, WORKS) as stage:
        config = load(stage.config, stage.env())
        carry_out(config, Order(owed_only=True), kind="sync", stop=Event(), tell=lambda *_: None)
        wiring.open_ledger(config).close()
    logging.getLogger("zotdrop").info("later")
    assert "run" not in json.loads(told.getvalue())


def test_what_the_scheduler_passes_over_is_no_news_also_after_the_log_was_set_up_again() -> None:
    root, own = logging.getLogger(), logging.getLogger("apscheduler")
    before, hooks, own_before = (root.level, root.handlers[:]), (sys.excepthook, threading.excepthook), own.level
    try:
        own.setLevel(logging.NOTSET)
        logs.set_up("text", "debug")
        said = logging.getLogger("apscheduler.executors.default")
        assert (said.isEnabledFor(logging.WARNING), said.isEnabledFor(logging.ERROR)) == (False, True)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        own.setLevel(own_before)
        sys.excepthook, threading.excepthook = hooks


def test_the_service_logs_json_when_told_so_and_no_title(tmp_path: Path) -> None:
    with scene(tmp_path, WORKS) as stage:
        stage.write_config(use=[])
        (stage.inbox / "a\x1b[31m.ris").write_text(to_ris(WORKS))
        done = stage.run("run", "--once", ZOTDROP__LOG__FORMAT="json")
        lines = [json.loads(line) for line in done.stderr.decode().splitlines()]
        quiet = stage.run("run", "--once", ZOTDROP__LOG__LEVEL="warning")
    (line,) = [line for line in lines if "3 records" in line["message"]]
    assert line["run"]
    assert "\x1b" not in done.stderr.decode()
    assert not any(work.title[:20] in done.stderr.decode() for work in WORKS)
    assert quiet.stderr == b""
