"""`sunset schema`: the format of rule files, for editors and other programs."""

from __future__ import annotations

from typing import Final

import typer

EXAMPLES: Final = ("sunset schema > rules.schema.json",)


def schema() -> None:
    """Print the JSON Schema (draft-07) of rule files, site files and rulebook.yaml alike.

    An editor completes and checks what you type by it. With a YAML language server (VS Code with its YAML extension,
    Neovim, Helix, …) write "rules.schema.json": "rules/*.yaml" below yaml.schemas in its settings, or at the top of a
    rule file # yaml-language-server: $schema=../rules.schema.json
    """
    import orjson

    from proxy.rulebook.schema import schema as made

    typer.echo(orjson.dumps(made(), option=orjson.OPT_INDENT_2))
