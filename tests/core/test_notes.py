"""Notes show what was written and do nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync.core.notes import to_note


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("One line", "<p>One line</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("One\nTwo\n\nThree", "<p>One<br/>Two</p><p>Three</p>"),
        ("Seen<br/>by us", "<p>Seen<br/>by us</p>"),
        ('<p onclick="x()">Seen</p>', "<p>Seen</p>"),
        ("<p>a<script>alert(1)</script><style>p{}</style>b</p>", "<p>ab</p>"),
        ('<a href="javascript:x">y</a>', "<a>y</a>"),
        ('<a href="https://wall.example/?a=1&amp;b=2">y</a>', '<a href="https://wall.example/?a=1&amp;b=2">y</a>'),
        ("<p><b>bold</p> after</b>", "<p><b>bold</b></p> after"),
        ('<div data-schema-version="8"><p>Seen</p></div>', "<p>Seen</p>"),
        ("<ul><li>one<li>two", "<ul><li>one<li>two</li></li></ul>"),
        ("<p>a<iframe><b>x</b></iframe><hr>b</p>", "<p>a<hr/>b</p>"),
        ("<Smad3> binds", "<p>&lt;Smad3&gt; binds</p>"),
    ],
)
def test_a_note_is_safe_html(text: str, note: str) -> None:
    assert to_note(text) == note


_PARTS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</i>",
        "<script>",
        "</script>",
        "<img src=x onerror=y>",
        "<a href='javascript:x'>",
        "x",
        "<",
        "&lt;",
        "\n",
    ]
)


@given(st.lists(_PARTS, max_size=12).map("".join))
def test_no_note_holds_anything_that_acts(text: str) -> None:
    note = to_note(text)
    event("markup" if "<p>" in text or "<b>" in text else "plain")
    for tag in re.findall(r"<[^>]*>", note):
        assert re.fullmatch(r"</?(?:p|b|i|a|br/)>|<br/>", tag), tag
