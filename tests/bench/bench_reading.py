"""How fast RIS is read, beside rispy, and how much memory it takes.

    pip install -e ".[dev,bench]"
    python -m tests.bench.bench_reading [speed] [linear] [memory] [hostile]

speed    the same file through rispy, to entries, and to finished Zotero items (processor time, best of several runs, and the ratio)
linear   processor time for each reference in files of 1,000 to 1,000,000
memory   how much the process grows over a file of 1 GB
hostile  files made to hurt: how long, and how much memory
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sync import drops
from sync.core import ris_scan
from sync.core.items import to_item
from sync.core.record import Entry, Reading
from sync.core.tidy import tidied
from sync.steps.intake import readings
from tests.bench import ris_files
from tests.bench.tables import Line, Table

RUNS = 5
LARGE = 50_000  # references; larger files are read once
GIGABYTE = 1 << 30


def speed(folder: Path, count: int = 20_000) -> None:
    """rispy and ours on one file, in turns, so that a slow minute hits both."""
    import rispy

    path = folder / "speed.ris"
    size = ris_files.write(path, count)
    ways: dict[str, Callable[[], object]] = {
        "rispy.load": lambda: rispy.load(path),
        "text to entries": lambda: sum(1 for _ in _entries(path)),
        "file to items": lambda: sum(1 for _ in _items(path)),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(RUNS):
        for name, way in ways.items():
            best[name] = min(best[name], _seconds(way))
    say(f"{count} references, {size / count:.0f} bytes each; processor time, best of {RUNS}")
    for name, seconds in best.items():
        say(f"  {name:16} {count / seconds:9,.0f} references/s   {best['rispy.load'] / seconds:5.2f} of rispy")


def table(folder: Path, counts: Sequence[int], runs: int) -> Table:
    """Processor time of rispy and of ours on the same files, in turns, best of several runs."""
    import rispy

    lines: list[Line] = []
    for count in counts:
        path = folder / f"{count}.ris"
        ris_files.write(path, count)
        best = [float("inf"), float("inf")]
        for _ in range(runs if count <= LARGE else 1):
            best[0] = min(best[0], _seconds(lambda path=path: rispy.load(path)))  # type: ignore[misc]
            best[1] = min(best[1], _seconds(lambda path=path: sum(1 for _ in _items(path))))  # type: ignore[misc]
        path.unlink()
        theirs, ours = best
        lines.append(
            {
                "references": count,
                "rispy s": theirs,
                "zotdrop s": ours,
                "us a reference": ours / count * 1e6,
                "ratio": theirs / ours,
            }
        )
    title = "Reading, file to finished items (rispy: to its dictionaries), processor time"
    return Table("reading", title, tuple(lines), "us a reference", ("references",))


def linear(folder: Path) -> None:
    """The time for each reference must not grow with their number."""
    for count in (1_000, 10_000, 100_000, 1_000_000):
        path = folder / f"{count}.ris"
        ris_files.write(path, count)
        began = time.process_time()
        read = sum(1 for _ in _items(path))
        seconds = time.process_time() - began
        path.unlink()
        say(f"  {read:>9,} references: {seconds / read * 1e6:6.1f} us each")


def memory(folder: Path) -> None:
    """In a process of its own: what it takes more at most, over a file of 1 GB, than before it began."""
    path = folder / "large.ris"
    with path.open("wb") as file:
        block = "".join(ris_files.references(20_000)).encode()
        while file.tell() < GIGABYTE:
            file.write(block)
    say(f"  1 GB: {_in_process('grows', path)}")


def hostile(folder: Path) -> None:
    """Each in a process of its own."""
    for name, write in HOSTILE.items():
        path = folder / "hostile.ris"
        with path.open("wb") as file:
            for part in write():
                file.write(part)
        say(f"  {name} ({path.stat().st_size / 1e6:.0f} MB): {_in_process('grows', path)}")


def _a_line_of_1_gb() -> Iterator[bytes]:
    yield b"TY  - JOUR\nAB  - "
    for _ in range(1024):
        yield b"wordword" * (1 << 17)


def _references_in_one_line() -> Iterator[bytes]:
    line = " ".join("".join(ris_files.references(1000)).split()).encode() + b" "
    for _ in range(200):
        yield line


def _types_without_end() -> Iterator[bytes]:
    for number in range(1_000_000):
        yield b"TY  - JOUR\nTI  - Walls %d\n" % number


def _tags_in_one_record() -> Iterator[bytes]:
    yield b"TY  - JOUR\n"
    for _ in range(1000):
        yield b"AU  - Moss, Ada\n" * 10_000
    yield b"ER  - \n"


def _nulls() -> Iterator[bytes]:
    for _ in range(100):
        yield b"\0" * (1 << 20)


def _almost_ends() -> Iterator[bytes]:
    yield b"TY  - JOUR\nAB  - "
    for _ in range(100_000):
        yield b"ER - " + b" " * 100 + b"x "
    yield b"\nER  - \n"


def _semicolons() -> Iterator[bytes]:
    yield b"TY  - JOUR\nAU  - " + b"; " * 500_000 + b"x\nAB  - " + b"<a " * 500_000 + b"&lt;" * 200_000 + b"\nER  - \n"


HOSTILE: dict[str, Callable[[], Iterator[bytes]]] = {
    "one value of 1 GB in one line": _a_line_of_1_gb,
    "200,000 references in one line": _references_in_one_line,
    "a million TY without ER": _types_without_end,
    "10 million tags in one record": _tags_in_one_record,
    "null bytes": _nulls,
    "almost an end, 100,000 times": _almost_ends,
    "semicolons and open brackets": _semicolons,
}


def grows(path: Path) -> None:
    """Read a file to items; what it took, on stdout."""
    before, began = _resident(), time.process_time()
    count = sum(isinstance(part, Reading) for part in _parts(path))
    say(
        f"{count:,} records, {time.process_time() - began:.1f} s, {(_resident() - before) / 1024:.0f} MB more than idle"
    )


def _entries(path: Path) -> Iterator[Entry]:
    with drops.open_lines(path) as lines:
        for part in ris_scan.scan(lines.chunks(), lines.decode, lines.guess.bom):
            if isinstance(part, Entry):
                yield part


def _parts(path: Path) -> Iterator[object]:
    with drops.open_lines(path) as lines:
        for part in readings(lines):
            if isinstance(part, Reading):
                tidied(part)
            yield part


def _items(path: Path) -> Iterator[object]:
    for part in _parts(path):
        if isinstance(part, Reading) and part.record is not None:
            yield to_item(part.record)


def _seconds(way: Callable[[], object]) -> float:
    gc.collect()
    began = time.process_time()
    way()
    return time.process_time() - began


def _resident() -> int:
    """The most memory that this process has had, in KB (Linux; `ru_maxrss` begins with that of the process it came from)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def _in_process(name: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, name, str(path)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip()[-300:]


def say(line: str) -> None:
    """One line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """The parts that are named, or all."""
    if sys.argv[1:2] == ["grows"]:
        grows(Path(sys.argv[2]))
        return
    parts = {"speed": speed, "linear": linear, "memory": memory, "hostile": hostile}
    for name in sys.argv[1:] or parts:
        say(name)
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder))


if __name__ == "__main__":
    main()
