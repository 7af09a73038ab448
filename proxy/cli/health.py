"""`sunset health`: is a server ready? Made for containers, where there is no curl."""

from __future__ import annotations

from typing import Annotated, Final

import typer

EXAMPLES: Final = ("sunset health", "sunset health --admin 127.0.0.1:9900")

TIMEOUT: Final = 4.0
ANYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
"""Addresses that a server listens on and nobody can connect to, and where it is found instead."""


def health(
    admin: Annotated[
        str, typer.Option("--admin", metavar="HOST:PORT", help="Where the server has its metrics.")
    ] = "127.0.0.1:9900",
) -> None:
    """Ask a running server whether it is ready.

    Exits with 0 when it is and with 1 when it is not, or when nobody answers.
    """
    from http.client import HTTPConnection, HTTPException

    from proxy.cli.options import parse_endpoint

    endpoint = parse_endpoint(admin, "--admin")
    connection = HTTPConnection(ANYWHERE.get(endpoint.host, endpoint.host), endpoint.port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        said = response.read(200).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        typer.echo(f"sunset: nobody answers at {admin}: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        connection.close()
    if response.status != 200:
        typer.echo(f"sunset: not ready: {response.status} {said}", err=True)
        raise typer.Exit(1)
    typer.echo(said or "ready")
