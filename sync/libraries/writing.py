"""A batch of writes through Zotero's API: sent, halved where one object poisons it, and each object's fate told."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sync.errors import CredentialFault
from sync.libraries.api import Answered, Api
from sync.libraries.base import Answer, Conflict, ItemData, Receipt, Refusal, Write
from sync.libraries.clean import cleaned
from sync.libraries.rules import Fault
from sync.libraries.tree import Tree

ROUNDS = 3
_HALVE = frozenset({400, 413, 500})  # refusals of a whole request that one of its objects may be the reason of
PATIENT = (2.0, 5.0)  # s; pauses after which an object whose request fails alone is tried again
_STUMBLES = frozenset(
    {400, 500}
)  # what a server, or a proxy before it, also says when nothing is wrong with the object
_DOWN = 3  # so many objects in a row that fail alone with 500, and none that did not: the service is down
_LOST = re.compile(r"Collection ([2-9A-Z]{8}) not found")
_AS_NEW = re.compile(r"'?itemType'? property not provided")  # the desktop takes an update of what is gone for a create
_FOUND = re.compile(r"found (\d+)")


@dataclass(frozen=True, slots=True)
class Failed:
    """One object that was not written. whole: its request was refused as a whole."""

    code: int
    message: str
    whole: bool = False

    @property
    def poison(self) -> bool:
        """Whether the server fell over it."""
        return self.whole and self.code == 500

    @property
    def lost(self) -> str:
        """The key of the collection that is not there; empty if that is not the reason."""
        found = _LOST.search(self.message) if self.code == 409 else None
        return found[1] if found else ""


# The object as it is now, why it was not written, or None: it said the same before.
Outcome: TypeAlias = Mapping[str, Any] | Failed | None
Check: TypeAlias = Callable[[Mapping[str, Any], bool], Fault | None]


class Writer:
    """Writes batches. check(data, new): what is wrong with an object before it is sent."""

    def __init__(self, api: Api, tree: Tree, check: Check) -> None:
        self._api, self._tree, self._check = api, tree, check
        self._stumbled = set[str]()  # objects that were sent again though a refusal came, in case it was none

    def write(self, batch: Sequence[Write]) -> list[Answer]:
        """One answer per write, in order. Raises Outage where it is not known what landed."""
        clean = [replace(write, data=cleaned(write.data)) for write in batch]
        faults = [self._check(write.data, write.version == 0) for write in clean]
        fit = [write for write, fault in zip(clean, faults, strict=True) if fault is None]
        lost, self._stumbled = self._api.lost, set()
        outcomes = self._sent(fit) if fit else []
        resent = {write.key for write in fit} if self._api.lost > lost else self._stumbled
        told = iter(self._told(fit, outcomes) if fit else ())
        answers = [
            Refusal(write.key, fault.code, fault.message) if fault else next(told)
            for write, fault in zip(clean, faults, strict=True)
        ]
        return [replace(one, resent=one.key in resent) if isinstance(one, Conflict) else one for one in answers]

    def _sent(self, writes: Sequence[Write]) -> list[Outcome]:
        """The outcomes, after what can be repaired was repaired and sent again."""
        writes = [self._without_gone(write) for write in writes]
        outcomes, moved = self._posted(writes), dict[str, str]()
        for _ in range(ROUNDS):
            if not any(_repairable(outcome) for outcome in outcomes):
                break
            again = [
                n for n, outcome in enumerate(outcomes) if isinstance(outcome, Failed) and outcome.code in {409, 500}
            ]
            repaired = [self._repaired(writes[n], outcomes[n], moved) for n in again]
            for n, outcome in zip(again, self._posted(repaired), strict=True):
                outcomes[n] = outcome
        return outcomes

    def _without_gone(self, write: Write) -> Write:
        """Without collections that are known to be no more."""
        inside = write.data.get("collections", ())
        kept = [key for key in inside if key not in self._tree.gone]
        return replace(write, data={**write.data, "collections": kept}) if len(kept) < len(inside) else write

    def _repaired(self, write: Write, outcome: Outcome, moved: dict[str, str]) -> Write:
        """Without the collection that is not there, or with the one that was made in its place."""
        lost = outcome.lost if isinstance(outcome, Failed) else ""
        if not lost:
            return write
        if lost not in moved:
            moved[lost] = self._tree.again(lost)
        inside = [moved[key] if key == lost else key for key in write.data["collections"]]
        return replace(write, data={**write.data, "collections": [key for key in dict.fromkeys(inside) if key]})

    def _posted(self, writes: Sequence[Write]) -> list[Outcome]:
        done: list[Outcome] = []
        self._halved(writes, done, first=True)
        if all(isinstance(outcome, Failed) and outcome.poison for outcome in done):
            self._prove_alive(done)
        return [self._once_more(*pair) for pair in zip(writes, done, strict=True)]

    def _halved(self, writes: Sequence[Write], done: list[Outcome], *, first: bool = False) -> None:
        """Send these; after a refusal of the whole request each half, until the reason stands alone."""
        try:
            report = self._api.create_items(
                [{**write.data, "key": write.key, "version": write.version} for write in writes]
            )
        except Answered as answer:
            if answer.status not in _HALVE:
                raise
            refusal = Failed(answer.status, answer.said, whole=True)
        else:
            done += [self._outcome(report, str(n)) for n in range(len(writes))]
            return
        if refusal.poison and first:  # once more as it is: keys and versions keep what landed from landing twice
            self._api.wait(1.0)
            self._halved(writes, done)
        elif len(writes) > 1:
            half = len(writes) // 2
            self._halved(writes[:half], done)
            self._halved(writes[half:], done)
        else:
            done.append(refusal)
            if len(done) == _DOWN and all(isinstance(outcome, Failed) and outcome.poison for outcome in done):
                self._prove_alive(done)

    def _once_more(self, write: Write, refusal: Outcome) -> Outcome:
        """What becomes of an object that failed alone, a while later: a server that stumbles must not refuse it for good."""
        stumbled = isinstance(refusal, Failed) and refusal.whole and refusal.code in _STUMBLES
        for seconds in PATIENT if stumbled else ():
            self._stumbled.add(write.key)
            self._api.wait(seconds)
            try:
                report = self._api.create_items([{**write.data, "key": write.key, "version": write.version}])
            except Answered as answer:
                if answer.status not in _STUMBLES:
                    raise
            else:
                return self._outcome(report, "0")
        return refusal

    def _prove_alive(self, done: Sequence[Outcome]) -> None:
        """Raise Outage unless a single object is the reason: a service that fails for everything is down."""
        if len(done) > 1:
            raise self._api.away("500 for every object; the batch will be sent again", status=500)
        self._api.create_items([])

    def _outcome(self, report: Mapping[str, Any], place: str) -> Outcome:
        """What a report says of one object. In version 3 of the API only its place in the batch names it."""
        parts = {name: part if isinstance(part, dict) else {} for name, part in report.items()}
        if place in parts.get("failed", {}):
            failed = parts["failed"][place]
            return Failed(int(failed["code"]), html.unescape(str(failed["message"])))
        if place in parts.get("successful", {}):
            return dict(parts["successful"][place])
        if place in parts.get("unchanged", {}) or place in parts.get("success", {}):
            return None
        raise self._api.away("the report of a write leaves an object out; the batch will be sent again")

    def _told(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> list[Answer]:
        pairs = list(zip(writes, outcomes, strict=True))
        unsure = [write.key for write, out in pairs if out is None or (isinstance(out, Failed) and out.code == 412)]
        held = {item["key"]: item for item in self._api.items(unsure)} if unsure else {}
        return [self._said(write, _answer(write, outcome, held.get(write.key))) for write, outcome in pairs]

    def _said(self, write: Write, answer: Answer) -> Answer:
        """With the collections that it went without."""
        lost = tuple(key for key in write.data.get("collections", ()) if key in self._tree.gone)
        return replace(answer, without=lost) if lost and isinstance(answer, Receipt) else answer


def _repairable(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and (bool(outcome.lost) or (outcome.code == 500 and not outcome.whole))


def _answer(write: Write, outcome: Outcome, held: Mapping[str, Any] | None) -> Answer:
    """held: what the library has under the key now; None if it was not asked, or has nothing that may be read."""
    if not isinstance(outcome, Failed):
        now = outcome if outcome is not None else held
        return Receipt(write.key, now["version"], now["data"]) if now else _unread(write, "")
    if outcome.code == 412 and write.version == 0:
        return (
            Receipt(write.key, held["version"], held["data"], found=True) if held else _unread(write, outcome.message)
        )
    if outcome.code in {404, 412} or (write.version and outcome.code == 400 and _AS_NEW.search(outcome.message)):
        return Conflict(write.key, held["version"] if held else 0, _data(held))
    # A group may let its members write items and no files.
    if outcome.code == 401 or (outcome.code == 403 and write.data.get("itemType") != "attachment"):
        raise CredentialFault(f"Zotero does not let this key write {write.key}: {outcome.message}")
    if outcome.code == 428:
        raise RuntimeError(f"a write was sent without its version: {outcome.message}")
    return Refusal(write.key, outcome.code, outcome.message)


def _unread(write: Write, message: str) -> Receipt:
    """The library has it, but does not show it: the key has no right to read notes."""
    found = _FOUND.search(message)
    return Receipt(write.key, int(found[1]) if found else write.version, write.data)


def _data(held: Mapping[str, Any] | None) -> ItemData | None:
    return held["data"] if held else None
