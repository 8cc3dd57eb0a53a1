"""Where the works stand in a text of Crossref's JSON: an answer, a bare work, a list of works, or a work a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

_BLANKS = re.compile(r"[\s,\ufeff]*")


_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode


def work_spans(source: str) -> Iterator[tuple[int, int]]:
    """Start and end of every work, and of what stands between them and is no JSON."""
    at = _after_blanks(source, 0)
    while at < len(source):
        if source[at] == "[":
            end = yield from _array(source, at)
        elif source[at] == "{":
            end = yield from _answer(source, at)
        else:
            end = min((found for mark in "{[" if (found := source.find(mark, at)) > 0), default=len(source))
            yield at, end
        at = _after_blanks(source, end)


def _answer(source: str, start: int) -> Generator[tuple[int, int], None, int]:
    """The works of an answer, or the object itself where it is not wrapped in one; returns where it ends."""
    message, end = _member(source, start + 1, "message")
    if message < 0:
        yield start, end
        return end
    if not source.startswith("{", message):
        return _member(source, _end_of_value(source, message), None)[1]
    items, end = _member(source, message + 1, "items")
    if items < 0:
        yield message, end
    else:
        end = yield from _array(source, items)
        end = _member(source, end, None)[1]
    return _member(source, end, None)[1]


def _array(source: str, start: int) -> Generator[tuple[int, int], None, int]:
    """The elements of an array; returns where it ends. What cannot be read goes to the end of the text."""
    at = _after_blanks(source, start + 1)
    while at < len(source):
        if source[at] == "]":
            return at + 1
        end = _end_of_value(source, at)
        yield at, end
        at = _after_blanks(source, end)
    return at


def _member(source: str, at: int, wanted: str | None) -> tuple[int, int]:
    """From inside an object: where the value of a member begins (-1: there is none), and where that, or the object, ends."""
    while True:
        at = _after_blanks(source, at)
        if at >= len(source) or source[at] == "}":
            return -1, min(at + 1, len(source))
        name_end = _end_of_value(source, at)
        value = _after_blanks(source, _after_blanks(source, name_end) + 1)
        if wanted is not None and source[at:name_end] == f'"{wanted}"':
            return value, value
        at = _end_of_value(source, value)


def _end_of_value(source: str, at: int) -> int:
    try:
        return _SCAN(source, at)[1]
    except (ValueError, RecursionError, StopIteration):
        return len(source)


def _after_blanks(source: str, at: int) -> int:
    found = _BLANKS.match(source, at)
    return found.end() if found else at
