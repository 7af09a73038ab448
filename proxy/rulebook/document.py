"""One YAML file: strict YAML 1.2 core, and the place of everything in it.

Beyond the core nothing is taken: no other tags, no merge keys, one document, keys that are text and stand once. Places
are looked up in the tree of nodes when somebody asks, which is when something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.composer import ComposerError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from proxy.errors import Place, Problem
from proxy.rulebook.codes import problem
from proxy.rulebook.composer import MAX_DEPTH, TAGS, TooDeepError, compose
from proxy.rulebook.scalar import CORE, STR, ScalarError, scalar_value, short_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Data = Any
"""What YAML says in plain Python: str, int, float, bool, None, list, dict."""

Loc = tuple[int | str, ...]
"""The way to a value: keys and indices."""

MAX_ALIASED = 10_000
"""How many values aliases may repeat in one file: enough for any list of headers, too few for a bomb."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: `data` as plain Python, `root` as the tree that knows places, `file` as problems name it."""

    file: str
    text: str
    root: Node
    data: Data

    def place(self, loc: Loc = (), offset: int = 0) -> Place:
        """Where the value at `loc` begins, or `offset` characters into it; its parent's where there is none."""
        node = self._node(loc)[1]
        mark = node.start_mark
        if isinstance(node, ScalarNode) and offset:
            if node.style in {"'", '"'}:
                offset += 1
            elif node.style:  # folded and literal text begins in the next line
                offset = 0
            return Place(self.file, mark.line + 1, mark.column + 1 + offset)
        return Place(self.file, mark.line + 1, mark.column + 1)

    def key_place(self, loc: Loc) -> Place:
        """Where the key that `loc` ends in is written; the value's place where it is an index."""
        mark = self._node(loc)[0].start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def written(self, loc: Loc) -> str:
        """The scalar at `loc` as it is written, whatever its type."""
        node = self._node(loc)[1]
        return str(node.value) if isinstance(node, ScalarNode) else ""

    def problem(self, code: str, message: str, loc: Loc = (), *, key: bool = False, offset: int = 0) -> Problem:
        """A mistake in the value at `loc`, or in its key."""
        return self.problem_at(code, message, self.key_place(loc) if key else self.place(loc, offset))

    def problem_at(self, code: str, message: str, place: Place) -> Problem:
        """A mistake at a place of this file."""
        return problem(place, code, message, line_of(self.text, place.line))

    def without(self, locs: Iterable[Loc]) -> Document:
        """The same document without the values at `locs`; all others keep their places."""
        root = _pruned(self.root, [loc for loc in locs if loc])
        return Document(self.file, self.text, root, _Conversion(self.file, self.text).value(root))

    def _node(self, loc: Loc) -> tuple[Node, Node]:
        """Key and value at `loc`, as far as there is something."""
        key = node = self.root
        for part in loc:
            found = _child(node, part)
            if found is None:
                break
            key, node = found
        return key, node


def parse_document(file: str, text: str, prose: Collection[str] | None = None) -> tuple[Document | None, list[Problem]]:
    """A document and what is wrong with it as YAML; `None` where it cannot be read at all.

    With `prose` only the values of these keys may run over several lines. All others stand on one: an address that
    goes on in the next line would be another address if the file were cut between the two.
    """
    try:
        root = compose(text)
    except ComposerError as error:
        return None, [_syntax(file, text, error, _composer_code(error))]
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(file, text, error, "yaml-syntax")]
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"a character that YAML does not allow: U+{_code_point(error.character):04X}"
        place = Place(file, line, error.position - (text.rfind("\n", 0, error.position) + 1) + 1)
        return None, [problem(place, "yaml-syntax", message, line_of(text, line))]
    except TooDeepError as error:
        place = Place(file, error.mark.line + 1, error.mark.column + 1)
        message = f"the file nests more than {MAX_DEPTH} deep here, and no rule file does"
        return None, [problem(place, "yaml-depth", message, line_of(text, place.line))]
    if root is None:
        return None, [problem(Place(file), "file-empty", "nothing is written in this file")]
    conversion = _Conversion(file, text, None if prose is None else frozenset(prose))
    data = conversion.value(root)
    return Document(file, text, root, data), conversion.problems


def line_of(text: str, number: int) -> str:
    """A line of a text, counted from 1."""
    lines = text.split("\n", number)
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


