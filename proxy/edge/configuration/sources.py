"""Configuration: the settings that hold, and where each of them comes from.

The command line goes before the environment, that before sunset.toml, that before the default. Whatever cannot be used
is told at once, all of it, each with the place where it was written; with one mistake nothing is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.edge.configuration.setting import PREFIX, all_settings
from proxy.edge.configuration.settings import Settings, SettingsError
from proxy.edge.configuration.sheet import Sheet
from proxy.rulebook.refusal import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from proxy.edge.configuration.setting import Setting

FILE: Final = Path("sunset.toml")
"""Looked for in the current folder where no other is named."""
FILE_VARIABLE: Final = "SUNSET_CONFIG"
DEFAULT: Final = "default"

_OF_KUBERNETES = re.compile(r"SUNSET_(.*_)?(SERVICE_HOST|SERVICE_PORT|PORT)(_.*)?")
"""What every container is given where a service is called `sunset`, or begins so: none of it is meant for us."""


class Option(NamedTuple):
    """An option that was given: as it is typed, and the text behind it, or all texts where it was given repeatedly."""

    typed: str
    text: str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What cannot be used, where it is written, and whether that is the command line."""

    place: str
    message: str
    is_wrong_use: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigurationErrors(SettingsError):
    """A configuration that cannot be used, with every mistake in it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and by name the source of each: an option, a variable, a line of the file, or `default`."""

    settings: Settings
    sources: Mapping[str, str]

    def value(self, setting: Setting) -> object:
        """The value of a setting that holds."""
        section = getattr(self.settings, setting.section) if setting.section else self.settings
        return getattr(section, setting.field)


def configure(
    environment: Mapping[str, str], file: Path | None = None, options: Mapping[str, Option] | None = None
) -> Configuration:
    """The configuration of a process.

    `file` is the one that was named, if any was; `options` are those that were given, by the name of their setting.
    Raises `SettingsError`, and `OSError` where the file cannot be read.
    """
    sheet = Sheet.read(file or FILE) if file is not None or FILE.is_file() else None
    values: dict[str, dict[str, Any]] = {}
    sources: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for setting in all_settings():
        option = None if options is None else options.get(setting.name)
        sources[setting.name], read = _written(setting, option, environment, sheet)
        try:
            values.setdefault(setting.section, {})[setting.field] = read()
        except SettingsError as error:
            mistakes.append(Mistake(sources[setting.name], str(error), is_wrong_use=option is not None))
    mistakes += _unknown_variables(environment)
    if sheet is not None:
        mistakes += _unknown_keys(sheet)
    if mistakes:
        raise ConfigurationErrors(mistakes)
    base = Settings()
    sections = {name: replace(getattr(base, name), **fields) for name, fields in values.items() if name}
    return Configuration(replace(base, **values[""], **sections), sources)


def _written(
    setting: Setting, option: Option | None, environment: Mapping[str, str], sheet: Sheet | None
) -> tuple[str, Callable[[], object]]:
    """Where a setting is written, and what reads it there. A variable that is empty is none."""
    if option is not None:
        text = option.text if isinstance(option.text, str) else ",".join(option.text)
        return option.typed, lambda: setting.read_text(text)
    if text := environment.get(setting.variable, ""):
        return setting.variable, lambda: setting.read_text(text)
    if sheet is not None and setting.field in (table := sheet.table(setting.section)):
        return sheet.place(setting.name), lambda: setting.read(table[setting.field])
    return DEFAULT, lambda: setting.default


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[Mistake]:
    """Variables that were meant to be settings: they name a section, or are nearly one that there is."""
    known = {setting.variable.removeprefix(PREFIX) for setting in all_settings()}
    sections = tuple({f"{setting.section.upper()}_" for setting in all_settings() if setting.section})
    for variable in sorted(environment.keys() - {FILE_VARIABLE}):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in known or _OF_KUBERNETES.fullmatch(variable):
            continue
        meant = did_you_mean(name, known).replace('"', f'"{PREFIX}', 1)
        if meant or name.startswith(sections):
            yield Mistake(variable, f"no setting has this variable{meant}")


def _unknown_keys(sheet: Sheet) -> Iterator[Mistake]:
    """Keys and tables that mean nothing."""
    known: dict[str, set[str]] = {}
    for setting in all_settings():
        known.setdefault(setting.section, set()).add(setting.field)
    for table, keys in sheet.tables.items():
        if table not in known:
            meant = did_you_mean(table, known.keys() - {""})
            yield Mistake(sheet.place(table), f'no section of settings is called "{table}"{meant}')
            continue
        for key in sorted(keys.keys() - known[table]):
            name = f"{table}.{key}" if table else key
            meant = "; it is a table" if key in known else did_you_mean(key, known[table])
            yield Mistake(sheet.place(name), f'no setting is called "{name}"{meant}')
