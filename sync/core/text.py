"""Text of the services and of drops, made fit for Zotero: white space, entities, markup, comparison.

Zotero's rich text, allowed in titles, is `<i> <b> <sub> <sup>`, small capitals and nocase spans
(https://www.zotero.org/support/kb/rich_text_bibliography); everything else there is shown literally. Abstracts are
plain text. Markup comes as HTML, as JATS (`jats:italic`, https://jats.nlm.nih.gov) and as MathML
(https://www.w3.org/TR/MathML3/), whole or damaged: what is no tag stays text, so `p<0.05` survives.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from lxml import etree

from sync.core.record import Gap, SourceLine

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")  # what no value should hold, and what is not seen
_CP1252 = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
GARBLED = re.compile(f"[\x80-\x9f]|[ÂÃÄÅÎÏÐÑâï][\x80-\xbf{_CP1252}]")
_MIXED_SCRIPTS = re.compile(
    "[A-Za-z\u00c0-\u024f][\u0370-\u1dff\u2c00-\ud7ff]|[\u0370-\u1dff\u2c00-\ud7ff][A-Za-z\u00c0-\u024f]"
)
# Letters whose mark is part of them, so that NFKD leaves them whole.
_STROKES = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
    }
)
_RANGE = re.compile(r"(?<![\w.])(\d+)-(\d+)(?![\w.])")
_MOST_FOLDED = 20_000  # letters whose folding is kept in memory
_REMEMBERED = 5_000  # letters of a text of which the folded form is kept for a while

_SMALL_CAPS = '<span style="font-variant:small-caps;">'
# What the elements of HTML and JATS become in Zotero's rich text.
_MARKS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("i", "em", "italic"), ("<i>", "</i>")),
    **dict.fromkeys(("b", "strong", "bold"), ("<b>", "</b>")),
    **dict.fromkeys(("sub", "inf"), ("<sub>", "</sub>")),
    "sup": ("<sup>", "</sup>"),
    **dict.fromkeys(("sc", "scp", "small-caps"), (_SMALL_CAPS, "</span>")),
}


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


_BLOCKS = _words(
    "p div sec list list-item ul ol li abstract trans-abstract disp-formula disp-quote blockquote break br hr table tr"
    " dl dt dd def-list def-item body section title label h1 h2 h3 h4 h5 h6"
)
_HEADINGS = _words("title h1 h2 h3 h4 h5 h6")
_HIDDEN = _words("annotation annotation-xml inline-graphic graphic mphantom mprescripts none")
_VOID = _words("br hr img break wbr")
_PLAIN_TAGS = _words(
    "u span a font small big tt code pre underline styled-content ext-link uri xref monospace sans-serif roman strike s"
    " del ins overline named-content inline-formula alternatives tex-math math semantics center nobr script style"
)
_MATHML = _words(
    "mi mn mo ms mtext mrow mstyle mpadded msub msup msubsup munder mover munderover mfrac msqrt mroot mfenced"
    " mmultiscripts mprescripts mspace mtable mtr mtd menclose mphantom merror none"
)
_KNOWN = _BLOCKS | _HIDDEN | _VOID | _PLAIN_TAGS | _MATHML | _MARKS.keys()
_DEEPEST = 100  # open tags at a time; deeper ones are damage, and their text is kept

_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<(?P<end>/?)(?P<prefix>[A-Za-z]\w*:)?(?P<name>[A-Za-z][A-Za-z0-9_-]*)"
    r"(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_MAY_BE_TAG = re.compile(r"<[A-Za-z/!]")  # most abstracts with a `<` have `p<0.05`
_ATTRIBUTE = re.compile(r"\b(style|class|open|close|separators)\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
# Line breaks that only lay out the markup: `(\n  <i>x</i>\n  )`. The text around them is one word.
_LAYOUT = (
    (re.compile(r"(?<=>)\s*\n\s*(?=[.,;:!?)\]]|[-\u2010\u2011]\w)"), ""),
    (re.compile(r"(?<=[(\[])\s*\n\s*(?=<)"), ""),
    (re.compile(r"\s*\n\s*(?=<(?:\w+:)?su[bp]>)"), ""),
)
_OPEN_MARK = r"<(?:i|b|sub|sup|span [^<>]*)>"
_CLOSE_MARK = r"</(?:i|b|sub|sup|span)>"
_TIDY = (
    (re.compile(rf"({_OPEN_MARK})\s+"), r" \1"),
    (re.compile(r"\s+(</su[bp]>)"), r"\1"),
    (re.compile(rf"\s+({_CLOSE_MARK})"), r"\1 "),
    (re.compile(r"<(i|b|sub|sup)></\1>|<span [^<>]*></span>"), ""),
)
_ANY_MARK = re.compile(f"{_OPEN_MARK}|{_CLOSE_MARK}")
# Formulae are set close to the words around them: "the<math>N</math>nucleus". \x02 and \x03 stand at their edges.
_EDGES = (
    (re.compile(r"(?<=[^\W\d_A-Z]|[,;])\x02(?=\w|<sup>[^<]*</sup>\w)"), " "),
    (re.compile(r"(?<=[\w>])\x03(?=[^\W\d_A-Z]|[A-Z][a-z]{2})(?!(?:th|st|nd|rd|s)\b)"), " "),
    (re.compile("[\x02\x03]"), ""),
)
_EDGE = re.compile("[\x02\x03]")
_HEAD = "\x1f"  # stands after a heading
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def squeeze(text: str) -> str:
    """The text with each run of white space, line ends and hard blanks included, as one blank; none at the ends."""
    return " ".join(text.split())


def unescape(text: str) -> str:
    """The text with its entities resolved, also doubly escaped ones (`&amp;lt;`); `AT&T`, `?a=1&copy=2` stay."""
    for _ in range(3):
        if "&" not in text:
            break
        plainer = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
        if plainer == text:
            break
        text = plainer
    return text


def rich(markup: str) -> str:
    """One line of Zotero rich text: italic, bold, sub, sup, small capitals kept, formulae readable, other tags dropped."""
    if "<" not in markup and "&" not in markup:
        return squeeze(_UNFIT.sub("", markup))
    text = _prepared(markup)
    return _line(_walk(_tree(text), " ")) if _MAY_BE_TAG.search(text) else squeeze(text)


def plain(markup: str) -> str:
    """One line without any markup: `H<sub>2</sub>O` is `H2O`."""
    return squeeze(_ANY_MARK.sub("", rich(markup)))


def abstract(markup: str) -> str:
    """An abstract as plain text: a line for each paragraph, headings before their text as `Methods: We asked`.

    Where the markup has no paragraphs the lines of the text are the paragraphs.
    """
    text = _prepared(markup)
    if not _MAY_BE_TAG.search(text):
        return "\n".join(line for part in text.splitlines() if (line := squeeze(part)))
    tree = _tree(text)
    if any(isinstance(node.tag, str) and node.tag in _BLOCKS for node in tree.iter()):
        lines: Iterator[str] | list[str] = iter(_walk(tree, "\n").split("\n"))
    else:
        lines = "".join(_walk(tree, "\n", keep_lines=True)).splitlines()
    return "\n".join(_headed(lines))


def fold(text: str) -> str:
    """The text for comparing titles: no markup, no diacritics, no case; letters and digits, one blank between words."""
    return _fold(text) if len(text) <= _REMEMBERED else _fold.__wrapped__(text)


@lru_cache(maxsize=2_000)
def _fold(text: str) -> str:
    """One record's values are compared with each other, again and again."""
    if "&" in text or ("<" in text and _MAY_BE_TAG.search(text)):
        text = plain(text)
    return " ".join(text.translate(_FOLDED).split())


