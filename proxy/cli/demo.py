"""`sunset demo`: all of it on one machine, and what to try next."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from proxy.cli.options import RULES, parse_at, parse_endpoint

if TYPE_CHECKING:
    from proxy.demo.guide import Scene
    from proxy.edge.server import Server

EXAMPLES: Final = (
    "sunset demo",
    "sunset demo --at 2024-10-15",
    "sunset demo --at 2024-12-31 --listen 127.0.0.1:8081",
)

LISTEN: Final = "127.0.0.1:8080"
ADMIN: Final = "127.0.0.1:9900"
SUFFIX: Final = ".localhost"


def demo(
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", metavar="DIR", help="The folder of rule files. Without it: ./rules, else those shipped."
        ),
    ] = None,
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where Sunset answers.")] = LISTEN,
    admin: Annotated[str, typer.Option("--admin", metavar="HOST:PORT", help="Where its metrics are.")] = ADMIN,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Where the clock starts, UTC unless it has an offset. Without it: weeks before the first cutover.",
        ),
    ] = None,
) -> None:
    """See it at work: an old shop to forward to, Sunset in front of it, and a clock that starts when you say.

    Needs neither root nor DNS nor any other service: a browser finds po.co.localhost by itself. Ctrl-C ends it.
    """
    wanted = (parse_endpoint(listen, "--listen"), parse_endpoint(admin, "--admin"))
    when = parse_at(at)

    from proxy.cli.screen import errors
    from proxy.demo.guide import Scene, opening
    from proxy.demo.shop import Shop
    from proxy.demo.stage import free, perform
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.log import log_to_stderr
    from proxy.rulebook.load import load

    folder = rules or shipped_rules()
    rulebook = load(folder)
    shop = Shop(rulebook)
    instant = opening(rulebook) if when is None else when.replace(tzinfo=when.tzinfo or UTC)
    endpoint, admin_endpoint = map(free, wanted)
    for asked, got in zip(wanted, (endpoint, admin_endpoint), strict=True):
        if asked.port not in {0, got.port}:
            errors().print(f"{asked} is taken or not allowed; {got} is used", style="yellow")
    settings = Settings(listen=(endpoint,), admin=admin_endpoint, at=instant, preview_suffix=SUFFIX)

    def started(server: Server) -> None:
        scene = Scene(
            rulebook=rulebook,
            shop=shop,
            listen=endpoint,
            admin=admin_endpoint,
            suffix=SUFFIX,
            instant=server.clock.now(),
            program=_program(),
            rules="" if folder == RULES else str(folder),
        )
        _show(scene)
        log_to_stderr()

    perform(rulebook, shop, settings, started)


def shipped_rules() -> Path:
    """`rules` in the current folder; else the rules that Sunset ships with, installed or in its sources."""
    package = Path(__file__).parent.parent
    for folder in (RULES, package / "demo" / "rules", package.parent / "rules"):
        if (folder / "rulebook.yaml").is_file():
            return folder
    return RULES


def _program() -> str:
    """How `sunset` is typed here: it need not be on the path."""
    script = Path(sys.argv[0])
    if script.name == "sunset":
        return _typed(script)
    return f"{_typed(Path(sys.executable))} -m proxy"


def _typed(program: Path) -> str:
    """The name of a program where the path leads to it, else the way to it."""
    found = shutil.which(program.name)
    if found is not None and program.exists() and Path(found).samefile(program):
        return program.name
    way = program.absolute()
    return str(way.relative_to(Path.cwd()) if way.is_relative_to(Path.cwd()) else way)


def _show(scene: Scene) -> None:
    """What to open, and what to paste."""
    from rich.text import Text

    from proxy.cli.screen import output

    console = output()
    clock = f"{scene.instant:%Y-%m-%d %H:%M:%S} UTC"
    console.print(Text.assemble("Sunset stands in front of an old shop. Its clock shows ", (clock, "bold green"), "."))
    for title, steps in (("Open in a browser", scene.addresses()), ("Type in another terminal", scene.commands())):
        console.print(Text(f"\n{title}", "bold"))
        for step in steps:
            console.print(Text.assemble(("  # ", "dim"), (step.shows, "dim"), "\n  ", (step.text, "cyan")))
    console.print(Text("\nCtrl-C ends it.", "dim"))
    sys.stdout.flush()
