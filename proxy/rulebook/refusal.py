"""A value that a rule file cannot hold: raised where one value is read, made a `Problem` where its place is known.

It is a `ValueError`, so pydantic carries it out of a validator together with the way to the value.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIMILAR = 0.7
_LISTED = 12

TRUTH = "true or false"
_TRUTHS = {"yes": "true", "on": "true", "y": "true", "true": "true"} | dict.fromkeys(
    ("no", "off", "n", "false"), "false"
)


class Refusal(ValueError):
    """`code` is one of `codes.CODES`; `offset` counts characters from the beginning of the value.

    Where the value has parts, `inside` is the way to the one that is meant; with `of_key` its key is.
    """

    def __init__(
        self, code: str, message: str, offset: int = 0, *, inside: tuple[str | int, ...] = (), of_key: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.offset = offset
        self.inside = inside
        self.of_key = of_key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the one that was probably meant, else all if they are few."""
    words = sorted(set(known))
    folded = {candidate.lower(): candidate for candidate in reversed(words)}
    if close := get_close_matches(word.lower(), folded, n=1, cutoff=_SIMILAR):
        return f'; did you mean "{folded[close[0]]}"?'
    return f"; known: {', '.join(words)}" if 0 < len(words) <= _LISTED else ""


def kind_of(value: object) -> str:
    """What a value of YAML is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def wrong_type(value: object, needed: str, *inside: str | int) -> Refusal:
    """A value of another kind than is needed."""
    advice = ""
    if needed == "text" and isinstance(value, int | float):
        advice = '; in quotes it is text: "…"'
    elif needed == TRUTH and isinstance(value, str) and value.lower() in _TRUTHS:
        advice = f"; write {_TRUTHS[value.lower()]}"
    message = f"this is {kind_of(value)}, and {needed} is needed here{advice}"
    return Refusal("wrong-type", message, inside=inside)
