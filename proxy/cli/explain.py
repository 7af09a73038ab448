"""`sunset explain`: what will be answered to an address, when, and which line of which file says so."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from proxy.cli.options import RULES, At, Json, Rules, parse_at, table_at

if TYPE_CHECKING:
    from rich.text import Text

    from proxy.cli.explanation import Explanation
    from proxy.core.table import Table

EXAMPLES: Final = (
    "sunset explain https://po.co/uk/product/poco-f5/ --at 2024-12-31",
    "sunset explain https://po.co/uk/cart --at 2024-11-01T09:00",
    "sunset explain https://po.co/uk/contact --at 2025-01-01 --method POST --json",
    "sed 's,^,https://po.co,' paths.txt | sunset explain - --at 2025-01-01",
)

FROM_STDIN: Final = "-"
COLUMN: Final = 11
LONGEST: Final = 10_000

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def explain(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL", help='Addresses, or "-" to read them from standard input, one a line.')
    ],
    rules: Rules = RULES,
    at: At = None,
    method: Annotated[str, typer.Option("--method", metavar="METHOD", help="The method it is asked with.")] = "GET",
    json: Json = False,
) -> None:
    """Say what is answered to an address, and why.

    With --json, and always for "-", each address gives one line with one object of these keys: url, outcome, status,
    location, notice, site, phase, rule (its file and line), headers. A line that comes in is answered at once, so a
    program may keep the command running and ask on.
    """
    when = parse_at(at)
    if not _TOKEN.fullmatch(method):
        raise typer.BadParameter(f'"{method}" is not a method, as in GET or POST', param_hint="--method")
    if FROM_STDIN in urls and len(urls) > 1:
        raise typer.BadParameter('"-" stands alone: all addresses are then read from standard input', param_hint="URL")

    from proxy.rulebook.load import load

    table = table_at(load(rules), when)
    if urls == [FROM_STDIN]:
        _answer_stdin(table, method.upper().encode())
    elif json:
        _print_json(table, urls, method.upper().encode())
    else:
        _print_text(table, urls, method.upper().encode())


def _answer_stdin(table: Table, method: bytes) -> None:
    from proxy.cli.explanation import explain_line
    from proxy.cli.stream import answer_lines

    def write(answers: bytes) -> None:
        sys.stdout.buffer.write(answers)
        sys.stdout.buffer.flush()

    stdin = sys.stdin.fileno()
    answer_lines(lambda size: os.read(stdin, size), write, lambda line: explain_line(table, line, method))


def _print_json(table: Table, urls: list[str], method: bytes) -> None:
    import orjson

    from proxy.cli.explanation import explain as explain_one

    for url in urls:
        typer.echo(orjson.dumps(explain_one(table, url, method).as_json()))


def _print_text(table: Table, urls: list[str], method: bytes) -> None:
    from proxy.cli.explanation import explain_with_hops
    from proxy.cli.screen import output

    console = output()
    for number, url in enumerate(urls):
        if number:
            console.print()
        first, *further = explain_with_hops(table, url, method)
        console.print(_told(first))
        for hop in further:
            console.print("  which Sunset answers too:")
            console.print(_told(hop, indent="    "))


def _told(explanation: Explanation, indent: str = "  ") -> Text:
    """An explanation for people: the address, and below it a line for each thing to know."""
    from rich.text import Text

    from proxy.audit.printable import printable
    from proxy.core.decision import outcome_of

    answer = explanation.as_json()
    text = Text(indent[2:] + printable(explanation.url, LONGEST), style="bold")
    status = "" if answer["status"] is None else f"{answer['status']} "
    lines = [("answer", f"{status}{explanation.in_words}")]
    if answer["location"] is not None:
        lines.append(("leads to", answer["location"]))
    if answer["site"] is not None:
        lines.append(("site", f"{answer['site']}, in phase {answer['phase']}"))
    lines.append(("rule", explanation.rule_in_words))
    lines += [("header", f"{name}: {value}") for name, value in answer["headers"].items() if name != "Location"]
    colour = {"redirect": "green", "forward": "cyan", "local": "cyan"}.get(outcome_of(explanation.decision), "yellow")
    for name, value in lines:
        style = f"bold {colour}" if name in {"answer", "leads to"} else ""
        text = Text.assemble(text, f"\n{indent}", (name.ljust(COLUMN), "dim"), (value, style))
    return text
