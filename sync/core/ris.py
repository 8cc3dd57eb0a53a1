"""RIS text to entries: every line ends up in an entry or in a gap, however damaged the text is.

The format: two-character tags, two blanks, a dash, a blank; `TY` opens a reference and `ER` closes it (RIS Format
Specifications, Research Information Systems, 2001 and 2011). What real exports make of it is handled here and named as a
Problem: lost line breaks, other blanks and dashes, missing `ER` or `TY`, tags before `TY` or after `ER`, text in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sync.core.record import Entry, Gap, Problem, SourceLine, Tagged

# Tags of the specifications of 2001 and 2011, and those that vendors add (seen in real exports).
KNOWN = frozenset(
    "TY ER A1 A2 A3 A4 A5 A6 AB AD AI AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CC CN CP CR CT CY DA DB DI DO DP ED EP ET FU FX"
    " H1 H2 ID IS J1 J2 J9 JA JF JI JO KW L1 L2 L3 L4 LA LB LK M1 M2 M3 M4 N1 N2 NL NV OP PA PB PI PP PT PU PY RI RN RP SE SN"
    " SP ST SV T1 T2 T3 T4 TA TI TS TT U1 U2 U3 U4 U5 UR VL VO WE WP WT WV Y1 Y2".split()
)
LONG = frozenset({"PMID", "PMCID", "DOI", "ISSN", "ISBN"})

_BLANK = " \t\u00a0\u2002\u2003\u2009\u200b\u200c\u200d\ufeff\x00\x0b\x0c"
_DASH = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_STRICT = re.compile(r"([A-Z][A-Z0-9])  - ?(.*)", re.DOTALL)
_LENIENT = re.compile(rf"[{_BLANK}]*([A-Za-z][A-Za-z0-9])[{_BLANK}]*[{_DASH}](?:[{_BLANK}]+(.*)|(.*))", re.DOTALL)
_LONG = re.compile(rf"[{_BLANK}]*(PMC?ID|DOI|ISSN|ISBN)[{_BLANK}]{{1,2}}-[{_BLANK}](.*)", re.DOTALL)
_TAGS = "|".join(sorted(KNOWN - {"TY", "ER"}))
# Where a line that lost its breaks is cut: at a known tag that stands alone before its dash. `TY` needs a type code after it;
# `ER` closes the line, or the next reference opens after it (a counter or a notice may stand between).
_CUT = re.compile(
    rf"(?<!\S)(?:(TY)[ \t]{{0,2}}-(?=[ \t]+[A-Z]{{2,8}}(?:\s|$))|(ER)[ \t]{{0,2}}-(?=\s*$|\s+(?:\S+\s+){{0,12}}TY[ \t]{{0,2}}-)"
    rf"|({_TAGS})[ \t]{{0,2}}-(?=\s|$))"
)
_RUN_ON = re.compile(rf"[ \t]{{2,}}({_TAGS})  - ")
_RUN_ON_LEAST = 3  # tags in one line that is not a TY line, from which on it is taken for one that lost its breaks
_LOOKS = re.compile(rf"(?:^|\s)TY[{_BLANK}]{{0,3}}[{_DASH}][{_BLANK}]*[A-Za-z]{{2,9}}(?:\s|$)|(?:^|\n)[{_BLANK}]*TY[{_BLANK}]{{1,3}}-", re.IGNORECASE)
_BIBLIOGRAPHIC = frozenset("AU A1 TI T1 JO JF PY Y1 DO AB UR SN T2 KW".split())


@dataclass(slots=True)
class _Token:
    """A tagged value or (tag empty) a line without tag, with its place in the file."""

    tag: str
    value: str
    number: int
    start: int
    end: int
    text: str
    problem: Problem | None = None


@dataclass(slots=True)
class _Open:
    """A reference that is being read."""

    tokens: list[_Token] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    typed: bool = False
    ended: bool = False


def looks_like(head: str) -> bool:
    """Whether a text begins like RIS: somewhere a TY with its dash, or several of the tags of a reference at line starts."""
    if _LOOKS.search(head):
        return True
    tags = {found.group(1) for line in head.split("\n") if (found := _STRICT.match(line))}
    return "ER" in tags and len(tags & _BIBLIOGRAPHIC) > 1


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file. Memory does not grow with the file, only with its longest reference."""
    reader = _Reader()
    for line in lines:
        for token in _tokens(line, reader):
            yield from reader.take(token)
    yield from reader.finish()


