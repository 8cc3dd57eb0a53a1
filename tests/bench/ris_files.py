"""RIS files of any size for the benchmarks: invented references of the shape that reference managers write.

A reference has about 25 lines and 1.6 KB, as the large exports measured have: 4 authors, an abstract, 5 keywords, every seventh with letters
beyond ASCII, every third with an abstract of several lines. No two are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

_NAMES = [
    "Abel",
    "Brandt",
    "Cortés",
    "Dahl",
    "Eklund",
    "Farkas",
    "Grønberg",
    "Haas",
    "Ivers",
    "Jansen",
    "Kowal",
    "Lind",
    "Möller",
    "Novak",
    "Ortega",
    "Petit",
    "Quast",
    "Rossi",
    "Sato",
    "Tran",
]
_GIVEN = [
    "Anna",
    "Bo",
    "Clara",
    "David",
    "Eva",
    "Frank",
    "Greta",
    "Hans",
    "Ida",
    "Jon",
    "Karin",
    "Lars",
    "Mia",
    "Nils",
    "Olga",
    "Per",
    "Rita",
    "Sven",
    "Tora",
    "Ulf",
]
_WORDS = [
    "effect",
    "training",
    "older",
    "adults",
    "memory",
    "outcome",
    "random",
    "trial",
    "primary",
    "care",
    "patients",
    "heart",
    "failure",
    "sleep",
    "quality",
    "review",
    "home",
    "nurse",
    "digital",
    "support",
    "pain",
    "control",
    "risk",
    "children",
    "school",
    "weight",
    "blood",
    "pressure",
    "model",
    "network",
    "stress",
    "diet",
    "exercise",
    "group",
    "cohort",
    "survey",
    "region",
    "cost",
]
_JOURNALS = [
    "Annals of Invented Medicine",
    "Journal of Sample Studies",
    "Nordic Archive of Trials",
    "Review of Made-up Care",
]


def _phrase(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(_WORDS, k=count))


def reference(rng: random.Random, number: int) -> str:
    """One reference as text, its ER and the blank line after it included."""
    plain = number % 7
    names = [name for name in _NAMES if name.isascii()] if plain else _NAMES
    year = rng.randint(1990, 2024)
    lines = ["TY  - JOUR", f"TI  - {_phrase(rng, 12).capitalize()} {number}"]
    lines += [f"AU  - {rng.choice(names)}, {rng.choice(_GIVEN)} {rng.choice('ABCDEFGH')}." for _ in range(4)]
    lines += [
        f"T2  - {rng.choice(_JOURNALS)}",
        "J2  - Ann Inv Med",
        f"PY  - {year}",
        f"DA  - {year}/{rng.randint(1, 12):02d}/15/",
    ]
    lines += [
        f"VL  - {rng.randint(1, 90)}",
        f"IS  - {rng.randint(1, 12)}",
        f"SP  - {number % 900}",
        f"EP  - {number % 900 + 9}",
    ]
    lines += ["SN  - 1234-5679", f"DO  - 10.5555/bench.{number}", f"UR  - https://example.org/article/{number}"]
    lines += [f"KW  - {_phrase(rng, 2)}" for _ in range(5)]
    parts = [f"Background: {_phrase(rng, 40)}.", f"Methods: {_phrase(rng, 60)}.", f"Results: {_phrase(rng, 50)}."]
    lines += [f"AB  - {('' if number % 3 else chr(10)).join(' ' * bool(number % 3) + part for part in parts).strip()}"]
    lines += ["LA  - eng", "DB  - Sample Base", f"AN  - {number:08d}", "ER  - ", "", ""]
    return "\n".join(lines)


def references(count: int, seed: int = 1) -> Iterator[str]:
    """So many references, one after the other; the same for the same seed."""
    rng = random.Random(seed)
    return (reference(rng, number) for number in range(count))


def write(path: Path, count: int, seed: int = 1) -> int:
    """Write a file of so many references; its size in bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(references(count, seed))
    return path.stat().st_size
