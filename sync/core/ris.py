"""RIS text to entries: every line ends up in an entry or in a gap, however damaged the text is.

`TY` opens a reference and `ER` closes it (RIS Format Specifications, Research Information Systems, 2001 and 2011). What real
exports make of that is handled here and named as a Problem: missing `ER` or `TY`, tags before `TY` or after `ER`, text in
between. The shapes of lines, lost line breaks among them, are the business of `ris_lines`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sync.core.record import Entry, Gap, Problem, SourceLine, Tagged
from sync.core.ris_lines import BIBLIOGRAPHIC, Habit, Token, looks_like, tokens

__all__ = ["Reader", "looks_like", "read"]

# How sure a repair is, where it may be wrong. Lines without breaks were told apart rightly in 99.8 % of 23,180 real records; what went
# wrong there shows, mostly, in a tag standing twice that stands once in a reference.
_CONFIDENCE = {
    "line-breaks-lost": 0.95,
    "values-glued": 0.9,
    "end-missing": 0.95,
    "type-late": 0.9,
    "tags-after-end": 0.9,
    "type-missing": 0.8,
    "cut-off": 0.5,
    "too-long": 0.3,
}
_CUTTING = frozenset({"line-breaks-lost", "values-glued"})
_ONCE = frozenset({"TY", "TI", "T1", "PY", "VL", "IS", "SP", "EP", "JF", "T2"})
_TWICE = 0.4
MOST_LINES = 100_000  # of one reference; what follows is text up to the next TY
MOST_LETTERS = 1 << 24
_MOST_LOOSE_LETTERS = 1 << 20
_MOST_LOOSE = 500  # lines of text between references that are held back; a longer run is given out in parts


@dataclass(slots=True)
class _Open:
    """A reference that is being read."""

    tokens: list[Token] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    letters: int = 0

    def note(self, code: str, message: str, token: Token) -> None:
        """Write down what was wrong, and in which line."""
        self.problems.append(Problem(code, message, token.number))


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file. Memory does not grow with the file, only with its longest reference."""
    reader, habit = Reader(), Habit()
    for line in lines:
        for token in tokens(line, habit, inside=reader.inside):
            yield from reader.take(token)
    yield from reader.finish()


