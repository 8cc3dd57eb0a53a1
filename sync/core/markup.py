"""Markup of the services and of drops, made fit for Zotero: rich text for titles, plain text for abstracts.

Zotero's rich text, allowed in titles, is `<i> <b> <sub> <sup>`, small capitals and nocase spans
(https://www.zotero.org/support/kb/rich_text_bibliography); everything else there is shown literally. Abstracts are
plain text. Markup comes as HTML, as JATS (`jats:italic`, https://jats.nlm.nih.gov) and as MathML
(https://www.w3.org/TR/MathML3/), whole or damaged: what is no tag stays text, so `p<0.05` survives.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from sync.core.mathml import HIDDEN, all_text, one_line, row, tex
from sync.core.text import UNFIT, squeeze, unescape

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
_VOID = _words("br hr img break wbr")
_PLAIN_TAGS = _words(
    "u span a font small big tt code pre underline styled-content ext-link uri xref monospace sans-serif roman strike s"
    " del ins overline named-content inline-formula alternatives tex-math math semantics center nobr script style"
)
_MATHML = _words(
    "mi mn mo ms mtext mrow mstyle mpadded msub msup msubsup munder mover munderover mfrac msqrt mroot mfenced"
    " mmultiscripts mprescripts mspace mtable mtr mtd menclose mphantom merror none"
)
_KNOWN = _BLOCKS | HIDDEN | _VOID | _PLAIN_TAGS | _MATHML | _MARKS.keys()
_DEEPEST = 100  # open tags at a time; deeper ones are damage, and their text is kept

_TAG = re.compile(
    r"<!--.*?-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<(?P<end>/?)(?P<prefix>[A-Za-z]\w*:)?(?P<name>[A-Za-z][A-Za-z0-9_-]*)"
    r"(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_MAY_BE_TAG = re.compile(r"<[A-Za-z/!]")
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


def rich(markup: str) -> str:
    """One line of Zotero rich text: italic, bold, sub, sup, small capitals kept, formulae readable, other tags dropped."""
    if "<" not in markup and "&" not in markup:
        return squeeze(UNFIT.sub("", markup))
    text = _prepared(markup)
    return _line(_walk(_tree(text), " ")) if may_hold_tags(text) else squeeze(text)


def plain(markup: str) -> str:
    """One line without any markup: `H<sub>2</sub>O` is `H2O`."""
    return squeeze(_ANY_MARK.sub("", rich(markup)))


def may_hold_tags(text: str) -> bool:
    """Whether a text that has no entities may have markup: most that have a `<` have `p<0.05`."""
    return _MAY_BE_TAG.search(text) is not None


def abstract(markup: str) -> str:
    """An abstract as plain text: a line for each paragraph, headings before their text as `Methods: We asked`.

    Where the markup has no paragraphs the lines of the text are the paragraphs.
    """
    text = _prepared(markup)
    if not may_hold_tags(text):
        return "\n".join(line for part in text.splitlines() if (line := squeeze(part)))
    tree = _tree(text)
    if any(isinstance(node.tag, str) and node.tag in _BLOCKS for node in tree.iter()):
        lines: Iterator[str] | list[str] = iter(_walk(tree, "\n").split("\n"))
    else:
        lines = "".join(_walk(tree, "\n", keep_lines=True)).splitlines()
    return "\n".join(_headed(lines))


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
    text = UNFIT.sub("", unescape(markup))
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
    say: Callable[[str | None], str] = _as_it_is if keep_lines else one_line
    parts = [say(node.text)]
    for child in node:
        parts += (_element(child, block, keep_lines=keep_lines), say(child.tail))
    return "".join(parts)


def _element(node: etree._Element, block: str, *, keep_lines: bool) -> str:
    name = str(node.tag)
    if name in HIDDEN or (name == "tex-math" and _has_math(node)):
        return ""
    if name == "tex-math":
        return tex(all_text(node))
    if name == "math":
        return f"\x02{row(node)}\x03"
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


def _as_it_is(text: str | None) -> str:
    return text or ""


def _has_math(node: etree._Element) -> bool:
    parent = node.getparent()
    return parent is not None and parent.find("math") is not None
