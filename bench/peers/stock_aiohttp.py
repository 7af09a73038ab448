"""A program: aiohttp on uvloop that redirects prefixes: `stock_aiohttp.py KIND PORT OLD NEW [OLD NEW …]`.

KIND is application, server or floor. With CHAIN and KEY in the environment it speaks TLS.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import cast

import uvloop
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FixedAnswer(asyncio.Protocol):
    """Answers a redirect to whatever comes; of what comes it only counts where requests end."""

    def __init__(self, new: str) -> None:
        head = f"HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\nLocation: {new}/\r\n"
        self.answer = f"{head}\r\n".encode()
        self.last_answer = f"{head}Connection: close\r\n\r\n".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps what to write to."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """One answer a head; requests have no body here, and come in one piece."""
        if b"\r\nConnection: close\r\n" in data:
            self.transport.write(self.last_answer)
            self.transport.close()
        else:
            self.transport.write(self.answer * data.count(b"\r\n\r\n"))


def redirect_to(new: str) -> Handler:
    """A handler that keeps path and query as they came."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=301, headers={"Location": new + request.raw_path})

    return redirect


def application(targets: dict[str, str]) -> web.Application:
    """With a route for each prefix."""
    app = web.Application()
    for old, new in targets.items():
        app.router.add_get(old + "/{tail:.*}", redirect_to(new))
    return app


def low_level(targets: dict[str, str]) -> web.Server:
    """Without routes."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        for old, new in targets.items():
            if request.raw_path.startswith(old + "/"):
                return web.Response(status=301, headers={"Location": new + request.raw_path})
        return web.Response(status=404)

    return web.Server(answer, access_log=None)


async def main() -> None:
    """Serves until it is ended."""
    kind, port, *words = sys.argv[1:]
    targets = dict(zip(words[::2], words[1::2], strict=True))
    context = None
    if "CHAIN" in os.environ:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.environ["CHAIN"], os.environ["KEY"])
    if kind == "application":
        runner = web.AppRunner(application(targets), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(port), ssl_context=context, backlog=4096).start()
        await asyncio.Event().wait()
    factory = low_level(targets) if kind == "server" else lambda: FixedAnswer(next(iter(targets.values())))
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", int(port), ssl=context, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
