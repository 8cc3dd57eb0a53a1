"""Letters of the services and of drops, made fit for Zotero: white space, entities, encodings, capitals."""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # for XML, and for Zotero
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")  # what no value should hold, and what is not seen
_CP1252 = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
GARBLED = re.compile(f"[\x80-\x9f]|[ÂÃÄÅÎÏÐÑâï][\x80-\xbf{_CP1252}]")
_MIXED_SCRIPTS = re.compile(
    "[A-Za-z\u00c0-\u024f][\u0370-\u1dff\u2c00-\ud7ff]|[\u0370-\u1dff\u2c00-\ud7ff][A-Za-z\u00c0-\u024f]"
)
_RANGE = re.compile(r"(?<![\w.])(\d+)-(\d+)(?![\w.])")


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
    return html.escape(UNFIT.sub("", text))
