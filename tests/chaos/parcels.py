"""What is dropped: works as databases export them, in several formats, whole and damaged, and files that are no exports at all."""

from __future__ import annotations

import gzip
import hashlib
import html
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.servers.works import Work, to_ris


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file. works: one for each record in it, in order.  doubtful: works of records that a person has to be asked about."""

    kind: str
    suffix: str
    data: bytes
    works: tuple[Work, ...] = ()
    doubtful: frozenset[str] = frozenset()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def nbib(works: Iterable[Work]) -> str:
    """As PubMed saves it."""
    return "\n".join("".join(f"{tag:<4}- {value}\n" for tag, value in _nbib(work) if value) for work in works)


def _nbib(work: Work) -> list[tuple[str, str]]:
    return [
        ("PMID", work.pmid),
        ("TI", work.plain_title),
        *(("FAU", f"{a.last}, {a.first}") for a in work.authors),
        ("JT", html.unescape(work.journal)),
        ("TA", work.abbreviation),
        ("DP", str(work.date[0])),
        ("VI", work.volume),
        ("IP", work.issue),
        ("PG", work.pages or work.article_number),
        ("LID", f"{work.doi} [doi]"),
        ("PT", "Journal Article"),
        ("AB", work.whole_abstract),
    ]


def enw(works: Iterable[Work]) -> str:
    """As EndNote's tagged text."""
    return "\n".join("".join(f"%{tag} {value}\n" for tag, value in _enw(work) if value) for work in works)


def _enw(work: Work) -> list[tuple[str, str]]:
    return [
        ("0", "Journal Article"),
        ("T", work.plain_title),
        *(("A", f"{a.last}, {a.first}") for a in work.authors),
        ("J", html.unescape(work.journal)),
        ("D", str(work.date[0])),
        ("V", work.volume),
        ("N", work.issue),
        ("P", work.pages or work.article_number),
        ("R", work.doi),
        ("X", work.whole_abstract),
    ]


def _ris(works: Sequence[Work], _dice: random.Random) -> Parcel:
    return Parcel("ris", ".ris", to_ris(works, without={"VL"}).encode(), tuple(works))


def _poor(works: Sequence[Work], _dice: random.Random) -> Parcel:
    """Without most of what the sources know."""
    return Parcel("ris with little", ".ris", to_ris(works, without={"VL", "IS", "AB", "KW"}).encode(), tuple(works))


def _nbib_file(works: Sequence[Work], _dice: random.Random) -> Parcel:
    return Parcel("nbib", ".nbib", nbib(works).encode(), tuple(works))


def _enw_file(works: Sequence[Work], _dice: random.Random) -> Parcel:
    return Parcel("enw", ".enw", enw(works).encode(), tuple(works))


def _utf16(works: Sequence[Work], _dice: random.Random) -> Parcel:
    return Parcel("ris in UTF-16", ".ris", to_ris(works).encode("utf-16"), tuple(works))


def _pasted_twice(works: Sequence[Work], _dice: random.Random) -> Parcel:
    return Parcel("pasted twice", ".txt", (to_ris(works) + "\n" + to_ris(works)).encode(), (*works, *works))


def _without_end(works: Sequence[Work], _dice: random.Random) -> Parcel:
    text = to_ris(works, newline="\n").replace("ER  - \n", "")
    return Parcel("without ER", ".ris", text.encode(), tuple(works))


def _cut_off(works: Sequence[Work], _dice: random.Random) -> Parcel:
    """The connection broke while it was saved: the last line is half."""
    text = to_ris(works, newline="\n", without={"AB", "KW"})
    last = to_ris(works[-1:], newline="\n", without={"AB", "KW"})
    half = text[: len(text) - len(last) + last.index("\nUR  - ") + len("\nUR  - https://do")]
    return Parcel("cut off", ".ris", half.encode(), tuple(works), frozenset({works[-1].doi}))


def _with_walls(works: Sequence[Work], _dice: random.Random) -> Parcel:
    """Text that belongs to no record stands around them."""
    parts = (to_ris([work], newline="\n") for work in works)
    text = "Your search of Friday, page 1\n\n" + "\n--- next page ---\n\n".join(parts) + "\nEnd of export\n"
    return Parcel("text around", ".ris", text.encode(), tuple(works))


def _junk(_works: Sequence[Work], dice: random.Random) -> Parcel:
    return Parcel("noise", ".ris", dice.randbytes(dice.randint(1, 3000)))


def _packed(works: Sequence[Work], dice: random.Random) -> Parcel:
    data = gzip.compress(to_ris(works).encode() + dice.randbytes(4), mtime=0)
    return Parcel("packed", ".ris", data)


def _page(_works: Sequence[Work], dice: random.Random) -> Parcel:
    return Parcel("a page", ".ris", f"<!DOCTYPE html><html><p>Session {dice.random()} has expired</p></html>".encode())


Make = Callable[[Sequence[Work], random.Random], Parcel]
WHOLE: Sequence[Make] = (_ris, _ris, _poor, _nbib_file, _enw_file, _utf16, _pasted_twice)
DAMAGED: Sequence[Make] = (_without_end, _cut_off, _with_walls, _junk, _packed, _page)


class Press:
    """Makes parcels: works that nobody has had yet, and some that others had before."""

    def __init__(self, works: Sequence[Work], dice: random.Random, *, most: int) -> None:
        self._works, self._dice, self._most = works, dice, most
        self._used = 0
        self._makers: list[Make] = []

    @property
    def used_up(self) -> bool:
        return self._used >= len(self._works)

    def parcel(self) -> Parcel:
        return self._maker()(self._chosen(), self._dice)

    def fresh(self) -> Work | None:
        """A work that no parcel has had yet."""
        return None if self.used_up else self._works[self._used]

    def _chosen(self) -> list[Work]:
        count = self._dice.randint(1, self._most)
        old = self._dice.sample(self._works[: self._used], min(self._used, self._dice.randint(0, count // 2 + 1)))
        new = self._works[self._used : self._used + max(1, count - len(old))]
        self._used += len(new)
        chosen = [*old, *new]
        self._dice.shuffle(chosen)
        return chosen

    def _maker(self) -> Make:
        """Each kind once before any comes again."""
        if not self._makers:
            self._makers = [*WHOLE, *DAMAGED]
            self._dice.shuffle(self._makers)
        return self._makers.pop()
