"""`python -m bench`: measures Sunset beside its peers, shows what came out, and keeps it."""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from types import FrameType
from typing import Final, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.goals import complaints
from bench.kernel import few_time_waits
from bench.machine import Machine, commit, versions
from bench.markdown import documents, filled
from bench.options import FULL, QUICK, parse
from bench.plot import svg
from bench.results import FOLDER, LATEST, Form, Results
from bench.run import Cores, Run, Tell
from bench.scenario import PEERS, SCENARIOS, Candidate, Scenario
from bench.server import ServerError
from bench.terminal import show
from proxy.edge.clock import Clock

WIDTH: Final = 100
"""Of what is written to a file."""
TOOLS: Final = {"wrk": "wrk", "taskset": "util-linux", "setpriv": "util-linux"}


def main() -> int:
    """Exits with 1 where something must be and is not, with 2 on wrong use."""
    options = parse(sys.argv[1:])
    console = Console(stderr=options.json)
    if not console.is_terminal:
        console.width = WIDTH
    try:
        results = Results.read(FOLDER / f"{options.show}.json") if options.show else measured(options)
    except (ServerError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if results is None:
        return 0
    if options.json:
        print(results.model_dump_json(indent=1))
    else:
        show(console, results)
    if options.documents:
        for file, figures in documents(results):
            file.write_text(filled(file.read_text("utf-8"), figures), "utf-8")
            console.print(f"written: {file}")
    complained = False
    if options.check:
        for complaint in complaints(results, whole=not (options.only or options.servers or options.quick)):
            print(f"bench: {complaint}", file=sys.stderr)
            complained = True
    return 1 if complained else 0


def measured(options: argparse.Namespace) -> Results | None:
    """A run, as it is kept; None if nothing was to be measured."""
    default = FULL if options.full else QUICK
    form = Form(
        rounds=default.rounds if options.rounds is None else options.rounds,
        seconds=default.seconds if options.seconds is None else options.seconds,
    )
    plan = list(planned(options))
    demand_tools(candidate for _, candidates in plan for candidate in candidates)
    machine = Machine.this()
    with ExitStack() as stack:
        stack.enter_context(alone())
        stack.enter_context(ended_by_signals())
        kernel = stack.enter_context(few_time_waits())
        steps = sum(len(candidates) * (1 + form.rounds) for _, candidates in plan)
        tell = stack.enter_context(progress(steps))
        run = Run(Cores.of_this_process(), form, tell)
        scenarios = [run.measure(scenario, candidates) for scenario, candidates in plan]
    if form.rounds == 0:
        print("every server answers as it should; nothing was measured")
        return None
    peers = {candidate.peer for _, candidates in plan for candidate in candidates}
    results = Results(
        day=Clock().now().date(),
        machine=machine,
        kernel=kernel,
        versions={peer.product or peer.name: peer.version() for peer in PEERS if peer in peers} | versions(),
        commit=commit(),
        form=form,
        scenarios=scenarios,
    )
    keep(results, LATEST if options.full and not (options.only or options.servers) else FOLDER / "quick.json")
    return results


def planned(options: argparse.Namespace) -> Iterator[tuple[Scenario, list[Candidate]]]:
    """Scenarios and candidates that were asked for, less those that are not possible."""
    for scenario in SCENARIOS:
        if options.only and scenario.name not in options.only.split(","):
            continue
        candidates = [
            candidate
            for candidate in scenario.in_form(full=options.full)
            if not options.servers or candidate.peer.name in options.servers.split(",")
        ]
        able = []
        for candidate in candidates:
            lacking = candidate.peer.lacks(scenario.load)
            if lacking:
                print(f"bench: {scenario.name} without {candidate.peer.name}: it lacks {lacking}", file=sys.stderr)
            else:
                able.append(candidate)
        if able:
            yield scenario, able


def demand_tools(candidates: Iterator[Candidate]) -> None:
    """Exits with what is missing, and how to get it."""
    packages = {package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    packages |= {each.peer.package for each in candidates if each.peer.program and each.peer.path() is None}
    if packages:
        names = " ".join(sorted(packages))
        print(
            f"bench: these Debian packages are missing: apt-get install --no-install-recommends {names}",
            file=sys.stderr,
        )
        raise SystemExit(2)


def keep(results: Results, file: Path) -> None:
    """As JSON, and as a plot beside it."""
    results.write(file)
    file.with_suffix(".svg").write_text(svg(results), "utf-8")


@contextmanager
def alone() -> Iterator[None]:
    """Two at once would measure each other: the second waits for the first."""
    with (Path(gettempdir()) / "sunset-bench.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: servers are stopped, and the kernel's setting is set back."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def progress(steps: int) -> Iterator[Tell]:
    """Gives whom to tell what is going on."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=steps)

        def tell(what: str) -> None:
            bar.update(task, description=what, advance=1)

        yield tell


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
