"""What good clients ask for, and what the right answer is: a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tests.edge.peers import Answer, get
from tests.soak.old_site import AFTER, BEFORE, FILE
from tests.soak.succession import Succession

OLD: Final = b"old.example"
CHANGING: Final = b"changing.example"
UPLOAD: Final = 100_000
_ASIDE = re.compile(rb"<aside\b.*?</aside>", re.DOTALL)


@dataclass(frozen=True)
class Visit:
    """A request, made of a number, so that no two are the same; and whether an answer is right."""

    name: str
    ask: Callable[[int], bytes]
    is_right: Callable[[int, Answer], bool]


def visits(versions: Succession[bytes]) -> tuple[Visit, ...]:
    """All that there are."""

    def is_of_its_time(number: int, answer: Answer) -> bool:
        home, _, path = answer.one(b"Location").rpartition(b"/")
        return answer.status == 301 and path == b"%d" % number and versions.allows(home)

    return (
        Visit("redirect", lambda number: get(b"/uk/a%%20page?n=%d" % number), _is_redirect),
        Visit("rule that changes", lambda number: get(b"/%d" % number, CHANGING), is_of_its_time),
        Visit("page with the notice", lambda number: get(b"/page/%d" % number, OLD), _has_the_notice),
        Visit("file", lambda number: get(b"/file?%d" % number, OLD), _is_the_file),
        Visit("upload", _upload, _was_uploaded),
        Visit("gone", lambda _: get(b"/uk/app/api/v1"), lambda _, answer: answer.status == 410),
        Visit("host of nobody", lambda _: get(b"/", b"evil.example"), lambda _, answer: answer.status == 421),
    )


def _is_redirect(number: int, answer: Answer) -> bool:
    return answer.status == 301 and answer.all(b"Location") == [b"https://www.mi.com/uk/a%%20page?n=%d" % number]


def _has_the_notice(_: int, answer: Answer) -> bool:
    return answer.status == 200 and (
        len(_ASIDE.findall(answer.body)) == 1
        and answer.body.startswith(BEFORE)
        and answer.body.endswith(AFTER)
        and bool(answer.all(b"Sunset"))
    )


def _is_the_file(_: int, answer: Answer) -> bool:
    return answer.status == 200 and answer.body == FILE


def _sent(number: int) -> bytes:
    return (b"%d " % number) * (UPLOAD // 8)


def _upload(number: int) -> bytes:
    body = _sent(number)
    return get(b"/form", OLD, b"Content-Length: %d" % len(body), method=b"POST") + body


def _was_uploaded(number: int, answer: Answer) -> bool:
    return answer.status == 200 and answer.body == sha256(_sent(number)).hexdigest().encode()
