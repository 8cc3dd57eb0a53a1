"""The services in a process of their own, so that their processor time is not ours.

    python -m tests.bench.services COUNT FOLDER [--budgets]

Writes `first.ris` and `second.ris` of so many invented references each, with DOIs that the services know, prints where the services
are as one line of JSON, and after each line that comes in the counts of requests so far. Ends with its input.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.servers.base import StandIn, always
from tests.servers.crossref import POOLS, CrossrefServer, Pool
from tests.servers.ncbi import NcbiServer
from tests.servers.works import Work, make_works, to_ris
from tests.servers.zotero import GROUP, ZoteroServer
from tests.servers.zotero_world import Limits

LATENCY = 0.3  # seconds, with budgets
SEED = 31
AT_ONCE = {name: Pool(10_000, 10) for name in POOLS}
ONE_AT_A_TIME = Limits(concurrent=1)


def main(count: int, folder: Path, *, budgets: bool) -> None:
    """Serve until the input ends."""
    halves = {"first": make_works(count, seed=SEED), "second": make_works(count, seed=SEED + 1)}
    for name, half in halves.items():
        with (folder / f"{name}.ris").open("w", encoding="utf-8", newline="") as file:
            file.writelines(_texts(half))
    works = [*halves["first"], *halves["second"]]
    crossref = CrossrefServer(works, rate=budgets, pools=POOLS if budgets else AT_ONCE)
    ncbi = NcbiServer(works, rate=budgets)
    zotero = ZoteroServer(limits=ONE_AT_A_TIME if budgets else None)
    with ExitStack() as open_ones:
        servers: dict[str, StandIn] = {"crossref": crossref, "pubmed": ncbi, "zotero": zotero}
        for server in servers.values():
            open_ones.enter_context(server)
            if budgets:
                server.delay(_slow, None, when=always)
        _say({"crossref": crossref.url, "pubmed": ncbi.eutils_url, "idconv": ncbi.idconv_url, "zotero": zotero.url})
        for _ in sys.stdin:
            held = len(zotero.library(f"groups/{GROUP}").items()) if budgets else 0
            _say({name: _told(server) for name, server in servers.items()} | {"held": held})


def _texts(works: tuple[Work, ...]) -> Iterator[str]:
    for work in works:
        yield to_ris([work], without={"AN"}) + "\r\n"


def _slow() -> None:
    threading.Event().wait(LATENCY)


def _told(server: StandIn) -> dict[str, object]:
    """Requests, those refused, and the seconds between the first and the last."""
    log = server.log
    times = [request.at for request in log]
    statuses = Counter(str(request.status) for request in log)
    return {"requests": len(log), "statuses": statuses, "seconds": max(times) - min(times) if times else 0.0}


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), budgets="--budgets" in sys.argv)
