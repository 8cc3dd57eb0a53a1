"""The log: lines on stderr that say to which run and drop they belong, and that cannot hold a key.

Every line goes through `safe`, whoever wrote it: a key that this process has seen, the query of an address, and names and
passwords in an address are taken out; control characters (terminal escapes, line breaks) are made visible.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

from sync import secrets

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
NOISY = {  # addresses with keys, and chatter: from where on each is heard
    **dict.fromkeys(("httpx", "httpx2", "httpcore", "httpcore2", "filelock", "watchfiles"), logging.WARNING),
    "apscheduler": logging.ERROR,  # that a job still runs is no news
}
HIDDEN = "(key)"
SHORTEST = 4  # letters: what is shorter stands in every second word
LONGEST_FAULT = 300  # letters of a line of a traceback: a fault may quote what it met

_RUN: ContextVar[str] = ContextVar("zotdrop_run", default="")
_DROP: ContextVar[str] = ContextVar("zotdrop_drop", default="")

_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]{1,15}://[^\s?#\"'<>]*)\?[^\s#\"'<>]+", re.IGNORECASE)
_NAMED = re.compile(r"(\b[a-z][a-z0-9+.-]{1,15}://)[^\s/?#@\"'<>]+@", re.IGNORECASE)


def run_is(run: str) -> None:
    """From here on lines of this context (and of the threads that work for it) belong to this run, and to no drop yet."""
    _RUN.set(run)
    _DROP.set("")


def drop_is(name: str) -> None:
    """From here on lines of this context belong to this drop."""
    _DROP.set(name)


def set_up(form: str, level: str) -> None:
    """Log to stderr. form: text or json.  level: one of LEVELS. A later call replaces an earlier one."""
    root = logging.getLogger()
    for before in [one for one in root.handlers if isinstance(one, _Stderr)]:
        root.removeHandler(before)
    handler = _Stderr()
    handler.setFormatter(Json() if form == "json" else Text())
    root.addHandler(handler)
    root.setLevel(LEVELS[level])
    for name, least in NOISY.items():
        logging.getLogger(name).setLevel(least)
    sys.excepthook = _uncaught
    threading.excepthook = lambda lost: _uncaught(lost.exc_type, lost.exc_value, lost.exc_traceback)


def safe(text: str) -> str:
    """Text that may be told: no key, no query of an address, nothing that a terminal would obey."""
    return visible(redacted(text))


def redacted(text: str) -> str:
    """Text without the keys that this process has seen, in any of the forms they travel in, and without what addresses may hide."""
    for key in sorted(secrets.known(), key=len, reverse=True):
        if len(key) >= SHORTEST:
            for form in _forms(key):
                text = text.replace(form, HIDDEN)
    return _NAMED.sub(rf"\1{HIDDEN}@", _QUERY.sub(r"\1?...", text))


def visible(text: str) -> str:
    r"""Text in which every letter that does not print is spelt out: `\x1b`, `\n`, `\u202e`."""
    return "".join(letter if letter.isprintable() else _spelt(letter) for letter in text)


class Text(logging.Formatter):
    """`2026-11-27T22:55:37Z info zotdrop.run [20261127T225530-3fa9 search.ris]: what happened`, a traceback indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, safe to be shown."""
        facts = _facts(record)
        whose = " ".join(filter(None, (facts.get("run", ""), facts.get("drop", ""))))
        head = f"{facts['at']} {facts['level']} {facts['logger']}{f' [{whose}]' if whose else ''}: {facts['message']}"
        return "\n".join([head, *(f"  | {line}" for line in facts.get("fault", ()))])


class Json(logging.Formatter):
    """One object a line: `at level logger run drop message fault`, without those that there are not."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, safe to be shown."""
        return json.dumps(_facts(record))


class _Stderr(logging.Handler):
    """Lines on stderr, whatever that is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line; nobody is there to hear that stderr is gone."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
        "level": record.levelname.lower(),
        "logger": record.name,
        "run": safe(getattr(record, "run", "") or _RUN.get()),
        "drop": safe(getattr(record, "drop", "") or _DROP.get()),
        "message": safe(record.getMessage()),
    }
    if record.exc_info:
        told = logging.Formatter().formatException(record.exc_info)
        facts["fault"] = [safe(line)[:LONGEST_FAULT] for line in redacted(told).splitlines()]
    return {name: value for name, value in facts.items() if value}


def _forms(key: str) -> tuple[str, ...]:
    """A key as it may stand in a text: itself, in an address, in JSON, as Python shows it, in a header."""
    coded = base64.b64encode(key.encode("utf-8", "replace")).decode().rstrip("=")
    plain = (key, quote(key, safe=""), quote_plus(key), json.dumps(key)[1:-1], repr(key)[1:-1], coded)
    return tuple(dict.fromkeys(plain))


def _spelt(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _uncaught(kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, (KeyboardInterrupt, SystemExit)) or fault is None:
        return
    logging.getLogger("zotdrop").critical("unexpected: %s", kind.__name__, exc_info=(kind, fault, trace))
