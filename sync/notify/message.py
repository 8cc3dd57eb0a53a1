"""One notice as it is sent: the events of one kind, as text for a person and as JSON for a program. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sync.notify.events import KINDS
from sync.state.notices import Notice

MOST_LINES = 20  # events that are spelt out in the text; the JSON has more
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out. id: the same for the same events, so that who gets it twice can tell.  subject: ASCII, no names in it."""

    id: str
    kind: str
    at: str
    subject: str
    text: str
    data: dict[str, Any]


def message(kind: str, notices: Sequence[Notice], at: str) -> Message:
    """The message about these events of one kind."""
    name = hashlib.sha256(",".join(f"{notice.id}:{notice.at}" for notice in notices).encode()).hexdigest()[:16]
    number = f" ({len(notices)})" if len(notices) > 1 else ""
    subject = f"zotdrop: {KINDS[kind]}{number}"
    lines = [notice.text for notice in notices[:MOST_LINES]]
    if len(notices) > MOST_LINES:
        lines.append(f"... and {len(notices) - MOST_LINES} more: zotdrop status")
    events = [{"at": notice.at, "text": notice.text, **notice.facts} for notice in notices[:MOST_EVENTS]]
    data = {
        "schema": 1,
        "id": name,
        "kind": kind,
        "at": at,
        "subject": subject,
        "count": len(notices),
        "events": events,
    }
    return Message(name, kind, at, subject, "\n".join(lines), data)
