"""Values that are provably better than what a record has: the same fact, said more fully. A table, with a reason each.

None of them replaces a fact by another one: each rule asks that the new value says what the old one says, and more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from sync.core.folding import fold
from sync.core.record import Creator

_SMALL = frozenset(
    {
        *(
            "a",
            "an",
            "and",
            "das",
            "de",
            "del",
            "der",
            "des",
            "di",
            "die",
            "du",
            "e",
            "el",
            "en",
            "et",
            "for",
            "für",
            "fur",
            "in",
        ),
        *("la", "las", "le", "les", "los", "of", "on", "the", "to", "und", "van", "y", "zu"),
    }
)
_NO_ABSTRACT = re.compile(
    r"\W*(?:no\s+)?(?:abstract|summary)?\s*(?:(?:is\s+)?(?:not\s+)?available|provided)?(?:\s+for\s+this\s+\w+)?\W*",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"\s*(?:\.\.\.|…|\[\.\.\.\]|\(?abstract truncated(?: at \d+ words)?\)?|\(truncated\))\W*$", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}(?:-\d\d){0,2}")
_RANGE = re.compile(r"([A-Za-z]*\d+)\s*[-\u2013]\s*[A-Za-z]*\d+")
_OTHERS = re.compile(r"\W*(?:et al|and others|others|u\.? ?a)\W*", re.IGNORECASE)
_ENOUGH = 80  # letters of a folded abstract that are surely no other's


def upgrade(name: str, old: str, new: str) -> str:
    """Why `new` is a better value of this (base) field than `old`; empty where it is not, or nobody can tell."""
    reason, better = _UPGRADES.get(name, ("", None))
    return reason if better and old and new and old != new and better(old, new) else ""


def better_people(old: Sequence[Creator], new: Sequence[Creator]) -> tuple[Creator, ...]:
    """The creators with what `new` says more fully of the same people in the same order; `old` itself where it says no more.

    A list that ends in "et al" gets the others.
    """
    if tuple(old) == tuple(new):
        return tuple(old)
    cut = bool(old) and _OTHERS.fullmatch(_whole(old[-1])) is not None
    known = old[:-1] if cut else old
    fits = len(new) > len(known) if cut else len(new) == len(known)
    if not known or not fits or not all(map(_same_person, known, new)):
        return tuple(old)
    rest = new[len(known) :] if cut else ()
    return (*map(_better_person, known, new), *rest)


def _full_journal(old: str, new: str) -> bool:
    """`J Appl Tidal Biol` is `Journal of Applied Tidal Biology`: word for word, each cut off or drawn together."""
    short = fold(old).split()
    for skip in (_SMALL, frozenset[str]()):
        full = [word for word in fold(new).split() if word not in skip]
        kept = [word for word in short if word not in skip]
        if len(kept) == len(full) and sum(map(len, full)) > sum(map(len, kept)) and all(map(_shortens, kept, full)):
            return True
    return False


def _shortens(short: str, full: str) -> bool:
    """Whether the letters of `short` stand in `full` in this order, the first one first: `natl` of `national`."""
    letters = iter(full)
    return short[:1] == full[:1] and all(letter in letters for letter in short)


def _finer_date(old: str, new: str) -> bool:
    return bool(_DATE.fullmatch(old) and _DATE.fullmatch(new) and new.startswith(f"{old}-"))


def _whole_abstract(old: str, new: str) -> bool:
    """Instead of a placeholder, or of a beginning."""
    if _NO_ABSTRACT.fullmatch(old):
        return _NO_ABSTRACT.fullmatch(new) is None
    if _NO_ABSTRACT.fullmatch(new):
        return False
    mark = _CUT.search(old)
    begun, whole = fold(old[: mark.start()] if mark else old), fold(new)
    if mark:  # the last word may be cut as well
        begun = begun.rpartition(" ")[0]
    return len(begun) >= (_ENOUGH // 2 if mark else _ENOUGH) and len(whole) > len(begun) and whole.startswith(begun)


def _small_letters(old: str, new: str) -> bool:
    return old == old.upper() != old.lower() and new != new.upper() and fold(old) == fold(new)


def _whole_range(old: str, new: str) -> bool:
    found = _RANGE.fullmatch(new)
    return found is not None and found.group(1) == old.strip()


_UPGRADES: Mapping[str, tuple[str, Callable[[str, str], bool]]] = {
    "publicationTitle": ("full journal title", _full_journal),
    "date": ("more exact date", _finer_date),
    "abstractNote": ("whole abstract", _whole_abstract),
    "title": ("title not in capitals", _small_letters),
    "pages": ("whole range of pages", _whole_range),
}


def _whole(person: Creator) -> str:
    return person.name or f"{person.first} {person.last}".strip()


def _same_person(old: Creator, new: Creator) -> bool:
    """The same family name (or group), and given names that do not speak against each other."""
    if bool(old.name) != bool(new.name) or old.creator_type != new.creator_type:
        return False
    if old.name:
        return _name(old.name) == _name(new.name)
    mine, theirs = _given(old.first), _given(new.first)
    agree = all(one.startswith(other) or other.startswith(one) for one, other in zip(mine, theirs, strict=False))
    return _name(old.last) == _name(new.last) and agree


def _better_person(old: Creator, new: Creator) -> Creator:
    """Names in small letters for capitals, with their accents, and given names in full for initials."""
    if old == new:
        return old
    if old.name:
        return replace(old, name=_better_spelt(old.name, new.name))
    mine, theirs = _given(old.first), _given(new.first)
    longer = len(theirs) >= len(mine) and all(map(str.startswith, theirs, mine)) and "".join(theirs) != "".join(mine)
    first = new.first if longer else _better_spelt(old.first, new.first)
    last = _better_spelt(old.last, new.last)
    return old if (last, first) == (old.last, old.first) else replace(old, last=last, first=first)


def _better_spelt(old: str, new: str) -> str:
    """The new spelling of the same letters if it has small letters where the old has none, or accents that the old lacks."""
    if old == new or _name(old) != _name(new):
        return old
    return new if _small_letters(old, new) or (old.isascii() and not new.isascii() and new != new.upper()) else old


@lru_cache(maxsize=20_000)
def _name(name: str) -> str:
    """A name, folded: those of one list are compared with those of several others."""
    return fold(name)


@lru_cache(maxsize=20_000)
def _given(first: str) -> tuple[str, ...]:
    """The words of a given name, folded; initials that are run together are taken apart: `JB` is `j`, `b`."""
    parted = re.sub(r"\b([A-Z]{2,3})\b", lambda found: " ".join(found.group()), first)
    return tuple(fold(parted).split())
