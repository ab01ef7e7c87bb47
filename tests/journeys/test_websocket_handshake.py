"""Who may open a WebSocket: credentials of each kind, pages of other origins, wrong hosts."""

import json
from collections.abc import Mapping

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.raw_http import HOST, request
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import SocketClient, opened
from websockets.exceptions import InvalidStatus

FOREIGN = "http://evil.example"
LISTED = "http://localhost:3000"
LISTING = {"CARTRITA_CORS_ORIGINS": LISTED, "CARTRITA_WEBSOCKET_AUTH_S": "0.2"}
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


async def cookie(scenario: Scenario) -> str:
    answer = await request(
        scenario.server.port,
        "POST",
        "/api/session",
        {"X-API-Key": KEY, "Content-Type": "application/json"},
        b"{}",
    )
    async with answer:
        return answer.headers["set-cookie"].partition(";")[0]


async def ticket(scenario: Scenario, origin: str) -> str:
    status, body = await scenario.call("POST", "/api/stream-tickets", {}, Origin=origin)
    assert status == 201
    return body["ticket"]


async def refused(scenario: Scenario, **options: object) -> tuple[int, str]:
    """The status and the code with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(scenario.server.port, key=None, **options):  # pyright: ignore[reportArgumentType]
            pass
    response = refusal.value.response
    assert response.headers["X-Request-ID"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response.status_code, json.loads(response.body)["code"]


async def is_open(socket: SocketClient) -> bool:
    await socket.send(type="ping")
    return await socket.next() == {"type": "pong"}


def own(scenario: Scenario) -> str:
    return f"http://{HOST}:{scenario.server.port}"


async def test_a_cookie_of_a_page_of_ours(scenario: Scenario) -> None:
    headers = {"Cookie": await cookie(scenario)}
    async with opened(
        scenario.server.port, key=None, headers=headers, origin=own(scenario)
    ) as socket:
        assert await is_open(socket)


@pytest.mark.parametrize("origin", [FOREIGN, "null", None])
async def test_a_cookie_of_another_page_or_of_none(scenario: Scenario, origin: str | None) -> None:
    headers = {"Cookie": await cookie(scenario)}
    assert await refused(scenario, headers=headers, origin=origin) == (403, "forbidden_origin")


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": KEY}])
async def test_pages_of_other_origins(scenario: Scenario, headers: Mapping[str, str]) -> None:
    for origin in (FOREIGN, "null"):
        found = await refused(scenario, headers=headers, origin=origin)
        assert found == (403, "forbidden_origin")
    across = {**headers, "Sec-Fetch-Site": "cross-site"}
    assert await refused(scenario, headers=across) == (403, "forbidden_origin")


async def test_a_listed_origin(shared: Serve) -> None:
    scenario = shared(settings=LISTING)
    headers = {"Cookie": await cookie(scenario)}
    async with opened(scenario.server.port, key=None, headers=headers, origin=LISTED) as socket:
        assert await is_open(socket)
    assert await refused(scenario, headers=headers, origin=FOREIGN) == (403, "forbidden_origin")


async def test_a_ticket_opens_one_socket(scenario: Scenario) -> None:
    secret = await ticket(scenario, own(scenario))
    target = f"/ws/chat?ticket={secret}"
    async with opened(
        scenario.server.port, key=None, target=target, origin=own(scenario)
    ) as socket:
        assert await is_open(socket)
    assert await refused(scenario, target=target, origin=own(scenario)) == (401, "unauthenticated")
    assert secret not in scenario.server.log_tail(1 << 20)


async def test_a_ticket_that_began_a_stream_opens_none(scenario: Scenario) -> None:
    used = await ticket(scenario, own(scenario))
    message = scenario.message(Script(words=2)).replace(" ", "+")
    stream = await request(
        scenario.server.port, "GET", f"/api/chat/stream?ticket={used}&message={message[:9]}"
    )
    async with stream:
        assert stream.status == 200
    for headers in ({}, {"Last-Event-ID": "run_0.1"}):
        found = await refused(scenario, target=f"/ws/chat?ticket={used}", headers=headers)
        assert found == (401, "unauthenticated")


async def test_wrong_credentials(scenario: Scenario) -> None:
    port = scenario.server.port
    wrong = await refused(scenario, headers={"X-API-Key": "ck_wrong"})
    assert wrong == (401, "unauthenticated")
    two = {"X-API-Key": KEY, "Authorization": "Bearer another"}
    assert await refused(scenario, headers=two) == (400, "two_credentials")
    in_query = await refused(scenario, target=f"/ws/chat?api_key={KEY}")
    assert in_query == (400, "key_in_query")
    assert "without completing handshake" not in scenario.server.log_tail()
    async with opened(port, key="ck_wrong") as socket:
        frames, code = await socket.closed()
    assert ([frame["code"] for frame in frames], code) == (["unauthenticated"], 1008)


async def test_a_cookie_that_has_ended_is_none(scenario: Scenario) -> None:
    headers = {"Cookie": "cartrita_session=made.up"}
    async with opened(scenario.server.port, headers=headers, origin=own(scenario)) as socket:
        assert await is_open(socket)


@pytest.mark.parametrize(
    "first", ['{"type": "ping"}', '{"type": "chat", "message": "Hi"}', "not JSON", "[1]", "{}"]
)
async def test_the_first_frame_is_a_key(scenario: Scenario, first: str) -> None:
    async with opened(scenario.server.port, key=None) as socket:
        await socket.connection.send(first)
        frames, code = await socket.closed()
    assert (len(frames), code) == (1, 1008)
    assert frames[0]["error"]
    assert frames[0]["code"]


async def test_a_key_that_does_not_come(shared: Serve) -> None:
    scenario = shared(settings=LISTING)
    async with opened(scenario.server.port, key=None) as socket:
        frames, code = await socket.closed()
    assert ([frame["code"] for frame in frames], code) == (["unauthenticated"], 1008)


async def test_callers_on_this_machine_need_none(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_AUTH": "loopback"})
    async with opened(scenario.server.port, key=None) as socket:
        await socket.send(type="auth", api_key="sk-of-an-older-frontend")
        assert await is_open(socket)
    assert await refused(scenario, origin=FOREIGN) == (403, "forbidden_origin")
    host = {"Host": f"evil.example:{scenario.server.port}"}
    assert await handshake(scenario, host) == 403


async def handshake(scenario: Scenario, headers: Mapping[str, str], path: str = "/ws/chat") -> int:
    """The status of a handshake that is written as it is, beside the Host that is sent anyway."""
    answer = await request(scenario.server.port, "GET", path, {**HANDSHAKE, **headers})
    async with answer:
        return answer.status


@pytest.mark.parametrize("host", ["evil.example", "x/health?", "x#", ""])
async def test_two_hosts(scenario: Scenario, host: str) -> None:
    assert await handshake(scenario, {"Host": host, "X-API-Key": KEY}) == 403


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({}, "/ws/chat", 101),
        ({"Sec-WebSocket-Version": "12"}, "/ws/chat", 400),
        ({"Sec-WebSocket-Key": "short"}, "/ws/chat", 400),
        ({"Cookie": "a=" + "x" * 9000}, "/ws/chat", 431),
        ({}, "/ws/chat/", 404),
        ({}, "/ws/other", 404),
        ({"Upgrade": "h2c"}, "/ws/chat", 404),
        ({}, "/health", 200),
    ],
)
async def test_offers(
    scenario: Scenario, headers: Mapping[str, str], path: str, status: int
) -> None:
    assert await handshake(scenario, headers, path) == status
