"""The JSON Schema: it takes what the loader takes, and refuses what is wrong in keys, types and single values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from proxy.errors import RulebookErrors
from proxy.rulebook.document import parse_document
from proxy.rulebook.form import CaseForm, DefaultsForm, NoticeForm, RulebookForm, RuleForm, SiteForm
from proxy.rulebook.load import load
from proxy.rulebook.schema import schema

TOP = Path(__file__).parent.parent.parent
SHIPPED = sorted((TOP / "rules").glob("*.yaml"))
BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))

VALIDATOR = Draft7Validator(schema())


def complaints(text: str) -> list[str]:
    document, problems = parse_document("f.yaml", text)
    assert document is not None
    assert not problems
    return [error.message for error in VALIDATOR.iter_errors(document.data)]


def test_it_is_a_schema_of_draft_7() -> None:
    Draft7Validator.check_schema(schema())
    assert schema()["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_rule_file_is_taken(file: Path) -> None:
    assert complaints(file.read_text("utf-8")) == []


@pytest.mark.parametrize("form", [SiteForm, RuleForm, NoticeForm, CaseForm, DefaultsForm, RulebookForm])
def test_every_key_is_explained(form: Any) -> None:
    described = schema()["definitions"][form.__name__]
    assert described["description"] == " ".join(form.__doc__.split())
    assert described["additionalProperties"] is False
    for key, field in form.model_fields.items():
        assert described["properties"][field.alias or key]["description"], key


def test_a_default_is_shown_where_it_could_be_written() -> None:
    keys = schema()["definitions"]["SiteForm"]["properties"]
    shown = {key: value["default"] for key, value in keys.items() if "default" in value}
    assert shown == {
        "language": "en",
        "host": "keep",
        "when_origin_fails": "error",
        "soak": 0,
        "status": 301,
        "cache": 3600,
        "match_case": True,
        "https": "allow",
    }


SITE = "site: s\nhosts: [old.example]\nmoves_to: https://new.example\n"

# One mistake a line.
SITE_KEYS = """\
base: uk
base: /uk?x
base: /uk/*
base: 1
base: null
status: 200
status: '301'
status: null
https: yes
robots: yes
soak: 1 day
cache: -1
cache: 1.5
soak: null
hsts: never
hsts: {preload: true}
hsts: {max_age: 1, x: 1}
hsts: {max_age: true}
language: ''
language: en_GB
timezone: 1
timezone: ''
origin: legacy
origin: ftp://a
origin: []
origin: https://a/b
schedule: []
schedule: {cutover: soon}
schedule: {always: 2030-01-01}
schedule: {cutover: 1}
schedule: {1a: 2030-01-01}
schedule: null
keep_query: 1
keep_query: {drops: []}
keep_query: [1]
keep_query: {}
headers: []
headers: {'a b': c}
headers: {a: 1}
headers: {a: null}
well_known: {../a: b}
well_known: {acme-challenge/a: b}
mappings: a.csv
unknown: 1
move_to: x
unmapped: null
moves_to2: x
pass_through: false
notice: hello
notice: {}
notice: null
notice: {message: a, x: 1}
notice: {message: ''}
notice: {message: a, page: []}
notice: {message: a, page: {}}
notice: {message: a, page: null}
notice: {message: a, page: {en_GB: a.md}}
notice: {message: a, page: {en: null}}
notice: {message: a, page: {en: ''}}
notice: {message: a, timeline: Closes}
notice: {message: a, timeline: null}
notice: {message: a, timeline: {1a: b}}
notice: {message: a, timeline: {cutover: 1}}
notice: {message: a, timeline: {cutover: {en: [a]}}}
notice: {message: a, skip: [a]}
pass_through: true
"""
RULES = """\
{to: /a}
{path: /a}
{path: a, gone: true}
{path: /a, regex: /a, gone: true}
{path: /a, to: /b, gone: true}
{path: /a, gone: false}
{path: /a, to: null}
{path: /a, gone: true, status: 302}
{path: /a, gone: true, cache: 1}
{path: /a, forward: true, keep_query: true}
{path: /a, to: /b, status: 200}
{regex: /a, gone: true, match_slash: true}
{path: /a, gone: true, x: 1}
{path: /a, gone: true, methods: []}
{path: /a, gone: true, methods: [get]}
{path: /a, gone: true, query: {a: null}}
{path: /a, gone: true, query: [a]}
{path: /a, gone: true, from: null}
{path: /a, gone: true, methods: null}
/a
{path: 1, gone: true}
{path: /a, gone: true, match_slash: null}
"""
TESTS = """\
{url: a, at: 2030-01-01}
{url: a, expect: '1'}
{at: a, expect: forward}
{url: a, at: 2030-01-01, expect: true}
{url: a, at: 1, expect: forward}
{url: a, at: cutover, expect: forward, x: 1}
a
"""
HOSTS = """\
[]
old.example
[1]
['a b']
[a/b]
[a:1]
['[::1]']
"""
NAMES = """\
1
''
[s]
a b
null
"""
FRAMES = [
    *("targets: new.example\n", "targets: [a b]\n", "targets: null\n", "targets: []\ndefaults: null\n"),
    *("targets: []\ntarget: []\n", "defaults: {site: s}\n", "defaults: {hosts: [a]}\n", "defaults: {x: 1}\n"),
    *("defaults: {status: 200}\n", "defaults: []\n"),
]


@pytest.mark.parametrize(
    "text",
    [
        *("hosts: [old.example]\n", "site: s\n"),
        *(f"site: s\nhosts: {hosts}\n" for hosts in HOSTS.splitlines()),
        *(f"site: {name}\nhosts: [old.example]\n" for name in NAMES.splitlines()),
        *(f"{SITE}{line}\n" for line in SITE_KEYS.splitlines()),
        *(f"{SITE}rules:\n  - {rule}\n" for rule in RULES.splitlines()),
        *(f"{SITE}tests:\n  - {test}\n" for test in TESTS.splitlines()),
        *FRAMES,
    ],
)
def test_the_loader_and_the_schema_refuse_the_same(text: str, rule_folder: Callable[..., Path]) -> None:
    assert complaints(text)
    frame = text.startswith(("targets", "defaults"))
    with pytest.raises(RulebookErrors) as caught:
        load(rule_folder({"rulebook.yaml": text, "s.yaml": SITE} if frame else {"s.yaml": text}))
    file = "rules/rulebook.yaml" if frame else "rules/s.yaml"
    assert any(problem.place.file == file for problem in caught.value.problems)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.stem)
def test_what_the_loader_takes_the_schema_takes(case: Path) -> None:
    data = yaml.safe_load(case.read_text("utf-8"))
    for name, text in (data["files"] or {}).items():
        if name.endswith(".yaml") and isinstance(text, str) and not name.startswith((".", "old/")):
            wrong = any(line.startswith(f"rules/{name}:") for line in data["expect"])
            assert wrong or complaints(text) == [], name
