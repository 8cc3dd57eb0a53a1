"""The services, each in a process of its own, so that their processor time is not ours and none keeps another waiting.

    python -m tests.bench.services COUNT FOLDER [--budgets]

Writes `first.ris` and `second.ris` of so many invented references each, with DOIs that the services know, prints where the services
are as one line of JSON, and after each line that comes in the counts of requests so far. Ends with its input.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

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
    gc.freeze()  # what is looked through again and again stops a service for as long as that takes
    makers: dict[str, Callable[[], StandIn]] = {
        "crossref": lambda: CrossrefServer(works, rate=budgets, pools=POOLS if budgets else AT_ONCE),
        "pubmed": lambda: NcbiServer(works, rate=budgets),
        "zotero": lambda: ZoteroServer(limits=ONE_AT_A_TIME if budgets else None),
    }
    forks = multiprocessing.get_context("fork")
    lines: dict[str, Connection] = {}
    for name, make in makers.items():
        lines[name], theirs = forks.Pipe()
        forks.Process(target=_serve, args=(theirs, make, budgets), daemon=True).start()
    urls: dict[str, str] = {}
    for line in lines.values():
        urls |= line.recv()
    _say(urls)
    for _ in sys.stdin:
        for line in lines.values():
            line.send("")
        told = {name: line.recv() for name, line in lines.items()}
        _say(told | {"held": told["zotero"]["held"]})


def _serve(line: Connection, make: Callable[[], StandIn], slow: bool) -> None:
    """One service, until its process is ended; for each word that comes, what it was asked so far."""
    with make() as server:
        gc.freeze()
        if slow:
            server.delay(_slow, None, when=always)
        line.send(_urls(server))
        while True:
            line.recv()
            held = len(server.library(f"groups/{GROUP}").items()) if isinstance(server, ZoteroServer) and slow else 0
            line.send(_told(server) | {"held": held})


def _urls(server: StandIn) -> Mapping[str, str]:
    if isinstance(server, NcbiServer):
        return {"pubmed": server.eutils_url, "idconv": server.idconv_url}
    return {"crossref" if isinstance(server, CrossrefServer) else "zotero": server.url}


def _texts(works: tuple[Work, ...]) -> Iterator[str]:
    for work in works:
        yield to_ris([work], without={"AN"}) + "\r\n"


def _slow() -> None:
    threading.Event().wait(LATENCY)


def _told(server: StandIn) -> dict[str, Any]:
    """Requests, their statuses, and on this machine's steady clock the first one, the last one, and those refused."""
    log = server.log
    times = [request.at for request in log]
    statuses = Counter(str(request.status) for request in log)
    refused = [request.at for request in log if request.status == HTTPStatus.TOO_MANY_REQUESTS]
    return {
        "requests": len(log),
        "statuses": statuses,
        "first": min(times, default=0.0),
        "last": max(times, default=0.0),
        "refused": refused,
    }


def _say(what: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), budgets="--budgets" in sys.argv)
