"""The storm: the real daemon over loopback, and everything that can go wrong, for so many seconds; then calm, until all is worked off."""

from __future__ import annotations

import heapq
import itertools
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from sync.errors import StateFault
from sync.state.ledger import Ledger
from tests.chaos.keeper import Keeper
from tests.chaos.parcels import Press
from tests.chaos.people import Editor, Librarian, Script
from tests.chaos.weather import Weather, over_library, over_source
from tests.scene import QUICK, Scene
from tests.servers.crossref import CrossrefServer
from tests.servers.ncbi import NcbiServer
from tests.servers.works import Work, make_works
from tests.servers.zotero import USER, ZoteroServer

SPEED = 5.0  # the daemon's seconds in one of ours
SETTLE = 1.5  # of our seconds that a file has to be still
STUCK = 40.0  # seconds without progress
BOTH = ("default", "local")
DISK_MB = 64
MEGABYTE = 1_000_000
HOUR, DAY = 3600.0, 86400.0

CONFIG = """
contact = "librarian@example.org"
[state]
path = "{disk}/state/zotdrop.sqlite"
min_free_mb = 2
[library.main]
kind = "zotero"
type = "user"
id = {user}
api_key = {{ env = "ZOTERO_API_KEY" }}
url = "{zotero}"
[library.local]
kind = "embedded"
path = "{disk}/local.sqlite"
[inbox.default]
path = "{disk}/inbox"
library = "main"
settle_seconds = {settle}
poll_seconds = 1.5
enrich_wait = "20s"
[inbox.local]
path = "{disk}/local"
library = "local"
settle_seconds = {settle}
poll_seconds = 1.5
enrich_wait = "5s"
[schedule]
retry = "3s"
retry_most = "20s"
owed = "25s"
refused = "10s"
[sources.crossref]
url = "{crossref}"
[sources.pubmed]
url = "{eutils}"
idconv_url = "{idconv}"
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How bad it gets. seconds: of the storm, by our clock; the daemon's runs faster.  share: of requests that meet a fault.  every: seconds between two files, at the mean.

    least_faults, least_kills: on a slow machine it goes on until so much has gone wrong, `patience` times as long at most.
    lives: the share of the storm in which the daemon is killed; what is left, one process has to live through.
    """

    seed: int
    seconds: float
    share: float = 0.2
    every: float = 1.0
    most: int = 8
    kill_every: float = 4.0
    lives: float = 0.5
    works: int = 4000
    least_faults: int = 0
    least_kills: int = 0
    patience: float = 2.5


