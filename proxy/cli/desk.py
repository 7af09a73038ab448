"""The admin listener of a running server, as commands ask it."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import Final

from proxy.cli.options import parse_endpoint
from proxy.errors import SunsetError

ANYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
"""Addresses that a server listens on and nobody can connect to, and where it is found instead."""


class NobodyAnswersError(SunsetError):
    """There is no server, or none that speaks like one."""


def ask(
    admin: str, path: str, *, method: str = "GET", body: bytes | None = None, seconds: float | None
) -> tuple[int, bytes]:
    """Status and body of an answer that takes `seconds` at most. Raises `NobodyAnswersError`."""
    import os

    from proxy.edge.admin import TOKEN_VARIABLE

    endpoint = parse_endpoint(admin, "--admin")
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    headers: dict[str, str | bytes] = {"Authorization": f"Bearer {token}".encode()} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection = HTTPConnection(ANYWHERE.get(endpoint.host, endpoint.host), endpoint.port, timeout=seconds)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        status, content = response.status, response.read()
    except (OSError, HTTPException) as error:
        raise NobodyAnswersError(f"nobody answers at {admin}: {_said(error)}") from None
    except ValueError:
        raise NobodyAnswersError(f"{TOKEN_VARIABLE} holds a character that cannot be sent") from None
    finally:
        connection.close()
    if status == 401:
        raise NobodyAnswersError(f"the server at {admin} wants its token: set {TOKEN_VARIABLE}")
    return status, content


def _said(error: OSError | HTTPException) -> str:
    """An error of a socket or of HTTP, for people."""
    if isinstance(error, ConnectionRefusedError):
        return "no server listens there; --admin says where else"
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, HTTPException):
        return "what listens there speaks no HTTP"
    return error.strerror or str(error)
