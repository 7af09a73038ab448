"""Workers that die, and what others and clients notice of it (T44)."""

import os
import resource
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.edge.peers import Client, Originating, RawOrigin, get
from tests.processes.conftest import write_site
from tests.processes.program import (
    TOP,
    Load,
    Program,
    Starting,
    clients_of,
    eventually,
    family,
    lives,
    parent_of,
    until,
)
from tests.threats.conftest import Figure

OLD = "site: old\nhosts: [old.example]\npass_through: true\norigin: {origin}\norigin_networks: [127.0.0.0/8]\n"
BROKEN = """\
import asyncio, os
def new_event_loop():
    if os.path.exists(os.environ["BROKEN"]):
        raise OSError("this machine has no uvloop that works")
    return asyncio.new_event_loop()
"""


async def test_there_is_one_for_each_core_unless_a_number_is_named(rules: Path, starting: Starting) -> None:
    cores = os.sched_getaffinity(0)
    assert len(await (await starting(rules)).pids(len(cores))) == len(cores)
    assert len(await (await starting(rules, "--workers", "3")).pids(3)) == 3
    confined = await starting(rules, preexec_fn=lambda: os.sched_setaffinity(0, {min(cores)}))
    assert len(await confined.pids()) == 1


async def test_a_worker_that_is_killed_is_replaced_and_clients_of_others_notice_nothing(
    rules: Path, starting: Starting, figure: Figure
) -> None:
    program = await starting(rules, "--workers", "2")
    victim, other = await program.pids(2)
    async with Load(program.port, clients=16) as load:
        os.kill(victim, signal.SIGSTOP)  # so that it takes no more clients while we look which it has
        struck = clients_of(victim)
        os.kill(victim, signal.SIGKILL)
        assert other in await program.pids(2, without={victim})
        await load.some()
    assert {failure.port for failure in load.failures} <= struck
    assert program.found(r"worker \d \(process \d+\) died after [\d.]+ s: SIGKILL; started again (.+)") == ["at once"]
    assert (await program.metrics())["sunset_worker_restarts_total"] == 1
    lost = f"{load.answered} answered, {len(load.failures)} lost, all on the {len(struck)} connections that it had"
    figure("T44", "one worker of two killed under load", lost)


async def test_a_worker_that_keeps_dying_is_started_after_pauses_that_grow(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    steady, victim = await program.pids(2)
    async with Load(program.port, clients=4) as load:
        for times in range(1, 5):
            os.kill(victim, signal.SIGKILL)
            await program.logs("died after", times)
            await load.some(20)
            (victim,) = set(await program.pids(2, without={victim})) - {steady}
    assert program.found(r"started again (.+)") == ["at once", "in 0.5 s", "in 1 s", "in 2 s"]
    assert (await program.metrics())["sunset_worker_restarts_total"] == 4


async def test_clients_are_shared_out_among_workers(rules: Path, starting: Starting, figure: Figure) -> None:
    program = await starting(rules, "--workers", "2")
    pids = await program.pids(2)
    async with Load(program.port, clients=64):
        shares = sorted(len(clients_of(pid)) for pid in pids)
    figure("T44", "how two workers share 64 clients that come at once", shares)
    assert shares[0] >= 16  # less than that happens once in ten thousand times


async def test_another_worker_stands_in_where_one_is_not_back_yet(rules: Path, starting: Starting) -> None:
    (rules.parent / "sunset.toml").write_text(
        "[processes]\nrestart_pause = 600\nlongest_restart_pause = 600\n", "utf-8"
    )
    program = await starting(rules, "--workers", "2", "--config", str(rules.parent / "sunset.toml"))
    for times in (1, 2):  # the second one is not replaced for ten minutes
        victim = (await program.pids(2))[0]
        os.kill(victim, signal.SIGKILL)
        await program.logs("died after", times)
    async with Load(program.port, clients=16, fresh=True) as load:
        await load.some(500)
    assert load.failures == []
    assert len(await program.pids()) == 1


async def test_a_worker_without_descriptors_left_stands_in_once_it_has_some(rules: Path, starting: Starting) -> None:
    (rules.parent / "sunset.toml").write_text(
        "[processes]\nrestart_pause = 600\nlongest_restart_pause = 600\n[limits]\ndescriptors_kept = 1\n", "utf-8"
    )
    program = await starting(
        rules,
        *("--workers", "2", "--config", str(rules.parent / "sunset.toml")),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)),
    )
    survivor, victim = await program.pids(2)
    async with AsyncExitStack() as crowd:
        clients = [await crowd.enter_async_context(await Client.connect("127.0.0.1", program.port)) for _ in range(400)]
        for times in (1, 2):  # the second one is not replaced for ten minutes
            os.kill(victim, signal.SIGKILL)
            await program.logs(rf"process {victim}\) died after")
            if times == 1:
                (victim,) = set(await program.pids(2, without={victim})) - {survivor}
        await program.logs("cannot stand in for another worker: Too many open files")
        ports = clients_of(survivor)
        theirs = [client for client in clients if client.writer.get_extra_info("sockname")[1] in ports]
        theirs[0].send(get(b"/x"))
        assert (await theirs[0].answer()).status == 301

    async def everybody_has_left() -> bool:
        return (await program.metrics())["sunset_connections"] == 0

    await eventually(everybody_has_left)  # until then it is full
    async with Load(program.port, clients=16, fresh=True) as load:
        await load.some(200)
    assert load.failures == []
    assert await program.pids() == [survivor]


