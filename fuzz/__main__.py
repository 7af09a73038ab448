"""Fuzzes targets one after the other, each in a process of its own: `python -m fuzz [--seconds N] [NAME…]`.

What was learnt about a target stays in `fuzz/learnt/`, and the next run goes on from there; `--keep` puts what reaches
something new into the corpus. Needs atheris, which `make fuzz` installs.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.name for path in (HERE / "corpus").iterdir())
ALONE = "--alone"
"""In front of a name and of what the engine is told: the process of one target."""

MAX_BYTES = 12_000
"""The longest input: somewhat longer than the longest request target."""


def main() -> int:
    """Exits with 1 where a target raised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which targets: {', '.join(NAMES)} (all)")
    parser.add_argument("--seconds", type=int, default=600, help="how long each of them is fuzzed (600)")
    parser.add_argument("--keep", action="store_true", help="put what reaches something new into fuzz/corpus")
    options = parser.parse_args()
    try:
        failed = [name for name in options.names or NAMES if not run(name, options.seconds, keep=options.keep)]
    except KeyboardInterrupt:
        return 130
    for name in failed:
        print(f"{name} raised; the input is in fuzz/findings/", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, seconds: int, *, keep: bool) -> bool:
    """One target, for so long; whether it held."""
    corpus, learnt, findings = HERE / "corpus" / name, HERE / "learnt" / name, HERE / "findings"
    for folder in (learnt, findings):
        folder.mkdir(parents=True, exist_ok=True)
    alone = [sys.executable, "-m", "fuzz", ALONE, name]
    limits = [f"-max_len={MAX_BYTES}", f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1"]
    done = subprocess.run([*alone, f"-max_total_time={seconds}", *limits, str(learnt), str(corpus)], check=False)
    if keep and done.returncode == 0:
        subprocess.run([*alone, "-merge=1", *limits, str(corpus), str(learnt)], check=True)
    return done.returncode == 0


def fuzz(name: str, engine: list[str]) -> None:
    """Hand a target to atheris, which ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["proxy", "fuzz"]):  # what a target finds out guides the search as well
        targets = importlib.import_module("fuzz.targets").TARGETS
    atheris.Setup([f"fuzz {name}", *engine], targets[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == [ALONE]:
        fuzz(sys.argv[2], sys.argv[3:])
    sys.exit(main())
