"""The program `sunset`: its commands joined, and the border at which every error becomes text and an exit code.

What Sunset can explain, and what the machine refuses (a file, a port), is said in a line or a list, without traceback.
A traceback therefore means a mistake in Sunset itself, and is what a report of it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from inspect import cleandoc
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from proxy import __version__
from proxy.cli.acme import acme
from proxy.cli.audit import audit
from proxy.cli.certs import certs
from proxy.cli.check import check
from proxy.cli.demo import demo
from proxy.cli.explain import explain
from proxy.cli.health import health
from proxy.cli.reload import reload
from proxy.cli.schema import schema
from proxy.cli.self_signed import self_signed
from proxy.cli.serve import serve
from proxy.cli.settings import settings
from proxy.cli.status import status
from proxy.errors import SunsetError

NOT_WELL: Final = 1
READER_LEFT: Final = 128 + 13
"""What a shell sees of a program that SIGPIPE ended: `explain - | head` is no mistake, and not the whole answer."""


class Border(TyperGroup):
    """Runs a command, and turns what it raises into text on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps the type of a context to itself
        """What the command returns. Raises `typer.Exit` for every error that a user can do something about."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at its end; what is left goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(READER_LEFT) from None
        except SunsetError as error:
            from proxy.cli.complaint import complain
            from proxy.cli.screen import errors

            complain(error, errors())
            raise typer.Exit(NOT_WELL) from None
        except OSError as error:
            typer.echo(f"sunset: {_reason(error)}", err=True)
            raise typer.Exit(NOT_WELL) from None
        return result


app = typer.Typer(
    name="sunset",
    cls=Border,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sunset {__version__}")
        raise typer.Exit


@app.callback()
def sunset(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """An edge proxy that retires a domain.

    Until a date it forwards to the old site; from that date on it sends every address to where the page lives now.
    """


def _flowing(text: str) -> str:
    """A docstring's paragraphs, each on one line: a terminal breaks it where it ends."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


def _listed(examples: Iterable[str]) -> str:
    """Examples for below the options, each on a line of its own: that is what the backspace asks for."""
    return "\b\nExamples:\n" + "\n".join(f"  {example}" for example in examples)


def _help_of(command: Callable[..., None]) -> str:
    return _flowing(command.__doc__ or "")


def _epilog_of(command: Callable[..., None]) -> str:
    return _listed(sys.modules[command.__module__].EXAMPLES)


for command in (serve, demo, check, explain, audit, settings, schema, health, status, reload, acme):
    app.command(help=_help_of(command), epilog=_epilog_of(command))(command)

certificates = typer.Typer(callback=certs, invoke_without_command=True, help=_help_of(certs), epilog=_epilog_of(certs))
certificates.command("self-signed", help=_help_of(self_signed), epilog=_epilog_of(self_signed))(self_signed)
app.add_typer(certificates, name="certs")


def main() -> None:
    """The script `sunset`."""
    app(prog_name="sunset")


def _reason(error: OSError) -> str:
    """`rules.csv: Permission denied`, as other programs say it."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
