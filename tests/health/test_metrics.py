"""Numbers as Prometheus reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sync.health.metrics import Family, of_ledger, of_service, render
from sync.state.figures import Figures

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
FOUND = Figures(
    outcomes={"created": 3, "asked": 2, "waiting": 1},
    drops={"open": 1, "done": 4},
    outbox=7,
    owed={"crossref": 5},
    uploads=0,
    oldest="2026-11-27T07:00:00Z",
    stopped={"main": "2026-11-27T07:00:00Z"},
    notices=2,
    bytes=4096,
)
PULSE: dict[str, Any] = {
    "started": "2026-11-27T07:00:00Z",
    "doing": None,
    "runs": {"daemon": 3},
    "failures": 1,
    "requests": {"crossref": 9},
    "inboxes": {
        'a"b\\c\nd': {
            "looked": "2026-11-27T07:59:00Z",
            "success": "",
            "there": False,
            "waiting": 2,
            "oldest": None,
            "held": 4,
        }
    },
}

SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>\{.*\})? (?P<value>[-+.\w]+)")  # fmt: skip
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"')


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """A reader of the format, as strict as its description."""
    assert text.endswith("\n")
    assert "\r" not in text
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    types: dict[str, str] = {}
    helped: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in {"counter", "gauge"}
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match["name"] in types, f"{line}: its TYPE comes before it"
            assert match["name"] in helped
            assert match["name"].endswith("_total") == (types[match["name"]] == "counter")
            labels = match["labels"] or "{}"
            pairs = LABEL.findall(labels)
            assert "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + "}" == labels
            unescaped = tuple((name, re.sub(r'\\([\\n"])', _plain, value)) for name, value in pairs)
            assert (match["name"], unescaped) not in found
            found[match["name"], unescaped] = float(match["value"])
    return found


def _plain(match: re.Match[str]) -> str:
    return {"n": "\n"}.get(match[1], match[1])


def told() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return read(render([*of_service(PULSE, 5_000_000, NOW), *of_ledger(FOUND, "2026-11-27T06:00:00Z", NOW)]))


def test_every_number_is_there_and_what_nobody_has_is_0() -> None:
    found = told()
    assert found["zotdrop_records", (("outcome", "created"),)] == 3
    assert found["zotdrop_records", (("outcome", "refused"),)] == 0
    assert found["zotdrop_drops", (("state", "open"),)] == 1
    assert found["zotdrop_open_questions", ()] == 2
    assert found["zotdrop_outbox_pending", ()] == 7
    assert found["zotdrop_owed_records", (("source", "crossref"),)] == 5
    assert found["zotdrop_requests_total", (("service", "crossref"),)] == 9
    assert found["zotdrop_runs_total", (("kind", "daemon"),)] == 3
    assert found["zotdrop_run_failures_total", ()] == 1
    assert found["zotdrop_ledger_bytes", ()] == 4096
    assert found["zotdrop_free_bytes", ()] == 5_000_000
    assert found["zotdrop_library_stopped", (("library", "main"),)] == 1


def test_the_oldest_unfinished_drop_is_the_older_of_file_and_ledger() -> None:
    assert told()["zotdrop_oldest_unfinished_drop_age_seconds", ()] == 7200
    alone = read(render(of_ledger(FOUND, "", NOW)))
    assert alone["zotdrop_oldest_unfinished_drop_age_seconds", ()] == 3600


def test_what_a_person_must_look_at_is_a_number_too() -> None:
    assert told()["zotdrop_inbox_held_files", (("inbox", 'a"b\\c\nd'),)] == 4


def test_names_of_inboxes_are_escaped_and_come_back_as_they_were() -> None:
    assert told()["zotdrop_inbox_there", (("inbox", 'a"b\\c\nd'),)] == 0
    assert "zotdrop_inbox_last_success_timestamp_seconds" not in {name for name, _ in told()}


def test_help_and_odd_values_are_written_as_the_format_wants_them() -> None:
    family = Family("x", "gauge", "a\\b\nc", [({}, float("inf")), ({"a": "b"}, 0.5), ({"a": "\udcff"}, float("nan"))])
    assert render([family]).splitlines() == [
        r"# HELP x a\\b\nc",
        "# TYPE x gauge",
        "x +Inf",
        'x{a="b"} 0.5',
        r'x{a="\\udcff"} NaN',
    ]
