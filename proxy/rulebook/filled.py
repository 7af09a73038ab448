"""A form that was filled in: the values of a file, and where each of them is written.

A file with one mistake is still read to its end. What is wrong is cut out of the document and the rest is read again,
so that mistakes which only show in the whole (a milestone that nobody defined) are found in the same run. `broken`
names the places where something was cut out: whoever misses a value there keeps quiet, the mistake being reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from proxy.rulebook.form import PER_SITE, DefaultsForm, Form
from proxy.rulebook.refusal import TRUTH, Refusal, did_you_mean, kind_of, wrong_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from proxy.errors import Problem
    from proxy.rulebook.document import Data, Document, Loc

_ROUNDS = 6
_OF_KEY = "[key]"
_NEEDED = {
    "bool_type": TRUTH,
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}

FormType = TypeVar("FormType", bound=Form)


@dataclass(frozen=True, slots=True)
class Filled(Generic[FormType]):
    """`form` was read from `document` at `prefix`; something was wrong at the places of `broken`."""

    form: FormType
    document: Document
    prefix: Loc = ()
    broken: frozenset[Loc] = frozenset()

    @property
    def broken_keys(self) -> frozenset[str]:
        """The keys in whose values something was wrong."""
        depth = len(self.prefix)
        return frozenset(str(loc[depth]) for loc in self.broken if len(loc) > depth and loc[:depth] == self.prefix)

    def has(self, key: str) -> bool:
        """Whether the key is written there."""
        return key in self.form.model_fields_set

    def problem(self, code: str, message: str, *loc: int | str, key: bool = False, offset: int = 0) -> Problem:
        """A mistake in the value at `loc`, or in its key."""
        return self.document.problem(code, message, self.prefix + loc, key=key, offset=offset)

    def refused(self, refusal: Refusal, *loc: int | str) -> Problem:
        """A value at `loc` that cannot be."""
        return self.problem(refusal.code, str(refusal), *loc, offset=refusal.offset)


def fill(
    model: type[FormType], document: Document, problems: list[Problem], stand_ins: Mapping[str, Data] | None = None
) -> Filled[FormType] | None:
    """Fill in a form, adding what is wrong to `problems`; `None` where nothing can be made of the document.

    `stand_ins` are taken for keys that have to be there and are not.
    """
    data = document.data
    broken: set[Loc] = set()
    for attempt in range(_ROUNDS):
        try:
            form = model.model_validate(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
            if attempt == 0:
                known = {problem.place for problem in problems}
                found = [_problem(model, document, detail) for detail in details]
                problems += [problem for problem in found if problem.place not in known]
            victims = [_victim(detail) for detail in details]
            if not isinstance(data, dict):
                return None
            broken.update(map(_loc, details))
            document = document.without(victims)
            data = {key: value for key, value in (stand_ins or {}).items() if (key,) in broken} | document.data
            continue
        return Filled(form, document, (), frozenset(broken))
    return None


def _loc(detail: ErrorDetails) -> Loc:
    """The way to what is wrong, without pydantic's mark for a key."""
    loc = detail["loc"]
    return loc[:-1] if loc and loc[-1] == _OF_KEY else loc


def _victim(detail: ErrorDetails) -> Loc:
    """What is cut out: an unknown key alone; of a list of forms the whole form; else the value."""
    loc = _loc(detail)
    if detail["type"] == "missing":
        loc = loc[:-1]
    elif detail["type"] == "extra_forbidden":
        return loc
    at = next((index for index, part in enumerate(loc) if isinstance(part, int)), None)
    return loc if at is None else loc[: at + 1]


def _problem(model: type[Form], document: Document, detail: ErrorDetails) -> Problem:
    loc, value = detail["loc"], detail.get("input")
    of_key = bool(loc) and loc[-1] == _OF_KEY
    loc = _loc(detail)
    cause = detail.get("ctx", {}).get("error")
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(model, document, loc)
        case "missing":
            return document.problem("missing-key", f'"{loc[-1]}" is missing', loc[:-1])
        case "value_error" if isinstance(cause, Refusal):
            of_key = of_key or cause.of_key
            return document.problem(cause.code, str(cause), loc + cause.inside, key=of_key, offset=cause.offset)
        case "literal_error":
            return document.problem("wrong-value", _none_of(value, detail), loc)
        case "too_short":
            return document.problem("wrong-value", "an empty list says nothing here", loc)
        case kind if kind in _NEEDED:
            refusal = wrong_type(value, _NEEDED[kind])
            return document.problem(refusal.code, str(refusal), loc)
        case _:
            return document.problem("wrong-value", detail["msg"], loc)


def _unknown_key(model: type[Form], document: Document, loc: Loc) -> Problem:
    key = str(loc[-1])
    form = _form_at(model, loc[:-1])
    if form is DefaultsForm and key in PER_SITE:
        message = f'"{key}" belongs to one site, and has no default'
        return document.problem("not-a-default", message, loc, key=True)
    if key == "<<":
        return document.problem("unknown-key", "YAML 1.2 has no merge keys; write the keys out", loc, key=True)
    known = [field.alias or name for name, field in form.model_fields.items()] if form is not None else []
    return document.problem("unknown-key", f'"{key}" means nothing here{did_you_mean(key, known)}', loc, key=True)


def _form_at(model: type[Form], loc: Loc) -> type[Form] | None:
    """The form whose keys stand at `loc`."""
    form: type[Form] | None = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = form.model_fields.get(part) if form is not None else None
        form = _form_in(field.annotation) if field is not None else None
    return form


def _form_in(annotation: Any) -> type[Form] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if issubclass(annotation, Form) else None
    return next((found for part in get_args(annotation) if (found := _form_in(part)) is not None), None)


def _none_of(value: object, detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", "")).replace("'", "")
    if isinstance(value, str) and value in expected:
        return f'"{value}" is text here; write it without quotes'
    written = f'"{value}"' if isinstance(value, str) else kind_of(value)
    return f"{written} is none of {expected}"
