"""Physical lines of RIS to tagged values: in whatever shape the tag is written, and where line ends were lost.

The specification's shape is `XX  - value` (RIS Format Specifications, Research Information Systems, 2001 and 2011). Real
exports write one blank, none, tabs, hard blanks, other dashes, lower case and long tags (`PMID  - 1`); some download buttons
join the lines of a reference, or of a whole file, with single blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sync.core.record import Problem, SourceLine

# Tags of the specifications of 2001 and 2011, and those that vendors add (seen in real exports).
_TAG_WORDS = (
    "TY ER A1 A2 A3 A4 A5 A6 AB AD AI AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CC CN CP CR CT CY DA DB DI DO DP ED EP ET FU FX"
    " H1 H2 ID IS J1 J2 J9 JA JF JI JO KW L1 L2 L3 L4 LA LB LK M1 M2 M3 M4 N1 N2 NL NS NV OP PA PB PD PG PI PP PT PU PY RI RN"
    " RP SE SM SN SO SP ST SV T1 T2 T3 T4 TA TI TS TT U1 U2 U3 U4 U5 UR VL VO WE WP WT WV Y1 Y2"
)
_TELLING = "AU A1 TI T1 JO JF PY Y1 DO AB UR SN T2 KW"
KNOWN = frozenset(_TAG_WORDS.split())
LONG = frozenset({"PMID", "PMCID", "DOI", "ISSN", "ISBN"})
_NAMED = KNOWN | LONG
# Two or more of these make a reference even where its TY is lost.
BIBLIOGRAPHIC = frozenset(_TELLING.split())

_BLANK = " \t\u00a0\u2002\u2003\u2009\u200b\u200c\u200d\ufeff\x00\x0b\x0c"
_DASH = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_STRICT = re.compile(r"\ufeff?([A-Z][A-Z0-9])  -(?: +(.*)|\Z)", re.DOTALL)
_LENIENT = re.compile(rf"[{_BLANK}]*([A-Za-z][A-Za-z0-9])[{_BLANK}]*[{_DASH}](?:[{_BLANK}]+(.*)|(.*))", re.DOTALL)
_LONG = re.compile(rf"[{_BLANK}]*(PMC?ID|DOI|ISSN|ISBN)[{_BLANK}]{{1,2}}-[{_BLANK}](.*)", re.DOTALL | re.IGNORECASE)
_TWO_BLANKS = re.compile(r"[A-Z][A-Z0-9]  -")
_TYPE_OR_TAG = re.compile(rf"(?:^|\s)TY[{_BLANK}]{{0,3}}[{_DASH}][{_BLANK}]*[A-Za-z]{{2,9}}(?:\s|$)", re.IGNORECASE)
_TYPE_AT_START = re.compile(rf"^[{_BLANK}]*TY[{_BLANK}]{{1,3}}-", re.IGNORECASE | re.MULTILINE)

# Whether `tokens` may find a tag in a line: quickly told, and rather yes than no; so may it, where TY stands in the line.
like_a_tag = re.compile(rf"[{_BLANK}]*(?:[A-Za-z][A-Za-z0-9]|(?i:PMC?ID|DOI|ISSN|ISBN))[{_BLANK}]*[{_DASH}]").match
_END_INSIDE = re.compile(r"[^\S\n]ER[ \t]{0,2}-")

_TAGS = "|".join(sorted(KNOWN - {"TY", "ER"}))
_WORDS = "AI|CA|CP|CR|CT|DI|PA|PI|PT|RI|WE"  # tags that are abbreviations in running text too: `AI - based tools`
_NO_END = r"(?:(?!ER[ \t]{0,2}-)\S+\s+)"  # a word that is no ER
# Where a line that lost its breaks is cut: at a known tag that stands alone before its dash. `TY` needs a type code after it;
# after `ER` the line ends (some words may stand there), or the next reference opens (a counter or a notice may stand between).
_CUT = re.compile(
    r"(?<!\S)(?:(?P<ty>TY)[ \t]{0,2}-(?=[ \t]+[A-Z]{2,8}(?:\s|$))"
    rf"|(?P<er>ER)[ \t]{{0,2}}-(?=\s*$|\s+{_NO_END}{{0,20}}(?!ER[ \t]{{0,2}}-)\S+\s*$|\s+{_NO_END}{{0,20}}TY[ \t]{{0,2}}-\s+[A-Z]{{2,8}}(?:\s|$))"
    rf"|(?P<tag>(?!(?:{_WORDS})[ \t]{{0,2}}-\s+[a-z])(?:{_TAGS}))[ \t]{{0,2}}-(?=\s|$)"
    r"|(?P<long>DOI(?=[ \t]+-\s+10\.)|PMID(?=[ \t]+-\s+\d)|PMCID(?=[ \t]+-\s+PMC))[ \t]+-)"
)
_RUN_ON = re.compile(rf"[ \t]{{2,}}(?P<tag>{_TAGS})  - ")
_LEAST = (
    3  # tags in a line that is not a TY line, from which on (an ER among them) it is taken for one that lost its breaks
)
_LONG_LINE = 40  # letters; shorter lines of text are not searched for a TY

_TAG_SHAPE = "a tag in another shape than `XX  - `"
_BREAKS_LOST = "several values stand in one line; they were told apart by their tags"
_GLUED = "two values stood in one line; they were told apart by their tags"

_Cut = tuple[int, int, str]  # where a tag begins, where its value begins, the tag


@dataclass(frozen=True, slots=True)
class Token:
    """A tagged value or (`tag` empty) a line without tag, with its line, its byte range and its text as it stood."""

    tag: str
    value: str
    number: int
    start: int
    end: int
    text: str
    problem: Problem | None = None


@dataclass(slots=True)
class Habit:
    """How this file has been seen to write tags. strict: its TY stands as the specification says.  lower: in lower case."""

    strict: bool = False
    lower: bool = False


def looks_like(head: str) -> bool:
    """Whether a text begins like RIS: somewhere a TY with its dash, or an ER and two of the tags of a reference."""
    if _TYPE_OR_TAG.search(head) or _TYPE_AT_START.search(head):
        return True
    tags = {found.group(1) for line in head.split("\n") if (found := _STRICT.match(line))}
    tags |= {tag for _, _, tag in _cuts(head, 0)} if "ER" not in tags else set()
    return "ER" in tags and len(tags & BIBLIOGRAPHIC) > 1


def has_type_line(head: str) -> bool:
    """Whether a line begins with TY and its dash: then it is RIS, whatever else stands in it."""
    return _TYPE_AT_START.search(head) is not None


def tokens(line: SourceLine, habit: Habit, *, inside: bool) -> Iterable[Token]:
    """What a physical line holds: one tagged value, a line without tag, or, where breaks were lost, many values.

    inside: whether a reference is open; only there a tag that nobody knows is a tag.
    """
    text = line.text
    strict = _STRICT.match(text)
    tag, value = strict.groups("") if strict else _lenient(text, habit, inside=inside)
    habit.strict = habit.strict or (strict is not None and tag == "TY")
    if not tag or not (inside or tag in _NAMED):
        return _untagged(line)
    if _lost_breaks(tag, value):
        return _pieces(line, _with_first(text, tag, _cuts(text, 0)), "line-breaks-lost", _BREAKS_LOST)
    if "  - " in value and _RUN_ON.search(value):
        found = [(cut.start("tag"), cut.end(), cut.group("tag")) for cut in _RUN_ON.finditer(text)]
        return _pieces(line, _with_first(text, tag, found), "values-glued", _GLUED)
    problem = None if strict else Problem("tag-shape", _TAG_SHAPE, line.number)
    return (Token(tag, value, line.number, line.start, line.end, text, problem),)


def may_hold_an_end(text: str) -> bool:
    """Whether `tokens` may find an ER inside a line: quickly told, and rather yes than no."""
    return (" ER" in text or "\t" in text) and _END_INSIDE.search(text) is not None


def _untagged(line: SourceLine) -> Iterable[Token]:
    """A line of text; words may stand in it before a whole reference that lost its breaks."""
    text = line.text
    cuts = _cuts(text, 0) if len(text) > _LONG_LINE and "TY" in text else []
    first = next((place for place, (_, _, tag) in enumerate(cuts) if tag == "TY"), None)
    if first is not None:
        return _pieces(line, cuts[first:], "line-breaks-lost", _BREAKS_LOST)
    return (Token("", text, line.number, line.start, line.end, text),)


def _lenient(text: str, habit: Habit, *, inside: bool) -> tuple[str, str]:
    """Tag and value of a line in another shape than the specification's; an empty tag if it has none."""
    long = _LONG.match(text)
    if long and (long.group(1).isupper() or habit.lower):
        return long.group(1).upper(), long.group(2)
    found = _LENIENT.match(text)
    if not found:
        return "", text
    tag, value = found.group(1), found.group(2) if found.group(2) is not None else found.group(3)
    known = tag.upper() in KNOWN
    if not known:
        return (tag, value) if inside and _TWO_BLANKS.match(text) else ("", text)
    if tag != tag.upper():
        habit.lower = habit.lower or tag == "ty"
        return (tag.upper(), value) if habit.lower and tag.islower() else ("", text)
    glued = found.group(2) is None and bool(value)  # nothing between dash and value
    if glued and tag != "TY" and not _TWO_BLANKS.match(text):
        return "", text
    if habit.strict and value[:1].islower() and not _TWO_BLANKS.match(text):
        return "", text  # `AI - based tools`: words of a wrapped line
    return tag, value


