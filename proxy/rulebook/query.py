"""What rule files say about queries: what of one is kept (`keep_query`), and what a rule asks for (`query`)."""

from __future__ import annotations

import re
from typing import Final

from proxy.core.query import ANY, KEEP_ALL, KEEP_NONE, Condition, KeepQuery
from proxy.rulebook.refusal import Refusal, did_you_mean, wrong_type

_NAMES: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}
KEEP_QUERY_SCHEMA: Final = {
    "anyOf": [
        {"type": "boolean"},
        _NAMES,
        {"type": "object", "properties": {"drop": _NAMES}, "required": ["drop"], "additionalProperties": False},
    ]
}
QUERY_VALUE_SCHEMA: Final = {"type": ["string", "number", "boolean"]}

_CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def parse_keep_query(value: object) -> KeepQuery:
    """What of a query is kept. Raises `Refusal`."""
    match value:
        case True:
            return KEEP_ALL
        case False:
            return KEEP_NONE
        case list():
            return KeepQuery(keep=_names(value))
        case {"drop": list(names), **others} if not others:
            return KeepQuery(drop=_names(names))
        case dict() if unknown := [key for key in value if key != "drop"]:
            message = f'"{unknown[0]}" means nothing here{did_you_mean(unknown[0], ["drop"])}'
            raise Refusal("unknown-key", message, inside=(unknown[0],), of_key=True)
        case _:
            raise wrong_type(value, 'true, false, a list of names to keep, or {drop: ["utm_*"]}')


def parse_query_value(value: object) -> str | float | bool:
    """The value of a condition, before it is known how it was written. Raises `Refusal`."""
    if isinstance(value, str | int | float):
        return value
    raise wrong_type(value, 'a value, "*" or a capture "{name}"')


def parse_condition(name: str, text: str) -> Condition:
    """A parameter that must be there, with this value. Raises `Refusal`."""
    if text == ANY:
        return Condition(name.encode())
    if match := _CAPTURE.fullmatch(text):
        return Condition(name.encode(), None, match[1])
    if text.startswith("{") and text.endswith("}"):
        message = f'"{text}" is not a capture: its name has letters, digits and "_", and begins with a letter'
        raise Refusal("bad-query", message)
    return Condition(name.encode(), text.encode())


def _names(names: list[object]) -> tuple[str, ...]:
    for name in names:
        if not isinstance(name, str) or not name:
            raise wrong_type(name, "the name of a parameter")
    return tuple(str(name) for name in names)