async def test_a_worker_that_hangs_is_replaced(rules: Path, starting: Starting) -> None:
    (rules.parent / "sunset.toml").write_text("[processes]\nsilence = 3\n", "utf-8")
    program = await starting(rules, "--workers", "2", "--config", str(rules.parent / "sunset.toml"))
    victim, other = await program.pids(2)
    os.kill(victim, signal.SIGSTOP)
    assert other in await program.pids(2, without={victim})
    await until(lambda: not lives(victim))
    assert program.found(rf"process {victim}\) gives no sign of life")


async def test_workers_that_never_live_end_a_start_and_never_replace_those_that_do(
    rules: Path, starting: Starting, tmp_path: Path
) -> None:
    (tmp_path / "uvloop.py").write_text(BROKEN, "utf-8")
    flag = tmp_path / "broken"
    variables = {"PYTHONPATH": f"{tmp_path}:{TOP}", "BROKEN": str(flag)}
    program = await starting(rules, "--workers", "1", variables=variables)
    flag.touch()
    write_site(rules, home="gb")
    status, verdict = await program.reload()
    assert (status, verdict["ok"]) == (409, False)
    assert "workers end before they answer (exit code 70)" in verdict["message"]
    assert (await program.ask(get(b"/x"))).one(b"Location") == b"https://www.mi.com/uk/x"

    stillborn = await starting(rules, "--workers", "1", ready=False, variables=variables)
    assert await stillborn.ended() == 1
    assert "this machine has no uvloop that works" in stillborn.said()
    assert "workers end before they answer" in stillborn.said().splitlines()[-1]


async def test_a_killed_nursery_takes_no_worker_along_and_is_replaced(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    before = await program.pids(2)
    nursery = parent_of(before[0])
    async with Load(program.port) as load:
        os.kill(nursery, signal.SIGKILL)
        after = await program.pids(2, without=before)
        await load.some()
        await until(lambda: not any(map(lives, before)))
    assert load.failures == []
    assert parent_of(after[0]) not in {nursery, program.process.pid}
    program.terminate()
    assert await program.ended() == 0


async def test_workers_without_their_nursery_go_on_until_there_are_rules_for_others(
    rules: Path, starting: Starting
) -> None:
    program = await starting(rules, "--workers", "2", "--watch", "off")
    before = await program.pids(2)
    (rules / "uk.yaml").write_text("site: uk\nhosts: po.co:80\n", "utf-8")
    os.kill(parent_of(before[0]), signal.SIGKILL)
    await program.logs("reload refused", times=2)
    assert sorted(await program.pids(2)) == sorted(before)
    assert (await program.ask(get(b"/x"))).status == 301
    write_site(rules)
    await program.pids(2, without=before)
    await until(lambda: not any(map(lives, before)))


async def test_everybody_ends_when_the_supervisor_is_killed(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    everybody = family(program.process.pid)
    assert len(everybody) == 5
    program.process.kill()
    await until(lambda: not any(map(lives, everybody)))


@asynccontextmanager
async def finishing(
    rules: Path, starting: Starting, origin: RawOrigin, variables: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Program, int, Client]]:
    """A server whose rules have changed while an answer was under way, the worker that gives it, and who gets it."""
    (rules / "old.yaml").write_text(OLD.format(origin=origin.origin), "utf-8")
    program = await starting(rules, "--workers", "1", "--watch", "off", variables=variables or {})
    (worker,) = await program.pids()
    async with await Client.connect("127.0.0.1", program.port) as busy:
        busy.send(get(b"/slow", b"old.example"))
        await origin.asked.wait()
        write_site(rules, home="gb")
        assert (await program.reload())[0] == 200
        yield program, worker, busy


async def test_those_who_are_finishing_end_with_the_supervisor_too(
    rules: Path, starting: Starting, originating: Originating
) -> None:
    """They have ten minutes, but nobody could take the addresses meanwhile."""
    origin = await originating(hold=True)
    variables = {"SUNSET_TIMEOUTS_STOP": "0.5", "SUNSET_TIMEOUTS_ANSWER": "10m"}
    async with finishing(rules, starting, origin, variables) as (program, _, _):
        everybody = family(program.process.pid)
        assert len(everybody) == 6  # of two generations
        program.process.kill()
        await until(lambda: not any(map(lives, everybody)))


async def test_workers_that_are_finishing_without_their_nursery_are_waited_for(
    rules: Path, starting: Starting, originating: Originating
) -> None:
    origin = await originating(hold=True)
    async with finishing(rules, starting, origin) as (program, worker, busy):
        os.kill(parent_of(worker), signal.SIGKILL)
        await until(lambda: parent_of(worker) == program.process.pid)
        await program.logs("keeps finishing workers died: SIGKILL")
        assert [one["state"] for one in (await program.status())["workers"] if one["pid"] == worker] == ["finishing"]
        current = set(await program.pids())
        program.terminate()
        await until(lambda: not any(map(lives, current)))
        origin.release(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        assert (await busy.answer()).body == b"done"
    assert await program.ended() == 0
    assert not lives(worker)


async def test_as_many_file_descriptors_are_taken_as_may_be_had(rules: Path, starting: Starting) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, 4096)
    program = await starting(rules, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most)))
    limits = {resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in await program.pids(1)}
    assert limits == {(most, most)}


async def test_too_few_file_descriptors_are_told_before_anything_starts(rules: Path, starting: Starting) -> None:
    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    program = await starting(rules, ready=False, preexec_fn=confine)
    assert await program.ended() == 1
    assert "64 file descriptors are allowed, and 128 are the least" in program.said()
    assert "Traceback" not in program.said()
