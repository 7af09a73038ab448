"""A TOML file of settings: what stands in it, and on which line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.edge.configuration.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LINE = re.compile(r"""\s*(?:\[\s*(?P<table>[\w-]+)\s*\]|["']?(?P<key>[\w.-]+)["']?\s*=)""")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file of settings: by table and key what is written, and by their names the lines that they stand on.

    What stands above all tables is in the one without a name.
    """

    file: Path
    tables: Mapping[str, Mapping[str, object]]
    lines: Mapping[str, int]

    @classmethod
    def read(cls, file: Path) -> Sheet:
        """Read a file. Raises `SettingsError` where it is no TOML, and `OSError`."""
        try:
            text = file.read_text("utf-8")
            parsed = tomllib.loads(text)
        except ValueError as error:  # no UTF-8, or no TOML
            raise SettingsError(f"{file}: {error}") from None
        tables = {key: value for key, value in parsed.items() if isinstance(value, dict)}
        above = {key: value for key, value in parsed.items() if key not in tables}
        return cls(file, {"": above, **tables}, _lines(text))

    def table(self, name: str) -> Mapping[str, object]:
        """What stands in a table; nothing where there is none of that name."""
        return self.tables.get(name, {})

    def place(self, name: str) -> str:
        """`sunset.toml:3`, for a table or a key, `limits.target`; without a line where it is unclear which that is."""
        line = f":{self.lines[name]}" if name in self.lines else ""
        return f"{self.file}{line}"


def _lines(text: str) -> dict[str, int]:
    """Where keys and tables stand, as far as that can be told without parsing: `tomllib` keeps no places."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if match is None:
            continue
        if match["table"]:
            table = match["table"]
        name = ".".join(filter(None, (table, match["key"])))
        lines.setdefault(name, number)
    return lines
