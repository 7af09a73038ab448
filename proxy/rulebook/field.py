"""The kinds of values that keys of rule files take: how each is read, and what the JSON Schema says of it.

Reading is done by plain functions that raise `Refusal`; pydantic carries that out, with the way to the value. None of
them takes YAML's null: a key without a value is what a file looks like that was cut short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from proxy.core.model import Origin
from proxy.core.pattern import PathPattern, PatternError, parse_path
from proxy.core.query import KeepQuery
from proxy.rulebook.base import parse_base
from proxy.rulebook.duration import DURATION_SCHEMA, parse_duration
from proxy.rulebook.header import hsts_header, parse_header_name, parse_header_value
from proxy.rulebook.host import parse_host_name
from proxy.rulebook.moment import MOMENT_PATTERN, Moment, parse_moment, parse_zone
from proxy.rulebook.origin import ORIGIN_PATTERN, parse_network, parse_origin
from proxy.rulebook.query import KEEP_QUERY_SCHEMA, QUERY_VALUE_SCHEMA, parse_keep_query, parse_query_value
from proxy.rulebook.refusal import TRUTH, Refusal, did_you_mean, wrong_type

ALWAYS: Final = "always"
"""In place of a milestone: before, or after, everything."""

_MILESTONE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WELL_KNOWN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")

_TAG: Final = "a language tag as in en-GB"
_NOTHING: Final = "there is nothing in this text"


def _text(parse: Callable[[str], Any]) -> PlainValidator:
    """A validator of text that `parse` reads."""

    def read(value: object) -> Any:  # noqa: ANN401 - whatever the key's type is
        if not isinstance(value, str):
            raise wrong_type(value, "text")
        return parse(value)

    return PlainValidator(read)


def _shaped(shape: re.Pattern[str], code: str, advice: str) -> Callable[[str], str]:
    """A reader of text that has to look like `shape`."""

    def read(text: str) -> str:
        if shape.fullmatch(text) is None:
            raise Refusal(code, f'"{text}" is not {advice}')
        return text

    return read


def _plain(text: str) -> str:
    if not text.strip():
        raise Refusal("wrong-value", _NOTHING)
    return text


def _path(text: str) -> PathPattern:
    try:
        return parse_path(text)
    except PatternError as error:
        raise Refusal("bad-pattern", str(error), error.offset) from None


def _yes(value: object) -> bool:
    if value is not True:
        raise Refusal("wrong-value", "only true can stand here; leave the key out where it does not hold")
    return True


def _method(text: str) -> bytes:
    if text in {"CONNECT", "TRACE"}:
        raise Refusal("bad-method", f"{text} is always answered with 405, whatever a rule says")
    return _shaped(_METHOD, "bad-method", "a method: write GET, POST, … in upper case")(text).encode()


def _well_known_name(text: str) -> bytes:
    if _WELL_KNOWN.fullmatch(text) is None:
        raise Refusal("bad-well-known-name", f'"{text}" is not a name as in "security.txt"')
    if text.split("/", 1)[0] == "acme-challenge":
        raise Refusal("bad-well-known-name", '"acme-challenge" is kept free: certificates are renewed through it')
    return text.encode()


def _milestone_name(text: str) -> str:
    if text == ALWAYS:
        raise Refusal("wrong-value", f'"{ALWAYS}" cannot be a milestone: in a rule it means that there is none')
    return _shaped(_MILESTONE, "wrong-value", "the name of a milestone: letters, digits and hyphens")(text)


def _milestone(value: object) -> Moment | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong_type(value, "a date")
    return parse_moment(value)


def _when(text: str) -> Moment | str:
    """A date or time, or the name of a milestone."""
    return parse_moment(text) if text[:1].isdigit() else _plain(text)


def _text_by_language(value: object) -> str | dict[str, str]:
    """A text in the site's language, or texts by language tag."""
    match value:
        case str():
            return _plain(value)
        case dict() if value:
            seen: dict[str, str] = {}
            for tag, text in value.items():
                if _LANGUAGE.fullmatch(tag) is None:
                    raise Refusal("wrong-value", f'"{tag}" is not {_TAG}', inside=(tag,), of_key=True)
                if (same := seen.setdefault(tag.lower(), tag)) != tag:
                    raise Refusal("wrong-value", f'"{tag}" is the language of "{same}"', inside=(tag,), of_key=True)
                if not isinstance(text, str):
                    raise wrong_type(text, "text", tag)
                if not text.strip():
                    raise Refusal("wrong-value", _NOTHING, inside=(tag,))
            return value
        case _:
            raise wrong_type(value, "text or text by language")


