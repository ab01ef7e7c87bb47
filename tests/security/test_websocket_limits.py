"""What strangers and users may do over WebSockets is limited as it is by requests, and told."""

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial

import pytest
from tests.harness.fixtures import Serve
from tests.harness.raw_http import HOST
from tests.harness.server import KEY
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.routes import ask
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

WEBSOCKET = {"CARTRITA_INBOUND_LIMITS": "websocket=3/minute;failed=3/hour"}
KEYLESS = {"CARTRITA_WEBSOCKET_KEYLESS_MAX": "3"}
IMPATIENT = {
    "CARTRITA_SERVER_HEADER_TIMEOUT_S": "0.5",
    "CARTRITA_WEBSOCKET_PING_INTERVAL_S": "1",
    "CARTRITA_WEBSOCKET_PING_TIMEOUT_S": "1",
    "CARTRITA_WEBSOCKET_AUTH_S": "0.5",
}
GUESSING = "127.0.0.2"


async def test_wrong_keys_in_frames_are_limited_by_address(shared: Serve) -> None:
    scenario = shared(settings=WEBSOCKET)
    port = scenario.server.port
    opened_there = partial(opened, port, local_addr=(GUESSING, 0))
    owner = await new_user(scenario, await new_tenant(scenario))
    unseen = (await new_key(scenario, owner))["key"]
    async with opened_there() as socket:  # one who is known guesses others' keys
        for _ in range(2):
            await socket.send(type="auth", api_key="ck_guess")
            assert (await socket.next())["code"] == "unauthenticated"
    for key, told in (("ck_guess", "unauthenticated"), (unseen, "rate_limited")):
        async with opened_there(key=key) as socket:
            frames, code = await socket.closed()
        assert [frame["code"] for frame in frames] == [told]
        assert code == {"unauthenticated": 1008, "rate_limited": 4429}[told]
    assert frames[0]["retry_after"] > 0
    mine = {"X-API-Key": unseen}
    assert (await ask(port, "GET", "/api/me", mine, address=GUESSING))[0] == 429
    async with opened_there(key=KEY) as socket:
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}


async def test_sockets_without_a_key_are_limited_by_address(shared: Serve) -> None:
    scenario = shared(settings=KEYLESS)
    port = scenario.server.port
    async with AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(opened(port, key=None)) for _ in range(3)]
        with pytest.raises(InvalidStatus) as refusal:
            await stack.enter_async_context(opened(port, key=None))
        response = refusal.value.response
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert json.loads(response.body)["code"] == "too_many_sockets"
        await stack.enter_async_context(opened(port, key=None, headers={"X-API-Key": KEY}))
        await waiting[0].send(type="auth", api_key=KEY)
        await waiting[0].send(type="ping")
        await waiting[0].next()
        late = await stack.enter_async_context(opened(port))
        await late.send(type="ping")
        assert await late.next() == {"type": "pong"}
        frames, code = await waiting[1].closed()
        assert ([frame["code"] for frame in frames], code) == (["unauthenticated"], 1008)


@pytest.mark.parametrize("most", [10, 10_000])
async def test_half_a_handshake_is_closed(shared: Serve, most: int) -> None:
    scenario = shared(settings=IMPATIENT)
    reader, writer = await asyncio.open_connection(HOST, scenario.server.port)
    handshake = b"GET /ws/chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
    writer.write(handshake[:most])
    async with asyncio.timeout(20):
        assert (await reader.read()).split(b"\r\n")[0] in (b"", b"HTTP/1.1 408 Request Timeout")
    writer.close()


@pytest.mark.parametrize(("key", "closed"), [(KEY, 1011), (None, 1008)])
async def test_half_a_frame_is_closed(shared: Serve, key: str | None, closed: int) -> None:
    """Its client answers the server's pings, but inside of the frame that it does not finish."""
    scenario = shared(settings=IMPATIENT)
    half = Frame(Opcode.TEXT, b"x" * 100_000).serialize(mask=True)[:50_000]
    async with opened(scenario.server.port, key=key) as socket:
        if key is not None:
            await socket.send(type="ping")
            await socket.next()
        socket.connection.transport.write(half)
        assert (await socket.closed())[1] == closed


@pytest.mark.parametrize(
    ("limit", "settings"),
    [
        ("websocket", WEBSOCKET),
        ("native", {"CARTRITA_INBOUND_LIMITS": "native=3/minute"}),
        ("principal", {"CARTRITA_INBOUND_LIMITS": "principal=3/minute"}),
        ("key", KEYLESS),
    ],
)
async def test_frames_count_as_requests_do(
    shared: Serve, limit: str, settings: dict[str, str]
) -> None:
    own = limit == "key"
    scenario = shared(settings=settings)
    owner = await new_user(scenario, await new_tenant(scenario))
    scopes = {"scopes": {"requests_per_minute": 3}} if own else {}
    key = (await new_key(scenario, owner, **scopes))["key"]
    async with opened(scenario.server.port, key=key) as socket:
        codes = list[str]()
        for number in range(4):
            await socket.send(type="chat", message="Hi", conversation_id="none")
            codes.append((await socket.next())["code"])
            await socket.send(type="ping")
            assert await socket.next() == {"type": "pong"}, number
        await socket.send(type="chat", message="Hi", client_msg_id="later")
        refused = await socket.next()
    assert codes == ["conversation_not_found"] * 3 + ["rate_limited"]
    assert (refused["client_msg_id"], refused["details"]) == ("later", {"limit": limit})
    assert 0 < refused["retry_after"] <= 60
