"""Works that belong together and are no duplicates: kept apart, and linked in the library where the config says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from tests.scene import Scene, outcomes, scene

ARTICLE = """TY  - JOUR
AU  - Berg, Ada
AU  - Li, Bo
TI  - {title}
JO  - Journal of Applied Tidal Biology
PY  - 2020
VL  - 8
SP  - {page}
ER  -
"""
TITLE = "Kelp forests of the northern coast and their urchins"
PAPER = ARTICLE.format(title=TITLE, page="117")
NOTICE = ARTICLE.format(title=f"Erratum: {TITLE}", page="244")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def link(stage: Scene, library: str, **match: str) -> None:
    stage.write_config(library, use=[])
    lines = "\n".join(f'{name} = "{value}"' for name, value in match.items())
    stage.config.write_text(f"{stage.config.read_text()}[match]\n{lines}\n")


def related(stage: Scene) -> dict[str, list[str]]:
    """By title, the keys that an item points at."""
    found = {}
    for item in stage.items():
        uris = item.get("relations", {}).get("dc:relation", [])
        found[item["title"]] = [uri.rpartition("/")[2] for uri in ([uris] if isinstance(uris, str) else uris)]
    return found


@pytest.mark.parametrize("library", ["embedded", "user", "group"])
@pytest.mark.parametrize("drops", [[PAPER + NOTICE], [PAPER, NOTICE]], ids=["one drop", "two drops"])
def test_a_new_item_points_at_the_work_it_belongs_to(stage: Scene, library: str, drops: list[str]) -> None:
    link(stage, library, related="link")
    for number, text in enumerate(drops):
        report = stage.sync(str(stage.drop(f"{number}.ris", text)))
        assert set(outcomes(report)) == {"created"}
    (paper,) = [item for item in stage.items() if item["title"] == TITLE]
    assert related(stage)[f"Erratum: {TITLE}"] == [paper["key"]]
    (uri,) = {
        uri for item in stage.items() for uri in [item["relations"].get("dc:relation", "")] if paper["key"] in uri
    }
    assert uri.startswith("http://zotero.org/groups/" if library == "group" else "http://zotero.org/users/")


def test_nothing_is_linked_unless_it_is_wanted(stage: Scene) -> None:
    stage.write_config(use=[])
    assert outcomes(stage.sync(str(stage.drop("both.ris", PAPER + NOTICE)))) == {"created": 2}
    assert set(map(len, related(stage).values())) == {0}


@pytest.mark.parametrize(("wish", "wanted"), [("one", {"created": 1, "merged": 1}), ("apart", {"created": 2})])
def test_versions_of_a_cochrane_review(stage: Scene, wish: str, wanted: dict[str, int]) -> None:
    review = PAPER.replace("ER  -", "DO  - 10.1002/14651858.CD001234.pub{version}\nER  -").replace("117", "CD001234")
    link(stage, "embedded", cochrane_versions=wish)
    text = review.format(version=2) + review.format(version=3).replace("2020", "2024")
    assert outcomes(stage.sync(str(stage.drop("both.ris", text)))) == wanted


def test_a_work_that_the_library_holds_twice_is_told_once_and_the_oldest_is_taken(stage: Scene) -> None:
    stage.write_config(use=[])
    stage.sync(str(stage.drop("first.ris", PAPER)))
    (oldest,) = stage.items()
    library = Embedded(stage.folder / "library.sqlite", now=lambda: "2027-11-23T08:00:00Z")
    copied = {
        name: oldest[name] for name in ("itemType", "title", "creators", "date", "publicationTitle", "volume", "pages")
    }
    (answer,) = library.write([Write("BBBB3333", 0, copied)])
    assert isinstance(answer, Receipt)
    library.close()
    reports = [stage.sync(str(stage.drop(f"{n}.ris", PAPER + "\n" * n)), "--collection", f"again {n}") for n in (1, 2)]
    (record, later) = [report["drops"][0]["records"][0] for report in reports]
    assert (record["outcome"], record["key"], later["key"]) == ("updated", oldest["key"], oldest["key"])
    assert [problem["code"] for problem in record["problems"]] == ["twice-in-library"]
    assert "BBBB3333" in record["problems"][0]["message"]
    assert later["problems"] == []
