"""Rule folders made for a test, in a place of their own, under the name that ops use: `rules`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from proxy.core.rulebook import Rulebook
from proxy.errors import RulebookErrors
from proxy.rulebook.load import load

FRAME = "targets: [new.example]\n"

Folder = Callable[[Mapping[str, Any]], Path]
Load = Callable[..., Rulebook]
Refused = Callable[..., list[str]]


@pytest.fixture
def rule_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Write files into `rules`; rulebook.yaml lists `new.example` unless there is one, or `None` for it."""

    def write(files: Mapping[str, Any]) -> Path:
        monkeypatch.chdir(tmp_path)
        folder = Path("rules")
        for name, content in ({"rulebook.yaml": FRAME} | dict(files)).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            match content:
                case None:
                    continue
                case bytes():
                    path.write_bytes(content)
                case str():
                    path.write_text(content, "utf-8", newline="")
                case {"latin-1": text}:
                    path.write_bytes(text.encode("latin-1"))
                case {"repeat": text, "times": times}:
                    path.write_text(text * times, "utf-8")
                case {"link": target}:
                    path.symlink_to(target)
                case _:
                    raise AssertionError(f"what is {content!r}?")
        return folder

    return write


@pytest.fixture
def load_files(rule_folder: Folder) -> Load:
    """The rulebook of some files; one text alone is `s.yaml`."""

    def loaded(files: Mapping[str, Any] | str) -> Rulebook:
        return load(rule_folder({"s.yaml": files} if isinstance(files, str) else files))

    return loaded


@pytest.fixture
def refused(load_files: Load) -> Refused:
    """The problems of files that have some, as `file:line:col: code`."""

    def problems(files: Mapping[str, Any] | str) -> list[str]:
        try:
            found = load_files(files).warnings
        except RulebookErrors as errors:
            found = errors.problems
        return [f"{problem.place}: {problem.code}".removeprefix("rules/") for problem in found]

    return problems
