"""The frames of a WebSocket that name things of A's, each with its twin, and how they are sent."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.harness.scenario import Scenario
from tests.harness.websockets import Frame, SocketClient, opened
from tests.security.cells import masked, twins
from tests.security.owners import Asking, Owners
from tests.security.rules import FRAME_RULES
from websockets.exceptions import ConnectionClosed, InvalidStatus

_CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "frontend-contract/asyncapi.json").read_text()
)
_SCHEMAS: dict[str, Any] = _CONTRACT["components"]["schemas"]
PONG = {"type": "pong"}


class FrameCell(msgspec.Struct, frozen=True):
    """What somebody sends of A's, what it sends of nobody's, and the code that it must be told."""

    foreign: Frame
    absent: Frame
    names: tuple[str, str]
    """The ids in which the two differ."""
    code: str | None


def sockets() -> dict[str, list[str]]:
    """The names of the JSON frames that clients send, by the address of each socket for such."""
    found: dict[str, list[str]] = {}
    for operation in _CONTRACT["operations"].values():
        if operation["action"] == "send":
            channel = operation["channel"]["$ref"].rpartition("/")[2]
            names = [message["$ref"].rpartition("/")[2] for message in operation["messages"]]
            address = _CONTRACT["channels"][channel]["address"]
            found[address] = [name for name in names if name in _SCHEMAS]
    return {address: names for address, names in found.items() if names}


def sent_frames() -> dict[str, set[str]]:
    """The names of the frames that clients send, with those of their fields."""
    names = {name for of_socket in sockets().values() for name in of_socket}
    return {name: set(_SCHEMAS[name]["properties"]) for name in names}


def frame(name: str, **fields: Any) -> Frame:
    """A frame by its name in asyncapi.json, as its rule says it is sent."""
    kind = _SCHEMAS[name]["properties"]["type"]["const"]
    return {"type": kind, **FRAME_RULES[name].fields, **fields}


def frame_cells(owners: Owners, ways: int, path: str) -> Iterator[FrameCell]:
    """Every frame of a socket with every id of A's, in so many spellings."""
    for name in sockets()[path]:
        rule = FRAME_RULES[name]
        for field, kind in rule.ids.items():
            for text in owners.things[kind]:
                for theirs, nobodys in twins(text)[:ways]:
                    yield FrameCell(
                        frame(name, **{field: theirs}),
                        frame(name, **{field: nobodys}),
                        (theirs, nobodys),
                        rule.missing,
                    )


@asynccontextmanager
async def socket_of(
    scenario: Scenario, asking: Asking, path: str = "/ws/chat", *, key: str | None = None
) -> AsyncGenerator[SocketClient]:
    """A socket that is opened with somebody's headers. Raises InvalidStatus."""
    headers = dict(asking.headers)
    origin = headers.pop("Origin", None)
    port = scenario.server.port
    async with opened(port, key=key, headers=headers, origin=origin, target=path) as socket:
        yield socket


async def replies(socket: SocketClient, sent: Mapping[str, Any]) -> list[Frame]:
    """What a frame is answered, before the next one."""
    await socket.send(**sent)
    await socket.send(type="ping")
    found = await socket.until(lambda told: told == PONG)
    return found[:-1]


async def refusal(
    scenario: Scenario, asking: Asking, sent: Mapping[str, Any], path: str
) -> tuple[Any, ...]:
    """What a first frame of somebody unknown is told: a handshake's status, or frames and a code.

    Raises AssertionError where it is answered.
    """
    try:
        async with socket_of(scenario, asking, path) as socket:
            await socket.send(**sent)
            frames, code = await socket.closed()
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body)["code"]
    except ConnectionClosed as closed:
        raise AssertionError("the socket was closed before its frame was sent") from closed
    return frames, code


def same_replies(cell: FrameCell, foreign: list[Frame], absent: list[Frame]) -> bool:
    """Whether two answers differ in nothing but the ids that were asked for."""
    theirs, nobodys = cell.names
    left, right = (json.dumps(each).encode() for each in (foreign, absent))
    return masked(left, theirs) == masked(right, nobodys)
