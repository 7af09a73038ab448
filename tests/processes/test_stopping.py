"""How a server stops (T43)."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

import pytest

from tests.edge.peers import Client, Originating, get
from tests.processes.program import Starting, eventually, family, lives, until
from tests.threats.conftest import Figure
from tests.tls.authority import issue

OLD = "site: old\nhosts: [old.example]\npass_through: true\norigin: {origin}\norigin_networks: [127.0.0.0/8]\n"


async def test_answers_under_way_are_finished_and_idle_clients_are_let_go(
    rules: Path, starting: Starting, originating: Originating, figure: Figure
) -> None:
    origin = await originating(hold=True)
    (rules / "old.yaml").write_text(OLD.format(origin=origin.origin), "utf-8")
    program = await starting(rules, "--workers", "2")
    everybody = family(program.process.pid)
    async with AsyncExitStack() as clients:
        idle, *busy = [
            await clients.enter_async_context(await Client.connect("127.0.0.1", program.port)) for _ in range(9)
        ]
        for client in busy:
            client.send(get(b"/slow", b"old.example"))
        await until(lambda: len(origin.received) == len(busy))
        program.terminate()
        began = perf_counter()
        assert await idle.rest() == b""
        closed = perf_counter() - began
        await eventually(lambda: _is_refused(program.port))
        told = await program.ask_desk("/readyz")
        assert (told.status, told.body) == (503, b"not ready: stopping\n")
        assert program.process.poll() is None
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        for client in busy:
            answer = await client.answer()
            assert (answer.body, answer.one(b"Connection")) == (b"done", b"close")
        answered = perf_counter()
    assert await program.ended() == 0
    gone = perf_counter() - answered
    assert not any(map(lives, everybody))
    assert program.said().splitlines()[-1].endswith("stopped")
    figure("T43", "idle clients closed after SIGTERM, in ms", round(closed * 1000))
    figure("T43", f"gone after the last of {len(busy)} answers under way, in ms", round(gone * 1000))


async def test_a_client_that_never_agrees_on_tls_costs_no_other_its_answer(
    rules: Path, starting: Starting, originating: Originating
) -> None:
    origin = await originating(hold=True)
    (rules / "old.yaml").write_text(OLD.format(origin=origin.origin), "utf-8")
    certs = rules.parent / "certs"
    certs.mkdir()
    issued = issue("old.example")
    (certs / "old.pem").write_bytes(issued.chain)
    (certs / "old.key").write_bytes(issued.key)
    variables = {"SUNSET_TIMEOUTS_STOP": "4"}
    tls = ("--listen-tls", "127.0.0.1:0", "--certs", str(certs))
    program = await starting(rules, "--workers", "1", *tls, variables=variables)
    secure = int(program.found(r"listening on https://[^ ]+:(\d+)")[0])
    async with (
        await Client.connect("127.0.0.1", secure) as silent,
        await Client.connect("127.0.0.1", program.port) as busy,
    ):
        busy.send(get(b"/slow", b"old.example"))
        await origin.asked.wait()
        program.terminate()
        await eventually(lambda: _is_refused(program.port))
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        answer = await busy.answer()
        assert (answer.body, answer.one(b"Connection")) == (b"done", b"close")
        assert await silent.rest() == b""
    assert await program.ended() == 0
    assert "Traceback" not in program.said()


async def test_a_second_signal_stops_at_once(rules: Path, starting: Starting, originating: Originating) -> None:
    origin = await originating(hold=True)
    (rules / "old.yaml").write_text(OLD.format(origin=origin.origin), "utf-8")
    program = await starting(rules, "--workers", "2")
    everybody = family(program.process.pid)
    async with await Client.connect("127.0.0.1", program.port) as busy:
        busy.send(get(b"/slow", b"old.example"))
        await origin.asked.wait()
        program.terminate()
        await program.logs("stopping")
        program.process.send_signal(signal.SIGINT)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await busy.answer()
    assert await program.ended() == 1
    await until(lambda: not any(map(lives, everybody)))


async def test_signals_that_mean_nothing_to_it_end_nothing(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    everybody = family(program.process.pid)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        program.process.send_signal(number)
    assert (await program.reload())[0] == 200
    assert everybody <= family(program.process.pid)


async def test_a_server_that_is_still_starting_stops_as_well(rules: Path, starting: Starting) -> None:
    program = await starting(rules, ready=False)
    await until(lambda: len(family(program.process.pid)) > 1)
    program.terminate()
    assert await program.ended() == 0


async def test_a_terminal_that_interrupts_everybody_stops_it_in_an_orderly_way(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2", start_new_session=True)
    os.killpg(program.process.pid, signal.SIGINT)
    assert await program.ended() == 0
    assert "died" not in program.said()


async def _is_refused(port: int) -> bool:
    try:
        async with await Client.connect("127.0.0.1", port):
            return False
    except ConnectionRefusedError:
        return True