@dataclass
class Storm:
    """What is there while it lasts, and what is known of it afterwards."""

    plan: Plan
    stage: Scene
    disk: Path
    has_own_disk: bool
    keeper: Keeper
    librarians: dict[str, Librarian]
    editor: Editor
    weathers: list[Weather]
    jumps: int = 0
    full: int = 0
    left_over: str = ""
    rss: tuple[int, int] = (0, 0)  # kilobytes, in the first and in the last quarter of the last life
    threads: int = 0  # of the last process, at rest
    complaints: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many requests met one."""
        return sum(weather.met.total() for weather in self.weathers)

    @property
    def ledger(self) -> Path:
        return self.disk / "state" / "zotdrop.sqlite"

    @property
    def clock(self) -> Path:
        return self.stage.folder / "clock"


@contextmanager
def storm(folder: Path, plan: Plan) -> Iterator[Storm]:
    """Services, disk and daemon, ready to begin."""
    works = {name: make_works(plan.works, seed=(plan.seed * 2 + n) % 100) for n, name in enumerate(BOTH)}
    known = [work for some in works.values() for work in some]
    with ExitStack() as stack:
        crossref = stack.enter_context(CrossrefServer(known, pools=QUICK))
        ncbi = stack.enter_context(NcbiServer(known))
        zotero = stack.enter_context(ZoteroServer())
        stage = Scene(folder, crossref, ncbi, zotero)
        disk, own = stack.enter_context(small_disk(folder / "disk"))
        _settings(stage, disk)
        keeper = Keeper(stage.command("run"), _environment(stage), folder / "daemon.log")
        stack.callback(keeper.kill)
        yield _storm(plan, stage, disk, own, keeper, works)


def weather_all(here: Storm) -> None:
    """From now on the services answer as services do."""
    seed, share, pause = str(here.plan.seed), here.plan.share, Event().wait
    here.weathers += [
        over_source(here.stage.crossref, "crossref", seed=seed, share=share, pause=pause),
        over_source(here.stage.ncbi, "ncbi", seed=seed, share=share, pause=pause),
        over_library(here.stage.zotero, here.editor.meddle, seed=seed, share=share, pause=pause),
    ]


def rage(here: Storm) -> None:
    """Everything at once, until the time is over."""
    began, plan = time.monotonic(), here.plan
    weather_all(here)
    dice = random.Random(f"{plan.seed}-kills")
    actors: list[Librarian | Editor] = [*here.librarians.values(), here.editor]
    scripts = [
        *(actor.work() for actor in actors),
        _kills(here, dice, began + plan.seconds * plan.lives),
        _jumps(here, random.Random(f"{plan.seed}-clock")),
        _watches(here),
    ]
    if here.has_own_disk:
        scripts.append(_fills(here, random.Random(f"{plan.seed}-disk")))
    _play(scripts, lambda: time.monotonic() < began + plan.seconds * (1 if _has_raged(here) else plan.patience))
    for actor in actors:
        actor.closed = True
    for script in scripts[: len(actors)]:  # what they have begun they end
        for seconds in script:
            Event().wait(min(seconds, 0.5))


def calm(here: Storm, patience: float) -> None:
    """Everything is well again, nothing new comes: what is left is worked off, then the daemon is stopped."""
    for server in (here.stage.crossref, here.stage.ncbi, here.stage.zotero):
        server.heal()
    _ballast(here).unlink(missing_ok=True)
    here.keeper.full = False
    _set_clock(here, 0.0)
    until, since, before = time.monotonic() + patience, time.monotonic(), ""
    while (left := _open(here)) and time.monotonic() < until:
        here.keeper.watch()
        if left != before:
            since, before = time.monotonic(), left
        elif time.monotonic() - since > STUCK:
            since = time.monotonic()
            here.keeper.life.process.send_signal(signal.SIGUSR1)  # its log tells where it is
        Event().wait(0.5)
    here.left_over = left
    here.keeper.watch()
    _measure(here)
    here.keeper.was_full = False
    here.keeper.stop()


def _has_raged(here: Storm) -> bool:
    """Whether enough has gone wrong to show anything."""
    return here.faults >= here.plan.least_faults and here.keeper.ends["SIGKILL"] >= here.plan.least_kills


def _play(scripts: list[Script], goes_on: Callable[[], bool]) -> None:
    """Each script goes on when it wants to, one at a time, so that what they do does not depend on threads."""
    order = itertools.count()
    due = [(time.monotonic(), next(order), script) for script in scripts]
    heapq.heapify(due)
    pause = Event()
    while due and goes_on():
        at, _, script = heapq.heappop(due)
        pause.wait(max(0.0, at - time.monotonic()))
        with suppress(StopIteration):
            heapq.heappush(due, (time.monotonic() + next(script), next(order), script))


def _kills(here: Storm, dice: random.Random, until: float) -> Script:
    """Hard or soft, mostly at work, now and then before it is up."""
    while True:
        early = dice.random() < 0.15
        while not (early or here.keeper.life.up):
            yield 0.2
        yield dice.uniform(0.1, 1.9) * here.plan.kill_every
        if time.monotonic() > until and here.keeper.ends["SIGKILL"] >= here.plan.least_kills:
            return
        if dice.random() < 0.75:
            here.keeper.kill()
        else:
            here.keeper.stop()
        here.keeper.start_again()


def _jumps(here: Storm, dice: random.Random) -> Script:
    """The wall clock is set, by seconds or by days, forwards and backwards."""
    while True:
        yield dice.uniform(3.0, 9.0)
        _set_clock(here, dice.choice([0.0, 30.0, -30.0, HOUR, -HOUR, DAY, -2 * DAY, 40 * DAY]))
        here.jumps += 1


def _fills(here: Storm, dice: random.Random) -> Script:
    """Somebody else fills the disk, to the last byte or nearly, and after a while makes room again."""
    ballast = _ballast(here)
    while True:
        yield dice.uniform(5.0, 15.0)
        here.keeper.full = True
        spare = dice.choice([0, 0, 200_000, 1_500_000])
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            free = os.statvfs(here.disk)
            left = free.f_bavail * free.f_frsize - spare
            while left > 0:
                left -= file.write(bytes(min(left, MEGABYTE)))
        here.full += 1
        yield dice.uniform(1.0, 5.0)
        ballast.unlink()
        yield 0.5
        here.keeper.full = False


def _watches(here: Storm) -> Script:
    while True:
        here.keeper.watch()
        yield 0.2


def _ballast(here: Storm) -> Path:
    return here.disk / "somebody else's"


def _set_clock(here: Storm, seconds: float) -> None:
    part = here.clock.with_suffix(".part")
    part.write_text(str(seconds))
    part.replace(here.clock)


def _open(here: Storm) -> str:
    """What is still to be done, in words; empty: nothing."""
    waiting = [path.name for librarian in here.librarians.values() for path in files_in(librarian.inbox)]
    if waiting:
        return f"{len(waiting)} files are still in the inboxes: {', '.join(waiting[:5])}"
    try:
        ledger = Ledger.open(here.ledger)
        try:
            waits = Counter(ledger.waits())
        finally:
            ledger.close()
    except StateFault as fault:
        return str(fault)
    del waits["records for a person's decision"]
    return ", ".join(f"{number} {what}" for what, number in waits.items() if number)


def files_in(inbox: Path, *, put_away: bool = False) -> list[Path]:
    """The files of an inbox without reports and what is half written; put_away: those in done/ and held/ instead."""
    found = (path for path in inbox.rglob("*") if path.is_file() and not path.name.endswith(".report.json"))
    return [path for path in found if (path.relative_to(inbox).parts[0] in {"done", "held"}) is put_away]


def _measure(here: Storm) -> None:
    life = here.keeper.life
    if life.rss:
        age = life.rss[-1][0]
        first = [kb for at, kb in life.rss if at <= age / 4]
        last = [kb for at, kb in life.rss if at >= age * 3 / 4]
        here.rss = (max(first), sorted(last)[len(last) // 2])
    here.threads = here.keeper.threads()
    here.complaints += [f"a zombie process: {number}" for number in here.keeper.zombies()]


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """A small disk of its own, where one may be mounted: a folder, and whether it is one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield folder, mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def _settings(stage: Scene, disk: Path) -> None:
    addresses = {"zotero": stage.zotero.url, "crossref": stage.crossref.url}
    addresses |= {"eutils": stage.ncbi.eutils_url, "idconv": stage.ncbi.idconv_url}
    stage.config.write_text(CONFIG.format(disk=disk, user=USER, settle=SETTLE * SPEED, **addresses))
    for name in ("inbox", "local"):
        (disk / name).mkdir()


def _environment(stage: Scene) -> dict[str, str]:
    clock = str(Path(__file__).parent / "clock")
    return stage.env(PYTHONPATH=clock, CHAOS_CLOCK=str(stage.folder / "clock"), CHAOS_SPEED=str(SPEED))


def _storm(
    plan: Plan, stage: Scene, disk: Path, own: bool, keeper: Keeper, works: dict[str, tuple[Work, ...]]
) -> Storm:
    dice = {name: random.Random(f"{plan.seed}-{name}") for name in (*BOTH, "person")}
    presses = {name: Press(works[name], dice[name], most=plan.most) for name in BOTH}
    places = {"default": disk / "inbox", "local": disk / "local"}
    librarians = {
        name: Librarian(places[name], presses[name], dice[name], settle=SETTLE, every=plan.every * 2) for name in BOTH
    }
    editor = Editor(stage.zotero.library(f"users/{USER}"), presses["default"], dice["person"], every=0.7)
    return Storm(plan, stage, disk, own, keeper, librarians, editor, [])
