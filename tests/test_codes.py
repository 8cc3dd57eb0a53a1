"""Every code that zotdrop uses has its sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.core import notices, rules, tidy
from sync.report.codes import CODES, explained
from sync.report.records import _WHY

SYNC = Path(__file__).resolve().parents[1] / "sync"
# Words with a hyphen that are no codes of ours: formats, encodings, types of Crossref and Zotero.
NO_CODES = """
    book-chapter book-part book-section book-series book-set book-track brought-back concern-of correction-of
    crossref-json date-parts edited-book euc-jp euc-kr has-preprint id-type internal-pdf is-preprint-of
    is-review-of is-version-of journal-article journal-issue journal-volume latin-1 mac-roman new-version
    no-specified partial-retraction peer-review posted-content proceedings-article proceedings-series pubmed-xml
    reference-book reference-entry report-component report-series retraction-of same-item shift-jis small-caps
    given-up tex-math utf-16 utf-16-be utf-16-le utf-8 utf-8-sig validation-failure version-of
"""
ROOMS = ("core", "drops", "state", "steps", "run.py")  # where problems are found and reasons given
WITHOUT = {"write_csl.py"}  # the words of another form
MAKERS = {"Problem", "Match", "note", "doubt", "settle", "wait", "planned"}  # calls that are given codes


def words(path: Path) -> Iterator[str]:
    """The words of a file that may be codes: all that have a hyphen, and those that stand where a code is given."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "-" in node.value.strip("-"):
            yield node.value
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MAKERS:
            yield from given(node)


def given(call: ast.Call) -> Iterator[str]:
    """The codes of a call: its first argument where that is a code, what stands in a tuple, the beginning of a made-up one."""
    for place, argument in enumerate(call.args):
        if isinstance(argument, ast.JoinedStr) and place == 0 and isinstance(argument.values[0], ast.Constant):
            yield str(argument.values[0].value)
        parts = argument.elts if isinstance(argument, ast.Tuple) else [argument] if place == 0 else []
        yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def codes() -> set[str]:
    paths = [
        path for path in SYNC.rglob("*.py") if path.relative_to(SYNC).parts[0] in ROOMS and path.name not in WITHOUT
    ]
    found = {word for path in paths for word in words(path)}
    found |= set(tidy.MESSAGES) | {code for _, code, _ in notices._KINDS.values() if code}
    found |= {row[0] for _, rows in rules.TABLE for row in rows} | set(_WHY)
    shaped = {word for word in found if re.fullmatch(r"[a-z]+(?:-[a-z0-9]+)*-?", word)}
    return shaped - set(NO_CODES.split()) - {"created"}  # an outcome


def test_every_code_has_its_sentence() -> None:
    used = codes()
    assert len(used) > 100
    assert sorted(code for code in used if explained(code) is None) == []


def test_no_sentence_is_of_a_code_that_nobody_uses() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SYNC.rglob("*.py") if path.name != "codes.py")
    assert [code for code in CODES if f'"{code}"' not in text] == []


@pytest.mark.parametrize("code", [*CODES, "item-refused-413", "refused-400", "item:ABCD2345"])
def test_a_sentence_says_what_it_means_and_what_to_do(code: str) -> None:
    told = explained(code)
    assert told is not None
    assert told.means[0].isupper()
    assert all(sentence.endswith(".") for sentence in (told.means, told.do))


def test_what_is_no_code_is_not_explained() -> None:
    assert explained("kelp") is None
