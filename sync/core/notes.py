"""Notes of a drop as HTML that shows what was written and does nothing else.

Zotero's notes are HTML. A drop's note is plain text, or HTML that Zotero itself exported; of that the plain elements of
text are kept, without attributes (an http address of a link excepted), and everything else is dropped or shown as text.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_ELEMENTS = (
    "p br b strong i em u s sub sup ul ol li blockquote pre code h1 h2 h3 h4 h5 h6 table thead tbody tr td th hr a"
)
_KEPT = frozenset(_ELEMENTS.split())
_VOID = frozenset({"br", "hr"})
_SILENT = frozenset({"script", "style", "iframe", "object", "template", "title"})  # what stands in them is not text
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_WORD = re.compile(r"[^\W_]+")
_MARKUP = re.compile(rf"</?(?:{'|'.join(sorted(_KEPT | {'div', 'span'}))})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s]+", re.IGNORECASE)


def to_note(text: str) -> str:
    """A note's text as safe HTML: `<p>One line<br/>another</p>`; an empty line parts paragraphs."""
    if _MARKUP.search(text):
        return _safe(text)
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]
    return "".join(f"<p>{_lines(part)}</p>" for part in paragraphs)


def hides_text(text: str) -> bool:
    """Whether `to_note` does not show all that is said: the text of scripts, or what a broken tag swallows."""
    return "<" in text and not _words(_TAG.sub(" ", text)) <= _words(html.unescape(_TAG.sub(" ", to_note(text))))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(html.unescape(text)))


def _lines(text: str) -> str:
    return "<br/>".join(html.escape(line, quote=False) for line in text.split("\n"))


def _safe(markup: str) -> str:
    walker = _Walker()
    walker.feed(markup)
    walker.close()
    return walker.result()


class _Walker(HTMLParser):
    """Writes down the kept elements, well nested, and the text between as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._stack: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent:
            return
        if tag in _SILENT:
            self._silent = tag
        elif tag in _VOID:
            self._out.append(f"<{tag}/>")
        elif tag in _KEPT:
            self._stack.append(tag)
            self._out.append(f"<{tag}{_address(attrs) if tag == 'a' else ''}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in self._stack:
            self._close_to(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(html.escape(data, quote=False))

    def result(self) -> str:
        """All that was fed, as HTML."""
        while self._stack:
            self._close_to(self._stack[-1])
        said = "".join(self._out).strip()
        return said if said.startswith("<") else f"<p>{said}</p>"

    def _close_to(self, tag: str) -> None:
        top = ""
        while top != tag:
            top = self._stack.pop()
            self._out.append(f"</{top}>")


def _address(attrs: list[tuple[str, str | None]]) -> str:
    href = dict(attrs).get("href") or ""
    return f' href="{html.escape(href)}"' if _WEB.fullmatch(href) else ""
