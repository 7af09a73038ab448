"""Rules that are loaded anew while the server runs: all or nothing, and nobody notices (T40, T44)."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.json_page import documented, told_keys
from tests.edge.peers import Client, get
from tests.processes.conftest import RULES, write_site
from tests.processes.program import Load, Program, Starting, children_of, eventually, family, lives, until
from tests.threats.conftest import Figure

UK, GB = b"https://www.mi.com/uk", b"https://www.mi.com/gb"
QUIET = ("--watch", "off")
"""For tests that ask for each reload themselves."""

LONG = 200_000

CUT_OFF = "site: uk\nhosts: [po.co]\nmoves_to: https://www.mi.co"


async def leads_to(program: Program) -> bytes:
    """Where the server sends visitors now."""
    return (await program.ask(get(b"/x"))).one(b"Location").removesuffix(b"/x")


def move(folder: Path, name: str) -> Path:
    """Give a folder another name."""
    return folder.rename(folder.parent / name)


async def now_leads_to(program: Program, home: bytes) -> None:
    """Wait until it does."""

    async def look() -> bool:
        return await leads_to(program) == home

    await eventually(look)


async def by_signal(program: Program) -> None:
    program.process.send_signal(signal.SIGHUP)


async def by_asking(program: Program) -> None:
    status, verdict = await program.reload()
    assert (status, verdict["ok"], verdict["changed"]) == (200, True, True)


async def by_itself(_program: Program) -> None:
    """The folder is watched."""


@pytest.mark.parametrize(
    ("options", "ask"),
    [
        (("--watch", "off"), by_signal),
        (("--watch", "off"), by_asking),
        (("--watch", "events"), by_itself),
        (("--watch", "poll"), by_itself),
    ],
)
async def test_no_request_is_lost_when_rules_change(
    rules: Path, starting: Starting, options: tuple[str, ...], ask: Callable[[Program], object]
) -> None:
    program = await starting(rules, "--workers", "2", *options)
    before = await program.pids(2)
    generation = (await program.status())["generation"]
    async with Load(program.port) as kept, Load(program.port, clients=4, fresh=True) as fresh:
        write_site(rules, home="gb")
        await ask(program)  # type: ignore[misc]
        await program.pids(2, without=before)
        await until(lambda: {UK, GB} <= kept.locations & fresh.locations)
        await until(lambda: not any(map(lives, before)))
        await kept.some()
    assert (kept.failures, fresh.failures) == ([], [])
    assert await leads_to(program) == GB
    told = await program.status()
    assert told["generation"] != generation
    assert {worker["generation"] for worker in told["workers"]} == {told["generation"]}
    assert (told["reload"]["ok"], told["reload"]["generation"]) == (True, told["generation"])


async def test_no_client_is_lost_that_a_balancer_introduces(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2", "--listen", "127.0.0.1:0+proxy", *QUIET)
    before = await program.pids(2)
    header = b"PROXY TCP4 203.0.113.7 127.0.0.1 50000 80\r\n"
    async with Load(program.port, before=header) as kept, Load(program.port, fresh=True, before=header) as fresh:
        write_site(rules, home="gb")
        await by_asking(program)
        await program.pids(2, without=before)
        await until(lambda: {UK, GB} <= kept.locations & fresh.locations)
        await until(lambda: not any(map(lives, before)))
    assert (kept.failures, fresh.failures) == ([], [])


async def test_many_reloads_one_after_the_other_lose_no_request_and_leave_nobody_behind(
    rules: Path, starting: Starting, figure: Figure
) -> None:
    program = await starting(rules, "--workers", "2", *QUIET)
    async with Load(program.port) as kept, Load(program.port, clients=4, fresh=True) as fresh:
        usual = kept.p99()
        since = len(kept.seconds)
        for number in range(6):
            write_site(rules, home=f"home-{number}")
            await by_asking(program)
        meanwhile = kept.p99(since)
    assert (kept.failures, fresh.failures) == ([], [])
    assert await leads_to(program) == b"https://www.mi.com/home-5"
    await until(lambda: len(family(program.process.pid)) == 5)
    figure("T44", "6 reloads under load, requests answered and lost", f"{kept.answered + fresh.answered}, 0")
    figure("T44", "p99 in ms, before and during reloads", f"{usual:.1f}, {meanwhile:.1f}")


async def test_a_long_list_is_loaded_while_others_are_answered(rules: Path, starting: Starting, figure: Figure) -> None:
    write_list(rules, "uk")
    write_site(rules, rules="  []\nmappings: [long.csv]\n")
    program = await starting(rules, "--workers", "2", *QUIET)
    async with Load(program.port) as load:
        await load.some(2000)
        usual, since = load.p99(), len(load.seconds)
        write_list(rules, "gb")
        await by_asking(program)
        await load.some(200)
        meanwhile = load.p99(since)
    assert load.failures == []
    assert (await program.ask(get(b"/old-long-7"))).one(b"Location") == b"https://www.mi.com/gb/new-long-7"
    seconds = (await program.status())["reload"]["seconds"]
    figure(
        "T44",
        f"{LONG:,} mappings loaded anew under load, in s, and p99 in ms before and meanwhile",
        f"{seconds:.1f}, {usual:.1f}, {meanwhile:.1f}",
    )


def write_list(folder: Path, home: str) -> None:
    rows = (f"/old-long-{number},https://www.mi.com/{home}/new-long-{number}\n" for number in range(LONG))
    (folder / "long.csv").write_text("old,new\n" + "".join(rows), "utf-8")


async def test_an_idle_connection_may_ask_once_more_after_its_rules_are_over(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1", *QUIET)
    async with await Client.connect("127.0.0.1", program.port) as client:
        client.send(get(b"/x"))
        await client.answer()
        write_site(rules, home="gb")
        await by_asking(program)
        client.send(get(b"/x"))
        answer = await client.answer()
        assert (answer.one(b"Location"), answer.one(b"Connection")) == (UK + b"/x", b"close")
        assert await client.rest() == b""


async def test_a_request_that_came_while_its_worker_stood_still_is_answered(rules: Path, starting: Starting) -> None:
    """On a machine that was suspended, or in a container that was frozen."""
    configuration = rules.parent / "sunset.toml"
    configuration.write_text("[timeouts]\nlast_request = 1\n", "utf-8")
    program = await starting(rules, "--workers", "1", *QUIET, "--config", str(configuration))
    (worker,) = await program.pids()
    async with await Client.connect("127.0.0.1", program.port) as client:
        client.send(get(b"/x"))
        await client.answer()
        write_site(rules, home="gb")
        await by_asking(program)
        os.kill(worker, signal.SIGSTOP)
        client.send(get(b"/x"))
        time_is_up = asyncio.get_running_loop().time() + 1.5
        await until(lambda: asyncio.get_running_loop().time() > time_is_up)
        os.kill(worker, signal.SIGCONT)
        assert (await client.answer()).one(b"Location") == UK + b"/x"


async def test_the_same_rules_are_not_taken_twice(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1", *QUIET)
    before = await program.pids()
    write_site(rules)
    assert (await program.reload())[1]["changed"] is False
    assert await program.pids() == before
    assert program.found("nothing has changed")


async def test_a_broken_edit_keeps_the_last_good_rules_and_everybody_who_asks_is_told(
    rules: Path, starting: Starting
) -> None:
    program = await starting(rules, "--workers", "1")
    good = (await program.status())["generation"]
    before = await program.metrics()
    assert before["sunset_rulebook_last_reload_successful"] == 1
    assert (await program.ask_desk("/readyz")).body == b"ok\n"
    (rules / "uk.yaml").write_text("site: uk\nhosts: [po.co]\nmoves_to: https://evil.example\nwhere: 1\n", "utf-8")
    await program.logs("reload refused")
    assert await leads_to(program) == UK

    logged = program.found(r"ERROR .*uk\.yaml:\d+:\d+: (\S+)")
    assert {"target-not-listed", "unknown-key"} <= set(logged)
    told = await program.status()
    assert told["generation"] == good
    assert (told["reload"]["ok"], told["reload"]["message"]) == (False, "the rules cannot be used")
    assert [(problem["place"]["line"], problem["code"]) for problem in told["reload"]["problems"]]
    ready = await program.ask_desk("/readyz")
    assert ready.status == 200
    assert f"was refused, generation {good} stays".encode() in ready.body
    after = await program.metrics()
    assert after["sunset_rulebook_last_reload_successful"] == 0
    timestamp = "sunset_rulebook_last_reload_success_timestamp_seconds"
    assert after[timestamp] == before[timestamp]
    assert after[f'sunset_rulebook_info{{generation="{good}"}}'] == 1

    write_site(rules, home="gb")
    await now_leads_to(program, GB)
    assert (await program.metrics())["sunset_rulebook_last_reload_successful"] == 1
    assert (await program.metrics())[timestamp] > before[timestamp]
    assert (await program.ask_desk("/readyz")).body == b"ok\n"


@pytest.mark.parametrize(
    ("left", "sites", "taken"),
    [(9, 1, True), (8, 1, True), (7, 1, False), (0, 1, False), (10, 0, False)],
)
async def test_rules_that_are_suddenly_few_need_a_word_of_confirmation(
    rules: Path, starting: Starting, left: int, sites: int, taken: bool
) -> None:
    more = "site: more\nhosts: [more.example]\nmoves_to: https://www.mi.com/more\n"
    (rules / "more.yaml").write_text(more, "utf-8")
    program = await starting(rules, "--workers", "1", *QUIET)
    write_site(rules, home="gb", rules="".join(RULES.splitlines(keepends=True)[: 2 * left]) or "  []\n")
    if not sites:
        (rules / "more.yaml").unlink()
    status, verdict = await program.reload()
    assert (status, verdict["ok"]) == ((200, True) if taken else (409, False))
    if not taken:
        assert "sunset reload --allow-shrink" in verdict["message"]
        assert await leads_to(program) == UK
        assert (await program.reload(allow_shrink=True))[0] == 200
    assert await leads_to(program) == GB


async def test_a_file_that_is_cut_short_is_not_taken(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1", *QUIET)
    (rules / "uk.yaml").write_text(CUT_OFF, "utf-8")
    status, verdict = await program.reload()
    assert status == 409
    assert {problem["code"] for problem in verdict["problems"]} >= {"cut-off"}
    assert await leads_to(program) == UK


async def test_a_kubernetes_configmap_that_is_swapped_is_noticed(tmp_path: Path, starting: Starting) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    write_config_map(mount, "uk", "..2024_12_30")
    for name in ("rulebook.yaml", "uk.yaml"):
        (mount / name).symlink_to(Path("..data") / name)
    program = await starting(mount, "--workers", "1")
    for home, version in (("gb", "..2024_12_31"), ("ie", "..2025_01_01")):
        write_config_map(mount, home, version)
        await now_leads_to(program, f"https://www.mi.com/{home}".encode())
    assert not program.found("refused")


def write_config_map(mount: Path, home: str, version: str) -> None:
    """What kubelet does: a new folder, then one rename of the link that leads to it."""
    (mount / version).mkdir()
    (mount / version / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    write_site(mount / version, home)
    (mount / "..data_tmp").symlink_to(version)
    (mount / "..data_tmp").rename(mount / "..data")


async def test_a_name_that_leads_to_another_folder_is_noticed(rules: Path, starting: Starting) -> None:
    link = rules.parent / "current"
    link.symlink_to(rules)
    program = await starting(link, "--workers", "1")
    other = rules.parent / "other"
    other.mkdir()
    (other / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    write_site(other, home="gb")
    (rules.parent / "next").symlink_to(other)
    (rules.parent / "next").rename(link)
    await now_leads_to(program, GB)
    write_site(other, home="uk")
    await now_leads_to(program, UK)


async def test_a_folder_that_is_gone_for_a_while_changes_nothing(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    away = move(rules, "away")
    await program.logs("reload refused")
    assert await leads_to(program) == UK
    write_site(away, home="gb")
    move(away, rules.name)
    await now_leads_to(program, GB)


async def test_rules_that_take_for_ever_to_load_are_given_up(rules: Path, starting: Starting) -> None:
    """A network file system may hang."""
    program = await starting(rules, "--workers", "1", *QUIET, variables={"SUNSET_RELOADS_PATIENCE": "3"})
    others = set(children_of(program.process.pid))
    write_list(rules, "gb")
    write_site(rules, rules="  []\nmappings: [long.csv]\n")

    async def look() -> set[int]:
        return set(children_of(program.process.pid)) - others

    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(program.reload())
        (loading,) = await eventually(look)
        os.kill(loading, signal.SIGSTOP)
    status, verdict = asked.result()
    assert (status, verdict["ok"], verdict["message"]) == (409, False, "the new rules were not ready after 3 s")
    await until(lambda: not lives(loading))
    assert await leads_to(program) == UK
    write_site(rules, home="gb")
    await by_asking(program)
    assert await leads_to(program) == GB


async def test_a_storm_of_signals_makes_few_reloads(rules: Path, starting: Starting, figure: Figure) -> None:
    program = await starting(rules, "--workers", "1", *QUIET)
    write_site(rules, home="gb")
    for _ in range(50):
        program.process.send_signal(signal.SIGHUP)
    await now_leads_to(program, GB)
    assert (await program.reload())[1]["ok"]  # stands behind all of them
    loads = len(program.found("reloaded: "))
    assert loads <= 4
    figure("T44", "reloads that 50 SIGHUPs made", loads - 1)


async def test_a_reload_that_is_asked_for_during_another_sees_the_newest_files(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1", *QUIET)
    write_site(rules, home="ie")
    program.process.send_signal(signal.SIGHUP)
    write_site(rules, home="gb")
    status, verdict = await program.reload()
    assert (status, verdict["ok"]) == (200, True)
    assert await leads_to(program) == GB


async def test_a_desk_is_not_told_what_another_one_has_asked_for(rules: Path, starting: Starting) -> None:
    """Else whoever asks it first would be told of a reload that has not seen the newest files."""
    program = await starting(rules, "--workers", "1", *QUIET)
    desk = (await program.status())["pid"]
    before = family(program.process.pid)
    write_list(rules, "uk")  # so that it takes a while
    write_site(rules, home="gb", rules=RULES + "mappings: [long.csv]\n")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask_in_vain(program))
        await until(lambda: len(family(program.process.pid)) > len(before))
        (nursery,) = family(program.process.pid) - before
        await until(lambda: reads(nursery, rules / "long.csv"))
        os.kill(nursery, signal.SIGSTOP)
        os.kill(desk, signal.SIGKILL)
        await eventually(lambda: another_desk(program, desk))
        write_site(rules, home="ie")
        asked = tasks.create_task(program.reload(allow_shrink=True))
        await program.status()  # so that it has been asked
        os.kill(nursery, signal.SIGCONT)
    assert asked.result()[0] == 200
    assert await leads_to(program) == b"https://www.mi.com/ie"


def reads(pid: int, file: Path) -> bool:
    """Whether a process has a file open."""
    return any(os.path.realpath(descriptor) == str(file) for descriptor in Path(f"/proc/{pid}/fd").iterdir())


async def ask_in_vain(program: Program) -> None:
    with pytest.raises((EOFError, OSError)):
        await program.reload()


async def another_desk(program: Program, desk: int) -> bool:
    return bool((await program.status())["pid"] != desk)


async def test_watching_costs_no_reload_while_nothing_changes(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    for home in ("gb", "ie"):
        write_site(rules, home)
        await now_leads_to(program, f"https://www.mi.com/{home}".encode())
    (rules / "uk.yaml").read_text("utf-8")
    assert len(program.found("reloaded: ")) <= 3


async def test_what_is_told_of_the_server_and_of_reloads_has_the_keys_of_the_page(
    rules: Path, starting: Starting
) -> None:
    program = await starting(rules, *QUIET)
    _, verdict = await program.reload()
    assert told_keys("reload", verdict) == documented("reload")
    assert told_keys("status", await program.status()) == documented("status")
