"""Cleaning and comparing text: white space, entities, markup, mojibake, places in a file."""

from __future__ import annotations

import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync.core.folding import fold
from sync.core.markup import abstract, plain, rich
from sync.core.record import SourceLine
from sync.core.sheet import Sheet
from sync.core.text import cased, mojibake, safe_html, squeeze, unescape

MML = "http://www.w3.org/1998/Math/MathML"


def math(inner: str) -> str:
    prefixed = re.sub(r"(</?)(m)", r"\1mml:\2", inner)
    return f'<mml:math xmlns:mml="{MML}">{prefixed}</mml:math>'


# ---- white space and entities -------------------------------------------------------------------------------------


def test_squeeze_folds_every_kind_of_blank() -> None:
    assert squeeze(" a\u00a0 b\r\n\tc\u2009d ") == "a b c d"


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("Bread &amp; Butter", "Bread & Butter"),
        ("&amp;lt;i&amp;gt;", "<i>"),
        ("&#x11f;&#252;&eacute;", "ğüé"),
        ("AT&T, R&D", "AT&T, R&D"),
        ("https://x.example/?a=1&copy=2&lt", "https://x.example/?a=1&copy=2&lt"),
        ("&nosuchentity; &amp;amp;amp;amp;", "&nosuchentity; &amp;"),
        ("no ampersand", "no ampersand"),
    ],
)
def test_entities_are_resolved_also_doubly_escaped_ones(given_text: str, wanted: str) -> None:
    assert unescape(given_text) == wanted


# ---- rich text ----------------------------------------------------------------------------------------------------

