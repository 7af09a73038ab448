"""`docs/json.md` as a test reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.cli.conftest import TOP

PAGE = (TOP / "docs" / "json.md").read_text("utf-8")


def documented(command: str) -> set[str]:
    """The keys that the page has for a command, such as `sites[].next.at`."""
    section = PAGE.partition(f"## `sunset {command} --json`\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def told_keys(command: str, *told: object) -> set[str]:
    """The keys of what a command has told, as deep as the page goes."""
    known = documented(command)
    return {path for each in told for path in _keys(each, "", known)}


def _keys(value: Any, path: str, known: set[str]) -> Iterator[str]:
    goes_deeper = any(key.startswith((f"{path}.", f"{path}[]")) for key in known) if path else True
    if path in known or not goes_deeper:
        yield path
    if goes_deeper and isinstance(value, dict):
        for key, below in value.items():
            yield from _keys(below, f"{path}.{key}" if path else key, known)
    elif goes_deeper and isinstance(value, list):
        for item in value:
            yield from _keys(item, f"{path}[]", known)
