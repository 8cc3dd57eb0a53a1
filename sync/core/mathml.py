"""Formulae in MathML (https://www.w3.org/TR/MathML3/) as rich text that can be read; a LaTeX formula without its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from sync.core.text import squeeze

# Elements of which nothing is shown.
HIDDEN = frozenset("annotation annotation-xml inline-graphic graphic mphantom mprescripts none".split())  # noqa: SIM905
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


def row(node: etree._Element) -> str:
    """The children of a row, a blank around relations that stand between two of them."""
    parts = [squeeze(node.text or "")]
    for child in node:
        said = _math(child)
        between = said in _RELATIONS and child.getprevious() is not None and child.getnext() is not None
        parts += (f" {said} " if between else said, squeeze(child.tail or ""))
    return "".join(parts)


def _math(node: etree._Element) -> str:
    name = str(node.tag)
    if name in HIDDEN:
        return ""
    if name in {"mi", "mn", "mo", "ms"}:
        return squeeze(all_text(node))
    shape = _SHAPES.get(name)
    parts = [_math(child) for child in node]
    if shape and len(parts) >= shape[0]:
        return shape[1](node, parts)
    return row(node)


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
    "mtext": (0, lambda node, _: one_line(all_text(node))),
    "mspace": (0, lambda _, __: " "),
    "msub": (2, lambda _, p: p[0] + _sub(p[1])),
    "munder": (2, lambda _, p: p[0] + _sub(p[1])),
    "msup": (2, lambda _, p: p[0] + _sup(p[1])),
    "msubsup": (3, lambda _, p: p[0] + _sub(p[1]) + _sup(p[2])),
    "munderover": (3, lambda _, p: p[0] + _sub(p[1]) + _sup(p[2])),
    "mover": (2, _over),
    "mfrac": (2, lambda _, p: f"{_grouped(p[0])}/{_grouped(p[1])}"),
    "msqrt": (1, lambda node, _: "√" + _grouped(row(node))),
    "mroot": (2, lambda _, p: f"{_sup(p[1])}√{_grouped(p[0])}"),
    "mfenced": (0, _fenced),
    "mmultiscripts": (1, _multiscripts),
    "mtr": (0, lambda _, p: " ".join(p) + " "),
}


def tex(source: str) -> str:
    """A LaTeX formula without the document that some publishers wrap around it."""
    body = re.search(r"\\begin\{document\}(.*?)\\end\{document\}", source, re.DOTALL)
    return (body.group(1) if body else source).strip().strip("$").strip()


def all_text(node: etree._Element) -> str:
    """All that stands in a node, and in those inside."""
    return "".join(str(part) for part in node.itertext())


def one_line(text: str | None) -> str:
    """What stands in a node, white space as one blank; those at its ends stay."""
    return re.sub(r"\s+", " ", text or "")
