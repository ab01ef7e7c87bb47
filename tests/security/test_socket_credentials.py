"""What opens a WebSocket or a stream is the very key or ticket, and nothing that is nearly one."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import opened
from tests.security.cells import Asked, ask
from tests.security.frames import frame, replies
from tests.security.handshakes import handshake, own_host
from tests.security.owners import Owners
from tests.security.test_credentials import NOTHING, by, key_of, masked, near, rejoined
from tests.security.test_socket_origins import ticket

_AT_ONCE = 16
NO_TEXTS: list[Any] = [None, 0, 1, True, [], {}, ["ck_"], {"ck_": "ck_"}]


async def first_frames(scenario: Scenario, sent: Iterable[dict[str, Any]]) -> set[str]:
    """What first frames are told that nobody is known by: each frame, and the closing code."""
    left = list(sent)
    told: set[str] = set()

    async def work() -> None:
        while left:
            first = left.pop()
            async with opened(scenario.server.port, key=None) as socket:
                await socket.send(**first)
                frames, code = await socket.closed()
            told.add(json.dumps([*frames, code]))

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return told


async def test_the_same_key_in_a_frame(scenario: Scenario, owners: Owners) -> None:
    key = key_of(owners)
    for text in (key, f" {key}", f"{key}\t"):
        async with opened(scenario.server.port, key=text) as socket:
            assert await replies(socket, frame("PingFrame")) == []
            assert await replies(socket, frame("AuthFrame", api_key=text)) == []


async def test_what_is_nearly_a_key_in_a_frame(scenario: Scenario, owners: Owners) -> None:
    a, b = key_of(owners), owners.strangers[0].headers["X-API-Key"]
    tried = [*near(a), rejoined(a, b), rejoined(b, a), f"{KEY}\n", f"{a}\n", f"\xa0{a}"]
    found = await first_frames(scenario, (frame("AuthFrame", api_key=each) for each in tried))
    assert len(found) == 1, found
    told = found.pop()
    assert '"unauthenticated"' in told
    assert told.endswith("1008]")


async def test_what_is_nearly_a_key_on_an_open_socket(scenario: Scenario, owners: Owners) -> None:
    key = key_of(owners)
    told: set[str] = set()
    async with opened(scenario.server.port, key=key) as socket:
        for text in near(key):
            told.add(json.dumps(await replies(socket, frame("AuthFrame", api_key=text))))
        assert await replies(socket, frame("AuthFrame", api_key=key)) == []
    assert len(told) == 1, told
    assert '"unauthenticated"' in told.pop()


async def test_what_is_nothing_in_a_frame(scenario: Scenario) -> None:
    told = await first_frames(scenario, (frame("AuthFrame", api_key=each) for each in NOTHING))
    assert len(told) == 1
    told |= await first_frames(scenario, (frame("AuthFrame", api_key=each) for each in NO_TEXTS))
    told |= await first_frames(scenario, [{"type": "auth"}, frame("AuthFrame", api_key="")])
    assert all(each.endswith("1008]") for each in told)


async def test_what_is_nearly_a_ticket(scenario: Scenario, owners: Owners) -> None:
    """By either address; and none of them uses the ticket up."""
    secret = await ticket(scenario, owners.a)
    port = scenario.server.port
    host = [f"Host: {own_host(port)}"]
    tried = [*near(secret), *NOTHING]
    streams: set[tuple[int, bytes]] = set()
    sockets: set[int] = set()
    for text in tried:
        query = f"ticket={quote(text)}"
        target = f"/api/chat/stream?message=x&provider=openai&model=fake&{query}"
        streams.add(masked(await ask(scenario, by({}), Asked("GET", target))))
        status, body = await handshake(port, host, {}, f"/ws/chat?{query}")
        sockets.add(status)
        assert secret.encode() not in body
    assert ([status for status, _ in streams], sockets) == ([401], {401})
    target = f"/ws/chat?ticket={secret}"
    assert [(await handshake(port, host, {}, target))[0] for _ in range(3)] == [101, 401, 401]


async def test_what_is_no_handshake_is_not_repeated(scenario: Scenario) -> None:
    """Pages that cannot set headers put keys into the names of protocols."""
    port = scenario.server.port
    for name in ("Protocol", "Extensions", "Version", "Key", "Accept"):
        sent = {f"Sec-WebSocket-{name}": f"bearer/{KEY}"}
        status, told = await handshake(port, [f"Host: {own_host(port)}"], sent)
        assert status in (101, 400)
        assert KEY.encode() not in told
        assert status == 101 or b'"malformed_request"' in told


async def test_a_ticket_beside_another_credential(scenario: Scenario, owners: Owners) -> None:
    """A key beside a ticket is one credential too many, whosever it is; a cookie does not count."""
    port = scenario.server.port
    host = [f"Host: {own_host(port)}"]
    secret = await ticket(scenario, owners.a)
    target = f"/ws/chat?ticket={secret}"
    b, signed_in = (
        next(each for each in owners.strangers if each.name == name)
        for name in ("B", "B, signed in")
    )
    for headers in (b.headers, owners.a.headers, {"X-API-Key": "ck_unknown"}):
        assert (await handshake(port, host, headers, target))[0] == 400
    cookie = {name: signed_in.headers[name] for name in ("Cookie", "Origin")}
    assert (await handshake(port, host, cookie, target))[0] == 101
