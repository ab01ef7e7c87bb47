"""No text of a request becomes SQL: not of a credential, not of a field, not of an error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import product
from typing import TypeVar
from urllib.parse import quote

import pytest
from tests.harness.clients import call
from tests.harness.scenario import Scenario
from tests.security.cells import Asked, ask
from tests.security.frames import frame, replies, sent_frames, socket_of, sockets
from tests.security.owners import Asking, Owners
from tests.security.places import Place, places
from tests.security.rules import FRAME_RULES, Kind
from tests.security.sql_payloads import corpus
from tests.security.test_credentials import masked
from tests.security.test_desktop_socket import look
from tests.security.test_socket_credentials import first_frames

T = TypeVar("T")
_AT_ONCE = 16
EVERY = corpus(seed=4, number=6_000)
COUNTS = "SELECT count(*), current_user FROM pg_tables"


async def each(items: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Do the work for each of the items, several at once."""
    left = list(items)

    async def one_after_another() -> None:
        while left:
            await work(left.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(one_after_another())


def credentials(text: str) -> Iterator[tuple[dict[str, str], str]]:
    """The headers, and the query, that present a text as a credential."""
    octets = text.encode().decode("latin-1")
    yield {"X-API-Key": octets}, ""
    yield {"Authorization": f"Bearer {octets}"}, ""
    yield {"X-API-Key": f"ck_{octets}"}, ""
    yield {"Cookie": f"cartrita_session={quote(text)}"}, ""
    yield {"Cookie": f"cartrita_session={octets}"}, ""
    yield {}, f"?message=x&ticket={quote(text)}"


async def as_credentials(scenario: Scenario, payloads: Sequence[str]) -> None:
    """Each payload by each way is refused with the bytes of any unknown credential."""
    told: dict[tuple[str, bytes], str] = {}

    async def present(text: str) -> None:
        for headers, query in credentials(text):
            target = f"/api/chat/stream{query}" if query else "/api/conversations"
            answer = await ask(scenario, Asking("x", headers), Asked("GET", target))
            status, body = masked(answer)
            assert status in (400, 401), (headers, query, answer)
            way = "".join(headers) or "ticket"
            if status == 401:
                told.setdefault((way, body), text)

    await each(payloads, present)
    ways = [way for way, _ in told]
    assert len(ways) <= 5, told  # a cookie may be none, because its text ends at a semicolon


async def in_fields(scenario: Scenario, owners: Owners, work: Sequence[tuple[Place, str]]) -> None:
    """No payload fails the server, and none opens a path."""
    b = owners.strangers[0]

    async def put(item: tuple[Place, str]) -> None:
        place, text = item
        answer = await ask(scenario, b, place.holding(text, b.things))
        assert answer.status < 500 or answer.status == 502, (place, text, answer)
        assert owners.word.encode() not in answer.body
        if place.where == "path":
            assert answer.status in (400, 403, 404, 422), (place, text, answer)

    before = await scenario.fetch(COUNTS)
    await each(work, put)
    assert await scenario.fetch(COUNTS) == before
    assert not scenario.server.unexpected_errors()


def spread(payloads: Sequence[str], times: int) -> list[tuple[Place, str]]:
    """Every place with so many payloads, none twice: one may become a conversation's name."""
    every = [place for place in places() if place.route.name != "close_session"]
    assert len(every) > 200
    return list(zip(every * times, payloads[: len(every) * times], strict=True))


async def in_frames(scenario: Scenario, owners: Owners, payloads: Sequence[str]) -> None:
    """No payload in any field of a frame fails the server, and none names a thing."""
    b = owners.strangers[0]
    before = await scenario.fetch(COUNTS)
    for path, names in sockets().items():
        fields = [(name, field) for name in names for field in sorted(sent_frames()[name])]
        async with socket_of(scenario, b, path) as socket:
            for text, (name, field) in product(payloads, fields):
                told = await replies(socket, {**frame(name), field: text})
                assert owners.word not in str(told)
                rule = FRAME_RULES[name]
                if field in rule.ids and rule.missing:
                    codes = [each["code"] for each in told if "code" in each]
                    assert codes in ([rule.missing], ["validation_error"]), (name, text, told)
    assert await scenario.fetch(COUNTS) == before
    assert not scenario.server.unexpected_errors()


async def as_first_frames(scenario: Scenario, payloads: Sequence[str]) -> None:
    """Each payload as a key is told what any unknown key is."""
    for path in sockets():
        sent = (frame("AuthFrame", api_key=each) for each in payloads)
        told = await first_frames(scenario, sent, path)
        assert len(told) == 1, told


async def as_desktops(scenario: Scenario, owners: Owners, payloads: Sequence[str]) -> None:
    """No payload names a desktop in the address of a socket, and none fails the server."""
    b = owners.strangers[0]
    before = await scenario.fetch(COUNTS)

    async def look_at(text: str) -> None:
        status, told = await look(scenario, b, quote(text, safe=""))
        assert status in (400, 403, 404), (text, status, told)  # 403: no address of a socket
        assert owners.word.encode() not in told

    await each(payloads, look_at)
    assert await scenario.fetch(COUNTS) == before
    assert not scenario.server.unexpected_errors()


async def test_a_few_in_frames(scenario: Scenario, owners: Owners) -> None:
    await in_frames(scenario, owners, EVERY[100:103])
    await as_first_frames(scenario, EVERY[100:160])


async def test_a_few_as_desktops(scenario: Scenario, owners: Owners) -> None:
    await as_desktops(scenario, owners, EVERY[:60])


@pytest.mark.slow
async def test_many_in_frames(scenario: Scenario, owners: Owners) -> None:
    await in_frames(scenario, owners, EVERY[200:300])
    await as_first_frames(scenario, EVERY[:2_000])
    await as_desktops(scenario, owners, EVERY[:2_000])


async def test_a_few_as_credentials(scenario: Scenario) -> None:
    await as_credentials(scenario, EVERY[:60])


async def test_one_in_each_field(scenario: Scenario, owners: Owners) -> None:
    await in_fields(scenario, owners, spread(EVERY[5_000:], 1))


@pytest.mark.slow
async def test_all_as_credentials(scenario: Scenario) -> None:
    await as_credentials(scenario, EVERY[:2_000])


@pytest.mark.slow
async def test_all_in_fields(scenario: Scenario, owners: Owners) -> None:
    await in_fields(scenario, owners, spread(EVERY, 10))


async def test_payloads_are_stored_as_they_are(scenario: Scenario, owners: Owners) -> None:
    b = owners.strangers[0]
    conversation = b.things[Kind.CONVERSATION][0]
    port = scenario.server.port
    for text in EVERY[:40]:
        title = text.strip().replace("\x1a", "")
        path = f"/api/conversations/{conversation}"
        status, told = await call(port, "PATCH", path, b.headers, {"title": title})
        assert (status, told["title"]) == (200, title)
        status, told = await call(port, "GET", f"/api/search?q={quote(text)}", b.headers)
        assert status == 200
        assert owners.word not in str(told)
