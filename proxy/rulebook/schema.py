"""The JSON Schema of rule files (draft-07, which editors know), made from the forms that the loader itself reads.

One schema is for both kinds of files: a file that has `targets` or `defaults` is judged as rulebook.yaml, any other as
a site file. It judges keys, types and the shape of values; what needs more than one value stays with the loader.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from proxy.rulebook.form import Form, RulebookForm, SiteForm

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_DEFINITIONS: Final = "definitions"

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema, as plain JSON data."""
    _, made = models_json_schema(
        [(SiteForm, "validation"), (RulebookForm, "validation")], ref_template=f"#/{_DEFINITIONS}/{{model}}"
    )
    definitions = {name: _tidied(form) for name, form in made["$defs"].items() if name.endswith(Form.__name__)}
    return {
        "$schema": DRAFT,
        "title": "Sunset rule file",
        "description": "A site file, or rulebook.yaml.",
        "if": {"anyOf": [{"required": [key]} for key in RulebookForm.model_fields]},
        "then": {"$ref": f"#/{_DEFINITIONS}/{RulebookForm.__name__}"},
        "else": {"$ref": f"#/{_DEFINITIONS}/{SiteForm.__name__}"},
        _DEFINITIONS: definitions,
    }


def _tidied(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without what only pydantic means by it: titles made of names, defaults that stand for "not written"."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidied = {key: _tidied(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
    if "default" in tidied and not _is_plain(tidied["default"]):
        absent = tidied.pop("default") is None
        if absent and isinstance(choices := tidied.get("anyOf"), list):
            choices = [choice for choice in choices if choice != {"type": "null"}]
            if len(choices) == 1:
                del tidied["anyOf"]
                tidied = choices[0] | tidied
            else:
                tidied["anyOf"] = choices
    if "$ref" in tidied and len(tidied) > 1:  # in draft-07 a reference hides what stands beside it
        tidied["allOf"] = [{"$ref": tidied.pop("$ref")}]
    return tidied


def _is_plain(default: object) -> bool:
    """Whether a default is one that could be written into a file."""
    return isinstance(default, str | int) and default != "" and default is not False
