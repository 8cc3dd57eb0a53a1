"""The long run: python -m tests.chaos --minutes 5 --seed 7. Ends with 1 and what is wrong if anything is."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import Plan, Storm, calm, rage, storm
from tests.chaos.verdict import judge, text
from tests.servers.zotero import USER


def main() -> int:
    """Parse, storm, tell."""
    words = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    words.add_argument("--minutes", type=float, default=5.0)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--patience", type=float, default=600.0, help="seconds for what is left when the storm is over")
    words.add_argument("--every", type=float, default=1.5, help="seconds between two files")
    words.add_argument("--keep", type=Path, help="a new folder for the log, which stays")
    given = words.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="zotdrop-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    with storm(folder, Plan(given.seed, given.minutes * 60, every=given.every)) as here:
        rage(here)
        calm(here, patience=given.patience)
        found = judge(here)
        first, last = here.rss
        if last > first * 1.2:
            found.complaints.append(f"memory grew: {first} kB in the first quarter, {last} kB in the last")
        print(text(here, found))
        if found.complaints:
            shutil.copytree(here.disk, folder / "disk as it was")
            dump(here, folder / "zotero.json")
    print(f"the log, and what else is left: {folder}") if found.complaints else shutil.rmtree(folder)
    return 1 if found.complaints else 0


def dump(here: Storm, file: Path) -> None:
    """The stand-in's library as it was left, and every write to it, for whoever looks for the cause."""
    library = here.stage.zotero.library(f"users/{USER}")
    writes = [
        {"at": one.at, "status": one.status, "body": one.body.decode("utf-8", "replace")}
        for one in here.stage.zotero.log
        if one.method == "POST"
    ]
    file.write_text(json.dumps({"items": library.items(trashed=True), "writes": writes}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