SC = '<span style="font-variant:small-caps;">'


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        (
            "<i>Rattus</i> and <b>bold</b>, H<sub>2</sub>O, m<sup>2</sup>",
            "<i>Rattus</i> and <b>bold</b>, H<sub>2</sub>O, m<sup>2</sup>",
        ),
        ("<em>a</em> <strong>b</strong> <jats:italic>c</jats:italic>", "<i>a</i> <b>b</b> <i>c</i>"),
        ("<scp>dna</scp> <jats:sc>rna</jats:sc>", f"{SC}dna</span> {SC}rna</span>"),
        ("&lt;scp&gt;DC&lt;/scp&gt;", f"{SC}DC</span>"),
        ('<span style="font-variant: small-caps">x</span>', f"{SC}x</span>"),
        ('<span class="nocase">pH</span>', '<span class="nocase">pH</span>'),
        ('<span lang="de">wort</span>', "wort"),
        ("<u>a</u> <tt>b</tt> <a href='x'>c</a> <font size=\"2\">d</font>", "a b c d"),
        ("<FOREIGN>word</FOREIGN>", "word"),
        ("one<br>two<br/>three", "one two three"),
        ("<p>one</p><p>two</p>", "one two"),
        ("p<0.05, a<b and c>d", "p<0.05, a<b and c>d"),
        ("the <Smad3> pathway", "the <Smad3> pathway"),
        ("<i>a <b>c</i> d</b>", "<i>a <b>c</b></i> d"),
        ("a</i> b", "a b"),
        ("<i>never closed", "<i>never closed</i>"),
        ("a<i></i>b<sub> </sub>c", "a b c".replace(" b", "b")),
        ("a <!-- hidden --> b<![CDATA[<i>c]]>", "a b<i>c"),
        ("<I>Loud</I>", "<i>Loud</i>"),
        ("A & B", "A & B"),
        ("", ""),
        ("tab\x00\x08less \ud800", "tabless"),
    ],
)
def test_rich_keeps_what_zotero_shows_and_drops_the_rest(markup: str, wanted: str) -> None:
    assert rich(markup) == wanted


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        ("kinase (\n            <i>ABC1</i>\n            )", "kinase (<i>ABC1</i>)"),
        ("Co<sub>1+x\n      </sub>O<sub>4</sub> films", "Co<sub>1+x</sub>O<sub>4</sub> films"),
        ("CO\n   <sub>2</sub>\n   uptake", "CO<sub>2</sub> uptake"),
        ("<scp>L</scp>\n-histidine", f"{SC}L</span>-histidine"),
        ("<i>Title</i>\n   .", "<i>Title</i>."),
        ("by<i> blanks </i>inside", "by <i>blanks</i> inside"),
        ("The role of          <i>AI</i>\n in it", "The role of <i>AI</i> in it"),
    ],
)
def test_line_breaks_that_lay_out_markup_leave_no_blank_in_a_word(markup: str, wanted: str) -> None:
    assert rich(markup) == wanted


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        ("<mi>x</mi>", "x"),
        ("<mi>N</mi><mo>=</mo><mn>88</mn>", "N = 88"),
        ("<mo>=</mo><mn>1</mn>", "=1"),
        ("<mrow><mi> a </mi>\n<mo>+</mo> <mi>b</mi></mrow>", "a+b"),
        ("<msub><mi>T</mi><mn>0</mn></msub>", "T<sub>0</sub>"),
        ("<msup><mn>10</mn><mrow><mo>−</mo><mn>3</mn></mrow></msup>", "10<sup>−3</sup>"),
        ("<msup><mi>u</mi><mo>′</mo></msup>", "u′"),
        ("<msubsup><mi>D</mi><mn>0</mn><mi>q</mi></msubsup>", "D<sub>0</sub><sup>q</sup>"),
        ("<munder><mi>lim</mi><mi>n</mi></munder>", "lim<sub>n</sub>"),
        ("<munderover><mo>∑</mo><mn>0</mn><mi>n</mi></munderover>", "∑<sub>0</sub><sup>n</sup>"),
        ("<mover><mi>x</mi><mo>¯</mo></mover>", "x\u0304"),
        ("<mover><mi>B</mi><mo>→</mo></mover>", "B\u20d7"),
        ("<mover><mi>AB</mi><mo>¯</mo></mover>", "AB"),
        ("<mover><mi>x</mi><mi>def</mi></mover>", "x<sup>def</sup>"),
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac>", "1/2"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac>", "(a+b)/c"),
        ("<msqrt><mn>2</mn></msqrt>", "√2"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", "<sup>3</sup>√x"),
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a, b)"),
        ('<mfenced open="[" close="]" separators=""><mi>a</mi><mi>b</mi></mfenced>', "[ab]"),
        (
            "<mmultiscripts><mi>Tb</mi><mprescripts/><none/><mn>153</mn></mmultiscripts>",
            "<sup>153</sup>Tb",
        ),
        ("<mmultiscripts><mi>R</mi><mi>i</mi><none/></mmultiscripts>", "R<sub>i</sub>"),
        ("<mtext>for all </mtext><mi>n</mi><mspace/><mi>k</mi>", "for all n k"),
        ("<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>", "1 2"),
        ("<msub><mi>broken</mi></msub>", "broken"),
        ("<mphantom><mi>x</mi></mphantom><mi>y</mi>", "y"),
        ("bare", "bare"),
    ],
)
def test_formulae_are_readable(inner: str, wanted: str) -> None:
    assert rich(math(inner)) == wanted


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("the", "nucleus", "the x nucleus"),
        ("the ", " nucleus", "the x nucleus"),
        ("group,", ")", "group, x)"),
        ("(", ")", "(x)"),
        ("CO", "-rays", "COx-rays"),
        ("the ", "th part", "the xth part"),
        ("with ", "Data", "with x Data"),
    ],
)
def test_formulae_stand_apart_from_words(before: str, after: str, wanted: str) -> None:
    assert rich(f"{before}{math('<mi>x</mi>')}{after}") == wanted


def test_a_formula_in_tex_stands_only_where_there_is_no_other() -> None:
    tex = "<tex-math>\\documentclass{a}\\begin{document}$$ \\alpha $$\\end{document}</tex-math>"
    assert rich(f"<alternatives>{tex}{math('<mi>α</mi>')}</alternatives>") == "α"
    assert rich(f"<inline-formula>{tex}</inline-formula>") == "\\alpha"
    assert rich("<tex-math>$x$</tex-math>") == "x"
    assert rich("<inline-graphic xlink:href='a.png'/>x") == "x"


