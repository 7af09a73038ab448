"""From a folder of rule files to a rulebook, or to everything that is wrong with it.

One file's mistake does not hide another's: every file is read to its end, and only at the border of this module does
anything raise. Loops, examples and tests are asked of the finished rulebook, so they wait until it can be made at all.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.core.model import KeepPath, RedirectTo
from proxy.core.rulebook import Rulebook
from proxy.errors import Place, Problem, RulebookErrors, Severity
from proxy.rulebook.clash import find_clashes
from proxy.rulebook.codes import problem
from proxy.rulebook.document import Document, parse_document
from proxy.rulebook.excerpt import Excerpts
from proxy.rulebook.filled import fill
from proxy.rulebook.folder import MAX_YAML_BYTES, Folder, check_end, decode
from proxy.rulebook.form import PROSE, SiteForm
from proxy.rulebook.frame import NOTHING_SURE, OTHER_RULEBOOK_FILE, RULEBOOK_FILE, Frame, build_frame
from proxy.rulebook.loop import find_loops
from proxy.rulebook.proof import prove
from proxy.rulebook.refusal import Refusal
from proxy.rulebook.site import Built, build_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.core.model import Site


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rulebook that can be used, and how many examples and tests it was put to."""

    rulebook: Rulebook
    examples: int
    tests: int


def load(path: Path) -> Rulebook:
    """The rulebook that a folder holds; its `warnings` are what does not keep it from being used.

    Raises `RulebookErrors` with every problem of every file.
    """
    return load_proved(path).rulebook


def load_proved(path: Path) -> Loaded:
    """The same, with what it was put to. Raises `RulebookErrors`."""
    with _without_collecting():
        return _load(Folder(path))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Loading makes very many objects, and all of them stay: walking over them meanwhile costs a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _load(folder: Folder) -> Loaded:
    problems: list[Problem] = []
    built, frame = _build(folder, problems)
    _raise_if_wrong(problems)
    sites = [one.site for one in built]
    excerpts = Excerpts(sites)
    problems += find_loops(built, excerpts)
    proved = prove(built, excerpts, problems)
    problems = _raise_if_wrong(problems)
    rulebook = Rulebook(sites, frame.targets or (), generation=folder.generation, warnings=problems)
    return Loaded(rulebook, proved.examples, proved.tests)


def _raise_if_wrong(problems: list[Problem]) -> list[Problem]:
    """The problems in order, each once, if they are all warnings. Raises `RulebookErrors`."""
    once = sorted(dict.fromkeys(problems), key=lambda problem: problem.place)
    if any(problem.severity is Severity.ERROR for problem in once):
        raise RulebookErrors(once)
    return once


def _build(folder: Folder, problems: list[Problem]) -> tuple[list[Built], Frame]:
    """All sites, and what holds for all of them."""
    try:
        names = folder.rule_files()
    except Refusal as refusal:
        problems.append(problem(Place(str(folder.path)), refusal.code, str(refusal)))
        return [], NOTHING_SURE
    frame = Frame()
    frame_file = next((name for name in (RULEBOOK_FILE, OTHER_RULEBOOK_FILE) if name in names), None)
    if frame_file is not None:
        names.remove(frame_file)
        document = _read(folder, frame_file, problems)
        frame = NOTHING_SURE if document is None else build_frame(document, problems)
    if not names:
        problems.append(problem(Place(str(folder.path)), "folder-empty", "no site file (*.yaml) is in this folder"))
    built: list[Built] = []
    for name in names:
        document = _read(folder, name, problems)
        if document is None:
            continue
        stem = Path(name).stem
        own = fill(SiteForm, document, problems, {"site": stem, "hosts": [f"{len(built)}.invalid"]})
        if own is not None:
            built.append(build_site(own, frame, folder, problems))
    problems += find_clashes(built)
    if frame.targets is None and "targets" not in frame.unsure and any(_redirects(one.site) for one in built):
        where = f'"targets" is missing in {RULEBOOK_FILE}'
        message = f"{where}: it lists the only hosts that redirects may lead to"
        problems.append(problem(Place(folder.name_of(RULEBOOK_FILE)), "targets-missing", message))
    return built, frame


def _read(folder: Folder, name: str, problems: list[Problem]) -> Document | None:
    """A YAML file of the folder, if it can be read at all."""
    file = folder.name_of(name)
    try:
        content = folder.read(name, MAX_YAML_BYTES)
        text = decode(content)
    except Refusal as refusal:
        problems.append(problem(Place(file), refusal.code, str(refusal)))
        return None
    try:
        check_end(content)
    except Refusal as refusal:
        problems.append(problem(Place(file, text.count("\n") + 1), refusal.code, str(refusal)))
    document, wrong = parse_document(file, text, PROSE)
    problems += wrong
    return document


def _redirects(site: Site) -> bool:
    """Whether anything of a site leads to another address."""
    actions = (site.unmapped, *(rule.action for rule in site.rules))
    return site.mappings is not None or any(isinstance(action, KeepPath | RedirectTo) for action in actions)
