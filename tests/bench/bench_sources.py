"""How many requests it costs to enrich a drop, and how long the services' own pace makes that last.

    pip install -e ".[dev]"
    python -m tests.bench.bench_sources [COUNT ...]

The services are the stand-ins on loopback, enforcing the published rates; the clock moves only while somebody waits, so that the
seconds are those of the services' pace alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.servers.crossref import CrossrefServer
from tests.servers.ncbi import NcbiServer
from tests.servers.works import make_works, to_ris
from tests.sources.pace import Pace
from tests.test_faults import ONE_BY_ONE, World


def cost(count: int) -> tuple[int, int, int, int, float]:
    """Requests to Crossref and to NCBI, those that were refused, requests of a rerun, seconds of pace."""
    works, pace = make_works(count, seed=22), Pace()
    with (
        tempfile.TemporaryDirectory() as folder,
        CrossrefServer(works, rate=True, pools=ONE_BY_ONE, clock=pace.now) as crossref,
        NcbiServer(works, rate=True, clock=pace.now) as ncbi,
    ):
        here, text = World(Path(folder), crossref, ncbi, pace), to_ris(works, without={"AN"})
        began = pace.seconds
        report = here.sync(text=text)
        if report.outcomes["created"] != count:
            raise SystemExit(f"{report.outcomes} of {count}")
        asked = len(crossref.log), len(ncbi.log)
        refused = sum(request.status != 200 for request in (*crossref.log, *ncbi.log))
        seconds = pace.seconds - began
        here.sync(text="\n" + text)
        return *asked, refused, len(crossref.log) + len(ncbi.log) - sum(asked), seconds


def main(counts: list[int]) -> None:
    """A line for each count."""
    say = sys.stdout.write
    say(f"{'records':>8} {'Crossref':>9} {'NCBI':>6} {'refused':>8} {'rerun':>6} {'seconds of pace':>16}\n")
    for count in counts:
        crossref, ncbi, refused, rerun, seconds = cost(count)
        say(f"{count:>8,} {crossref:>9} {ncbi:>6} {refused:>8} {rerun:>6} {seconds:>16.0f}\n")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000, 10_000])
