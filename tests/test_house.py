"""Who may import whom: the directions of the house, held with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SYNC = ROOT / "sync"

# Each room, and the rooms below it that it may use. Nobody else.
EFFECTS = {"pipeline", "sources", "libraries", "state", "report", "drops"}
MAY_USE = {
    "__init__": set(),
    "__main__": {"cli"},
    "cli": {
        "web",
        "service",
        "orders",
        "keeping",
        "access",
        "logs",
        "notify",
        "health",
        "progress",
        "wiring",
        "run",
        "steps",
        "scaffold",
        "units",
        "stopping",
        "config",
        "secrets",
        "errors",
        "core",
        *EFFECTS,
    },
    "web": {"service", "orders", "wiring", "run", "steps", "config", "errors", "core", *EFFECTS},
    "service": {
        "health",
        "orders",
        "logs",
        "notify",
        "wiring",
        "run",
        "steps",
        "config",
        "cron",
        "errors",
        "stopping",
        "core",
        *EFFECTS,
    },
    "access": {"wiring", "steps", "scaffold", "config", "secrets", "errors", "core", *EFFECTS},
    "orders": {"keeping", "wiring", "run", "steps", "config", "errors", "core", *EFFECTS},
    "keeping": {"wiring", "run", "steps", "config", "errors", "core", *EFFECTS},
    "wiring": {"run", "steps", "http", "config", "secrets", "errors", "stopping", "core", *EFFECTS},
    "run": {"steps", "logs", "errors", "core", *EFFECTS},
    "steps": {"errors", "core", *EFFECTS},
    "pipeline": {"core"},
    "sources": {"http", "pace", "errors", "core"},
    "libraries": {"errors", "stopping", "core"},
    "state": {"errors", "core"},
    "report": {"core"},
    "drops": {"errors", "core"},
    "scaffold": {"errors"},
    "units": {"scaffold", "config", "errors"},
    "http": {"pace", "errors", "stopping"},
    "pace": set(),
    "stopping": set(),
    "config": {"cron", "secrets", "errors", "core"},
    "cron": set(),
    "logs": {"secrets"},
    "health": {"orders", "wiring", "steps", "config", "errors", "core", *EFFECTS},
    "notify": {"wiring", "steps", "logs", "config", "secrets", "errors", "core", *EFFECTS},
    "progress": set(),
    "secrets": {"errors"},
    "errors": set(),
    "core": set(),
}
IMPURE = {
    "httpx", "httpx2", "pyzotero", "apscheduler", "click", "rich", "pydantic", "sqlite3", "pathlib", "logging", "time",
    "random", "os", "socket", "subprocess", "threading", "secrets", "tempfile", "shutil", "urllib.request",
}  # fmt: skip
ONLY_IN = {
    "httpx": {"http.py"},
    "pydantic": {"config/"},
    "pyzotero": {"libraries/"},
    "sqlite3": {"state/", "libraries/embedded"},
    "apscheduler": {"service/"},
    "watchfiles": {"service/"},
    "click": {"cli.py", "cli/"},
}


def files() -> list[Path]:
    return sorted(path for path in SYNC.rglob("*.py") if "_config" not in path.parts)


def room(path: Path) -> str:
    first = path.relative_to(SYNC).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every imported module by its full name, wherever it stands in the file, function bodies and TYPE_CHECKING included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the room"
            if node.module == "sync":
                yield from ((f"sync.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module or "", node.lineno


def breaches(path: Path) -> list[str]:
    mine, found = room(path), []
    for module, line in imports(path):
        parts = module.split(".")
        if parts[0] == "sync" and len(parts) > 1 and parts[1] not in {mine, "__version__"} | MAY_USE[mine]:
            found.append(f"{path.relative_to(ROOT)}:{line}: {mine} may not use {parts[1]}")
        if mine == "core" and (parts[0] in IMPURE or module in IMPURE):
            found.append(f"{path.relative_to(ROOT)}:{line}: core is pure, {module} is not")
        homes = ONLY_IN.get(parts[0])
        if homes and not any(str(path.relative_to(SYNC)).startswith(home) for home in homes):
            found.append(f"{path.relative_to(ROOT)}:{line}: {parts[0]} belongs to {', '.join(sorted(homes))}")
    return found


def test_every_room_has_its_line() -> None:
    assert {room(path) for path in files()} <= set(MAY_USE)


def test_the_table_has_no_cycle() -> None:
    order: list[str] = []
    left = dict(MAY_USE)
    while left:
        free = [name for name, below in left.items() if not below & set(left) - {name}]
        assert free, f"these rooms need each other: {sorted(left)}"
        order += free
        for name in free:
            del left[name]
    assert order.index("core") < order.index("run") < order.index("cli")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    assert breaches(path) == []


def test_a_breach_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "core" / "bad.py"
    bad.parent.mkdir()
    bad.write_text("def f():\n    import os\n    from sync.state import ledger\n")
    monkeypatch.setitem(globals(), "SYNC", tmp_path)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert len(breaches(bad)) == 2


def test_top_level_holds_what_was_agreed() -> None:
    agreed = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "sync", "config", "tests"}
    tools = {"uv.lock", "dist", "build", "demo", "htmlcov", "venv"}
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - tools <= agreed
