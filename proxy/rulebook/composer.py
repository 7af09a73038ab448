"""From YAML text to a tree of nodes that know their places: PyYAML's composer with a resolver of our own.

libyaml composes fast, but by recursion, and a C stack that overflows cannot be caught: so the depth is counted here.
Its scanner reads ahead of the count, and a newer one gives up on many brackets in a row by itself: then the pure
composer, which has no such limit, counts instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError

from proxy.rulebook.scalar import MAP, SEQ, STR, plain_tag

if TYPE_CHECKING:
    from yaml.error import Mark

MAX_DEPTH: Final = 24
"""A rule file nests five deep."""

TAGS: Final = {ScalarNode: STR, SequenceNode: SEQ, MappingNode: MAP}
"""The tag of each kind of node that has none of its own."""


class TooDeepError(Exception):
    """The text nests deeper than `MAX_DEPTH`; `mark` is where the innermost value that may yet hold others begins."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(mark)
        self.mark = mark


class _Resolver:
    """What both composers ask of a resolver."""

    depth = 0

    def resolve(self, kind: type[Node], value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        if kind is ScalarNode and isinstance(implicit, tuple) and implicit[0]:
            return plain_tag(value or "")
        return TAGS[kind]

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH and parent is not None:
            raise TooDeepError(parent.start_mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class PureComposer(_Resolver, Reader, Scanner, Parser, Composer):
    """Composes without libyaml, where PyYAML was built without it; some twenty times slower."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


composers: list[type[Any]] = [PureComposer]
"""The composers of this machine, the fastest last."""

if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class FastComposer(_Resolver, CParser):
        """Composes with libyaml."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)

    composers.append(FastComposer)


def compose(text: str, composer: type[Any] | None = None) -> Node | None:
    """The root of the one document in a text, `None` where there is nothing in it.

    Raises `yaml.YAMLError`, `TooDeepError`.
    """
    composing = (composer or composers[-1])(text)
    try:
        root: Node | None = composing.get_single_node()
    except ScannerError as error:
        if "nesting" not in str(error.problem):
            raise
        root = compose(text, PureComposer)
    finally:
        composing.dispose()
    return root
