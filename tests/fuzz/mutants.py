"""Mutants of the corpus: damaged files that nobody thought of, read by every reader that takes them for its own.

    python -m tests.fuzz.mutants --count 100000 --seed 1

Each mutant is made from its number and the seed alone, so that a failure can be made again. What is looked for: a crash, a reading that takes
too long, a letter that is in no entry and no gap, a word of an entry that is nowhere in its record, a whole-file reading that differs from
the one line by line.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sync import drops
from sync.core import formats
from sync.core.record import Entry, Gap, Reading
from sync.core.tidy import tidied
from sync.steps.intake import readings

HERE = Path(__file__).resolve().parents[1]
LARGEST = 6_000  # bytes of a mutant's origin: damage shows in small files, too
SLOW = 2.0  # seconds; a mutant takes a thousandth of that

_TAGS = [
    b"TY  - JOUR",
    b"ER  - ",
    b"TI  - x",
    b"TY - BOOK",
    b"ER -",
    b"AB  - ",
    b"PMID- 1",
    b"%0 Book",
    b"PT J",
    b"ER",
    b"EF",
    b"ZZ  - ?",
    b"T1  -",
]
_BITS = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b" ",
    b"  - ",
    b" - ",
    b"\t",
    b"\x00",
    b"\xa0",
    b"\xc2\xa0",
    b"\xe2\x80\x93",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\x0c",
    b"&amp;",
    b"<i>",
    b"%",
    b";",
    b",",
]
_ENCODINGS = ["cp1252", "utf-16", "utf-16-le", "mac-roman", "gb18030", "cp1251"]


def origins(folders: Sequence[Path]) -> list[bytes]:
    """The files that mutants are made from, each a piece of at most LARGEST bytes."""
    found = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".ris", ".nbib", ".enw", ".ciw"}
    )
    return [path.read_bytes()[:LARGEST] for path in found]


def mutant(origin: bytes, rng: random.Random) -> bytes:
    """The file with one to six things done to it."""
    data = origin
    for _ in range(rng.randint(1, 6)):
        data = rng.choice(_CHANGES)(data, rng)
    return data


def _span(data: bytes, rng: random.Random, most: int = 60) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.randint(0, most))


def _delete(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng, 400)
    return data[:end] + data[start:end] + data[end:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(_BITS) * rng.randint(1, 3) + data[at:]


def _insert_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    lines.insert(rng.randint(0, len(lines)), rng.choice(_TAGS))
    return b"\n".join(lines)


def _flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _join_lines(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng, 600)
    return data[:start] + re.sub(rb"[\r\n]+", b" ", data[start:end]) + data[end:]


def _shuffle_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    part = lines[at : at + 8]
    rng.shuffle(part)
    return b"\n".join([*lines[:at], *part, *lines[at + 8 :]])


def _line_ends(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice([b"\r", b"\r\n", b"\r\r\n", b"\n\r", b"\n\n"]))


def _cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _one_blank(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"  - ", rng.choice([b" - ", b"  -", b"\t-\t", b"  -  ", b" -"]))


def _lower(data: bytes, _: random.Random) -> bytes:
    return re.sub(rb"(?m)^[A-Z][A-Z0-9](?=  -)", lambda tag: tag.group().lower(), data)


def _reencode(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "ignore")


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _delete, _delete, _double, _insert, _insert, _insert_line, _insert_line, _flip, _flip, _join_lines, _shuffle_lines, _line_ends, _cut_off,
    _one_blank, _lower, _reencode,
)  # fmt: skip


def fault(data: bytes) -> str:
    """What is wrong with how these bytes are read; empty if nothing is."""
    began = time.perf_counter()
    lines = drops.lines_of(data)
    whole = "".join(line.text for line in lines)
    parts = list(readings(drops.lines_of(data)))
    for check in (_letters(parts, whole), _words(parts), _line_by_line(data, parts)):
        if check:
            return check
    seconds = time.perf_counter() - began
    return f"{seconds:.1f} s for {len(data)} bytes" if seconds > SLOW else ""


def _letters(parts: Sequence[Reading | Gap], whole: str) -> str:
    given = "".join(part.text if isinstance(part, Gap) else part.entry.text for part in parts)
    lost = Counter(_black(whole)) - Counter(_black(given))
    more = Counter(_black(given)) - Counter(_black(whole))
    return f"letters lost {dict(lost)}, letters too many {dict(more)}" if lost or more else ""


def _black(text: str) -> str:
    return re.sub(r"[\s\ufeff\x00-\x1f]", "", text)


def _words(parts: Sequence[Reading | Gap]) -> str:
    for part in parts:
        if isinstance(part, Gap) or not part.entry.tagged:
            continue
        for reading in (part, tidied(part)):
            told = _said(reading)
            missing = [value for value in _values(part.entry) if not _told(value, told)]
            if missing:
                return f"in no field of the record from line {part.entry.lines[0]}: {missing[:3]}"
    return ""


def _values(entry: Entry) -> Iterator[str]:
    for tag, value, _ in entry.tagged:
        if tag not in {"TY", "ER", "PT", "%0"}:
            seen = unicodedata.normalize("NFC", re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]", "", value))
            yield from re.findall(r"[A-Za-z]{4,}", re.sub(r"&#?\w+;?|<[^<>]*>|%[0-9A-Fa-f]{2}", " ", seen))


def _told(word: str, told: str) -> bool:
    return word.lower() in told or word.lower() in _LABELS


_LABELS = {
    "http",
    "https",
    "pmid",
    "pmcid",
    "issn",
    "isbn",
    "info",
    "medline",
    "pubmed",
    "print",
    "electronic",
    "linking",
    "eissn",
}


def _said(reading: Reading) -> str:
    record = reading.record
    if record is None:
        return ""
    people = [f"{creator.last} {creator.first} {creator.name}" for creator in record.creators]
    links = [attachment.url for attachment in record.attachments]
    kept = [value for _, value in record.unmapped]
    said = [*record.fields.values(), *record.identifiers.values(), *record.tags, *record.notes, *people, *links, *kept]
    return re.sub(r"[\s\x00-\x1f]+", " ", "\n".join(said)).lower()


def _line_by_line(data: bytes, parts: Sequence[Reading | Gap]) -> str:
    """RIS is read whole where it can be; line by line the result must be the same."""
    lines = drops.lines_of(data)
    known = formats.sniff("\n".join(line.text for line in lines)[:200_000])
    if known is None or known.scan is None or not lines.ascii_like:
        return ""
    slow = [part.tagged if isinstance(part, Entry) else part.text for part in known.read(drops.lines_of(data))]
    fast = [part.text if isinstance(part, Gap) else part.entry.tagged for part in parts]
    return "" if slow == fast else "read as a whole and line by line it differs"


def hunt(count: int, seed: int, folders: Sequence[Path]) -> Iterator[tuple[int, bytes, str]]:
    """The number, the bytes and the fault of every mutant that has one."""
    files = origins(folders)
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        data = mutant(rng.choice(files), rng)
        try:
            wrong = fault(data)
        except Exception as crash:  # noqa: BLE001 - a crash of any kind is what is hunted
            wrong = f"{type(crash).__name__}: {crash}"
        if wrong:
            yield number, data, wrong


def main() -> int:
    """Hunt, write down what was found, and say how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("mutants"), help="folder for what is found")
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE / "corpus"])
    wanted = parser.parse_args()
    found = 0
    for number, data, wrong in hunt(wanted.count, wanted.seed, wanted.folders):
        found += 1
        wanted.keep.mkdir(exist_ok=True)
        (wanted.keep / f"{wanted.seed}-{number}.txt").write_bytes(data)
        print(f"mutant {wanted.seed}/{number}: {wrong}", flush=True)
    print(f"{wanted.count} mutants, {found} with a fault")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