class _Reader:
    """The grammar: which token belongs to which reference."""

    def __init__(self) -> None:
        self.ordinal = 0
        self.loose: list[_Token] = []  # text outside of references
        self.early: list[_Token] = []  # tags after an ER, or before the first TY: whose are they?
        self.open: _Open | None = None
        self.closed: _Open | None = None  # ended; waits for tags that may still belong to it
        self.type_comes_late = False
        self.lower_case = False

    def take(self, token: _Token) -> Iterator[Entry | Gap]:
        if token.tag == "TY":
            yield from self._type(token)
        elif self.open is not None:
            self._inside(token)
        elif token.tag == "ER":
            yield from self._end_without_type(token)
        elif token.tag or (self.early and token.value.strip()):
            self.early.append(token)
        elif token.value.strip():
            self.loose.append(token)

    def finish(self) -> Iterator[Entry | Gap]:
        if self.open is not None:
            self.open.problems.append(_problem("end-missing", "the reference has no ER; it ends with the file", self.open.tokens[-1]))
            self.closed, self.open = self.open, None
        if self.early and self.closed is None and _is_reference(self.early):
            yield from self._gap()
            yield self._untyped(self.early, ended=False)
            return
        yield from self._leave(to_new=False)
        yield from self._gap()

    def _type(self, token: _Token) -> Iterator[Entry | Gap]:
        if self.open is not None:
            self.open.problems.append(_problem("end-missing", f"no ER before the next TY in line {token.number}", self.open.tokens[-1]))
            self.closed, self.open = self.open, None
        late = bool(self.early) and (self.type_comes_late or (self.closed is None and self.ordinal == 0))
        early = self.early if late else []
        yield from self._leave(to_new=late)
        yield from self._gap()
        self.open = _Open([*early, token], typed=True)
        if early:
            self.type_comes_late = True
            self.open.problems.append(_problem("type-late", "tags stand before the TY of their reference", early[0]))

    def _inside(self, token: _Token) -> None:
        current = self.open
        if current is None:  # pragma: no cover  # the caller has looked
            return
        current.tokens.append(token)
        if token.tag != "ER":
            return
        if token.value.strip():
            current.problems.append(_problem("end-with-text", "ER has a value; it is kept", token))
        self.closed, self.open = current, None

    def _end_without_type(self, token: _Token) -> Iterator[Entry | Gap]:
        if not _is_reference(self.early):  # an ER too many
            (self.early if self.early else self.loose).append(token)
            return
        early, self.early = self.early, []
        yield from self._leave(to_new=False)
        yield from self._gap()
        yield self._untyped([*early, token], ended=True)

    def _untyped(self, tokens: list[_Token], *, ended: bool) -> Entry:
        self.early = []
        missing = _problem("type-missing", "the reference has no TY; read as a journal article", tokens[0])
        problems = [missing] if ended else [missing, _problem("end-missing", "the reference has no ER", tokens[-1])]
        return self._entry(_Open(tokens, problems))

    def _leave(self, *, to_new: bool) -> Iterator[Entry | Gap]:
        """Give out the reference that ended; tags after its ER are its own unless they belong to the next one."""
        early, self.early = self.early, []
        if self.closed is None:
            self.loose += [] if to_new else early
            return
        if early and not to_new:
            self.closed.tokens += early
            self.closed.problems.append(_problem("tags-after-end", "tags stand after the ER of their reference", early[0]))
        closed, self.closed = self.closed, None
        yield self._entry(closed)

    def _gap(self) -> Iterator[Gap]:
        """Text outside of references, as one gap per run of lines."""
        run: list[_Token] = []
        for token in self.loose:
            if run and token.number > run[-1].number + 1:
                yield _gap(run)
                run = []
            run.append(token)
        self.loose = []
        if run:
            yield _gap(run)

    def _entry(self, done: _Open) -> Entry:
        self.ordinal += 1
        tokens = done.tokens
        anchor = next((token.start for token in tokens if token.tag), tokens[0].start)
        first = {token.problem.code: token.problem for token in reversed(tokens) if token.problem}
        return Entry(
            ordinal=self.ordinal,
            lines=(min(token.number for token in tokens), max(token.number for token in tokens)),
            bytes=(min(token.start for token in tokens), max(token.end for token in tokens)),
            anchor=anchor,
            tagged=tuple(_tagged(tokens)),
            text="\n".join(token.text for token in tokens),
            problems=(*first.values(), *done.problems),
        )


