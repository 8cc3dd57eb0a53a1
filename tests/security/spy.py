"""A server that nobody should ask: it notes who did."""

from __future__ import annotations

from tests.servers.base import Reply, Request, StandIn


class Spy(StandIn):
    """Answers everything with nothing."""

    def handle(self, request: Request) -> Reply:  # noqa: ARG002
        return Reply.text("{}", kind="application/json")
