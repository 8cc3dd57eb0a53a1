"""The service: inboxes are looked at on schedule, settled drops are worked off, orders from beside are taken. No rule of the domain."""

from __future__ import annotations

from sync.service.daemon import Daemon
from sync.service.serving import serve
from sync.service.systemd import notify

__all__ = ["Daemon", "notify", "serve"]
