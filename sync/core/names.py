"""Names of people and groups as exports write them."""

from __future__ import annotations

import re
from functools import lru_cache

from sync.core.record import Creator

_LEFTOVER = re.compile(r"(?:,?\s+and)?[\s;]*$")
_LETTER = re.compile(r"[^\W\d_]")
_GROUP = re.compile(
    r"\d|\b(?:group|committee|consortium|network|team|society|association|of|for|the|and)\b|&", re.IGNORECASE
)
_INITIAL = r"[^\W\d_a-z]\.?(?:-?[^\W\d_a-z]\.?)?"  # `C`, `C.`, `CD`, `C.D.`, `J-P`
_INITIALS_LAST = re.compile(rf"(?P<last>[^\W\d_].*?[^\W\d_])(?P<first>(?:\s+{_INITIAL})+)")
_INITIALS_FIRST = re.compile(r"(?P<first>(?:[^\W\d_a-z]\.\s*)+(?:-[^\W\d_a-z]\.\s*)*)(?P<last>[^\W\d_]{2}.*)")
_LONE_LETTER = re.compile(r"(?:(?<![\w.'\u2019-])|(?<=[^\W\d_]{2}-))([^\W\d_])(?![\w.'\u2019-])")
_MOST_INITIALS = 3  # capitals that are taken for initials; more are a name in capitals
_LONGEST = 200  # letters; no name is longer, and the patterns above are not for whole paragraphs


def parse_names(text: str, role: str) -> list[Creator]:
    """The creators of one value: `Last, First` pairs, several parted by semicolons, or by lines that each hold a comma."""
    parts = [part for line in _lines(text) for part in line.split(";")]
    return [creator for part in parts if (creator := parse_name(part, role)) is not None]


def parse_name(text: str, role: str) -> Creator | None:
    """`Last, First` and `Last, First, Jr` are persons, and so are names whose initials tell their parts (`Moss C D`, `C. Moss`).

    Any other name without comma keeps one field, as in Zotero's import. None where no letter stands in it.
    """
    found = _as_written(_LEFTOVER.sub("", " ".join(text.split())), role)
    if found is None or not _LETTER.search(found.name or found.last + found.first):
        return None
    return found if not found.name or text.rstrip("; ").endswith(",") else _told_by_initials(found)


@lru_cache(maxsize=20_000)
def names_as_written(text: str, role: str) -> tuple[tuple[Creator, ...], str]:
    """The creators of one value as Zotero's import takes them: cut at the first comma and nowhere else.

    With them the code of what `tidy` would mend: `names-joined`, `name-undivided`, `placeholder`, or nothing.
    """
    people = tuple(found for line in _lines(text) if (found := _as_written(line, role)) is not None)
    return people, next((code for one in people if (code := _doubt(one))), "")


def initials_dotted(first: str) -> str:
    """A given name whose initials have their stops, as Zotero's import writes it: `David B` is `David B.`, `MJ` is `M. J.`."""
    if first.isupper() and first.isalpha() and len(first) <= _MOST_INITIALS:
        return " ".join(f"{letter}." for letter in first)
    return lone_initials_dotted(first)


def lone_initials_dotted(first: str) -> str:
    """A given name whose letters that stand alone have their stop: `David B` is `David B.`, `Chin-I` is `Chin-I.`."""
    return _LONE_LETTER.sub(r"\1.", first)


def as_one_text(creator: Creator) -> str:
    """A creator as a drop writes it: `Last, First`, or the one name."""
    return creator.name or ", ".join(part for part in (creator.last, creator.first) if part)


def _lines(text: str) -> list[str]:
    """The lines of a value that hold a name each; one, if it was a long name that was wrapped."""
    if "\n" not in text:
        return [text]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return lines if all("," in line.strip(",; ") for line in lines) else [" ".join(lines)]


def _as_written(text: str, role: str) -> Creator | None:
    name = " ".join(text.split()).rstrip(", ")
    last, _, first = (part.strip() for part in name.partition(","))
    if last and first:
        return Creator(role, last=last, first=first)
    return Creator(role, name=last or first) if last or first else None


def _doubt(creator: Creator) -> str:
    text = as_one_text(creator)
    if ";" in text or text.endswith(" and"):
        return "names-joined"
    if not creator.name:
        return ""
    if not _LETTER.search(text) or text.upper() == "NA":
        return "placeholder"
    return "" if _told_by_initials(creator).name else "name-undivided"


def _told_by_initials(creator: Creator) -> Creator:
    name = creator.name
    if len(name) > _LONGEST or _GROUP.search(name):
        return creator
    found = _INITIALS_LAST.fullmatch(name) or _INITIALS_FIRST.fullmatch(name)
    if found is None or not re.search(r"[a-z]", found["last"]):
        return creator
    return Creator(creator.creator_type, last=found["last"], first=" ".join(found["first"].split()))
