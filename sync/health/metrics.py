"""Numbers as Prometheus reads them: its text format, version 0.0.4. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync import __version__
from sync.report import OUTCOMES
from sync.state.figures import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DROP_STATES = ("reading", "noted", "open", "done", "undone")

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. kind: counter or gauge.  samples: labels and value, the labels' names fit for Prometheus."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def render(families: Iterable[Family]) -> str:
    """The text that Prometheus reads; a metric without a sample is left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {_escaped(family.help)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [f"{family.name}{_labels(labels)} {_value(value)}" for labels, value in family.samples]
    return "".join(f"{line}\n" for line in lines)


def of_service(pulse: Mapping[str, Any], free_bytes: int, now: datetime) -> list[Family]:
    """What the service itself counts since it was started. pulse: as `Bulletin.state` gives it."""
    inboxes = pulse["inboxes"].items()
    return [
        Family("zotdrop_build_info", "gauge", "The version that runs.", [({"version": __version__}, 1)]),
        Family("zotdrop_started_timestamp_seconds", "gauge", "When the service was started.", [({}, _unix(pulse["started"]))]),
        Family("zotdrop_working", "gauge", "1 while a run is at work.", [({}, float(pulse["doing"] is not None))]),
        Family("zotdrop_runs_total", "counter", "Runs since the start, by kind.", _by("kind", pulse["runs"], ("daemon", "sync"))),
        Family("zotdrop_run_failures_total", "counter", "Runs that failed as a whole, since the start.", [({}, pulse["failures"])]),
        Family(
            "zotdrop_requests_total",
            "counter",
            "Requests since the start, by service.",
            _by("service", pulse["requests"], ("crossref", "pubmed", "zotero")),
        ),
        Family(
            "zotdrop_inbox_last_look_timestamp_seconds",
            "gauge",
            "When an inbox was looked at last.",
            [({"inbox": name}, _unix(own["looked"])) for name, own in inboxes if own["looked"]],
        ),
        Family(
            "zotdrop_inbox_last_success_timestamp_seconds",
            "gauge",
            "When an inbox was last found empty, or was worked off without a failure.",
            [({"inbox": name}, _unix(own["success"])) for name, own in inboxes if own["success"]],
        ),
        Family(
            "zotdrop_inbox_files",
            "gauge",
            "Drops that lie in an inbox.",
            [({"inbox": name}, own["waiting"]) for name, own in inboxes],
        ),
        Family(
            "zotdrop_inbox_held_files",
            "gauge",
            "Drops in an inbox's held folder, at which a person must look.",
            [({"inbox": name}, own["held"]) for name, own in inboxes],
        ),
        Family("zotdrop_inbox_there", "gauge", "0 while an inbox's folder is gone or no folder.", [({"inbox": name}, float(own["there"])) for name, own in inboxes]),
        Family("zotdrop_free_bytes", "gauge", "Free space where the ledger lies.", [({}, free_bytes)]),
        Family("zotdrop_time_seconds", "gauge", "The service's clock.", [({}, now.timestamp())]),
    ]  # fmt: skip


def of_ledger(found: Figures, waiting_since: str, now: datetime) -> list[Family]:
    """What the ledger holds. waiting_since: since when the oldest file lies in an inbox; empty if none does."""
    oldest = min(filter(None, (found.oldest, waiting_since)), default="")
    age = max(0.0, now.timestamp() - _unix(oldest)) if oldest else 0.0
    return [
        Family("zotdrop_records", "gauge", "Records of all drops, by how they ended.", _by("outcome", found.outcomes, OUTCOMES)),
        Family("zotdrop_drops", "gauge", "Drops, by state.", _by("state", found.drops, DROP_STATES)),
        Family("zotdrop_open_questions", "gauge", "Records that wait for a person.", [({}, found.questions)]),
        Family("zotdrop_outbox_pending", "gauge", "Objects to be written to a library.", [({}, found.outbox)]),
        Family("zotdrop_uploads_pending", "gauge", "Files to be uploaded to a library.", [({}, found.uploads)]),
        Family("zotdrop_owed_records", "gauge", "Records for which a source is still to be asked.", _by("source", found.owed, ("crossref", "pubmed"))),
        Family("zotdrop_oldest_unfinished_drop_age_seconds", "gauge", "Age of the oldest drop that is not finished; 0 if there is none.", [({}, age)]),
        Family("zotdrop_library_stopped", "gauge", "1 for a library that refuses zotdrop.", [({"library": name}, 1) for name in sorted(found.stopped)]),
        Family("zotdrop_notices_waiting", "gauge", "Notices that have not arrived yet.", [({}, found.notices)]),
        Family("zotdrop_ledger_bytes", "gauge", "Size of the ledger, its log included.", [({}, found.bytes)]),
    ]  # fmt: skip


def _by(label: str, numbers: Mapping[str, int], known: Iterable[str]) -> list[Sample]:
    """A sample for each known value, those that nobody has with 0, and for every other one there is."""
    names = [*known, *sorted(set(numbers) - set(known))]
    return [({label: name}, numbers.get(name, 0)) for name in names]


def _unix(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_label(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _label(value: str) -> str:
    return _escaped(value.encode("utf-8", "backslashreplace").decode()).replace('"', r"\"")


def _value(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else str(int(value)) if value == int(value) else repr(float(value))
