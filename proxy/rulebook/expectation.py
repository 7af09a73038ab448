"""What an `example` or a test expects, and whether a decision is that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from proxy.core.decision import BadRequest, Decision, Forward, Gone, Local, Misdirected, NotFound, Redirect
from proxy.core.url import escape_written
from proxy.rulebook.refusal import Refusal, did_you_mean

FORWARD, FORWARD_WITH_NOTICE, LOCAL = "forward", "forward+notice", "local"
_WORDS = (FORWARD, FORWARD_WITH_NOTICE, LOCAL)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OTHERS = frozenset({400, 404, 405, 410, 414, 421})
_STATUS = re.compile(r"([0-9]{3})(?: +(\S.*))?")
_URL = re.compile(r"https?://\S")
_MEANT = {"gone": "410", "not-found": "404", "misdirected": "421", "redirect": "301 https://…"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """A word, or a status, a Location, or both."""

    word: str = ""
    status: int | None = None
    location: bytes | None = None

    def holds(self, decision: Decision) -> bool:
        """Whether this is what was expected."""
        if self.word or not isinstance(decision, Redirect):
            return self.location is None and describe(decision) == (self.word or str(self.status))
        return self.status in {None, decision.status} and self.location in {None, decision.location}


def parse_expectation(text: str, *, bare_location: bool = False) -> Expectation:
    """What a text expects; with `bare_location` an address alone is one. Raises `Refusal`."""
    text = text.strip()
    if text in _WORDS:
        return Expectation(word=text)
    if bare_location and _URL.match(text):
        return Expectation(location=escape_written(text))
    match = _STATUS.fullmatch(text)
    if match is None:
        meant = f'; did you mean "{_MEANT[text]}"?' if text in _MEANT else did_you_mean(text, _WORDS)
        raise Refusal("bad-expectation", f'"{text}" is nothing that could be answered{meant}')
    status, location = int(match[1]), match[2]
    if status not in _REDIRECTS and (location is not None or status not in _OTHERS):
        known = ", ".join(map(str, sorted(_REDIRECTS if location else _REDIRECTS | _OTHERS)))
        raise Refusal("bad-expectation", f"{status} is nothing that Sunset answers here; known: {known}")
    if location is not None and not _URL.match(location):
        raise Refusal("bad-expectation", "a Location is always a whole address: https://…", match.start(2))
    return Expectation(status=status, location=None if location is None else escape_written(location))


def describe(decision: Decision) -> str:
    """A decision in the words of an expectation."""
    match decision:
        case Redirect(status=status, location=location):
            return f"{status} {location.decode('ascii', 'replace')}"
        case Forward(notice=notice):
            return FORWARD_WITH_NOTICE if notice else FORWARD
        case Gone():
            return "410"
        case NotFound():
            return "404"
        case Local():
            return LOCAL
        case Misdirected():
            return "421"
        case BadRequest(status=status):
            return str(status)
        case _:
            assert_never(decision)
