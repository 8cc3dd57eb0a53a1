"""What has to be true when the storm is over: every record once, nothing doubled, no edit undone, no file lost, the ledger sound."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.libraries.embedded import Embedded
from tests.chaos.parcels import Parcel
from tests.chaos.people import NOT_REGULAR
from tests.chaos.storm import BOTH, Storm, files_in
from tests.servers.works import Work
from tests.servers.zotero import USER

MOST_THREADS = 14  # at rest: the main one, the schedule's, its ten workers, and a little room
IN_LIBRARY = frozenset({"created", "merged", "updated", "left"})


@dataclass
class Verdict:
    """What was counted, and what is wrong."""

    complaints: list[str] = field(default_factory=list)
    files: int = 0
    records: int = 0
    lost: int = 0
    doubled: int = 0
    asked: int = 0
    refilled: int = 0  # emptied by a person while nobody could know whether our value had landed: a known gap
    outcomes: Counter[str] = field(default_factory=Counter)


def judge(here: Storm) -> Verdict:
    """Look at everything; nothing is mended here."""
    found = Verdict([*here.complaints, *here.keeper.complaints])
    if here.left_over:
        found.complaints.append(f"never ended: {here.left_over}")
    if here.threads > MOST_THREADS:
        found.complaints.append(f"{here.threads} threads at rest")
    _log(here, found)
    _files(here, found)
    with closing(sqlite3.connect(here.ledger)) as ledger:
        ledger.row_factory = sqlite3.Row
        _ledger(ledger, found)
        for name in BOTH:
            _library(here, name, ledger, found)
        _person(here, ledger, found)
    return found


def text(here: Storm, found: Verdict) -> str:
    """The figures, one a line."""
    ends, keeper = here.keeper.ends, here.keeper
    faults = Counter[str]()
    for weather in here.weathers:
        faults.update(weather.met)
    requests = sum(weather.requests for weather in here.weathers)
    alone = {how: number for how, number in sorted(ends.items()) if not how.startswith("SIG")}
    disk = f"{here.full} times" if here.has_own_disk else "not tried: no disk of its own may be mounted here"
    lines = [
        f"seed {here.plan.seed}, {here.plan.seconds:.0f} s of storm",
        f"files {found.files}: {_in_words(_ways(here))}",
        f"records {found.records}: {_in_words(found.outcomes)}",
        f"kills {ends['SIGKILL']}, stops {ends['SIGTERM']} (the slowest {keeper.slowest_stop:.1f} s), ended by itself {alone or 0}",
        f"disk full {disk}; clock set {here.jumps} times",
        f"a person's edits {here.editor.did.total()}: {_in_words(here.editor.did)}",
        f"requests {requests}, faults injected {faults.total()}:",
        *(f"  {number:4} {kind}" for kind, number in sorted(faults.items())),
        f"memory of the last life in MB, by tenths of it: {_tenths(here)}",
        f"memory of the last life: at most {here.rss[0] / 1000:.1f} MB in its first quarter, {here.rss[1] / 1000:.1f} MB in its last",
        f"threads {here.threads} at the end, {keeper.peak_threads} at most",
        f"lost {found.lost} doubled {found.doubled} asked {found.asked}",
        f"emptied by a person while our answer was out, and filled again (a known gap): {found.refilled}",
        *(f"! {complaint}" for complaint in found.complaints),
    ]
    return "\n".join(lines)


def _tenths(here: Storm) -> str:
    life = here.keeper.life.rss
    parts = [life[len(life) * n // 10 : len(life) * (n + 1) // 10] for n in range(10)]
    return " ".join(f"{max(kb for _, kb in part) / 1000:.0f}" for part in parts if part)


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()) if number)


def _ways(here: Storm) -> Counter[str]:
    return sum((librarian.ways for librarian in here.librarians.values()), Counter[str]())


def _log(here: Storm, found: Verdict) -> None:
    said = here.keeper.log.read_text(errors="replace")
    for word in ("Traceback", "do not add up"):
        if word in said:
            place = said.index(word)
            found.complaints.append(f"the daemon's log has {said.count(word)} times {word}: {said[place:][:2500]}")


def _files(here: Storm, found: Verdict) -> None:
    """What arrived lies in done/ or held/, byte for byte, and nothing else does."""
    for name, librarian in here.librarians.items():
        arrived = Counter(parcel.sha256 for parcel in librarian.arrived)
        found.files += arrived.total()
        lying = Counter(
            _sha256(path) for put_away in (True, False) for path in files_in(librarian.inbox, put_away=put_away)
        )
        for digest, number in (arrived - lying).items():
            kinds = [parcel.kind for parcel in librarian.arrived if parcel.sha256 == digest]
            found.lost += number
            found.complaints.append(f"{name}: a file is lost: {kinds[0]} {digest[:8]}")
        if lying - arrived:
            found.complaints.append(f"{name}: files that nobody brought: {dict(lying - arrived)}")
        found.complaints += [f"{path}: left behind half written" for path in librarian.inbox.rglob(".zotdrop-*")]


def _ledger(ledger: sqlite3.Connection, found: Verdict) -> None:
    for pragma in ("integrity_check", "foreign_key_check"):
        told = [tuple(row) for row in ledger.execute(f"PRAGMA {pragma}")]
        if told not in ([], [("ok",)]):
            found.complaints.append(f"PRAGMA {pragma}: {told[:3]}")
    questions = {
        "drops whose records are not as many as their entries": """SELECT d.id FROM drops d WHERE d.entries <>
            (SELECT COUNT(*) FROM records r WHERE r.drop_id = d.id)""",
        "drops that are not done": "SELECT id, path, state FROM drops WHERE state <> 'done'",
        "records without an end": "SELECT id FROM records WHERE state <> 'done' OR outcome IS NULL",
        "objects that wait": "SELECT id FROM outbox WHERE state = 'pending'",
        "records that failed": "SELECT id, outcome, reasons_json FROM records WHERE outcome IN ('refused', 'unreadable')",
    }
    for what, sql in questions.items():
        rows = [tuple(row) for row in ledger.execute(sql)]
        if rows:
            found.complaints.append(f"the ledger has {what}: {rows[:5]}")


def _library(here: Storm, name: str, ledger: sqlite3.Connection, found: Verdict) -> None:
    """Each work of each parcel has one item, and each item one work; who is asked has reason to be."""
    keys: dict[str, set[str]] = {}
    asked: dict[str, str] = {}
    excused: set[str] = set()
    edited = {key for key, _ in here.editor.wrote} if name == "default" else set()
    stalled = here.librarians[name].ways["stalled"]
    for parcel in {parcel.sha256: parcel for parcel in here.librarians[name].arrived}.values():
        excused |= parcel.doubtful
        for work, row in _records(name, parcel, ledger, found, stalled):
            found.records += 1
            found.outcomes[row["outcome"] or "open"] += 1
            if row["outcome"] in IN_LIBRARY:
                keys.setdefault(work.doi, set()).add(row["key"])
            elif row["outcome"] == "asked":
                found.asked += 1
                asked[work.doi] = row["reasons_json"]
                if any(key in row["reasons_json"] for key in edited):  # what a person typed may differ from what comes
                    excused.add(work.doi)
    found.complaints += [f"{name}: asked without need: {doi} {why}" for doi, why in asked.items() if doi not in excused]
    alive, trashed = _items(here, name)
    _compare(here, name, keys, alive, trashed, found)


def _records(
    name: str, parcel: Parcel, ledger: sqlite3.Connection, found: Verdict, stalled: int
) -> Iterator[tuple[Work, Any]]:
    drops = ledger.execute("SELECT * FROM drops WHERE sha256 = ? AND inbox = ?", (parcel.sha256, name)).fetchall()
    if not drops and not stalled:
        found.lost += len(parcel.works) or 1
        found.complaints.append(f"{name}: the ledger knows nothing of a file: {parcel.kind} {parcel.sha256[:8]}")
    for drop in drops:
        rows = ledger.execute("SELECT * FROM records WHERE drop_id = ? ORDER BY ordinal", (drop["id"],)).fetchall()
        if len(rows) != len(parcel.works):
            found.lost += abs(len(rows) - len(parcel.works))
            found.complaints.append(f"{name}: {parcel.kind}: {len(rows)} records noted of {len(parcel.works)}")
        yield from zip(parcel.works, rows, strict=False)


def _compare(
    here: Storm, name: str, keys: dict[str, set[str]], alive: dict[str, Any], trashed: set[str], found: Verdict
) -> None:
    owner: dict[str, str] = {}
    for doi, held in keys.items():
        if len(held) > 1:
            found.doubled += len(held) - 1
            found.complaints.append(f"{name}: {doi} became several items: {sorted(held)}")
        for key in held:
            if key in owner:
                found.complaints.append(f"{name}: {doi} and {owner[key]} became one item, {key}")
            owner[key] = doi
    thrown = here.editor.trashed if name == "default" else set()
    for key in set(owner) - set(alive) - (thrown & trashed):
        found.lost += 1
        found.complaints.append(f"{name}: {owner[key]}: its item {key} is not in the library")
    own = set(here.editor.own) if name == "default" else set()
    for key in set(alive) - set(owner) - own:
        found.doubled += 1
        found.complaints.append(f"{name}: nobody's item: {key} {alive[key].get('title')!r}")
    _dois(name, owner, alive, found)


def _dois(name: str, owner: dict[str, str], alive: dict[str, Any], found: Verdict) -> None:
    """Each item has the DOI of its work, and none has that of another."""
    has = {key: str(data.get("DOI", "")).lower() for key, data in alive.items()}
    for key, doi in owner.items():
        if has.get(key, doi.lower()) != doi.lower():
            found.complaints.append(f"{name}: {key} has DOI {has[key]!r}, its record {doi}")
    for doi, number in Counter(has.values()).items():
        if doi and number > 1:
            found.doubled += number - 1
            found.complaints.append(f"{name}: {doi} is there {number} times")


def _items(here: Storm, name: str) -> tuple[dict[str, Any], set[str]]:
    """The regular items that are there, by key, and the keys of those in the trash."""
    if name == "default":
        held = {data["key"]: data for data in here.stage.zotero.library(f"users/{USER}").items(trashed=True)}
    else:
        library = Embedded(here.disk / "local.sqlite", now=str)
        held = {item.key: dict(item.data) for item in library.items()}
        library.close()
    regular = {key: data for key, data in held.items() if data["itemType"] not in NOT_REGULAR}
    return {k: d for k, d in regular.items() if not d.get("deleted")}, {
        k for k, d in regular.items() if d.get("deleted")
    }


def _person(here: Storm, ledger: sqlite3.Connection, found: Verdict) -> None:
    """What a person did is as the person left it.

    A known gap is counted apart: the answer to our update is lost, the person empties what it had filled, and the update, sent again,
    meets a conflict; what is empty then looks as if it had never been filled.
    """
    library = here.stage.zotero.library(f"users/{USER}")
    met: dict[str, set[str]] = {}
    for row in ledger.execute("SELECT key, data_json FROM outbox WHERE state = 'replanned' AND version > 0"):
        met.setdefault(row["key"], set()).update(json.loads(row["data_json"]))
    for (key, name), value in here.editor.wrote.items():
        now = library.item(key).get(name, "")
        if now != value and value == "" and name in met.get(key, ()):
            found.refilled += 1
        elif now != value:
            found.complaints.append(f"{key}: a person wrote {name} = {value!r}, now it is {now!r}")
    for key in {*here.editor.tags, *here.editor.removed}:
        held = {tag["tag"] for tag in library.item(key)["tags"]}
        if not here.editor.tags.get(key, set()) <= held:
            found.complaints.append(f"{key}: a person's tags are gone: {here.editor.tags[key] - held}")
        if here.editor.removed.get(key, set()) & held:
            found.complaints.append(f"{key}: tags came back: {here.editor.removed[key] & held}")
    for key in here.editor.trashed:
        if not library.item(key).get("deleted"):
            found.complaints.append(f"{key}: a person threw it away, now it is back")


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def reports(inbox: Path) -> list[dict[str, Any]]:
    """The reports beside what was put away."""
    return [json.loads(path.read_text()) for path in inbox.rglob("*.report.json")]