def _lost_breaks(tag: str, value: str) -> bool:
    """Whether more than one value stands in a tagged line: a TY that is followed by tags, or many tags and an end."""
    if " -" not in value:
        return False
    found = [tag for _, _, tag in _cuts(value, 0)]
    return bool(found) if tag == "TY" else len(found) >= _LEAST and "ER" in found


def _cuts(text: str, begin: int) -> list[_Cut]:
    return [(cut.start(), cut.end(), str(cut.group(cut.lastgroup or 0))) for cut in _CUT.finditer(text, begin)]


def _with_first(text: str, tag: str, cuts: list[_Cut]) -> list[_Cut]:
    """The cuts of a line, its first tag among them, in whatever shape that one stands."""
    head = _LENIENT.match(text)
    if head is None or (cuts and cuts[0][0] <= head.start(1)):
        return cuts
    after = head.start(2) if head.group(2) is not None else head.start(3)
    return [(0, after, tag), *(cut for cut in cuts if cut[0] >= after)]


def _pieces(line: SourceLine, cuts: Sequence[_Cut], code: str, message: str) -> Iterator[Token]:
    """The values of a line that is cut at its tags; what stands before the first is text without tag."""
    text, number, offset = line.text, line.number, _offsets(line)
    problem = Problem(code, message, number)
    cuts = list(_with_text(text, cuts))
    place = line.start
    for (start, after, tag), following in zip_longest(cuts, cuts[1:]):
        end = following[0] if following else len(text)
        last = offset(end) if following else line.end
        value = text[after:end].strip()
        yield Token(tag, value, number, place, last, text[start:end].strip(), problem if tag else None)
        place = last