class _Folded(dict[int, str]):
    """What is compared of each letter, by its code; found out once for each letter that occurs."""

    def __missing__(self, code: int) -> str:
        letters = unicodedata.normalize("NFKD", chr(code).casefold()).casefold().translate(_STROKES)
        bare = (c for c in letters if unicodedata.category(c)[0] != "M")
        folded = "".join(c if c.isalnum() else " " for c in bare)
        if len(self) < _MOST_FOLDED:
            self[code] = folded
        return folded


_FOLDED = _Folded()


def whole_pages(pages: str) -> str:
    """Pages with abbreviated ends written out: `615-9` is `615-619`."""
    return _RANGE.sub(_whole_range, pages)


def _whole_range(found: re.Match[str]) -> str:
    start, end = found.groups()
    missing = len(start) - len(end)
    return f"{start}-{start[:missing] + end}" if missing > 0 else found.group()


def cased(name: str) -> str:
    """A name in capitals as it is written (`O'NEILL` is `O'Neill`, `J. R.` stays); one that has small letters stays."""
    if name != name.upper() or name == name.lower():
        return name
    return re.sub(
        r"(?:^|(?<=[^\w'\u2019]))\w|(?<=\b[^\W\d_]['\u2019])\w", lambda found: found.group().upper(), name.lower()
    )


