"""Bars, as an SVG that reads well on light and on dark: a panel for each line of figures, a bar for each server.

A bar is the requests that a server answers in the CPU time in which nginx answers one: longer is better, and a line
stands where nginx ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from bench.results import Results, Row
from bench.summary import SERVERS, Line, lines

WIDTH: Final = 920
COLUMNS: Final = 2
PANEL: Final = WIDTH // COLUMNS
MARGIN: Final = 24
NAMES: Final = 70
"""For the names of servers, left of the bars."""
FIGURES: Final = 110
"""For figures, right of the longest bar."""
BARS: Final = PANEL - 2 * MARGIN - NAMES - FIGURES
STEP: Final = 22
THICK: Final = 14
TITLE: Final = 34
HEADING: Final = 70

STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .heading { font-size: 17px; font-weight: 600 }
  .title { font-weight: 600 }
  .name { text-anchor: end }
  .quiet { fill: #57606a; font-size: 12px }
  .paper { fill: #ffffff }
  .bar { fill: #afb8c1 }
  .ours { fill: #e8590c }
  .figure { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  .nginx { stroke: #57606a; stroke-width: 1; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .paper { fill: #0d1117 }
    .bar { fill: #57606a }
    .ours { fill: #ff8a3d }
    .figure { stroke: #0d1117 }
    .nginx { stroke: #9198a1 }
  }
"""


def svg(results: Results) -> str:
    """The whole picture."""
    shown = [line for line in lines(results) if len(ratios(line)) > 1]
    bottoms = [float(HEADING)] * COLUMNS
    panels = []
    for line in shown:
        column = bottoms.index(min(bottoms))
        panels.append(f'<g transform="translate({column * PANEL + MARGIN} {bottoms[column]:.0f})">')
        panels.extend(panel(line))
        panels.append("</g>")
        bottoms[column] += TITLE + STEP * len(ratios(line)) + MARGIN
    height = max(bottoms) + MARGIN
    machine = escape(f"{results.day:%-d %B %Y}, {results.machine}, {results.form}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">',
            "<title>Requests that servers answer in a CPU second, nginx = 1</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height:.0f}" rx="8"/>',
            f'<text class="heading" x="{MARGIN}" y="32">Requests in a CPU second, where nginx has 1</text>',
            f'<text class="quiet" x="{MARGIN}" y="52">longer is better; CPU µs for a request in grey</text>',
            *panels,
            f'<text class="quiet" x="{MARGIN}" y="{height - 14:.0f}">{machine}</text>',
            "</svg>\n",
        ]
    )


def ratios(line: Line) -> list[tuple[Row, float]]:
    """The servers that are shown, with the length of their bars."""
    rows = (line.row(server) for server in SERVERS)
    return [(row, ratio) for row in rows if row is not None and (ratio := line.ratio(row)) is not None]


def panel(line: Line) -> Iterator[str]:
    """Title, a line where nginx ends, and bars."""
    shown = ratios(line)
    scale = BARS / max(1.0, *(ratio for _, ratio in shown))
    yield f'<text class="title" x="0" y="18">{escape(line.title)}</text>'
    x, bottom = NAMES + scale, TITLE + STEP * len(shown)
    yield f'<line class="nginx" x1="{x:.1f}" y1="{TITLE - 6}" x2="{x:.1f}" y2="{bottom}"/>'
    for number, (row, ratio) in enumerate(shown):
        top = TITLE + STEP * number
        end = NAMES + max(1.0, ratio * scale)
        yield f'<text class="name" x="{NAMES - 8}" y="{top + 12}">{escape(row.server)}</text>'
        yield (
            f'<rect class="{"ours" if row.server == "Sunset" else "bar"}" x="{NAMES}" y="{top}"'
            f' width="{end - NAMES:.1f}" height="{THICK}" rx="2"/>'
        )
        star = "*" if row.note else ""
        yield (
            f'<text class="figure" x="{end + 8:.1f}" y="{top + 12}">{ratio:.2f}{star}'
            f'<tspan class="quiet" dx="6">{row.microseconds:.1f} µs</tspan></text>'
        )