def _with_text(text: str, cuts: Sequence[_Cut]) -> Iterator[_Cut]:
    """The cuts, and those of what belongs to no tag: words before the first, a counter or a notice after an ER."""
    if text[: cuts[0][0]].strip():
        yield 0, 0, ""
    elif cuts[0][0]:
        cuts = [(0, *cuts[0][1:]), *cuts[1:]]
    for cut, following in zip_longest(cuts, cuts[1:]):
        yield cut
        _, after, tag = cut
        if tag == "ER" and text[after : following[0] if following else None].strip():
            yield after, after, ""


def _offsets(line: SourceLine) -> Callable[[int], int]:
    """Byte offset in the file of a letter of a line, asked for in rising order.

    How the file was encoded is told by the line's own length in bytes: UTF-8, UTF-16, two bytes for each letter that is not
    ASCII (the encodings of China, Japan, Korea), or one byte each. A byte order mark belongs to the first line.
    """
    size = line.end - line.start
    fits = [(width, size - _width(line.text, width)) for width in _WIDTHS]
    width, over = next(((width, over) for width, over in fits if 0 <= over <= _MOST_OVER), ("latin-1", 0))
    mark = (
        (3 if over > _MOST_END else 0) if width == "utf-8" else (2 if width == "utf-16-le" and line.start == 0 else 0)
    )
    known = (0, line.start + mark)

    def offset(place: int) -> int:
        nonlocal known
        known = (place, min(known[1] + _width(line.text[known[0] : place], width), line.end))
        return known[1] if place else line.start

    return offset


_WIDTHS = ("utf-8", "latin-1", "two", "utf-16-le")
_MOST_END = 2  # bytes of a line end
_MOST_OVER = 6  # and of a byte order mark


def _width(text: str, width: str) -> int:
    if width == "latin-1":
        return len(text)
    if width == "two":
        return len(text) + sum(not letter.isascii() for letter in text)
    return len(text.encode(width, "surrogatepass"))
