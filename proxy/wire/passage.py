"""The way through a construct of HTML that a stream may cut anywhere: a tag, a comment, raw text (13.2.5).

A state machine as two tables. Inside of a tag a state says what is run over and where the byte behind it leads. Inside
of anything else it says what is looked for. So a passage keeps one word between chunks, however long the construct is,
and asks the caller to bring a few last bytes again.
"""

from __future__ import annotations

import re

from proxy.wire.html import NAME_ENDS, RAW_TEXT, WHOLE_TAG

_DATA = "data"

_TAG_NAME = "tag name"
_BETWEEN = "between attributes"
_NAME = "attribute name"
_AFTER_NAME = "after attribute name"
_BEFORE_VALUE = "before value"
_DOUBLE_QUOTED = "double-quoted value"
_SINGLE_QUOTED = "single-quoted value"
_UNQUOTED = "unquoted value"

_COMMENT = "comment"
_BOGUS_COMMENT = "bogus comment"
_SCRIPT = "script"
_ESCAPED = "script, behind <!--"
_DOUBLE_ESCAPED = "script, behind <!-- and <script>"

_LONGEST_END = len("</") + max(map(len, RAW_TEXT))
_END_OF_TAG = ord(">")


def _step(run: bytes, leads: dict[bytes, str], otherwise: str) -> tuple[re.Pattern[bytes], dict[int, str], str]:
    return re.compile(run), {ord(byte): state for byte, state in leads.items()}, otherwise


# Inside of a tag: what is run over, where certain bytes behind it lead, and where any other does. A ">" ends the tag.
_STEPS = {
    _TAG_NAME: _step(rb"[^\t\n\f\r />]*+", {}, _BETWEEN),
    _BETWEEN: _step(rb"[\t\n\f\r /]*+", {}, _NAME),
    _NAME: _step(rb"[^\t\n\f\r />=]*+", {b"=": _BEFORE_VALUE, b"/": _BETWEEN}, _AFTER_NAME),
    _AFTER_NAME: _step(rb"[\t\n\f\r ]*+", {b"=": _BEFORE_VALUE, b"/": _BETWEEN}, _NAME),
    _BEFORE_VALUE: _step(rb"[\t\n\f\r ]*+", {b'"': _DOUBLE_QUOTED, b"'": _SINGLE_QUOTED}, _UNQUOTED),
    _DOUBLE_QUOTED: _step(rb'[^"]*+', {}, _BETWEEN),
    _SINGLE_QUOTED: _step(rb"[^']*+", {}, _BETWEEN),
    _UNQUOTED: _step(rb"[^\t\n\f\r >]*+", {}, _BETWEEN),
}


def _search(pattern: bytes, **leads: str) -> tuple[re.Pattern[bytes], dict[str, str]]:
    return re.compile(pattern, re.IGNORECASE), leads


# Inside of anything else: what is looked for, and where each of its groups leads.
_SEARCHES = {name.decode(): _search(rb"(?P<end></" + name + NAME_ENDS + rb")", end=_BETWEEN) for name in RAW_TEXT} | {
    _COMMENT: _search(rb"(?P<end>--!?>)", end=_DATA),
    _BOGUS_COMMENT: _search(rb"(?P<end>>)", end=_DATA),
    # The dashes of "<!--" can be those of "-->" too, and so are looked at again.
    _SCRIPT: _search(
        rb"(?P<deeper><!(?=--))|(?P<end></script" + NAME_ENDS + rb")",
        deeper=_ESCAPED,
        end=_BETWEEN,
    ),
    _ESCAPED: _search(
        rb"(?P<out>-->)|(?P<deeper><script" + NAME_ENDS + rb")|(?P<end></script" + NAME_ENDS + rb")",
        out=_SCRIPT,
        deeper=_DOUBLE_ESCAPED,
        end=_BETWEEN,
    ),
    _DOUBLE_ESCAPED: _search(
        rb"(?P<out>-->)|(?P<back></script" + NAME_ENDS + rb")",
        out=_SCRIPT,
        back=_ESCAPED,
    ),
}


class Passage:
    """Where in a construct a stream is. `under_way` is False in the data state, where the caller reads."""

    __slots__ = ("_raw_text", "_state", "under_way")

    def __init__(self) -> None:
        self.under_way = False
        self._state = _DATA
        self._raw_text = _DATA

    def enter_comment(self) -> None:
        """Go on behind `<!--`; what closes a comment at once (`<!-->`) is not for a passage."""
        self._enter(_COMMENT)

    def enter_bogus_comment(self) -> None:
        """Go on behind what began a doctype or a bogus comment: both end with the next `>`."""
        self._enter(_BOGUS_COMMENT)

    def enter_tag(self, raw_text: bytes | None = None) -> None:
        """Go on in or behind a tag's name; `raw_text` names the element of `RAW_TEXT` that it starts, if it does."""
        self._enter(_TAG_NAME)
        self._raw_text = raw_text.decode() if raw_text else _DATA

    def go_on(self, data: bytes, position: int) -> int:
        """The place up to which `data` is passed; while still `under_way`, bring what is behind it again, and more."""
        while self.under_way:
            if self._state in _STEPS:
                position = self._go_on_in_tag(data, position)
                if self._state in _STEPS:
                    break
            else:
                pattern, leads = _SEARCHES[self._state]
                found = pattern.search(data, position)
                if found is None:
                    return max(position, len(data) - _LONGEST_END)
                position = found.end()
                self._enter(leads[found.lastgroup or ""])
        return position

    def _go_on_in_tag(self, data: bytes, position: int) -> int:
        if self._state == _TAG_NAME and (whole := WHOLE_TAG.match(data, position)):
            self._leave_tag()
            return whole.end()
        while position < len(data):
            run, leads, otherwise = _STEPS[self._state]
            position = run.match(data, position).end()  # type: ignore[union-attr]  # it matches nothing at least
            if position == len(data):
                break
            byte = data[position]
            position += 1
            if byte == _END_OF_TAG:
                self._leave_tag()
                break
            self._state = leads.get(byte, otherwise)
        return position

    def _leave_tag(self) -> None:
        self._enter(self._raw_text)
        self._raw_text = _DATA

    def _enter(self, state: str) -> None:
        self._state = state
        self.under_way = state != _DATA
