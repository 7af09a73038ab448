"""One setting: its name, its variable, its type, its manual. All of them are read off the fields of `Settings`.

A field whose default is a dataclass made for it is a section. The docstring below a field is its manual; Python keeps
it in the source alone.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le

from proxy.edge.configuration.notation import Unit
from proxy.edge.configuration.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import TypeAdapter

PREFIX: Final = "SUNSET_"
OFF: Final = "off"
"""How a setting that may be absent is said to be."""

_LARGEST = 2**53
"""Of a number whose type says nothing of a range; and none is below 0."""
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True)
class Setting:
    """One field of `Settings`, or of one of its sections; `section` is empty for the former."""

    section: str
    field: str
    type: Any
    default: Any
    about: str
    is_secret: bool

    @property
    def name(self) -> str:
        """As in sunset.toml, below its section: `limits.target`."""
        return f"{self.section}.{self.field}" if self.section else self.field

    @property
    def variable(self) -> str:
        """As in the environment: `SUNSET_LIMITS_TARGET`."""
        return PREFIX + self.name.replace(".", "_").upper()

    @property
    def is_listed(self) -> bool:
        """Whether its value is a list."""
        return get_origin(self.type) is tuple

    def read_text(self, text: str) -> object:
        """The value that a text means, from a command line or an environment. Raises `SettingsError`."""
        written = [part for part in _SEPARATORS.split(text) if part] if self.is_listed else text
        return self._read(written, lambda: self._adapter.validate_python(written))

    def read(self, written: object) -> object:
        """The value that a value of TOML means. Raises `SettingsError`."""
        try:
            # By the rules for JSON: strict, but what JSON has no type for, dates and times, may be written as text.
            text = json.dumps(written, default=lambda moment: moment.isoformat())
            return self._read(written, lambda: self._adapter.validate_json(text, strict=True))
        except SettingsError as error:
            raise SettingsError(f"{self.name}: {error}") from None

    def show(self, value: object) -> str:
        """A value as it could be written; of a secret only whether it is there."""
        if self.is_secret:
            return "set" if value else ""
        if isinstance(value, tuple):
            return ", ".join(map(str, value))
        match value:
            case None:
                return OFF
            case bool():
                return str(value).lower()
            case int() | float() if self._unit is not None:
                return self._unit.show(value)
            case datetime():
                return value.isoformat()
            case _:
                return str(value)

    def _read(self, written: object, judge: Callable[[], object]) -> object:
        from pydantic import ValidationError  # noqa: PLC0415

        if written == OFF and type(None) in get_args(self.type):
            return None
        try:
            return judge()
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        reason = self._reason(first["type"], first.get("ctx", {})) or first["msg"].removeprefix("Value error, ")
        shown = "" if self.is_secret or f'"{first["input"]}"' in reason else f'"{first["input"]}": '
        raise SettingsError(shown + reason)

    def _reason(self, kind: str, bounds: Mapping[str, Any]) -> str:
        """What is wrong with a number; empty where something else is."""
        match kind:
            case "greater_than":
                return f"it has to be more than {self.show(bounds['gt'])}"
            case "greater_than_equal":
                return f"the least is {self.show(bounds['ge'])}"
            case "less_than_equal":
                return f"the most is {self.show(bounds['le'])}"
            case "int_parsing" | "int_type" | "int_from_float":
                needed = "a whole number is needed"
            case "float_parsing" | "float_type":
                needed = "a number is needed"
            case "enum" | "literal_error":
                return f"it has to be {bounds['expected']}"
            case "bool_parsing" | "bool_type":
                return "true or false is needed"
            case "string_type":
                return "text is needed"
            case "tuple_type":
                return "a list is needed"
            case _:
                return ""
        return needed if self._unit is None else f"{needed}, alone or with {self._unit.symbols} behind it"

    @cached_property
    def _adapter(self) -> TypeAdapter[object]:
        from pydantic import TypeAdapter  # noqa: PLC0415

        bounded: Any = Annotated[self.type, Ge(0), Le(_LARGEST)] if self.type in {int, float} else self.type
        return TypeAdapter(bounded)

    @cached_property
    def _unit(self) -> Unit | None:
        return next((mark for mark in _marks(self.type) if isinstance(mark, Unit)), None)


@cache
def all_settings() -> tuple[Setting, ...]:
    """Every setting that there is: first those of no section."""
    return tuple(_settings(Settings, ""))


def _settings(of: type, section: str) -> Iterator[Setting]:
    types = get_type_hints(of, include_extras=True)
    manuals = _manuals(of)
    for each in fields(of):
        if is_dataclass(each.default_factory):
            yield from _settings(each.default_factory, each.name)
            continue
        default = each.default if each.default_factory is MISSING else each.default_factory()
        about = manuals.get(each.name, "")
        yield Setting(section, each.name, types[each.name], default, about, is_secret=not each.repr)


def _manuals(of: type) -> dict[str, str]:
    """The docstrings of a class's fields, each on one line."""
    found: dict[str, str] = {}
    try:
        source = dedent(inspect.getsource(of))
    except OSError:  # a program without its sources runs all the same
        return found
    for field, below in pairwise(cast("ast.ClassDef", ast.parse(source).body[0]).body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


def _marks(annotated: object) -> Iterator[object]:
    """All that stands in a type beside types."""
    yield from getattr(annotated, "__metadata__", ())
    for argument in get_args(annotated):
        yield from _marks(argument)
