"""The admin listener: who may read it, and what it says about life and readiness."""

import pytest

from proxy.edge.configuration.settings import Endpoint, Settings, SettingsError
from proxy.edge.server import Server
from tests.edge.conftest import ANY_PORT
from tests.edge.peers import Answer, Client, Serving, get
from tests.edge.sites import AFTER, rulebook

TOKEN = "0123456789abcdef-token"
EVERYWHERE = Endpoint("0.0.0.0", 0)  # noqa: S104 - with a token


async def ask_admin(server: Server, path: bytes, host: bytes = b"127.0.0.1", *fields: bytes) -> Answer:
    assert server.admin_address is not None
    async with await Client.connect("127.0.0.1", server.admin_address.port) as client:
        client.send(get(path, host, *fields))
        return await client.answer()


async def test_metrics_are_there_on_loopback_without_more(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, admin=ANY_PORT)
    answer = await ask_admin(server, b"/metrics")
    assert answer.status == 200
    assert answer.one(b"Content-Type").startswith(b"text/plain; version=")
    assert b"sunset_build_info" in answer.body


@pytest.mark.parametrize("path", [b"/livez", b"/readyz"])
@pytest.mark.parametrize("host", [b"127.0.0.1:9900", b"sunset.internal", b"10.0.0.1"])
async def test_a_server_that_runs_lives_and_is_ready_whoever_asks(serving: Serving, path: bytes, host: bytes) -> None:
    server = await serving(rulebook(), admin=EVERYWHERE, admin_token=TOKEN)
    assert (await ask_admin(server, path, host)).status == 200


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"X: none", 401),
        (b"Authorization: Bearer wrong", 401),
        (b"Authorization: Basic " + TOKEN.encode(), 401),
        (b"Authorization: Bearer " + TOKEN.encode() + b"x", 401),
        (b"Authorization: Bearer \xff", 401),
        (b"Authorization: Bearer " + TOKEN.encode(), 200),
        (b"authorization: bearer  " + TOKEN.encode(), 200),
    ],
)
@pytest.mark.parametrize("admin", [EVERYWHERE, ANY_PORT])
async def test_a_token_is_asked_for_where_there_is_one(
    serving: Serving, admin: Endpoint, field: bytes, status: int
) -> None:
    server = await serving(rulebook(), admin=admin, admin_token=TOKEN)
    answer = await ask_admin(server, b"/metrics", b"sunset.internal", field)
    assert answer.status == status
    assert (b"sunset_build_info" in answer.body) is (status == 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"localhost", 200),
        (b"LOCALHOST:9900", 200),
        (b"[::1]:9900", 200),
        (b"10.0.0.1", 200),
        (b"rebound.example", 401),
        (b"127.0.0.1.rebound.example:9900", 401),
        (b"localhost.rebound.example", 401),
    ],
)
async def test_a_page_whose_name_leads_to_loopback_reads_nothing(serving: Serving, host: bytes, status: int) -> None:
    server = await serving(rulebook(), admin=ANY_PORT)
    assert (await ask_admin(server, b"/metrics", host)).status == status


@pytest.mark.parametrize(
    ("endpoint", "token", "says"),
    [
        (EVERYWHERE, "", "SUNSET_ADMIN_TOKEN"),
        (Endpoint("", 0), "", "needs a token"),
        (ANY_PORT, "short", "16 char"),
        (ANY_PORT, "short" + " " * 16, "16 char"),
        (ANY_PORT, TOKEN + "\0" + TOKEN, "cannot be sent"),
    ],
)
async def test_a_server_without_the_token_that_it_needs_does_not_start(
    serving: Serving, endpoint: Endpoint, token: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        await serving(rulebook(), admin=endpoint, admin_token=token)


async def test_there_is_nothing_else_to_find(serving: Serving) -> None:
    server = await serving(rulebook(), admin=ANY_PORT)
    assert (await ask_admin(server, b"/")).status == 404


def test_settings_do_not_show_the_token() -> None:
    assert TOKEN not in repr(Settings(admin_token=TOKEN))
