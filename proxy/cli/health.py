"""`sunset health`: is a server ready? Made for containers, where there is no curl."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import typer

from proxy.cli.options import ADMIN, Admin

EXAMPLES: Final = ("sunset health", "sunset health --admin 127.0.0.1:9900")

TIMEOUT: Final = 4.0


def health(admin: Admin = ADMIN) -> None:
    """Ask a running server whether it is ready.

    Exits with 0 when it is and with 1 when it is not, or when nobody answers.
    """
    from proxy.cli.desk import NobodyAnswersError, ask

    status, body = ask(admin, "/readyz", seconds=TIMEOUT)
    is_ready = status == HTTPStatus.OK and body.startswith(b"ok")
    is_waiting = status == HTTPStatus.SERVICE_UNAVAILABLE and body.startswith(b"not ready")
    if not is_ready and not is_waiting:
        raise NobodyAnswersError(f"the server at {admin} answers {status}: it is no Sunset that tells how it stands")
    said = body.decode("utf-8", "replace").strip()
    if is_waiting:
        typer.echo(f"sunset: {said}", err=True)
        raise typer.Exit(1)
    typer.echo(said)
