"""`sunset reload`: let a running server load its rules anew, and say what became of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from proxy.cli.options import ADMIN, Admin, Json

if TYPE_CHECKING:
    from proxy.edge.verdict import Verdict

EXAMPLES: Final = ("sunset reload", "sunset reload --allow-shrink", "sunset reload --admin 127.0.0.1:9900 --json")

NOT_WELL: Final = 1


def reload(
    admin: Admin = ADMIN,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="Take rules that have become much fewer: it is meant so.")
    ] = False,
    json: Json = False,
) -> None:
    """Load the rules anew, wait, and tell what became of it: the new generation, or every error with its place.

    Exits with 1 where the new rules are not taken; the last good ones stay in use then.
    """
    import orjson
    from pydantic import TypeAdapter, ValidationError

    from proxy.cli.desk import NobodyAnswersError, ask
    from proxy.edge.verdict import Verdict

    body = orjson.dumps({"allow_shrink": allow_shrink})
    status, content = ask(admin, "/reload", method="POST", body=body, seconds=None)
    try:
        verdict = TypeAdapter(Verdict).validate_json(content) if status in {200, 409} else None
    except ValidationError:
        verdict = None
    if verdict is None:
        raise NobodyAnswersError(f"the server at {admin} answers {status}: it is no Sunset that reloads")
    if json:
        typer.echo(content, nl=False)
    else:
        _print(verdict)
    if not verdict.ok:
        raise typer.Exit(NOT_WELL)


def _print(verdict: Verdict) -> None:
    from proxy.cli.complaint import complain_of
    from proxy.cli.screen import errors, output

    complain_of(verdict.problems, errors())
    if not verdict.ok:
        stays = f"generation {verdict.generation} stays in use" if verdict.generation else "nothing is in use"
        errors().print(f"sunset: {verdict.message}; {stays}")
    elif verdict.changed:
        output().print(f"generation {verdict.generation} is in use, after {verdict.seconds:.1f} s")
    else:
        output().print(f"nothing has changed: generation {verdict.generation} stays in use")
