"""The text of a record goes into a note as it is, and nothing in it is markup."""

from __future__ import annotations

import hashlib

from sync.core.originals import MOST_NOTE, as_file, as_note, file_name, joined


def test_nothing_in_the_text_is_markup_in_the_note() -> None:
    note = as_note("TI  - <script>alert(1)</script> & </pre><img src=x>\nER  -")
    assert "TI  - &lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;/pre&gt;&lt;img src=x&gt;\nER  -</pre>" in note
    assert note.count("<") == 4


def test_a_text_that_no_note_can_hold_makes_none() -> None:
    assert len(as_note("a" * (MOST_NOTE - 100))) <= MOST_NOTE
    assert as_note("<" * (MOST_NOTE // 4)) == "", "as it is written, each takes four letters"


def test_a_file_has_the_text_and_says_what_it_is() -> None:
    original = as_file("TI  - Tídes \udc80")
    assert original.data == b"TI  - T\xc3\xaddes \\udc80\n"
    assert original.md5 == hashlib.md5(original.data, usedforsecurity=False).hexdigest()
    assert [file_name(name) for name in ("a.RIS", "b.nbib", "standard input", "c.d/e")] == [
        "original.ris", "original.nbib", "original.txt", "original.txt",
    ]  # fmt: skip


def test_the_records_of_one_item_stand_one_after_the_other() -> None:
    assert joined(["a\n", "", "\nb"]) == "a\n\nb"