def test_text_in_bottomless_markup_is_kept() -> None:
    deep = "<i>" * 5000 + "core" + "</i>" * 5000
    assert plain(deep) == "core"


def test_plain_has_no_markup() -> None:
    assert plain("H<sub>2</sub>O &amp; <scp>x</scp>") == "H2O & x"


def test_an_entity_bomb_is_text() -> None:
    assert rich('<!DOCTYPE x [<!ENTITY a "aaaa">]>&a;') == "<!DOCTYPE x []>&a;".replace("[]", '[<!ENTITY a "aaaa">]')


# ---- abstracts ----------------------------------------------------------------------------------------------------


def test_paragraphs_and_headings_of_an_abstract() -> None:
    jats = (
        "<jats:title>Abstract</jats:title><jats:sec>\n  <jats:title>Background:</jats:title>\n  <jats:p>We\n   asked"
        " H<jats:sub>2</jats:sub>O.</jats:p>\n<jats:p>And more.</jats:p></jats:sec><jats:sec><jats:title>Why?</jats:title>"
        "<jats:p>So.</jats:p></jats:sec><jats:sec><jats:title/><jats:p/></jats:sec><jats:title>Funding</jats:title>"
    )
    assert abstract(jats) == "Abstract: Background: We asked H2O.\nAnd more.\nWhy? So.\nFunding"


def test_list_items_are_paragraphs() -> None:
    assert (
        abstract("<p><list><list-item><p>One.</p></list-item><list-item><p>Two.</p></list-item></list></p>")
        == "One.\nTwo."
    )


def test_lines_of_an_abstract_without_paragraphs_are_kept() -> None:
    assert abstract("AIM: To see.\r\n\n RESULT:  We <i>saw</i>. ") == "AIM: To see.\nRESULT: We saw."


def test_lines_inside_a_paragraph_are_one() -> None:
    assert abstract("<p>a line\nand another</p>") == "a line and another"


# ---- comparing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Über Größe", "uber grosse"),
        ("Łódź, Ærø & Œuvre", "lodz aero  oeuvre"),
        ("H<sub>2</sub>O: a study", "H₂O -- A Study"),
        ("ﬁne e‐health", "fine e-health"),
        ("Bread &amp; Butter", "bread butter"),
        ("İstanbul Kıyı", "istanbul kiyi"),
        ("NAÏVE", "naive"),
    ],
)
def test_titles_that_mean_the_same_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_fold_keeps_letters_of_any_script_and_digits() -> None:
    assert fold("Война 2-го  мира, 戦争 3") == "воина 2 го мира 戦争 3"


@given(st.text())
def test_fold_gives_words_and_is_stable(text: str) -> None:
    folded = fold(text)
    event("empty" if not folded else "ascii" if folded.isascii() else "other")
    assert all(word.isalnum() for word in folded.split(" ")) or not folded
    assert "  " not in folded
    assert fold(folded) == folded


TAGGED = st.lists(
    st.sampled_from(
        [
            *(
                "<i>",
                "</i>",
                "<sub>",
                "</sub>",
                "<jats:p>",
                "</jats:p>",
                "<title>",
                "</title>",
                "<mml:math>",
                "</mml:math>",
            ),
            *(
                "<mfrac>",
                "</mfrac>",
                "<mi>",
                "</mi>",
                "<br>",
                "<x y='z'>",
                "&lt;",
                "&amp;",
                "&",
                "<",
                ">",
                "a",
                "B c",
                "\n",
                " ",
                "\x02",
                "\x1f",
            ),
            *(
                "<span style='small-caps'>",
                "</span>",
                "<!--",
                "-->",
                "<mover>",
                "</mover>",
                "<mmultiscripts>",
                "</mmultiscripts>",
                "1",
            ),
        ]
    )
)


@given(TAGGED)
def test_no_markup_however_broken_is_too_much(parts: list[str]) -> None:
    said = rich("".join(parts))
    letters = "".join(part for part in parts if part in {"a", "B c"}).replace(" ", "")
    event("with letters" if letters else "without")
    assert said == squeeze(said)
    assert len(re.findall("<i>", said)) == len(re.findall("</i>", said))
    for text in (plain("".join(parts)), abstract("".join(parts))):
        assert not re.search(r"</?(?:i|sub|span)\b[^<>]*>", text) or "&" in "".join(parts)


