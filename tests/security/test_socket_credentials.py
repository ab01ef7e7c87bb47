"""What opens a WebSocket or a stream is the very key or ticket, and nothing that is nearly one."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.cells import Asked, ask
from tests.security.doors import DOORS, Door, each_door
from tests.security.frames import frame, replies, socket_of, sockets
from tests.security.handshakes import handshake, own_host
from tests.security.owners import Asking, Owners
from tests.security.test_credentials import NOTHING, by, key_of, masked, near, rejoined
from tests.security.test_socket_origins import ticket
from websockets.exceptions import ConnectionClosed

from cartrita.domain.scopes import Operation

each_socket = pytest.mark.parametrize("path", sockets())
_AT_ONCE = 16
_ENDED = "SET expires_at = now() - interval '1 second'"
NO_TEXTS: list[Any] = [None, 0, 1, True, [], {}, ["ck_"], {"ck_": "ck_"}]


async def expired_key(scenario: Scenario) -> str:
    key = await new_key(scenario, await new_user(scenario, await new_tenant(scenario)))
    await scenario.fetch(f"UPDATE api_keys {_ENDED} WHERE id = $1", key["id"])
    return key["key"]


async def first_frames(scenario: Scenario, sent: Iterable[dict[str, Any]], path: str) -> set[str]:
    """What first frames are told that nobody is known by: each frame, and the closing code."""
    left = list(sent)
    told: set[str] = set()

    async def work() -> None:
        while left:
            first = left.pop()
            async with opened(scenario.server.port, key=None, target=path) as socket:
                await socket.send(**first)
                frames, code = await socket.closed()
            told.add(json.dumps([*frames, code]))

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return told


@each_socket
async def test_the_same_key_in_a_frame(scenario: Scenario, owners: Owners, path: str) -> None:
    key = key_of(owners)
    for text in (key, f" {key}", f"{key}\t"):
        async with opened(scenario.server.port, key=text, target=path) as socket:
            assert await replies(socket, frame("PingFrame")) == []
            assert await replies(socket, frame("AuthFrame", api_key=text)) == []


@each_socket
async def test_what_is_nearly_a_key_in_a_frame(
    scenario: Scenario, owners: Owners, path: str
) -> None:
    a, b = key_of(owners), owners.strangers[0].headers["X-API-Key"]
    tried = [*near(a), rejoined(a, b), rejoined(b, a), f"{KEY}\n", f"{a}\n", f"\xa0{a}"]
    sent = (frame("AuthFrame", api_key=each) for each in tried)
    found = await first_frames(scenario, sent, path)
    assert len(found) == 1, found
    told = found.pop()
    assert '"unauthenticated"' in told
    assert told.endswith("1008]")


@each_socket
async def test_what_is_nearly_a_key_on_an_open_socket(
    scenario: Scenario, owners: Owners, path: str
) -> None:
    key = key_of(owners)
    told: set[str] = set()
    async with opened(scenario.server.port, key=key, target=path) as socket:
        for text in near(key):
            told.add(json.dumps(await replies(socket, frame("AuthFrame", api_key=text))))
        assert await replies(socket, frame("AuthFrame", api_key=key)) == []
    assert len(told) == 1, told
    assert '"unauthenticated"' in told.pop()


@each_socket
async def test_what_is_nothing_in_a_frame(scenario: Scenario, path: str) -> None:
    nothing, no_texts = (
        [frame("AuthFrame", api_key=each) for each in texts] for texts in (NOTHING, NO_TEXTS)
    )
    told = await first_frames(scenario, nothing, path)
    assert len(told) == 1
    told |= await first_frames(scenario, no_texts, path)
    empty = frame("AuthFrame", api_key="")
    told |= await first_frames(scenario, [{"type": "auth"}, empty, frame("PingFrame")], path)
    assert all(each.endswith("1008]") for each in told)


@each_door
async def test_what_is_nearly_a_ticket(scenario: Scenario, owners: Owners, door: Door) -> None:
    """By either address; and none of them uses the ticket up, which opens one thing only."""
    secret = await ticket(scenario, owners.a)
    port = scenario.server.port
    host = [f"Host: {own_host(port)}"]
    path = door.path(owners.things)
    tried = [*near(secret), *NOTHING]
    streams: set[tuple[int, bytes]] = set()
    handshakes: set[int] = set()
    for text in tried:
        query = f"ticket={quote(text)}"
        target = f"/api/chat/stream?message=x&provider=openai&model=fake&{query}"
        streams.add(masked(await ask(scenario, by({}), Asked("GET", target))))
        status, body = await handshake(port, host, {}, f"{path}?{query}")
        handshakes.add(status)
        assert secret.encode() not in body
    assert ([status for status, _ in streams], handshakes) == ([401], {401})
    others = [each.path(owners.things) for each in DOORS]
    targets = [f"{each}?ticket={secret}" for each in (path, path, *others)]
    told_by = [(await handshake(port, host, {}, target))[0] for target in targets]
    assert told_by == [door.opened, *[401] * (len(targets) - 1)]


@each_socket
async def test_what_has_expired_in_a_frame(scenario: Scenario, path: str) -> None:
    key = await expired_key(scenario)
    sent = (frame("AuthFrame", api_key=each) for each in (key, "ck_unknown"))
    assert len(await first_frames(scenario, sent, path)) == 1


@each_door
async def test_what_has_expired(scenario: Scenario, owners: Owners, door: Door) -> None:
    """A key is told what one is that never was, and a ticket as well."""
    key, secret = await expired_key(scenario), await ticket(scenario, owners.a)
    await scenario.fetch(f"UPDATE tickets {_ENDED} WHERE used_at IS NULL")
    path = door.path(owners.things)
    host = [f"Host: {own_host(scenario.server.port)}"]
    for headers, target in (
        ({"X-API-Key": key}, path),
        ({}, f"{path}?ticket={secret}"),
    ):
        status, told = await handshake(scenario.server.port, host, headers, target)
        assert (status, b'"unauthenticated"' in told) == (401, True)


@pytest.mark.parametrize(("path", "operation"), [("/ws/chat", "chat"), ("/ws/voice", "voice")])
async def test_a_key_that_may_do_all_else(scenario: Scenario, path: str, operation: str) -> None:
    """By a header, a frame or a ticket: it is told why, and nothing that it sends is done."""
    others = [each.value for each in Operation if each != operation]
    owner = await new_user(scenario, await new_tenant(scenario))
    key = (await new_key(scenario, owner, scopes={"operations": others}))["key"]
    by_header = Asking("by a header", {"X-API-Key": key})
    secret = await ticket(scenario, by_header)
    ways = [
        opened(scenario.server.port, key=key, target=path),
        socket_of(scenario, by_header, path),
        opened(scenario.server.port, key=None, target=f"{path}?ticket={secret}"),
    ]
    for way in ways:
        async with way as socket:
            with suppress(ConnectionClosed):
                await socket.send(**frame("PingFrame"))
            frames, code = await socket.closed()
        assert ([each["code"] for each in frames], code) == (["scope_operation"], 1008)


@each_door
async def test_what_is_no_handshake_is_not_repeated(
    scenario: Scenario, owners: Owners, door: Door
) -> None:
    """Pages that cannot set headers put keys into the names of protocols."""
    port = scenario.server.port
    path = door.path(owners.things)
    for name in ("Protocol", "Extensions", "Version", "Key", "Accept"):
        sent = {f"Sec-WebSocket-{name}": f"bearer/{KEY}"}
        status, told = await handshake(port, [f"Host: {own_host(port)}"], sent, path)
        assert status in (door.anonymous, 400)
        assert KEY.encode() not in told
        assert status != 400 or b'"malformed_request"' in told


@each_door
async def test_a_ticket_beside_another_credential(
    scenario: Scenario, owners: Owners, door: Door
) -> None:
    """A key beside a ticket is one credential too many, whosever it is; a cookie does not count."""
    port = scenario.server.port
    host = [f"Host: {own_host(port)}"]
    secret = await ticket(scenario, owners.a)
    target = f"{door.path(owners.things)}?ticket={secret}"
    b, signed_in = (
        next(each for each in owners.strangers if each.name == name)
        for name in ("B", "B, signed in")
    )
    for headers in (b.headers, owners.a.headers, {"X-API-Key": "ck_unknown"}):
        assert (await handshake(port, host, headers, target))[0] == 400
    cookie = {name: signed_in.headers[name] for name in ("Cookie", "Origin")}
    assert (await handshake(port, host, cookie, target))[0] == door.opened