def _origins(value: object) -> tuple[Origin, ...]:
    match value:
        case str():
            return (parse_origin(value),)
        case [_, *_] if all(isinstance(one, str) for one in value):
            return tuple(_origin(str(one), at) for at, one in enumerate(value))
        case _:
            raise wrong_type(value, "the address of a server")


def _origin(text: str, at: int) -> Origin:
    try:
        return parse_origin(text)
    except Refusal as refusal:
        raise Refusal(refusal.code, str(refusal), refusal.offset, inside=(at,)) from None


def _hsts(value: object) -> bytes:
    if not isinstance(value, dict):
        return hsts_header(parse_duration(value))
    known = ("max_age", "include_subdomains", "preload")
    for key in value:
        if key not in known:
            raise Refusal(
                "unknown-key", f'"{key}" means nothing here{did_you_mean(key, known)}', inside=(key,), of_key=True
            )
    if "max_age" not in value:
        raise Refusal("missing-key", '"max_age" is missing')
    for key in known[1:]:
        if not isinstance(value.get(key, False), bool):
            raise wrong_type(value[key], TRUTH, key)
    return hsts_header(
        parse_duration(value["max_age"]),
        include_subdomains=value.get("include_subdomains", False),
        preload=value.get("preload", False),
    )


def _expectation(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise wrong_type(value, "text")


def _not_null(value: object) -> object:
    if value is None:
        raise wrong_type(value, "a value")
    return value


_TEXT_SCHEMA: Final = {"type": "string", "minLength": 1}
_BY_LANGUAGE_SCHEMA: Final = {
    "anyOf": [
        _TEXT_SCHEMA,
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{_LANGUAGE.pattern}$"},
            "additionalProperties": _TEXT_SCHEMA,
            "minProperties": 1,
        },
    ]
}
_MOMENT_SCHEMA: Final = {"type": "string", "pattern": f"^{MOMENT_PATTERN}$"}
_ORIGIN_SCHEMA: Final = {"type": "string", "pattern": ORIGIN_PATTERN}
_PATH_SCHEMA: Final = {"type": "string", "pattern": "^/"}
_HOST_SCHEMA: Final = {"type": "string", "pattern": r"^(\*\.)?[A-Za-z0-9_.-]+$"}
_BASE_SCHEMA: Final = {"type": "string", "pattern": "^/[^?#*{}]*$"}
_MILESTONES_SCHEMA: Final = {
    "type": "object",
    "propertyNames": {"pattern": f"^{_MILESTONE.pattern}$", "not": {"const": ALWAYS}},
    "additionalProperties": {"anyOf": [_MOMENT_SCHEMA, {"type": "null"}]},
}
_MEANINGS_SCHEMA: Final = {
    "type": "object",
    "propertyNames": _MILESTONES_SCHEMA["propertyNames"],
    "additionalProperties": _BY_LANGUAGE_SCHEMA,
}
_HEADERS_SCHEMA: Final = {
    "type": "object",
    "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
    "additionalProperties": {"type": "string"},
}
_WELL_KNOWN_SCHEMA: Final = {
    "type": "object",
    "propertyNames": {"pattern": f"^{_WELL_KNOWN.pattern}$", "not": {"pattern": "^acme-challenge(/|$)"}},
    "additionalProperties": _TEXT_SCHEMA,
}
_HSTS_SCHEMA: Final = {
    "anyOf": [
        *DURATION_SCHEMA["anyOf"],
        {
            "type": "object",
            "properties": {
                "max_age": DURATION_SCHEMA,
                "include_subdomains": {"type": "boolean"},
                "preload": {"type": "boolean"},
            },
            "required": ["max_age"],
            "additionalProperties": False,
        },
    ]
}


