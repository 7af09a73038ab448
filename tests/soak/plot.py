"""A run as a picture: a strip for each figure over time, and under them what was done to the server meanwhile.

An SVG that reads well on light and on dark, with the colours of the benchmark's.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from bench.plot import MARGIN, STYLE, WIDTH
from tests.soak.faults import EVERY
from tests.soak.results import Results

LEFT: Final = 150
"""For titles and scales."""
STRIP: Final = 110
GAP: Final = 40
TOP: Final = 92
LANE: Final = 18
PLOT: Final = WIDTH - LEFT - MARGIN
AMONG: Final = "among bad and slow clients, with faults as marked below; all processes of the server together"
MORE: Final = """
  .line { fill: none; stroke: #e8590c; stroke-width: 1.5; stroke-linejoin: round }
  .tick { stroke: #57606a; stroke-width: 1 }
  .frame { stroke: #d0d7de; stroke-width: 1 }
  .right { text-anchor: end }
  .middle { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    .line { stroke: #ff8a3d }
    .tick { stroke: #9198a1 }
    .frame { stroke: #30363d }
  }
"""


def svg(results: Results) -> str:
    """The whole picture."""
    samples = results.samples
    strips: list[tuple[str, list[float]]] = [
        ("memory, MiB", [sample.memory for sample in samples]),
        ("open files, sockets", [sample.descriptors for sample in samples]),
        ("good answers a second", [sample.good for sample in samples]),
    ]
    seconds = [sample.second for sample in samples]
    parts: list[str] = []
    for number, (title, values) in enumerate(strips):
        parts.extend(_strip(title, seconds, values, TOP + number * (STRIP + GAP), results.seconds))
    bottom = TOP + len(strips) * (STRIP + GAP)
    for number, event in enumerate(EVERY):
        moments = [second for second, what in results.events if what == event]
        parts.extend(_lane(event, moments, bottom + number * LANE, results.seconds))
    axis = bottom + len(EVERY) * LANE + 16
    parts.extend(_axis(axis, results.seconds))
    height = axis + 2 * MARGIN
    found = f"{sum(results.good.values()):,} good requests, {results.failed} failed"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>Sunset under good, bad and slow clients and faults: {escape(found)}</title>",
            f"<style>{STYLE}{MORE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
            f'<text class="heading" x="{MARGIN}" y="32">{escape(found)}</text>',
            f'<text class="quiet" x="{MARGIN}" y="52">{AMONG}</text>',
            *parts,
            f'<text class="quiet" x="{MARGIN}" y="{height - 14}">{escape(f"{results.day}, {results.machine}")}</text>',
            "</svg>\n",
        ]
    )


def _x(second: float, lasted: float) -> float:
    return LEFT + PLOT * second / lasted


def _strip(title: str, seconds: list[float], values: list[float], top: int, lasted: float) -> Iterator[str]:
    """A line over time, from zero to the largest value."""
    largest, bottom = max(*values, 1.0), top + STRIP
    points = " ".join(
        f"{_x(second, lasted):.1f},{bottom - STRIP * value / largest:.1f}"
        for second, value in zip(seconds, values, strict=True)
    )
    yield f'<text class="title" x="{MARGIN}" y="{top - 8}">{escape(title)}</text>'
    for y in (top, bottom):
        yield f'<line class="frame" x1="{LEFT}" y1="{y}" x2="{LEFT + PLOT}" y2="{y}"/>'
    yield f'<text class="quiet right" x="{LEFT - 8}" y="{top + 5}">{largest:,.0f}</text>'
    yield f'<text class="quiet right" x="{LEFT - 8}" y="{bottom + 5}">0</text>'
    yield f'<polyline class="line" points="{points}"/>'


def _lane(event: str, moments: list[float], top: int, lasted: float) -> Iterator[str]:
    """A tick for each time that it happened."""
    yield f'<text class="quiet right" x="{LEFT - 8}" y="{top + 10}">{escape(event)}</text>'
    path = "".join(f"M{_x(moment, lasted):.1f} {top}v{LANE - 6}" for moment in moments)
    yield f'<path class="tick" d="{path}"/>'


def _axis(y: int, lasted: float) -> Iterator[str]:
    """Minutes where there are some, else tens of seconds."""
    step, unit, size = (60, "min", 60) if lasted >= 120 else (10, "s", 1)
    for second in range(0, int(lasted) + 1, step):
        yield f'<text class="quiet middle" x="{_x(second, lasted):.1f}" y="{y}">{second // size} {unit}</text>'
