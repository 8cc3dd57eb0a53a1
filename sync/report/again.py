"""The report of a run that has ended, out of the JSON that was kept of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.core.record import Problem
from sync.core.reviews import Assigned
from sync.report import DropReport, RecordLine, RunReport, SeenLine, UndoneLine


def from_json(data: Mapping[str, Any]) -> RunReport:
    """What `as_json` gave, as a report again; what an older version did not write down is empty."""
    refresh, undo = data.get("refresh"), data.get("undo") or {}
    return RunReport(
        run=data["run"],
        started=data["started"],
        seconds=data["seconds"],
        requests=data.get("requests", {}),
        drops=tuple(_drop(drop) for drop in data.get("drops", ())),
        away=data.get("away", {}),
        filled=data.get("filled", 0),
        written=int(bool(data.get("changed"))),
        dry=data.get("dry", False),
        failure=data.get("failure", ""),
        refreshed=refresh["items"] if refresh else None,
        seen=tuple(_seen(one) for one in refresh["seen"]) if refresh else (),
        undoes=undo.get("run") or undo.get("drop", ""),
        withdrawn=undo.get("drop", ""),
        undone=tuple(_undone(one) for one in undo.get("objects", ())),
    )


def _drop(data: Mapping[str, Any]) -> DropReport:
    search = data.get("search") or {}
    facts = {name: search[name] for name in ("database", "platform", "date", "expected") if name in search}
    return DropReport(
        path=data["path"],
        sha256=data["sha256"],
        entries=data["entries"],
        records=tuple(_line(line) for line in data["records"]),
        gap_lines=data.get("gap_lines", 0),
        message=data.get("message", ""),
        assigned=Assigned(data.get("review", ""), search.get("name", ""), **facts),
        database=data.get("database", ""),
    )


def _line(data: Mapping[str, Any]) -> RecordLine:
    return RecordLine(
        ordinal=data["ordinal"],
        outcome=data["outcome"],
        key=data["key"] or "",
        title=data["title"],
        sources=tuple(data.get("sources", ())),
        reasons=tuple(data.get("reasons", ())),
        problems=_problems(data),
        owed=tuple(data.get("owed", ())),
    )


def _seen(data: Mapping[str, Any]) -> SeenLine:
    return SeenLine(data["key"], data["title"], data["changes"], _problems(data), data["ours"])


def _undone(data: Mapping[str, Any]) -> UndoneLine:
    return UndoneLine(data["key"], data["title"], data["did"], tuple(data["fields"]), data["why"], tuple(data["left"]))


def _problems(data: Mapping[str, Any]) -> tuple[Problem, ...]:
    return tuple(Problem(one["code"], one["message"], one["line"]) for one in data.get("problems", ()))