class Reader:
    """The grammar: which token belongs to which reference."""

    def __init__(self) -> None:
        self.ordinal = 0
        self.loose: list[Token] = []  # text outside of references
        self.loose_letters = 0
        self.early: list[Token] = []  # tags after an ER, or before the first TY: whose are they?
        self.open: _Open | None = None
        self.closed: _Open | None = None  # ended; waits for tags that may still belong to it
        self.type_comes_late = False
        self.flooded = False  # the reference was longer than any is; its rest is text

    @property
    def inside(self) -> bool:
        """Whether a reference is open."""
        return self.open is not None

    @property
    def at_rest(self) -> bool:
        """Whether no reference is open and no tag waits for one: the next TY begins afresh."""
        return self.open is None and not self.early and not self.flooded

    @property
    def waits(self) -> bool:
        """Whether something must be given out before the next reference."""
        return bool(self.closed or self.early or self.loose)

    def before_next(self) -> Iterator[Entry | Gap]:
        """What must be given out before the next reference."""
        yield from self._leave()
        yield from self._gap()

    def take(self, token: Token) -> Iterator[Entry | Gap]:
        """What is complete once this token is known."""
        if token.tag == "TY":
            yield from self._type(token)
        elif self.flooded:
            yield from self._text(token)
        elif self.open is not None:
            self._inside(self.open, token)
        elif token.tag == "ER":
            yield from self._end_without_type(token)
        elif token.tag or (self.early and token.value.strip()):
            yield from self._early(token)
        elif token.value.strip():
            yield from self._text(token)

    def finish(self) -> Iterator[Entry | Gap]:
        """What is left when the file ends."""
        if self.open is not None and _breaks_off(self.open.tokens[-1]):
            message = "the file breaks off in this line; what followed is lost, and the line may be cut"
            self.open.note("cut-off", message, self.open.tokens[-1])
        self._close("the reference has no ER; it ends with the file")
        if self.closed is None and _is_reference(self.early):
            yield from self._untyped()
            return
        yield from self._leave()
        yield from self._gap()

    def _type(self, token: Token) -> Iterator[Entry | Gap]:
        self._close(f"no ER before the next TY in line {token.number}")
        self.flooded = False
        late = bool(self.early) and (self.type_comes_late or (self.closed is None and self.ordinal == 0))
        early: list[Token] = []
        if late:
            early, self.early = self.early, []
        yield from self.before_next()
        self.open = _Open([*early, token])
        if late:
            self.type_comes_late = True
            self.open.note("type-late", "tags stand before the TY of their reference", early[0])

    def _early(self, token: Token) -> Iterator[Entry | Gap]:
        self.early.append(token)
        if len(self.early) >= MOST_LINES:
            yield from self.before_next()
            self.flooded = True

    def _inside(self, current: _Open, token: Token) -> None:
        current.tokens.append(token)
        current.letters += len(token.text)
        if token.tag != "ER":
            if len(current.tokens) >= MOST_LINES or current.letters >= MOST_LETTERS:
                message = f"the reference is longer than {MOST_LINES} lines or {MOST_LETTERS} letters; its rest is kept as text"
                current.note("too-long", message, token)
                self.closed, self.open, self.flooded = current, None, True
            return
        if token.value.strip():
            current.note("end-with-text", "ER has a value; it is kept", token)
        self.closed, self.open = current, None

    def _close(self, why: str) -> None:
        """End a reference that has no ER."""
        if self.open is not None:
            self.open.note("end-missing", why, self.open.tokens[-1])
            self.closed, self.open = self.open, None

    def _text(self, token: Token) -> Iterator[Entry | Gap]:
        self.loose.append(token)
        self.loose_letters += len(token.text)
        if len(self.loose) >= _MOST_LOOSE or self.loose_letters >= _MOST_LOOSE_LETTERS:
            yield from self._leave()
            yield from self._gap()

    def _end_without_type(self, token: Token) -> Iterator[Entry | Gap]:
        """An ER that closes a reference without TY, or one ER too many."""
        early = self.early
        if not _is_reference(early):
            (early or self.loose).append(token)
            return
        self.early = []
        yield from self._leave()
        self.early = [*early, token]
        yield from self._untyped()

    def _untyped(self) -> Iterator[Entry | Gap]:
        """The early tags as a reference of their own."""
        yield from self._gap()
        current, self.early = _Open(self.early), []
        current.note("type-missing", "the reference has no TY; read as a journal article", current.tokens[0])
        if current.tokens[-1].tag != "ER":
            current.note("end-missing", "the reference has no ER; it ends with the file", current.tokens[-1])
        yield self._entry(current)

    def _leave(self) -> Iterator[Entry]:
        """Give out the reference that ended, with the tags after its ER; without one, these tags are loose text."""
        early, self.early = self.early, []
        if self.closed is None:
            self.loose += early
            return
        closed, self.closed = self.closed, None
        if early:
            closed.tokens += early
            closed.note("tags-after-end", "tags stand after the ER of their reference", early[0])
        yield self._entry(closed)

    def _gap(self) -> Iterator[Gap]:
        """Text outside of references, as one gap per run of lines."""
        loose, self.loose, self.loose_letters = self.loose, [], 0
        run: list[Token] = []
        for token in loose:
            if run and token.number > run[-1].number + 1:
                yield _gap(run)
                run = []
            run.append(token)
        if run:
            yield _gap(run)

    def _entry(self, done: _Open) -> Entry:
        self.ordinal += 1
        of_lines = {token.problem.code: token.problem for token in reversed(done.tokens) if token.problem}
        problems = (*of_lines.values(), *done.problems)
        tagged = tuple(_tagged(done.tokens))
        return Entry(
            ordinal=self.ordinal,
            lines=(min(token.number for token in done.tokens), max(token.number for token in done.tokens)),
            bytes=(min(token.start for token in done.tokens), max(token.end for token in done.tokens)),
            anchor=next((token.start for token in done.tokens if token.tag), done.tokens[0].start),
            tagged=tagged,
            text="\n".join(token.text for token in done.tokens),
            problems=problems,
            confidence=_confidence(problems, tagged) if problems else 1.0,
        )


def _tagged(parts: Sequence[Token]) -> Iterator[Tagged]:
    """Values with their continuation lines; a value's own blank lines stay."""
    current, lines = parts[0], [parts[0].value]
    for token in parts[1:]:
        if not token.tag:
            lines.append(token.value)
            continue
        yield current.tag, "\n".join(lines).rstrip(), current.number
        current, lines = token, [token.value]
    yield current.tag, "\n".join(lines).rstrip(), current.number


def _confidence(problems: Sequence[Problem], tagged: Sequence[Tagged]) -> float:
    """How sure it is that the values are told apart as they were meant: as sure as the most doubtful repair."""
    least = min(_CONFIDENCE.get(problem.code, 1.0) for problem in problems)
    if any(problem.code in _CUTTING for problem in problems):
        once = Counter(tag for tag, _, _ in tagged if tag in _ONCE)
        least = min(least, _TWICE) if any(count > 1 for count in once.values()) else least
    return least


def _breaks_off(token: Token) -> bool:
    """Whether the line of a token has no end: the bytes of its text are all there is of it."""
    size = token.end - token.start
    return size in {len(token.text), len(token.text.encode("utf-8", "surrogatepass")), 2 * len(token.text)}


def _is_reference(parts: Sequence[Token]) -> bool:
    return len({token.tag for token in parts} & BIBLIOGRAPHIC) > 1


def _gap(run: Sequence[Token]) -> Gap:
    return Gap((run[0].number, run[-1].number), (run[0].start, run[-1].end), "\n".join(token.text for token in run))
