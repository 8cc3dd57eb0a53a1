"""From a settled file to records in the ledger: read, note, cluster. From here a crash costs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sync import drops
from sync.core import formats
from sync.core.batches import batched
from sync.core.clusters import block_keys, clusters, groups
from sync.core.databases import database_line, database_of, majority
from sync.core.match import compare
from sync.core.record import Gap, Problem, Reading
from sync.core.rings import no_rings
from sync.core.sketch import Sketch
from sync.core.tidy import tidied
from sync.core.verdicts import Verdict
from sync.errors import Interrupted, UsageFault
from sync.state.drops import DropRow
from sync.state.undoings import UNDONE
from sync.steps.tools import READ_BATCH, Run, Task, Tools

_HEAD_LINES, _HEAD_LETTERS = 200, 200_000  # what a format is told by


def arrive(tools: Tools, run: Run, task: Task) -> DropRow:
    """The ledger's row for this drop: the one it has, or a new one.

    One that was taken back, be it in part, comes anew when it is brought again; a file that just stayed in its inbox, or in held/, was not.
    """
    library, wish = tools.snapshot.id, task.rules.fingerprint(task.drop.subfolder)
    known = tools.ledger.records.find(library, task.drop.sha256, wish)
    stayed = task.ours and task.rules.on_success == "leave"
    if known and _taken_back(tools, known) and not stayed and not stays_back(tools, task, known):
        tools.ledger.records.retire(known.id)
        known = None
    row = known or tools.ledger.records.arrive(
        library=library,
        sha256=task.drop.sha256,
        wish=wish,
        path=task.name,
        inbox=task.rules.inbox,
        format_name="",
        arrived=tools.instant(),
        run=run.id,
        sources=task.rules.sources,
        titles=task.rules.title_search,
    )
    tools.ledger.routes.assign(row.id, task.rules.assigned)
    if task.rules.attachments == "files":
        tools.uploads.came_from(row.id, task.drop.path.parent.absolute())
    return row


def _taken_back(tools: Tools, row: DropRow) -> bool:
    return row.state == UNDONE or (row.state == "done" and tools.ledger.undoings.left_out(row.id))


def stays_back(tools: Tools, task: Task, row: DropRow) -> bool:
    """Whether a drop is only tried again, and somebody took it back: only who brings the file again wants it again."""
    return task.held and _taken_back(tools, row) and not tools.ledger.retries.missed(row.id)


def note(tools: Tools, task: Task, row: DropRow) -> None:
    """Read the whole drop and note every entry and every gap, a batch a commit. A reading that was cut off starts again.

    Raises UsageFault, and keeps nothing, where the file is no longer the one that was hashed.
    """
    records = tools.ledger.records
    records.forget_gaps(row.id)
    with drops.open_lines(task.drop.path, task.rules.encoding) as lines:
        done, told = 0, _Databases(_read_as(lines))
        for batch in batched(readings(lines), READ_BATCH):
            if tools.stop():
                raise Interrupted(
                    f"{task.name}: stopped while reading; the same command reads it again, and the next run what lies in an inbox"
                )
            records.note(row.id, [ready(part) for part in batch])
            done += len(batch)
            told.add(batch)
            tools.tell(f"reading {task.name}", done, 0)
    if not drops.still(task.drop):
        records.forget(row.id)
        raise UsageFault(f"{task.name}: it was changed while it was read; it is read again as it is now")
    tools.ledger.routes.came_from(row.id, told.most)
    records.close_reading(row.id)


@dataclass(slots=True)
class _Databases:
    """Counts which databases the records of a drop name, or the lines between them where the records name none."""

    read_as: str
    records: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Iterable[Reading | Gap]) -> None:
        """Count these."""
        for part in batch:
            if isinstance(part, Gap):
                self.lines[database_line(part.text)] += 1
            else:
                self.records[database_of(part.entry, self.read_as)] += 1

    @property
    def most(self) -> str:
        """The database that the drop comes from; empty where that cannot be told."""
        del self.lines[""]
        only = next(iter(self.lines)) if len(self.lines) == 1 and set(self.records) <= {""} else ""
        return majority(self.records) or only


def _read_as(lines: drops.Lines) -> str:
    known = formats.sniff(_head(lines))
    return known.name if known else ""


def for_library(part: Reading | Gap) -> Reading | Gap:
    """A reading as a library should get it: what the drop says, tidied."""
    return part if isinstance(part, Gap) else tidied(part)


def ready(part: Reading | Gap) -> Reading | Gap:
    """A reading as it is noted: tidied, and without a record that says nothing."""
    return _unless_blank(for_library(part))


def _unless_blank(part: Reading | Gap) -> Reading | Gap:
    """A reference of which nothing but its type is said is kept in the ledger and makes no blank item."""
    if isinstance(part, Gap) or part.record is None:
        return part
    record = part.record
    said = record.fields or record.creators or record.tags or record.notes or record.attachments or record.identifiers
    return part if said else replace(part, record=None)


def readings(lines: drops.Lines) -> Iterator[Reading | Gap]:
    """Every entry as the file has it, and the text between; nothing but gaps where no format is known."""
    known = formats.sniff(_head(lines))
    if known is None:
        yield from (Gap((one.number, one.number), (one.start, one.end), one.text) for one in lines if one.text.strip())
        return
    parts = (
        known.scan(lines.chunks(), lines.decode, lines.guess.bom)
        if known.scan and lines.ascii_like
        else known.read(lines)
    )
    for part in parts:
        yield part if isinstance(part, Gap) else _titled(_doubted(known.to_reading(part), lines))


def _doubted(reading: Reading, lines: drops.Lines) -> Reading:
    """A reading whose letters depend on a guessed encoding says so."""
    if reading.entry.text.isascii():
        return reading
    guess, strayed = lines.guess, lines.strays
    other = next((strayed[line] for line in reading.entry.text.split("\n") if line in strayed), "") if strayed else ""
    if other:
        message = f"this record is not in {guess.encoding} like the rest of the file; read as {other}"
        problem = Problem("encoding-mixed", message, reading.entry.lines[0])
    elif guess.guessed and not guess.other:
        message = f"the file says nowhere how it is encoded; read as {guess.encoding} (the inbox's option encoding names another)"
        problem = Problem("encoding-guessed", message, reading.entry.lines[0])
    else:
        return reading
    return replace(reading, problems=(*reading.problems, problem))


def _titled(reading: Reading) -> Reading:
    """A record without any title says so: nobody will find it in the library."""
    record = reading.record
    if record is None or "title" in record.fields or record.title or not (record.fields or record.creators):
        return reading
    problem = Problem("title-missing", "the record has no title", reading.entry.lines[0])
    return replace(reading, problems=(*reading.problems, problem))


def verdict(path: Path, encoding: str) -> str:
    """What a file that holds no record seems to be."""
    with drops.open_lines(path, encoding) as lines:
        return what_it_seems(lines)


def what_it_seems(lines: drops.Lines) -> str:
    """What lines that hold no record seem to be."""
    return f"no record found: {formats.describe(_head(lines))}"


def cluster(tools: Tools, row: DropRow) -> None:
    """Records of the drop that are the same work get one survivor, the earliest; where that is doubtful, a person is asked."""
    with no_rings():
        sketches = tools.ledger.records.sketches(row.id)
    found = clusters(sketches, groups(sketches), join_versions=tools.join_versions)
    asked = {record: why for record, why in found.questions.items() if not _in_library(tools, sketches, record, why[0])}
    tools.ledger.records.cluster(row.id, found.followers, asked)


def _in_library(tools: Tools, sketches: Mapping[int, Sketch], record: int, other: int) -> bool:
    """Whether the library surely holds this record, so that what is doubtful, if anything, is whether the other one is that item."""
    mine, theirs = sketches[record], sketches[other]
    for item, _ in tools.snapshot.sketches(tools.snapshot.keys(block_keys(mine))).values():
        same = compare(mine, item, join_versions=tools.join_versions).verdict is Verdict.SAME
        if same and compare(theirs, item, join_versions=tools.join_versions).verdict in {Verdict.SAME, Verdict.UNSURE}:
            return True
    return False


def _head(lines: drops.Lines) -> str:
    """The beginning of the text, by which its format is told."""
    return "\n".join(lines.head(_HEAD_LETTERS).split("\n", _HEAD_LINES)[:_HEAD_LINES])