def _schema(schema: Mapping[str, Any]) -> WithJsonSchema:
    return WithJsonSchema(dict(schema))


def _like(shape: re.Pattern[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{shape.pattern}$"})


Text = Annotated[str, _text(_plain), _schema(_TEXT_SCHEMA)]
MaybeText = Annotated[str | None, _text(_plain), _schema(_TEXT_SCHEMA)]
Name = Annotated[str, _text(_shaped(_NAME, "wrong-value", "a name: letters, digits, and . _ -")), _like(_NAME)]
Language = Annotated[str, _text(_shaped(_LANGUAGE, "wrong-value", _TAG)), _like(_LANGUAGE)]
Host = Annotated[str, _text(parse_host_name), _schema(_HOST_SCHEMA)]
Base = Annotated[bytes, _text(parse_base), _schema(_BASE_SCHEMA)]
MaybeZone = Annotated[ZoneInfo | None, _text(parse_zone), _schema(_TEXT_SCHEMA)]
Origins = Annotated[
    tuple[Origin, ...],
    PlainValidator(_origins),
    _schema({"anyOf": [_ORIGIN_SCHEMA, {"type": "array", "items": _ORIGIN_SCHEMA, "minItems": 1}]}),
]
Network = Annotated[IPv4Network | IPv6Network, _text(parse_network), _schema(_TEXT_SCHEMA)]
Milestones = Annotated[
    dict[Annotated[str, _text(_milestone_name)], Annotated[Moment | None, PlainValidator(_milestone)]],
    _schema(_MILESTONES_SCHEMA),
]
TextByLanguage = Annotated[str | dict[str, str], PlainValidator(_text_by_language), _schema(_BY_LANGUAGE_SCHEMA)]
MaybeTextByLanguage = Annotated[
    str | dict[str, str] | None, PlainValidator(_text_by_language), _schema(_BY_LANGUAGE_SCHEMA)
]
Meanings = Annotated[dict[Annotated[str, _text(_milestone_name)], TextByLanguage], _schema(_MEANINGS_SCHEMA)]
When = Annotated[Moment | str, _text(_when), _schema(_TEXT_SCHEMA)]
MaybeWhen = Annotated[Moment | str | None, _text(_when), _schema(_TEXT_SCHEMA)]
Duration = Annotated[int, PlainValidator(parse_duration), _schema(DURATION_SCHEMA)]
MaybeDuration = Annotated[int | None, PlainValidator(parse_duration), _schema(DURATION_SCHEMA)]
Hsts = Annotated[bytes, PlainValidator(_hsts), _schema(_HSTS_SCHEMA)]
Status = Literal[301, 302, 303, 307, 308]
MaybeStatus = Annotated[Status | None, BeforeValidator(_not_null)]
KeptQuery = Annotated[KeepQuery, PlainValidator(parse_keep_query), _schema(KEEP_QUERY_SCHEMA)]
MaybeKeptQuery = Annotated[KeepQuery | None, PlainValidator(parse_keep_query), _schema(KEEP_QUERY_SCHEMA)]
Path = Annotated[PathPattern, _text(_path), _schema(_PATH_SCHEMA)]
MaybePath = Annotated[PathPattern | None, _text(_path), _schema(_PATH_SCHEMA)]
QueryValue = Annotated[str | float, PlainValidator(parse_query_value), _schema(QUERY_VALUE_SCHEMA)]
Method = Annotated[bytes, _text(_method), _like(_METHOD)]
Headers = Annotated[
    dict[Annotated[str, _text(parse_header_name)], Annotated[str, _text(parse_header_value)]],
    _schema(_HEADERS_SCHEMA),
]
WellKnown = Annotated[dict[Annotated[bytes, _text(_well_known_name)], Text], _schema(_WELL_KNOWN_SCHEMA)]
Yes = Annotated[bool, PlainValidator(_yes), _schema({"const": True})]
Expectation = Annotated[str, PlainValidator(_expectation), _schema({"type": ["string", "integer"]})]
HttpsChoice = Literal["allow", "redirect"]

NotNull = BeforeValidator(_not_null)
"""For a key whose value is a form: pydantic's own `None` is for a key that is not written."""
