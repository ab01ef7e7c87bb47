"""The socket on which a desktop is seen: who may, how it is shared, and how it is closed."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from tests.harness import processes
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.rfb import HEIGHT, RIGHT_BUTTON, WHOLE, WIDTH, RfbClient, RfbSocket
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.harness.websockets import SocketClient, narrow_socket, opened
from tests.journeys.desktops import screen
from websockets.exceptions import InvalidStatus

from cartrita.adapters.desktop.host.viewers import MOST as MOST_VIEWERS
from cartrita.app import websocket_document
from cartrita.domain.desktop import Point

pytestmark = pytest.mark.slow

CHANNEL: dict[str, Any] = websocket_document()["channels"]["desktop"]
CODES = {int(code) for code in CHANNEL["x-close-codes"]}
MIDDLE = Point(640, 400)
PICTURE = WIDTH * HEIGHT * 4
UNREAD = 60
"""Pictures that a slow viewer asks for: 245 MB."""
MOST = 64 << 20
"""What may be in memory of them."""


class Seen(NamedTuple):
    """A viewer, as RFB and as the socket below it."""

    rfb: RfbClient
    socket: RfbSocket
    client: SocketClient


@asynccontextmanager
async def seen(desk: Scenario, target: str, key: str = KEY, **options: Any) -> AsyncGenerator[Seen]:
    """A viewer, before anything was said."""
    headers = {"X-API-Key": key}
    async with opened(
        desk.server.port, key=None, headers=headers, target=target, max_size=None, **options
    ) as client:
        socket = RfbSocket(client)
        yield Seen(RfbClient(socket), socket, client)


@asynccontextmanager
async def viewed(desk: Scenario, target: str, key: str = KEY) -> AsyncGenerator[Seen]:
    """A viewer that has been greeted."""
    async with seen(desk, target, key) as viewer:
        assert await viewer.rfb.greet() == (WIDTH, HEIGHT)
        yield viewer


async def until_closed(viewer: Seen) -> tuple[dict[str, Any], int]:
    """The text before the close frame, and its code, which the contract tells of."""
    while await viewer.socket.receive():
        pass
    assert viewer.socket.code in CODES
    [told] = map(json.loads, viewer.socket.told)
    return told, viewer.socket.code


async def made(desk: Scenario) -> dict[str, Any]:
    status, desktop = await desk.call("POST", "/api/desktops", {})
    assert status == 201, desktop
    return desktop


async def new_key(desk: Scenario) -> dict[str, Any]:
    _, key = await desk.call("POST", "/api/keys", {"name": "a viewer's"})
    return key


async def test_text_is_answered_by_an_error_and_the_end(desk: Scenario) -> None:
    desktop = await made(desk)
    async with viewed(desk, desktop["live_url"]) as viewer:
        await viewer.client.connection.send('{"type": "ping"}')
        told, code = await until_closed(viewer)
    assert (told["code"], code) == ("text_frame", 1007)


async def test_what_is_no_rfb_is_answered_by_an_error_and_another_end(desk: Scenario) -> None:
    desktop = await made(desk)
    async with viewed(desk, desktop["live_url"]) as viewer:
        await viewer.rfb.say(b"\x63")
        told, code = await until_closed(viewer)
    assert (told["code"], code) == ("bad_rfb", 1007)
    async with seen(desk, desktop["live_url"]) as viewer:
        await viewer.rfb.say(b"GET / HTTP/1.1\r\n")
        told, code = await until_closed(viewer)
    assert (told["code"], code) == ("bad_rfb", 1007)


async def test_a_ticket_opens_one_socket(desk: Scenario) -> None:
    desktop = await made(desk)
    _, ticket = await desk.call("POST", "/api/stream-tickets")
    target = f"{desktop['live_url']}?ticket={ticket['ticket']}"
    async with opened(desk.server.port, key=None, target=target) as client:
        assert await client.connection.recv() == b"RFB 003.008\n"
        with pytest.raises(InvalidStatus) as refused:
            async with opened(desk.server.port, key=None, target=target):
                pass
    assert refused.value.response.status_code == 401


async def test_others_do_not_see_it(desk: Scenario) -> None:
    desktop, other = await made(desk), f"user-{uuid4().hex}"
    user = {"id": other, "tenant_id": "local"}
    assert (await desk.call("POST", "/api/admin/users", user))[0] == 201
    owned = {"name": "theirs", "owner_id": other}
    limited = {"name": "for chats", "scopes": {"operations": ["chat"]}}
    _, theirs = await desk.call("POST", "/api/admin/keys", owned)
    _, chats = await desk.call("POST", "/api/keys", limited)
    for key, status in ((theirs, 404), (chats, 403)):
        with pytest.raises(InvalidStatus) as refused:
            async with seen(desk, desktop["live_url"], key["key"]):
                pass
        assert refused.value.response.status_code == status


async def test_two_see_it_and_one_uses_it(desk: Scenario) -> None:
    desktop, other_key = await made(desk), await new_key(desk)
    control = f"/api/desktops/{desktop['id']}/control"
    url = desktop["live_url"]
    async with viewed(desk, url) as viewer, viewed(desk, url, other_key["key"]) as other:
        assert (await desk.call("POST", control, {"action": "take"}))[0] == 200
        before = await screen(desk, desktop["id"])
        await other.rfb.click(MIDDLE, RIGHT_BUTTON)
        await other.rfb.picture()
        await other.rfb.picture()
        assert await screen(desk, desktop["id"]) == before, "it has not the control"
        shown = await other.rfb.picture()
        await viewer.rfb.click(MIDDLE, RIGHT_BUTTON)

        async def changed() -> bool:
            return await other.rfb.picture() != shown

        await eventually(changed)  # the menu is seen by the one who did not open it
        assert await screen(desk, desktop["id"]) != before
        status, refused = await desk.call(
            "POST", control, {"action": "take"}, X_API_Key=other_key["key"]
        )
    assert (status, refused["code"]) == (409, "desktop_controlled")


async def test_who_reads_nothing_takes_little_memory_and_holds_nobody_up(desk: Scenario) -> None:
    desktop = await made(desk)
    narrow = await narrow_socket(desk.server.port)
    workers = (await asyncio.to_thread(lambda: desk.server.tree)).workers
    async with seen(desk, desktop["live_url"], sock=narrow, ping_interval=None) as slow:
        await slow.rfb.greet()
        before = await asyncio.to_thread(processes.memory_bytes, workers)
        slow.client.connection.transport.pause_reading()
        for _ in range(UNREAD):
            await slow.rfb.say(WHOLE)
        async with viewed(desk, desktop["live_url"]) as other:
            for _ in range(3):
                assert len(await other.rfb.picture()) == PICTURE
        after = await asyncio.to_thread(processes.memory_bytes, workers)
        assert after - before < MOST
        slow.client.connection.transport.resume_reading()
        assert len(await slow.rfb.answer()) == PICTURE, "it goes on where it was"
        slow.client.connection.transport.abort()


async def test_a_view_ends_with_its_key(desk: Scenario) -> None:
    desktop, key = await made(desk), await new_key(desk)
    async with viewed(desk, desktop["live_url"], key["key"]) as viewer:
        assert (await desk.call("POST", f"/api/keys/{key['id']}/revoke"))[0] == 200
        told, code = await until_closed(viewer)
    assert (told["code"], code) == ("key_ended", 1008)


async def test_a_view_ends_with_its_desktop(desk: Scenario) -> None:
    desktop = await made(desk)
    async with viewed(desk, desktop["live_url"]) as viewer:
        assert (await desk.call("DELETE", f"/api/desktops/{desktop['id']}"))[0] == 204
        told, code = await until_closed(viewer)
    assert (told["code"], code) == ("desktop_gone", 1000)
    with pytest.raises(InvalidStatus) as refused:
        async with seen(desk, desktop["live_url"]):
            pass
    assert refused.value.response.status_code == 409


async def test_one_viewer_too_many_is_told_so_and_those_before_go_on(desk: Scenario) -> None:
    desktop = await made(desk)
    async with AsyncExitStack() as viewers:
        several = [
            await viewers.enter_async_context(viewed(desk, desktop["live_url"]))
            for _ in range(MOST_VIEWERS)
        ]
        async with seen(desk, desktop["live_url"]) as late:
            told, code = await until_closed(late)
        assert (told["code"], code) == ("desktop_viewers", 4429)
        for each in several:
            assert len(await each.rfb.picture()) == PICTURE

    async def seen_again() -> bool:
        with suppress(EOFError):
            async with viewed(desk, desktop["live_url"]):
                return True
        return False

    await eventually(seen_again)


@pytest.fixture(scope="module")
def brief_server(provider: FakeProvider) -> Iterator[Server]:
    """One whose sockets are idle soon, and which a test may stop."""
    settings = {"CARTRITA_DESKTOP_ENABLED": "1", "CARTRITA_WEBSOCKET_IDLE_S": "6"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


async def test_it_is_closed_when_nothing_is_said_and_when_its_server_stops(
    brief_server: Server, provider: FakeProvider
) -> None:
    desk = Scenario(brief_server, provider)
    desktop = await made(desk)
    async with viewed(desk, desktop["live_url"]) as busy:
        watching = asyncio.ensure_future(watch(busy))
        async with seen(desk, desktop["live_url"]) as idle:
            told, code = await until_closed(idle)
        assert (told["code"], code) == ("idle", 4408)
        assert not watching.done(), "what is shown all the time is not idle"
        stopping = asyncio.to_thread(brief_server.stop, signal.SIGTERM)
        told, stopped = await asyncio.gather(watching, stopping)
    assert stopped == 0
    assert (told["type"], busy.socket.code) == ("drain", 1001)
    assert busy.socket.code in CODES
    assert 1 <= told["retry_after"] <= 3
    assert brief_server.unexpected_errors() == []


async def watch(viewer: Seen) -> dict[str, Any]:
    """Look all the time, until the socket is closed; the text before that."""
    try:
        while True:
            await viewer.rfb.picture()
    except EOFError:
        pass
    [told] = map(json.loads, viewer.socket.told)
    return told
