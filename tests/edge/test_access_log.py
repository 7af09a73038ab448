"""The access log has a line for each request, in a form that programs read, and nothing that clients could steer."""

import json
import os
import re
import select
from pathlib import Path
from typing import Any

import pytest

from proxy.edge.access_log import AccessLog, demand_access_log
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import AccessFormat, Settings, SettingsError
from proxy.edge.counts import Counts
from tests.edge.peers import Client, Serving, get
from tests.edge.sites import AFTER, rulebook


async def log_of(serving: Serving, path: Path, *requests: bytes, **settings: Any) -> list[str]:
    server = await serving(rulebook(), at=AFTER, access_log=str(path), **settings)
    async with await Client.to(server) as client:
        for request in requests:
            client.send(request)
            await client.answer()
    await server.stop()
    return path.read_text("latin-1").split("\n")[:-1]  # noqa: ASYNC240 - a few lines


async def test_a_line_says_who_asked_for_what_and_what_came_of_it(serving: Serving, tmp_path: Path) -> None:
    fields = (b"User-Agent: Mozilla/5.0", b"Referer: https://old.example/")
    asked = [get(b"/a?b=1", b"po.co", *fields, method=method) for method in (b"GET", b"POST")]
    lines = [json.loads(line) for line in await log_of(serving, tmp_path / "log", *asked)]
    for line, method, status in zip(lines, ("GET", "POST"), (301, 308), strict=True):
        assert re.fullmatch(r"2025-01-01T00:00:\d\d\.\d{3}\+00:00", line.pop("time"))
        assert line == {
            "client": "127.0.0.1",
            "scheme": "http",
            "host": "po.co",
            "method": method,
            "target": "/a?b=1",
            "status": status,
            "outcome": "redirect",
            "site": "uk",
            "rule": "",
            "referer": "https://old.example/",
            "agent": "Mozilla/5.0",
        }


async def test_the_combined_format_is_what_web_servers_write(serving: Serving, tmp_path: Path) -> None:
    lines = await log_of(
        serving, tmp_path / "log", get(b"/a", b"po.co", b"User-Agent: x"), access_log_format=AccessFormat.COMBINED
    )
    (line,) = lines
    assert re.fullmatch(r'127\.0\.0\.1 - - \[01/Jan/2025:00:00:\d\d \+0000\] "GET /a HTTP/1\.1" 301 - "-" "x"', line)


@pytest.mark.parametrize("form", AccessFormat)
async def test_no_client_can_write_a_line_of_its_own(serving: Serving, tmp_path: Path, form: AccessFormat) -> None:
    request = get(b'/"x', b"po.co", b'User-Agent: a" 200 \\ \x85\tb')  # 0x85 is a line's end in some places
    (line,) = await log_of(serving, tmp_path / "log", request, access_log_format=form)
    assert not re.search(r"[\x00-\x1f\x7f]", line)
    if form is AccessFormat.JSON:
        assert json.loads(line.encode("latin-1"))["agent"] == 'a" 200 \\ \x85\tb'
    else:
        assert line.endswith('"GET /\\x22x HTTP/1.1" 301 - "-" "a\\x22 200 \\x5c \\x85\\x09b"')


async def test_one_in_so_many_has_a_line(serving: Serving, tmp_path: Path) -> None:
    requests = [get(b"/%d" % number) for number in range(10)]
    lines = await log_of(serving, tmp_path / "log", *requests, access_log_every=5)
    assert [json.loads(line)["target"] for line in lines] == ["/0", "/5"]


async def test_it_goes_on_where_it_ended(serving: Serving, tmp_path: Path) -> None:
    for number in (1, 2):
        assert len(await log_of(serving, tmp_path / "log", get(b"/"))) == number


def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"the access log .* cannot be written: No such file or directory"):
        AccessLog(Settings(access_log=str(tmp_path / "none" / "log")), Clock(), Counts())


def test_a_pipe_is_not_opened_to_see_whether_it_can_be(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    try:
        demand_access_log(Settings(access_log=str(tmp_path / "log")))
        with select.epoll() as poll:
            poll.register(reader, 0)
            assert poll.poll(0) == []  # whose writer came and went would hear of its end
    finally:
        os.close(reader)


async def test_a_disk_that_is_full_costs_lines_and_nothing_else(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, access_log="/dev/full")
    async with await Client.to(server) as client:
        for _ in range(3):
            client.send(get(b"/"))
            assert (await client.answer()).status == 301