# ---- names, repair, notes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("O'NEILL", "O'Neill"),
        ("SMITH-JONES", "Smith-Jones"),
        ("DE SEZE", "De Seze"),
        ("ÉMILE", "Émile"),
        ("J. R.", "J. R."),
        ("McDonald", "McDonald"),
        ("van Tooren", "van Tooren"),
        ("李", "李"),
        ("", ""),
    ],
)
def test_only_names_in_capitals_are_recased(name: str, wanted: str) -> None:
    assert cased(name) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("MÃ´nica S.", "Mônica S."),
        ("the patientâ€™s view", "the patient\u2019s view"),
        ("São Paulo", "São Paulo"),
        ("Âge d'or", "Âge d'or"),
        ("ﬁne “quotes” stay", "ﬁne “quotes” stay"),
    ],
)
def test_only_what_looks_garbled_is_repaired(text: str, wanted: str) -> None:
    assert mojibake(text) == wanted


def test_html_for_notes_shows_and_does_nothing() -> None:
    assert safe_html("<script>\"a\" & 'b'\x00") == "&lt;script&gt;&quot;a&quot; &amp; &#x27;b&#x27;"


# ---- places in a file ---------------------------------------------------------------------------------------------


def lines_of(text: str, encoding: str, mark: bytes = b"") -> list[SourceLine]:
    """The lines of a text as a drop's are: numbered, with byte ranges that cover the file, the mark in the first."""
    lines, at = [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        end = at + len(line.encode(encoding)) + (len(mark) if number == 1 else 0)
        lines.append(SourceLine(number, at, end, line.rstrip("\r\n")))
        at = end
    return lines


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("latin-1", b""), ("utf-16-le", b""), ("utf-16-le", b"\xff\xfe")],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_places_are_bytes_of_the_file(encoding: str, mark: bytes, newline: str) -> None:
    text = newline.join(["größer als alles #1", "", "näher am Rand und #2 dann #3", "#4"])
    data = mark + text.encode(encoding)
    sheet = Sheet(lines_of(text, encoding, mark))
    for number, line in ((1, 1), (2, 3), (3, 3), (4, 4)):
        start = sheet.text.index(f"#{number}")
        numbers, (begin, end) = sheet.span(start, start + 2)
        assert data[begin:end].decode(encoding) == f"#{number}"
        assert numbers == (line, line)


def test_places_may_be_asked_for_again_and_earlier() -> None:
    sheet = Sheet(lines_of("äb\ncd", "utf-8"))
    assert [sheet.place(at) for at in (4, 1, 0, 1)] == [(2, 5), (1, 2), (1, 0), (1, 2)]


def test_a_gap_holds_its_text_and_its_place() -> None:
    gap = Sheet(lines_of("ab\ncd\nef", "utf-8")).gap(1, 5)
    assert (gap.lines, gap.bytes, gap.text) == ((1, 2), (1, 5), "b\ncd")


def test_lines_that_fit_no_encoding_are_measured_by_letters() -> None:
    sheet = Sheet([SourceLine(1, 0, 40, "ab cd"), SourceLine(2, 40, 47, "ef")])
    assert sheet.span(3, 5) == ((1, 1), (3, 5))
    assert Sheet([]).text == ""


@pytest.mark.parametrize(
    ("spoilt", "mended"),
    [
        ("MÃ¶ller", "Möller"),
        ("â€œWallsâ€\x9d â€“ now", "“Walls” – now"),
        ("MÃƒÂ¶ller", "Möller"),
        ("Ð˜Ð²Ð°Ð½Ð¾Ð²", "Иванов"),
        ("SÃO PAULO", "SÃO PAULO"),
        ("ÂNGELO", "ÂNGELO"),
        ("AlamaÃâ€™Riordan", "AlamaÃâ€™Riordan"),
        ("plain", "plain"),
    ],
)
def test_spoilt_letters_are_mended_where_that_is_sure(spoilt: str, mended: str) -> None:
    assert mojibake(spoilt) == mended
