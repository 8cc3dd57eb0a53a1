"""Where the file of a drop goes once its records have their end: what happened is written beside it."""

from __future__ import annotations

from pathlib import Path

from sync import drops
from sync.report import DropReport, RunReport, as_json
from sync.steps.tools import Task


def put_away(task: Task, report: DropReport) -> None:
    """Into `held/` where something could not be read or was refused, else as the inbox wants it.

    What is asked holds no drop: its records wait in the ledger, and no one needs the file to decide.
    """
    root = task.rules.root or Path(task.drop.path).parent
    told = as_json(RunReport("", "", 0.0, {}, (report,)))["drops"][0]
    held = task.drop.path.is_relative_to(root / drops.HELD)
    if report.wants_a_person:
        drops.hold(task.drop, root, told)
    elif task.rules.on_success == "delete":
        drops.remove(task.drop)
    elif task.rules.on_success == "archive" or held:
        drops.archive(task.drop, root, told)
