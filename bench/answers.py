"""Servers are asked before they are measured: who does not answer as all others do is not compared with them."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from bench.ask import MESSAGE, PAGE, Ask
from bench.load import Load
from bench.rules import HOST, Forward, Rules
from bench.server import Server, ServerError

ASKED: Final = 100
"""Requests that are looked at closely, from all over the list."""


def compare(server: Server, rules: Rules, asks: Sequence[Ask], load: Load) -> int:
    """Asks, and gives how often. Raises `ServerError` at the first answer that is not the right one."""
    chosen = asks[:: max(1, len(asks) // ASKED)]
    kind = HandshakingConnection if load.tls else http.client.HTTPConnection
    with closing(kind("127.0.0.1", server.port, timeout=10)) as connection:
        for ask in chosen:
            try:
                fault = wrong(connection, ask, load, rules)
            except (OSError, http.client.HTTPException) as error:
                fault = repr(error)
            if fault:
                raise ServerError(f"{server.name} answers {ask.target} with {fault}")
    return len(chosen)


class HandshakingConnection(http.client.HTTPConnection):
    """To loopback, with the host's name in the handshake, and TLS 1.3 or nothing."""

    def connect(self) -> None:
        """As often as it has to."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = context.wrap_socket(plain, server_hostname=HOST)


def wrong(connection: http.client.HTTPConnection, ask: Ask, load: Load, rules: Rules) -> str:
    """What is wrong with an answer, in words; nothing if it is right."""
    _, *fields = ask.head(close=load.close).strip().split("\r\n")
    connection.request("GET", ask.target, headers=dict(field.split(": ", 1) for field in fields))
    answer = connection.getresponse()
    body = answer.read().decode()
    kept = not answer.will_close
    if kept == load.close:
        return f"a connection that is {'kept' if kept else 'closed'}"
    if isinstance(rules, Forward):
        return wrong_page(answer.status, body, rules)
    location = answer.headers.get_all("Location") or []
    return "" if (answer.status, location) == (301, [ask.location]) else f"{answer.status} and {location}"


def wrong_page(status: int, body: str, rules: Forward) -> str:
    """A page is right if it is the old one; and with its notice, the old one but for that."""
    if status != 200:
        return str(status)
    if rules.notice and MESSAGE not in body:
        return "a page without its notice"
    if rules.notice:
        body = re.sub(r"<aside.*?</aside>", "", body, flags=re.DOTALL)
    return "" if body == PAGE else f"another page, of {len(body)} characters"