def mojibake(text: str) -> str:
    """The text as it was before UTF-8 was read as Latin-1 or cp1252; untouched if it does not look like that.

    A repair that puts a letter of another script into a Latin word is none.
    """
    if not GARBLED.search(text):
        return text
    import ftfy

    mended = str(ftfy.fix_encoding(text))
    strange = set(_MIXED_SCRIPTS.findall(mended)) - set(_MIXED_SCRIPTS.findall(text))
    return text if strange else mended


def safe_html(text: str) -> str:
    """The text as HTML that shows it and does nothing else, for notes."""
    return html.escape(_UNFIT.sub("", text))


def _headed(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """The paragraphs, each with the headings that stand before it; headings without text at the end stand alone."""
    waiting = ""
    for raw in lines:
        line = squeeze(_ANY_MARK.sub("", _line(raw.replace(_HEAD, ""))))
        if _HEAD in raw:
            line = line.rstrip(":. ")
            waiting += (line + (" " if line[-1:] in "?!" else ": ")) if line else ""
        elif line:
            yield waiting + line
            waiting = ""
    if waiting:
        yield waiting.rstrip(": ")


def _line(walked: str) -> str:
    if _EDGE.search(walked):
        for pattern, instead in _EDGES:
            walked = pattern.sub(instead, walked)
    if "<" in walked and _ANY_MARK.search(walked):
        for pattern, instead in _TIDY:
            walked = pattern.sub(instead, walked)
    return squeeze(walked)


# ---- markup -> tree -----------------------------------------------------------------------------------------------


def _prepared(markup: str) -> str:
    """The markup without entities, letters that are none, and line breaks that only lay it out."""
    text = _UNFIT.sub("", unescape(markup))
    if "\n" in text:
        for pattern, instead in _LAYOUT:
            text = pattern.sub(instead, text)
    return text


def _tree(text: str) -> etree._Element:
    """What `_prepared` gives as a tree under `<r>`; tags lower-case and without prefix, attributes only those that are read."""
    return etree.fromstring(f"<r>{''.join(_balanced(text))}</r>", _PARSER)


def _balanced(text: str) -> Iterator[str]:
    """Well-formed XML for the text: each open tag closed, stray ends dropped, what is no tag escaped."""
    stack: list[str] = []
    at = 0
    for found in _TAG.finditer(text):
        name = (found["name"] or "").lower()
        if name and not (found["prefix"] or name in _KNOWN or f"</{found['name']}>" in text):
            continue  # `<Smad3>`: text in angle brackets
        yield _escaped(text[at : found.start()])
        at = found.end()
        if not name:
            yield _escaped(found["cdata"] or "")
        elif found["end"]:
            yield from _closed(stack, name)
        elif found["empty"] or name in _VOID:
            yield f"<{name}{_attributes(found['attributes'])}/>"
        elif len(stack) < _DEEPEST:
            stack.append(name)
            yield f"<{name}{_attributes(found['attributes'])}>"
    yield _escaped(text[at:])
    yield from (f"</{name}>" for name in reversed(stack))


def _closed(stack: list[str], name: str) -> Iterator[str]:
    while name in stack:
        top = stack.pop()
        yield f"</{top}>"
        if top == name:
            return


def _attributes(source: str) -> str:
    kept = {name: double or single for name, double, single in _ATTRIBUTE.findall(source)}
    return "".join(f' {name}="{html.escape(value)}"' for name, value in kept.items())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# ---- tree -> text -------------------------------------------------------------------------------------------------


def _walk(node: etree._Element, block: str, *, keep_lines: bool = False) -> str:
    """What stands inside a node; `block` is put around paragraphs. Line ends of the source are blanks unless kept."""
    say: Callable[[str | None], str] = _as_it_is if keep_lines else _one_line
    parts = [say(node.text)]
    for child in node:
        parts += (_element(child, block, keep_lines=keep_lines), say(child.tail))
    return "".join(parts)


def _element(node: etree._Element, block: str, *, keep_lines: bool) -> str:
    name = str(node.tag)
    if name in _HIDDEN or (name == "tex-math" and _has_math(node)):
        return ""
    if name == "tex-math":
        return _tex(_all_text(node))
    if name == "math":
        return f"\x02{_row(node)}\x03"
    inner = _walk(node, block, keep_lines=keep_lines)
    if name in _HEADINGS and block == "\n":
        return f"\n{inner.replace(chr(10), ' ')}{_HEAD}\n"
    if name in _BLOCKS:
        return f"{block}{inner}{block}"
    before, after = _mark(node, name)
    return f"{before}{inner}{after}"


def _mark(node: etree._Element, name: str) -> tuple[str, str]:
    if name == "span" and "small-caps" in node.get("style", ""):
        return _SMALL_CAPS, "</span>"
    if name == "span" and node.get("class") == "nocase":
        return '<span class="nocase">', "</span>"
    return _MARKS.get(name, ("", ""))


def _all_text(node: etree._Element) -> str:
    return "".join(str(part) for part in node.itertext())


def _one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _as_it_is(text: str | None) -> str:
    return text or ""


def _has_math(node: etree._Element) -> bool:
    parent = node.getparent()
    return parent is not None and parent.find("math") is not None


def _tex(source: str) -> str:
    """A LaTeX formula without the document that some publishers wrap around it."""
    body = re.search(r"\\begin\{document\}(.*?)\\end\{document\}", source, re.DOTALL)
    return (body.group(1) if body else source).strip().strip("$").strip()


# ---- MathML -------------------------------------------------------------------------------------------------------

_RELATIONS = frozenset("=<>≤≥≈≃≅≡≠\u223c→↔∈±\u00d7")
# Accents set over a letter, as the combining character that Unicode has for them.
_ACCENTS = {
    **dict.fromkeys("¯\u203e\u02c9", "\u0304"),
    **dict.fromkeys("^\u02c6", "\u0302"),
    **dict.fromkeys("~\u02dc", "\u0303"),
    "→": "\u20d7",
    "\u02d9": "\u0307",
}
_PRIMES = frozenset("\u2032″‴'*")


def _row(node: etree._Element) -> str:
    """The children of a row, a blank around relations that stand between two of them."""
    parts = [squeeze(node.text or "")]
    for child in node:
        said = _math(child)
        between = said in _RELATIONS and child.getprevious() is not None and child.getnext() is not None
        parts += (f" {said} " if between else said, squeeze(child.tail or ""))
    return "".join(parts)


def _math(node: etree._Element) -> str:
    name = str(node.tag)
    if name in _HIDDEN:
        return ""
    if name in {"mi", "mn", "mo", "ms"}:
        return squeeze(_all_text(node))
    shape = _SHAPES.get(name)
    parts = [_math(child) for child in node]
    if shape and len(parts) >= shape[0]:
        return shape[1](node, parts)
    return _row(node)


def _sub(said: str) -> str:
    return f"<sub>{said}</sub>" if said else ""


def _sup(said: str) -> str:
    return said if said and set(said) <= _PRIMES else f"<sup>{said}</sup>" if said else ""


def _grouped(said: str) -> str:
    return f"({said})" if re.search(r"[^\w.<>/]", said) else said


def _over(_: etree._Element, parts: list[str]) -> str:
    base, accent = parts[:2]
    known = _ACCENTS.get(accent, "")
    return base + known if known and len(base) == 1 else base + ("" if known else _sup(accent))


def _fenced(node: etree._Element, parts: list[str]) -> str:
    between = node.get("separators", ",").strip()[:1]
    return node.get("open", "(") + (between + " " if between else "").join(parts) + node.get("close", ")")


def _multiscripts(node: etree._Element, parts: list[str]) -> str:
    """Base sub sup ... [mprescripts sub sup ...]: the latter stand before the base."""
    tags = [str(child.tag) for child in node]
    cut = tags.index("mprescripts") if "mprescripts" in tags else len(parts)
    return _scripts(parts[cut + 1 :]) + parts[0] + _scripts(parts[1:cut])


def _scripts(parts: list[str]) -> str:
    return "".join(_sup(said) if place % 2 else _sub(said) for place, said in enumerate(parts))


_Shape = Callable[[Any, list[str]], str]
# MathML element: how many children it needs, how it reads.
_SHAPES: Mapping[str, tuple[int, _Shape]] = {
    "mtext": (0, lambda node, _: _one_line(_all_text(node))),
    "mspace": (0, lambda _, __: " "),
    "msub": (2, lambda _, p: p[0] + _sub(p[1])),
    "munder": (2, lambda _, p: p[0] + _sub(p[1])),
    "msup": (2, lambda _, p: p[0] + _sup(p[1])),
    "msubsup": (3, lambda _, p: p[0] + _sub(p[1]) + _sup(p[2])),
    "munderover": (3, lambda _, p: p[0] + _sub(p[1]) + _sup(p[2])),
    "mover": (2, _over),
    "mfrac": (2, lambda _, p: f"{_grouped(p[0])}/{_grouped(p[1])}"),
    "msqrt": (1, lambda node, _: "√" + _grouped(_row(node))),
    "mroot": (2, lambda _, p: f"{_sup(p[1])}√{_grouped(p[0])}"),
    "mfenced": (0, _fenced),
    "mmultiscripts": (1, _multiscripts),
    "mtr": (0, lambda _, p: " ".join(p) + " "),
}


# ---- where in the file --------------------------------------------------------------------------------------------


class Sheet:
    """Lines of a drop as one text (joined by newlines) that knows where in the file each character stood.

    Places asked for in rising order cost only what lies between them.
    """

    def __init__(self, lines: Sequence[SourceLine]) -> None:
        self.text = "\n".join(line.text for line in lines)
        self._lines = lines
        self._starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))[:-1]
        self._codec, self._mark = _codec(lines)
        self._at = (0, 0, self._mark)  # line, letters and bytes of the last place

    def place(self, at: int) -> tuple[int, int]:
        """The line (1-based number) and the byte of the character at this index of the text."""
        index = bisect_right(self._starts, at) - 1
        line, column = self._lines[index], at - self._starts[index]
        if self._at[0] != index or self._at[1] > column:
            self._at = (index, 0, 0 if index else self._mark)
        _, letters, done = self._at
        done += len(line.text[letters:column].encode(self._codec, "replace"))
        self._at = (index, column, done)
        return line.number, min(line.start + done, line.end)

    def gap(self, start: int, end: int) -> Gap:
        """A part of the text, `end` exclusive, that belongs to no entry."""
        return Gap(*self.span(start, end), self.text[start:end])

    def span(self, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last line, first byte and the byte after the last, of a part of the text that is not empty."""
        first, begin = self.place(start)
        last, _ = self.place(end - 1)
        return (first, last), (begin, self.place(end)[1])


# Encodings that lines are measured against: bytes that a line end may take, bytes of a mark that the file may begin with.
_CODECS = (("utf-8", (0, 1, 2), (0, 3)), ("utf-16-le", (0, 2, 4), (2, 0)), ("latin-1", (0, 1, 2), (0,)))


def _codec(lines: Sequence[SourceLine]) -> tuple[str, int]:
    """How lines were encoded, as far as their lengths in bytes tell it, and the bytes of a mark before the first.

    All line ends but the last are of one kind. What fits no encoding is measured as one byte a letter.
    """
    for codec, ends, marks in _CODECS:
        over = [line.end - line.start - len(line.text.encode(codec, "replace")) for line in lines]
        for mark in marks if lines[:1] and lines[0].number == 1 else (0,):
            rest = [over[0] - mark, *over[1:]] if over else []
            if all(size in ends for size in rest) and len(set(rest[:-1])) <= 1:
                return codec, mark
    return "latin-1", 0
