"""`sunset settings`: what is set, to what, and where that was said; and the manual of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from proxy.cli.options import Config, Json, configured

if TYPE_CHECKING:
    from proxy.edge.configuration.sources import Configuration

EXAMPLES: Final = (
    "sunset settings",
    "SUNSET_TIMEOUTS_STOP=1m sunset settings --json",
    "sunset settings --markdown",
)


def settings(
    context: typer.Context,
    config: Config = None,
    json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/settings.md: every setting, explained.")
    ] = False,
) -> None:
    """Show the settings that sunset serve would have here, each with where it comes from.

    An option of serve goes before the environment, that before sunset.toml, that before the default. Secrets are not
    shown.
    """
    if markdown and json:
        raise typer.BadParameter("--json and --markdown are two forms; name one", param_hint="--markdown")
    if markdown:
        from proxy.cli.settings_page import page

        typer.echo(page(), nl=False)
        return
    configuration = configured(config, context)
    if json:
        _print_json(configuration)
    else:
        _print_table(configuration)


def _print_json(configuration: Configuration) -> None:
    import orjson

    from proxy.edge.configuration.setting import all_settings

    report = [
        {
            "name": setting.name,
            "variable": setting.variable,
            "value": setting.show(configuration.value(setting)),
            "default": setting.show(setting.default),
            "source": configuration.sources[setting.name],
            "about": setting.about,
        }
        for setting in all_settings()
    ]
    typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2))


def _print_table(configuration: Configuration) -> None:
    from rich.table import Table

    from proxy.cli.screen import output
    from proxy.edge.configuration.setting import all_settings
    from proxy.edge.configuration.sources import DEFAULT

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "value", "from"):
        table.add_column(heading)
    for setting in all_settings():
        source = configuration.sources[setting.name]
        shown = setting.show(configuration.value(setting))
        table.add_row(setting.name, shown, source, style="dim" if source == DEFAULT else None)
    output().print(table)