class _Conversion:
    """From nodes to plain data."""

    def __init__(self, file: str, text: str, prose: frozenset[str] | None = None) -> None:
        self.file = file
        self.text = text
        self.prose = prose
        self.problems: list[Problem] = []
        self.count = 0
        self.aliased = 0
        self.done: dict[int, tuple[Data, int]] = {}

    def value(self, node: Node, *, prose: bool = False) -> Data:
        """The plain value of a node."""
        self.count += 1
        if isinstance(node, ScalarNode):
            if self.prose is not None and not prose and node.end_mark.line != node.start_mark.line:
                self.refuse("multi-line", "an address, a date or a name is written on one line", node)
            return node.value if node.tag == STR else self.scalar(node)
        known = self.done.get(id(node))
        if known is not None:
            return self.again(node, *known)
        self.done[id(node)] = (None, -1)
        before = self.count
        data: Data = None
        if isinstance(node, MappingNode):
            data = self.mapping(node, prose=prose)
        elif isinstance(node, SequenceNode):
            data = [self.value(child, prose=prose) for child in node.value]
        if node.tag != TAGS[type(node)]:
            self.refuse(
                "yaml-tag", f'the tag "{short_tag(node.tag)}" is not one of YAML\'s core, or not for this value', node
            )
        self.done[id(node)] = (data, self.count - before)
        return data

    def again(self, node: Node, data: Data, size: int) -> Data:
        """What an alias repeats."""
        if size < 0:
            self.refuse("yaml-alias", "an alias inside of what it stands for has no end", node)
        self.aliased += size
        self.count += size
        if self.aliased > MAX_ALIASED >= self.aliased - size:
            self.refuse("yaml-alias", f"the aliases of this file repeat more than {MAX_ALIASED} values", node)
        return data if self.aliased <= MAX_ALIASED else None

    def mapping(self, node: MappingNode, *, prose: bool) -> dict[str, Data]:
        """A mapping, each key once."""
        data: dict[str, Data] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.refuse("yaml-key", "a key is a word, not a list or a mapping", key)
                continue
            if key.tag != STR and not key.tag.startswith(CORE):
                self.refuse("yaml-tag", f'a key has no tag, and this one has "{short_tag(key.tag)}"', key)
            name: str = key.value
            if name in data:
                first = next(other for other, _ in node.value if isinstance(other, ScalarNode) and other.value == name)
                line, column = first.start_mark.line + 1, first.start_mark.column + 1
                self.refuse("duplicate-key", f'"{name}" stands already at {line}:{column}; a key stands once', key)
                continue
            data[name] = self.value(value, prose=prose or (self.prose is not None and name in self.prose))
        return data

    def scalar(self, node: ScalarNode) -> Data:
        """A scalar that is not text."""
        try:
            return scalar_value(node.tag, node.value)
        except ScalarError as error:
            self.refuse("yaml-tag" if error.of_tag else "wrong-value", str(error), node)
            return None

    def refuse(self, code: str, message: str, node: Node) -> None:
        """A mistake at a node."""
        mark = node.start_mark
        place = Place(self.file, mark.line + 1, mark.column + 1)
        self.problems.append(problem(place, code, message, line_of(self.text, place.line)))


def _child(node: Node, part: int | str) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key, value
    elif isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _pruned(node: Node, locs: list[Loc]) -> Node:
    """A copy of the tree that lacks what `locs` lead to; what they do not touch is shared."""
    if not locs:
        return node
    gone = {loc[0] for loc in locs if len(loc) == 1}
    below: dict[int | str, list[Loc]] = {}
    for loc in locs:
        if len(loc) > 1:
            below.setdefault(loc[0], []).append(loc[1:])
    if isinstance(node, MappingNode):
        pairs = [
            (key, _pruned(value, below.get(key.value, [])))
            for key, value in node.value
            if isinstance(key, ScalarNode) and key.value not in gone
        ]
        return MappingNode(node.tag, pairs, node.start_mark, node.end_mark)
    if isinstance(node, SequenceNode):
        items = [_pruned(child, below.get(at, [])) for at, child in enumerate(node.value) if at not in gone]
        return SequenceNode(node.tag, items, node.start_mark, node.end_mark)
    return node


def _composer_code(error: ComposerError) -> str:
    return "yaml-documents" if "single document" in str(error.context or "") else "yaml-syntax"


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError, code: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
    lines = f"{text}.".splitlines()
    if place.line > len(lines):  # libyaml sees the end of a text below a last line that has no end
        place = Place(file, len(lines), len(lines[-1]))
    parts = [str(part) for part in (error.context, error.problem) if part]
    message = ": ".join(parts) or "this is not YAML"
    if code == "yaml-documents":
        message = 'a second document begins here ("---"); a file holds one'
    return problem(place, code, message, line_of(text, place.line))


def _code_point(character: object) -> int:
    if isinstance(character, int):
        return character
    return ord(character) if isinstance(character, str) and len(character) == 1 else 0