def _tokens(line: SourceLine, reader: _Reader) -> list[_Token]:
    """What a physical line holds: one tagged value, a continuation, or, where breaks were lost, many values."""
    text = line.text
    strict = _STRICT.match(text)
    tag, value = (strict.group(1), strict.group(2)) if strict else _lenient(text, reader)
    if not tag:
        first = _CUT.search(text) if len(text) > 40 else None
        if first is not None and first.group(1):  # words, then a whole reference in the same line
            return _split(line, first.start())
        return [_Token("", text, line.number, line.start, line.end, text)]
    if _lost_breaks(tag, value):
        return _split(line, 0)
    run_on = _RUN_ON.search(value) if "  - " in value else None
    if run_on is not None:
        return _split_run_on(line)
    problem = None if strict else _problem_at("tag-shape", "a tag in another shape than `XX  - `", line.number)
    return [_Token(tag, value, line.number, line.start, line.end, text, problem)]


def _lenient(text: str, reader: _Reader) -> tuple[str, str]:
    """Tag and value of a line in another shape than the specification's; an empty tag if it has none."""
    long = _LONG.match(text)
    if long:
        return long.group(1), long.group(2)
    found = _LENIENT.match(text)
    if not found:
        return "", text
    tag, value = found.group(1), found.group(2) if found.group(2) is not None else found.group(3) or ""
    if tag.upper() not in KNOWN:
        clean = re.match(r"[A-Z][A-Z0-9]  ?-(?: |$)", text)
        return (tag, value) if clean and reader.open is not None and text[2:5] == "  -" else ("", text)
    if tag != tag.upper():
        if tag.lower() == "ty":
            reader.lower_case = True
        return (tag.upper(), value) if reader.lower_case and tag == tag.lower() else ("", text)
    glued = found.group(2) is None and bool(value)  # nothing between dash and value
    if glued and not re.match(r"[A-Z][A-Z0-9]  -", text) and tag != "TY":
        return "", text
    return tag, value


def _lost_breaks(tag: str, value: str) -> bool:
    """Whether more than one value stands in a tagged line: a TY that is followed by tags, or many tags and an end."""
    if " -" not in value and "- " not in value:
        return False
    found = [match.group(1) or match.group(2) or match.group(3) for match in _CUT.finditer(value)]
    if tag == "TY":
        return bool(found)
    return len(found) >= _RUN_ON_LEAST and "ER" in found


