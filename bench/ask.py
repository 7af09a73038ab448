"""Requests as browsers send them, and the answers that are right.

No address is asked again and again: caches and branch predictors would learn it by heart, and no visitor does that. The
same rules give the same requests in every run.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Final, assert_never

from bench.rules import HOST, Forward, Mappings, Prefixes, Regexes, Rules

MESSAGE: Final = "This site closes soon."
PARAGRAPH: Final = "<p>Some text of an old page, with <a href='/x'>a link</a> and <em>a word</em> in it.</p>\n"
PAGE: Final = "<!doctype html><html><head><title>Old</title></head><body>\n" + PARAGRAPH * 235 + "</body></html>\n"

NUMBER_OF_ASKS: Final = 20_000
SEED: Final = 20241231

HEAD: Final = (
    "GET {target} HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "Connection: {connection}\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: {agent}\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Accept-Language: {language}\r\n"
    "\r\n"
)
AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{n}.0) Gecko/20100101 Firefox/{n}.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/{n}E1",
)
LANGUAGES: Final = (
    "en-GB,en;q=0.9",
    "en-US,en;q=0.5",
    "fr-FR,fr;q=0.9,en;q=0.8",
    "id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7",
)
WORDS: Final = ("product", "poco-f6", "poco-x6-pro", "support", "news", "caf%C3%A9", "service-centre", "2023", "list")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request target, and the Location that is right; none where a page is fetched."""

    target: str
    location: str | None
    agent: str
    language: str

    def head(self, *, close: bool) -> str:
        """The request as it goes over the wire, some 400 bytes."""
        connection = "close" if close else "keep-alive"
        return HEAD.format(
            target=self.target, host=HOST, connection=connection, agent=self.agent, language=self.language
        )


@cache
def asks(rules: Rules) -> tuple[Ask, ...]:
    """What is asked of a server that follows these rules."""
    chance = random.Random(SEED)
    return tuple(ask(rules, chance, number) for number in range(NUMBER_OF_ASKS))


@cache
def heads(rules: Rules, *, close: bool) -> bytes:
    """The same as `load.lua` and `handshakes.py` read them."""
    return b"\0".join(ask.head(close=close).encode() for ask in asks(rules))


def ask(rules: Rules, chance: random.Random, number: int) -> Ask:
    """One of them: three in four have a query, as links from mails and advertisements do."""
    query = f"?utm_source=mail&utm_campaign=c{chance.randrange(1000)}&n={number}" if chance.random() < 0.75 else ""
    match rules:
        case Prefixes(targets):
            prefix, new = chance.choice(targets)
            path = f"{prefix}/{'/'.join(chance.choices(WORDS, k=chance.randint(1, 3)))}-{number}/"
            location: str | None = new + path
        case Mappings(count):
            path, location = rules.row(chance.randrange(count))
        case Regexes(count):
            item, page = chance.randrange(count), chance.randrange(100_000)
            path, location = f"/news-{item}/{page}.html", rules.row(item, str(page))[1]
        case Forward():
            path, location = f"/shop/{number}.html", None
        case _:
            assert_never(rules)
    agent = chance.choice(AGENTS).format(n=chance.randint(100, 140))
    return Ask(path + query, None if location is None else location + query, agent, chance.choice(LANGUAGES))
