"""Small pieces that every report is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sync.core.record import Problem


def count(number: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Text from a file, safe for a terminal: control characters (escape sequences among them) are shown as blanks."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def short(text: str, width: int = 100) -> str:
    """Text on one line, cut off where it is longer than `width` letters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {"code": problem.code, "message": problem.message, "line": problem.line}


def problem_text(problems: Iterable[Problem]) -> list[str]:
    """A line for each problem."""
    told = ((p, f": {printable(p.message)}" if p.message else "") for p in problems)
    return [f"    ! {p.code}{message}" + (f" (line {p.line})" if p.line else "") for p, message in told]