def _split(line: SourceLine, begin: int) -> list[_Token]:
    """A line that lost its breaks, cut at its tags."""
    text, offset = line.text, _offsets(line)
    cuts = [match for match in _CUT.finditer(text) if match.start() >= begin]
    head = _LENIENT.match(text)
    places = [(m.start(), m.end(), m.group(1) or m.group(2) or m.group(3)) for m in cuts]
    if begin == 0 and head and (not places or places[0][0] > head.start(1)):
        places.insert(0, (0, (head.start(2) if head.group(2) is not None else head.start(3)), head.group(1).upper()))
    tokens = []
    if places and places[0][0] > 0:
        tokens.append(_Token("", text[: places[0][0]], line.number, line.start, offset(places[0][0]), text[: places[0][0]]))
    problem = _problem_at("line-breaks-lost", "several values stand in one line; they were told apart by their tags", line.number)
    for place, (start, after, tag) in enumerate(places):
        end = places[place + 1][0] if place + 1 < len(places) else len(text)
        last = line.end if end == len(text) else offset(end)
        piece = _Token(tag, text[after:end].strip(), line.number, offset(start), last, text[start:end], problem)
        tokens += _loose_tail(piece)
    return tokens


def _loose_tail(piece: _Token) -> list[_Token]:
    """What follows an ER in a line that lost its breaks is text between two references, not a value."""
    if piece.tag != "ER" or not piece.value:
        return [piece]
    tail = _Token("", piece.value, piece.number, piece.start, piece.end, piece.value)
    piece.value = ""
    return [piece, tail]


def _split_run_on(line: SourceLine) -> list[_Token]:
    """Values that a manager glued together (`UR  - https://...     U2  - L20`): cut where two blanks and a full tag stand."""
    text, offset = line.text, _offsets(line)
    cuts = [0, *(match.start(1) for match in _RUN_ON.finditer(text)), len(text)]
    problem = _problem_at("values-glued", "two values stood in one line; they were told apart by their tags", line.number)
    tokens = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        found = _STRICT.match(text[start:end]) or _LENIENT.match(text[start:end])
        if found is None:  # pragma: no cover  # every cut stands at a tag
            continue
        value = next((group for group in found.groups()[1:] if group is not None), "")
        last = line.end if end == len(text) else offset(end)
        tokens.append(_Token(found.group(1), value.strip(), line.number, offset(start), last, text[start:end], problem))
    return tokens


class _offsets:  # noqa: N801  # reads as a function
    """Byte offset in the file of a character of a line: the line's own length in bytes tells how it was encoded."""

    def __init__(self, line: SourceLine) -> None:
        self.text, self.start, size = line.text, line.start, line.end - line.start
        if 0 <= size - len(self.text.encode("utf-8", "surrogatepass")) <= 3:
            self.encoding = "utf-8"
        else:
            self.encoding = "utf-16-le" if size >= 2 * len(self.text) > 0 else "latin-1"
        self.known = (0, 0)

    def __call__(self, place: int) -> int:
        done, size = self.known if place >= self.known[0] else (0, 0)
        part = self.text[done:place]
        size += len(part) if self.encoding == "latin-1" else len(part.encode(self.encoding, "surrogatepass"))
        self.known = (place, size)
        return self.start + size


def _tagged(tokens: list[_Token]) -> Iterator[Tagged]:
    """Values with their continuation lines; a value's own blank lines stay."""
    current: _Token | None = None
    parts: list[str] = []
    for token in tokens:
        if not token.tag and current is not None:
            parts.append(token.value)
            continue
        if current is not None:
            yield Tagged(current.tag, "\n".join(parts).rstrip(), current.number)
        current, parts = token, [token.value]
    if current is not None:
        yield Tagged(current.tag, "\n".join(parts).rstrip(), current.number)


def _is_reference(tokens: list[_Token]) -> bool:
    return len({token.tag for token in tokens} & _BIBLIOGRAPHIC) >= 2


def _gap(run: list[_Token]) -> Gap:
    return Gap((run[0].number, run[-1].number), (run[0].start, run[-1].end), "\n".join(token.text for token in run))


def _problem(code: str, message: str, token: _Token) -> Problem:
    return Problem(code, message, token.number)


def _problem_at(code: str, message: str, line: int) -> Problem:
    return Problem(code, message, line)
