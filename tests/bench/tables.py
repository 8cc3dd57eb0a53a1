"""Results as text, as JSON and as a picture."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Cell: TypeAlias = str | int | float
Line: TypeAlias = dict[str, Cell]

_WIDTH, _ROW, _NAMES, _NUMBERS = 760, 26, 250, 110  # of a picture: whole, a bar, the names, the numbers behind the bars


@dataclass(frozen=True, slots=True)
class Table:
    """What was measured. name: of its files.  drawn: the column that is drawn.  named: the columns that name a bar."""

    name: str
    title: str
    lines: tuple[Line, ...]
    drawn: str
    named: tuple[str, ...]

    def text(self) -> str:
        """Columns under their names, numbers to the right."""
        columns = list(dict.fromkeys(column for line in self.lines for column in line))
        shown = [[_shown(line.get(column, "")) for column in columns] for line in self.lines]
        widths = [max(map(len, [column, *(row[n] for row in shown)])) for n, column in enumerate(columns)]
        rows = [
            "  ".join(cell.rjust(width) if n else cell.ljust(width) for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in [columns, *shown]
        ]  # fmt: skip
        return "\n".join([self.title, *(f"  {row}" for row in rows)]) + "\n"

    def svg(self) -> str:
        """A bar for each line."""
        values = [float(line.get(self.drawn) or 0) for line in self.lines]
        height = _ROW * (len(values) + 2)
        style = "font:13px sans-serif;fill:#222"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" style="{style}">'
        title = f'<text x="8" y="18" font-weight="bold">{html.escape(f"{self.title}: {self.drawn}")}</text>'
        return "\n".join([head, title, *self._bars(values), "</svg>\n"])

    def _bars(self, values: Sequence[float]) -> Iterator[str]:
        scale = (_WIDTH - _NAMES - _NUMBERS) / (max(values, default=0.0) or 1.0)
        for number, (line, value) in enumerate(zip(self.lines, values, strict=True)):
            top = _ROW * (number + 1) + 6
            name = html.escape(", ".join(_shown(line[column]) for column in self.named if column in line))
            wide = max(value * scale, 1.0)
            yield f'<text x="{_NAMES - 8}" y="{top + 14}" text-anchor="end">{name}</text>'
            yield f'<rect x="{_NAMES}" y="{top}" width="{wide:.1f}" height="{_ROW - 8}" fill="#2f6f9f"/>'
            yield f'<text x="{_NAMES + wide + 6:.1f}" y="{top + 14}">{_shown(line.get(self.drawn, ""))}</text>'


def write_all(tables: Sequence[Table], folder: Path, about: Line) -> None:
    """`bench.json`, `bench.txt` and a picture for each table."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {"about": about, "tables": {table.name: {"title": table.title, "rows": table.lines} for table in tables}}
    (folder / "bench.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    said = "\n".join(
        [", ".join(f"{name} {value}" for name, value in about.items()) + "\n", *(t.text() for t in tables)]
    )
    (folder / "bench.txt").write_text(said, encoding="utf-8")
    for table in tables:
        (folder / f"{table.name}.svg").write_text(table.svg(), encoding="utf-8")


def _shown(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
