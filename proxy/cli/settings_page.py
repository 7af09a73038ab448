"""docs/settings.md, made of what the settings say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.edge.configuration.setting import Setting

INTRODUCTION: Final = """\
# Settings

Everything that can be set about a running server. A setting is taken from the first of these that has it:

1. an option of `sunset serve`, where there is one;
2. a variable of the environment; an empty one counts as none;
3. `sunset.toml` in the current folder, or the file that `--config` or `SUNSET_CONFIG` names;
4. its default, which is safe on the open internet.

A time is a number of seconds, or has a unit: `0.5`, `30`, `"30s"`, `"10m"`, `"12h"`, `"1d"`. A size is a number of
bytes, or has one: `8190`, `"64KiB"`, `"1MiB"`. In the environment the parts of a list are separated by commas.

```toml
# sunset.toml
listen = ["0.0.0.0:8080", "[::]:8080"]

[limits]
origin_connections = 256

[timeouts]
keep_alive = "30s"
```

`sunset settings` shows which settings hold, and where each comes from. A name that means nothing and a value that
cannot be used keep the server from starting, and all of them are told at once. Whoever can read `sunset.toml` can read
a secret in it, so it is better off in the environment.

This page is written by `sunset settings --markdown`.
"""


def page() -> str:
    """The whole page."""
    from proxy.edge.configuration.setting import all_settings

    options = _options()
    sections: dict[str, list[Setting]] = {}
    for setting in all_settings():
        sections.setdefault(setting.section, []).append(setting)
    parts = [INTRODUCTION]
    for section, settings in sections.items():
        title = section.replace("_", " ").capitalize() or "In general"
        parts.append(f"## {title}\n" + (f"\nIn `sunset.toml` below `[{section}]`.\n" if section else ""))
        rows = [_row(setting, options.get(setting.name)) for setting in settings]
        parts.append(
            "\n".join([_cells("setting", "variable", "default", "what it is"), _cells(*["---"] * 4), *rows, ""])
        )
    return "\n".join(parts)


def _row(setting: Setting, option: str | None) -> str:
    default = setting.show(setting.default)
    about = setting.about if option is None else f"{setting.about} Also by `{option}`."
    return _cells(f"`{setting.field}`", f"`{setting.variable}`", f"`{default}`" if default else "", about)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _options() -> dict[str, str]:
    """The options of `sunset serve` by the names of the settings that they give."""
    from typer.main import get_group

    from proxy.cli.app import app

    serve = get_group(app).commands["serve"]
    return {parameter.name: parameter.opts[0] for parameter in serve.params}
