"""nginx as an origin: the Debian package, with a configuration and files of its own, on a port that only it has."""

from __future__ import annotations

import grp
import gzip
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.core.model import Origin
from tests.edge.conftest import serving

__all__ = ["serving"]

CONFIGURATION = Path(__file__).with_name("nginx.conf")
LONG = "0123456789abcdef" * 200
LONG_AGO = 1_700_000_000
"""When all files were changed last: Last-Modified and ETag are the same in every run."""

PAGE = b"<!doctype html><html lang=en><head><meta charset=utf-8><title>Old</title></head>\n<body>\n%b</body></html>\n"
WORDS = b"<p>Everything you need is in the old shop, as it has always been.</p>\n" * 40
FILES = {
    "page.html": PAGE % WORDS,
    "small.html": PAGE % b"<p>small</p>",
    "index.html": PAGE % b"<h1>home</h1>",
    "missing.html": PAGE % b"<h1>not here</h1>",
    "parts.html": PAGE % b'<!--#include virtual="/plain.txt" --><!--#echo var="QUERY_STRING" -->',
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>x</p></body></html>',
    "latin.html": "<title>Café</title><body><p>déjà vu</p>".encode("latin-1"),
    "plain.txt": b"the old shop, in plain words\n" * 30,
    "empty.txt": b"",
    "style.css": b"p { color: black }\n" * 50,
    "script.js": b"console.log('old');\n" * 50,
    "data.json": b'{"old": true}\n' * 50,
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "big.bin": bytes(range(256)) * 1200,
    "packed.html": b"",
    "packed.html.gz": gzip.compress(PAGE % WORDS, mtime=0),
    "caf\u00e9 au lait.txt": b"with milk\n",
    "list/one.txt": b"1\n",
    "list/two & three.txt": b"23\n",
    "folder/index.html": PAGE % b"<h1>folder</h1>",
}


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        assert os.environ.get("CI") != "true", "nginx is not installed"
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    for name, content in FILES.items():
        file = folder / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / "site" / "kept").mkdir()
    (folder / "nobody").touch()
    for file in [*folder.rglob("*"), folder]:
        os.utime(file, (LONG_AGO, LONG_AGO))
    # nginx takes over a socket that listens already: no port is taken by another meanwhile, and nobody waits for it.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        text = CONFIGURATION.read_text("utf-8")
        filled = {
            "@FOLDER@": str(folder),
            "@PORT@": str(port),
            "@USER@": pwd.getpwuid(os.getuid()).pw_name,
            "@GROUP@": grp.getgrgid(os.getgid()).gr_name,
            "@LONG@": LONG,
        }
        for name, value in filled.items():
            text = text.replace(name, value)
        configuration = folder / "nginx.conf"
        configuration.write_text(text, "utf-8")
        descriptor = listening.fileno()
        process = subprocess.Popen(
            [program, "-p", folder, "-c", configuration, "-e", folder / "error.log"],
            env={"NGINX": f"{descriptor};"},
            pass_fds=[descriptor],
        )
    yield Origin("http", "127.0.0.1", port)
    process.terminate()
    process.wait(10)
    assert "[emerg]" not in (folder / "error.log").read_text("utf-8")
