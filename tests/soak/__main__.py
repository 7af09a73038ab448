"""`python -m tests.soak`: Sunset for ten minutes in the middle of everything that goes wrong at once; `make soak`.

    stage        `sunset serve` as users start it, its rules and certificates, and an old site to forward to
    old_site     that site, on loopback
    visits       what good clients ask for, and what the right answer is
    visitors     good clients, each in its way: plain or TLS, one connection or many
    nuisances    bad clients, and slow ones
    faults       rules that change, workers that are killed, certificates that are swapped
    succession   which of the values that follow each other may still be seen
    tally        what became of all requests; `samples` what the server took of the machine meanwhile
    results      the figures of a run, and what is wrong with them
    plot         them as a picture
    run          all of it at the same time

A good request that was on a connection of a worker when that was killed is asked once more on a new one, as browsers
do, and counted apart. Whatever else is not the right answer is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.soak.plot import svg
from tests.soak.run import Tell, soak

PLOT: Final = Path("docs/soak.svg")


def main() -> int:
    """Exits with 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description="Good, bad and slow clients, and faults, at once.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--plot", type=Path, default=PLOT, metavar="FILE", help=f"where the picture goes ({PLOT})")
    parser.add_argument("--json", action="store_true", help="print all figures for programs")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="sunset-soak-") as folder, progress(options.minutes * 60) as tell:
        results = asyncio.run(soak(Path(folder), options.minutes * 60, tell))
    options.plot.write_text(svg(results), "utf-8")
    print(results.json() if options.json else results.summary())
    complaints = results.complaints()
    for complaint in complaints:
        print(f"soak: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


@contextmanager
def progress(seconds: float) -> Iterator[Tell]:
    """Gives whom to tell how far it is."""
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=seconds)
        yield lambda second, what: bar.update(task, completed=second, description=what)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
