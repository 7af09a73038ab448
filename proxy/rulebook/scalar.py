"""What a YAML scalar is by the core schema (YAML 1.2.2 section 10.3): null, truth value, integer, float, else text.

YAML 1.1, which PyYAML speaks, has more: there `NO` is false and `1:30` is 90.
"""

from __future__ import annotations

import re
from typing import Final

CORE: Final = "tag:yaml.org,2002:"
STR: Final = CORE + "str"
SEQ: Final = CORE + "seq"
MAP: Final = CORE + "map"
_NULL, _BOOL, _INT, _FLOAT = (CORE + name for name in ("null", "bool", "int", "float"))

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9A-Fa-f]+")
_REAL = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NUMBER_BEGINS = frozenset("0123456789+-.")
_MAX_DIGITS = 18

Scalar = str | int | float | bool | None


class ScalarError(ValueError):
    """A scalar that cannot be: by its tag (`of_tag`), or by its size."""

    def __init__(self, message: str, *, of_tag: bool = False) -> None:
        super().__init__(message)
        self.of_tag = of_tag


def plain_tag(text: str) -> str:
    """The tag of a scalar that has neither quotes nor a tag of its own."""
    if text in _NULLS:
        return _NULL
    if text in _BOOLS:
        return _BOOL
    if text[0] in _NUMBER_BEGINS:
        if _INTEGER.fullmatch(text):
            return _INT
        if _REAL.fullmatch(text):
            return _FLOAT
    return STR


def scalar_value(tag: str, text: str) -> Scalar:
    """The value of a scalar that is not text. Raises `ScalarError`."""
    if tag == _NULL and text in _NULLS:
        return None
    if tag == _BOOL and text in _BOOLS:
        return _BOOLS[text]
    if tag == _INT and _INTEGER.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ScalarError("no number here is that long; in quotes it would be text")
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if tag == _FLOAT and _REAL.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    raise ScalarError(f'the tag "{short_tag(tag)}" is not one of YAML\'s core, or not for this value', of_tag=True)


def short_tag(tag: str) -> str:
    """A tag as people write it."""
    return tag.replace(CORE, "!!")
