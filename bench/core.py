"""How long deciding and loading take: `python -m bench.core [--full]`.

Deciding is measured on the shipped rules after the cutover, as the best of many runs (other programs on the machine
only ever add). Loading is measured once, in a process of its own, with the memory that it leaves behind.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import timeit
from datetime import UTC, datetime
from pathlib import Path

from proxy.rulebook.load import load

RULES = Path(__file__).parent.parent / "rules"
AFTER = datetime(2025, 6, 1, tzinfo=UTC)
ADDRESSES = {
    "exact": b"/uk/store-app/",
    "mapping": b"/uk/product/poco-f5",
    "mapping, with a query": b"/uk/product/poco-f5?utm_source=mail&c=1",
    "path kept": b"/uk/product/poco-f6/",
    "path kept, with a query": b"/uk/product/poco-f6/?utm_source=mail&c=1",
    "captures": b"/uk/news/2023/poco-f5-review/",
    "tail": b"/uk/cart/checkout",
    "regex": b"/uk/p-20417.html",
    "escapes": b"/uk/support/faq%2Fx/?q=%E4%BD%A0",
}
LOADING = """
import resource, sys, time
from pathlib import Path
from proxy.rulebook.load import load
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
rulebook = load(Path(sys.argv[1]))
loaded = time.perf_counter()
from datetime import UTC, datetime
rulebook.at(datetime(2025, 6, 1, tzinfo=UTC))
compiled = time.perf_counter()
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{loaded - start:.2f} s to load, {compiled - loaded:.2f} s to compile, {(after - before) / 1024:.0f} MiB")
"""


def main() -> None:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also load a million mappings")
    full = parser.parse_args().full
    for name, microseconds in deciding().items():
        print(f"decide, {name:<26} {microseconds:6.2f} µs")
    sizes = [("1,000 sites", write_sites, 1_000), ("100,000 mappings", write_mappings, 100_000)]
    if full:
        sizes.append(("1,000,000 mappings", write_mappings, 1_000_000))
    for name, write, count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), count)
            done = subprocess.run([sys.executable, "-c", LOADING, folder], check=True, capture_output=True, text=True)
        print(f"{name:<34} {done.stdout.strip()}")


def deciding() -> dict[str, float]:
    """Microseconds of one decision, by the kind of rule that makes it."""
    decide = load(RULES).at(AFTER).decide
    figures = {}
    for name, target in ADDRESSES.items():
        timer = timeit.Timer(lambda target=target: decide(b"po.co", target, b"GET", True))  # type: ignore[misc]
        figures[name] = min(timer.repeat(repeat=40, number=5_000)) / 5_000 * 1e6
    return figures


def write_sites(folder: Path, count: int) -> None:
    """So many sites of a host, two rules and a test each."""
    (folder / "rulebook.yaml").write_text(
        "defaults:\n  schedule: {notice: 2024-10-09, cutover: 2024-12-31}\n  timezone: UTC\ntargets: [new.example]\n"
    )
    for number in range(count):
        (folder / f"site-{number}.yaml").write_text(
            f"site: site-{number}\n"
            f"origin: https://origin-{number}.example\n"
            f"moves_to: https://new.example/{number}\n"
            "notice: {message: 'This site closes on {cutover}.', link: More}\n"
            "rules:\n"
            "  - {path: /cart/*, to: /cart}\n"
            "  - {path: '/news/{slug}', to: '/stories/{slug}'}\n"
            "tests:\n"
            f"  - {{url: 'https://old-{number}.example/x', at: 2025-01-01, expect: '301 https://new.example/{number}/x'}}\n"
            f"hosts: [old-{number}.example, www.old-{number}.example]\n"
        )


def write_mappings(folder: Path, count: int) -> None:
    """One site with so many mappings."""
    write_sites(folder, 1)
    site = folder / "site-0.yaml"
    site.write_text("mappings: [all.csv]\n" + site.read_text())
    with (folder / "all.csv").open("w") as rows:
        rows.write("old,new\n")
        rows.writelines(
            f"/shop/product/{number}-some-product-name,https://new.example/products/{number}\n"
            for number in range(count)
        )


if __name__ == "__main__":
    main()
