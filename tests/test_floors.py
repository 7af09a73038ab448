"""The floors of the house: an import goes down or sideways, never up, never in a circle; `core` stays pure.

The judge is a function from sources to complaints, so it is tried here on small made-up houses first and on the real
one last. Imports are read with `ast`, nothing is imported. An import inside a function is one for the floors, but not
for circles: it happens when the function is called, when every module stands already. `if TYPE_CHECKING` is no way
out of either.
"""

import ast
import graphlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = "proxy"
TOP = Path(__file__).parent.parent

FLOORS = {
    "cli": 4,
    "edge": 3,
    "acme": 3,
    "audit": 3,
    "export": 3,
    "demo": 3,
    "rulebook": 2,
    "wire": 2,
    "ledger": 2,
    "core": 1,
    "errors": 0,
}
DOOR = f"{HOUSE}.__main__"  # starts the command line, and nobody imports it
PURE = {"core", "errors"}  # standard library only: what `core` stands on has to be as pure as it is
IMPURE_MODULES = {
    *("time", "random", "secrets", "uuid"),  # an answer that is not in the arguments
    *("os", "pathlib", "io", "shutil", "tempfile", "glob", "sqlite3", "subprocess"),  # disk and processes
    *("socket", "ssl", "select", "selectors", "http", "asyncio", "threading", "signal"),  # sockets and waiting
    *("logging", "warnings"),  # logs
}
IMPURE_CALLS = {"open", "print", "input", "__import__", "exec", "eval"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full dotted name, as written in `importer` at `line`; `lazy` if in a function."""

    importer: str
    imported: str
    line: int
    lazy: bool


def module_name(path: str) -> str:
    """proxy/core/url.py is proxy.core.url, proxy/core/__init__.py is proxy.core."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def walk(node: ast.AST, *, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below this one, and whether it is inside a function."""
    for child in ast.iter_child_nodes(node):
        yield child, lazy
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from walk(child, lazy=inside)


def imports_of(path: str, text: str, modules: set[str]) -> Iterator[Import]:
    """What one file imports. `from a import b` is a.b if that is a module of the house, else a."""
    importer = module_name(path)
    package = importer if path.endswith("/__init__.py") else importer.rpartition(".")[0]
    for node, lazy in walk(ast.parse(text, path)):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(importer, alias.name, node.lineno, lazy)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = ".".join(package.split(".")[: len(package.split(".")) - level + 1]) if level else ""
                base = ".".join(part for part in (above, module) if part)
                for alias in names:
                    below = f"{base}.{alias.name}"
                    yield Import(importer, below if below in modules else base, node.lineno, lazy)


def room_of(module: str) -> str | None:
    """core for proxy.core.url, "" for proxy itself, None for what is not of the house."""
    head, _, rest = module.partition(".")
    return rest.partition(".")[0] if head == HOUSE else None


def floor_complaint(found: Import) -> str | None:
    """Why this import may not be, or None."""
    room, other = room_of(found.importer), room_of(found.imported)
    if other is None:
        return purity_of_an_import(room, found.imported.partition(".")[0])
    if found.imported == DOOR:
        return "nobody imports the door"
    if found.importer == DOOR:
        return None if other == "cli" else "the door leads to the command line alone"
    if found.importer == HOUSE:
        return "the root is run before every module, and so imports nothing of the house"
    if other == "":
        return f"{room} knows nothing but itself and what is below" if room in PURE else None
    if room not in FLOORS or other not in FLOORS:
        return None  # a room without a floor is complained of as such
    if FLOORS[other] > FLOORS[room]:
        return f"{room} is on floor {FLOORS[room]}, {other} on {FLOORS[other]}"
    return None


def purity_of_an_import(room: str | None, library: str) -> str | None:
    """Why this room may not import this library from outside of the house, or None."""
    if room not in PURE:
        return None
    if library not in sys.stdlib_module_names:
        return f"{room} is standard library only"
    if library in IMPURE_MODULES:
        return f"{room} has no clock, chance, disk, socket or log"
    return None


def circle_complaints(imports: list[Import], modules: set[str]) -> Iterator[str]:
    """Each circle once: when one is found, the import that closes it is taken out, and the search goes on."""
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for found in imports:
        if not found.lazy and found.imported in modules:
            graph[found.importer].add(found.imported)
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            circle = error.args[1][::-1]
            yield "in a circle: " + " imports ".join(circle)
            graph[circle[0]].remove(circle[1])
        else:
            return


def purity_complaints(path: str, text: str) -> Iterator[str]:
    for node, _ in walk(ast.parse(text, path)):
        match node:
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield f"{path}:{node.lineno}: nothing waits here"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{path}:{node.lineno}: {name}() reaches outside"


def complaints(sources: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with a house (path from the top to text), each as `file:line: why`."""
    modules = {module_name(path) for path in sources}
    found = [one for path, text in sources.items() for one in imports_of(path, text, modules)]
    paths = {module_name(path): path for path in sources}
    said: list[str] = []
    for module, path in paths.items():
        room = room_of(module)
        if module not in {HOUSE, DOOR} and room not in FLOORS:
            said.append(f"{path}:1: {room} is on no floor")
        if room in PURE:
            said.extend(purity_complaints(path, sources[path]))
    for one in found:
        why = floor_complaint(one)
        if why is not None:
            said.append(f"{paths[one.importer]}:{one.line}: imports {one.imported}: {why}")
    return [*said, *circle_complaints(found, modules)]


def house(rooms: dict[str, str]) -> dict[str, str]:
    """Sources of a made-up house: core/url stands for proxy/core/url.py."""
    return {f"{HOUSE}/{name}.py": text for name, text in rooms.items()}


STANDING = {
    "__init__": "",
    "__main__": "from proxy.cli.app import main",
    "errors": "import enum",
    "core/url": "import re\nfrom proxy.errors import Fault",
    "core/table": "from proxy.core import url",
    "rulebook/load": "import yaml\nfrom proxy.core.table import Table\nfrom proxy.wire import head",
    "wire/head": "from proxy.errors import Fault",
    "edge/door": "import time\nfrom proxy import __version__\nfrom proxy.rulebook.load import load",
    "cli/app": "def serve():\n    from proxy.edge import door",
}

FALLS = {
    "up": ({"core/url": "from proxy.rulebook.load import load", "rulebook/load": ""}, "core is on floor 1"),
    "up, in a function": ({"core/url": "def f():\n    import proxy.edge.x", "edge/x": ""}, "edge on 3"),
    "up, to a package": ({"wire/a": "from proxy import edge", "edge/__init__": ""}, "edge on 3"),
    "up, hidden": ({"errors": "if TYPE_CHECKING:\n    import proxy.core.url", "core/url": ""}, "errors is on floor 0"),
    "up, relative": ({"core/url": "from ..wire import head", "wire/head": ""}, "wire on 2"),
    "a room without a floor": ({"utils/text": ""}, "utils is on no floor"),
    "a third party in the core": ({"core/url": "import yarl"}, "standard library only"),
    "the version in the core": ({"__init__": "", "core/url": "from proxy import __version__"}, "nothing but itself"),
    "a clock in the core": ({"core/table": "import time"}, "no clock"),
    "a disk on the ground": ({"errors": "from os.path import exists"}, "no clock"),
    "a file opened in the core": ({"core/url": "x = open('x')"}, "reaches outside"),
    "waiting in the core": ({"core/url": "async def f():\n    pass"}, "nothing waits"),
    "a circle of two": ({"core/a": "import proxy.core.b", "core/b": "from proxy.core.a import x"}, "circle"),
    "a circle over rooms": (
        {"wire/a": "import proxy.rulebook.b", "rulebook/b": "import proxy.wire.c", "wire/c": "import proxy.wire.a"},
        "circle",
    ),
    "a circle by a package": (
        {"core/__init__": "from proxy.core.a import x", "core/a": "from proxy.core import y"},
        "circle",
    ),
    "a circle, hidden": (
        {"core/a": "import proxy.core.b", "core/b": "if TYPE_CHECKING:\n    import proxy.core.a"},
        "circle",
    ),
    "the door as a way round": ({"__main__": "import proxy.core.url", "core/url": ""}, "command line alone"),
    "back through the door": ({"__main__": "", "cli/app": "import proxy.__main__"}, "nobody imports the door"),
    "the root looks up": ({"__init__": "import proxy.core.url", "core/url": ""}, "imports nothing of the house"),
}


def test_a_house_whose_imports_go_down_or_sideways_stands() -> None:
    assert complaints(house(STANDING)) == []


@pytest.mark.parametrize(("rooms", "why"), FALLS.values(), ids=FALLS)
def test_a_house_falls(rooms: dict[str, str], why: str) -> None:
    said = complaints(house(rooms))
    assert len(said) == 1
    assert why in said[0]


def test_every_circle_is_found() -> None:
    one = {"core/a": "import proxy.core.b", "core/b": "import proxy.core.a"}
    other = {"wire/a": "import proxy.wire.b", "wire/b": "import proxy.wire.a", "wire/c": "import proxy.wire.a"}
    assert len(complaints(house(one | other))) == 2


def test_a_lazy_import_closes_no_circle() -> None:
    assert complaints(house({"wire/a": "import proxy.wire.b", "wire/b": "def f():\n    import proxy.wire.a"})) == []


def test_this_house_stands() -> None:
    sources = {str(path.relative_to(TOP)): path.read_text("utf-8") for path in sorted((TOP / HOUSE).rglob("*.py"))}
    assert sources, f"nothing is built at {TOP / HOUSE}"
    assert "\n".join(complaints(sources)) == ""
