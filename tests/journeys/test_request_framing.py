"""Bodies of relayed requests in every framing: whole ones are answered, others are refused."""

import asyncio
import json

import pytest
from tests.harness.fixtures import Serve
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

ASKED = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
BODY = json.dumps(ASKED).encode()
BYTES = [BODY[at : at + 1] for at in range(len(BODY))]
CHUNKED = b"Transfer-Encoding: chunked"
WATCHDOG_S = 30.0


def length(size: int) -> bytes:
    return b"Content-Length: %d" % size


def chunks(*pieces: bytes, extension: bytes = b"", trailer: bytes = b"") -> list[bytes]:
    framed = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return [*framed, b"0\r\n" + trailer + b"\r\n"]


async def statuses(
    scenario: Scenario, header: bytes, pieces: list[bytes], *, at_once: int = 0
) -> list[int]:
    """The statuses that come back for one connection; pieces beyond `at_once` go one by one."""
    reader, writer = await asyncio.open_connection(HOST, scenario.server.port)
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer " + KEY.encode()
    )
    writer.write(head + b"\r\n" + header + b"\r\n\r\n" + b"".join(pieces[:at_once]))
    for piece in pieces[at_once:]:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(WATCHDOG_S):
        answered = await reader.read()
    writer.close()
    return [int(line.split(b" ")[0]) for line in answered.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("header", "pieces"),
    [
        (length(len(BODY)), BYTES),
        (CHUNKED, chunks(*BYTES)),
        (CHUNKED, chunks(BODY[:9], BODY[9:], extension=b';name=value;other="a b"')),
        (CHUNKED, chunks(BODY, extension=b";" + b"x" * 100_000)),
        (CHUNKED, chunks(BODY, trailer=b"X-API-Key: another\r\nX-Cartrita-Strict: maybe\r\n")),
    ],
)
async def test_whole_bodies(scenario: Scenario, header: bytes, pieces: list[bytes]) -> None:
    assert await statuses(scenario, header, pieces) == [200]


@pytest.mark.parametrize(
    ("header", "pieces"),
    [
        (length(len(BODY) - 5), [BODY]),
        (length(len(BODY)) + b"\r\n" + length(len(BODY)), [BODY]),
        (length(len(BODY)) + b"\r\n" + length(5), [BODY]),
        (length(len(BODY)) + b"\r\n" + CHUNKED, chunks(BODY)),
        (b"Content-Length: +%d" % len(BODY), [BODY]),
        (b"Content-Length: -1", [BODY]),
        (b"Content-Length: 99999999999999999999", [BODY]),
        (CHUNKED, [b"zz\r\n" + BODY]),
        (CHUNKED, [b"-1\r\n" + BODY]),
        (CHUNKED, [b"fffffffffffffffff\r\n" + BODY]),
        (b"Transfer-Encoding: identity", [BODY]),
    ],
)
async def test_ambiguous_bodies(scenario: Scenario, header: bytes, pieces: list[bytes]) -> None:
    # In one piece: the server hangs up after its answer, and bytes that it has not read would
    # have its host throw the answer away.
    assert await statuses(scenario, header, pieces, at_once=len(pieces)) == [400]


async def test_bodies_that_never_end(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_SERVER_BODY_TIMEOUT_S": "0.3"})
    unfinished = [
        (length(len(BODY) + 5), [BODY]),
        (length(len(BODY)), BYTES[:-1]),
        (CHUNKED, chunks(*BYTES)[:-1]),
        (CHUNKED, [b"ffffffffffffffff\r\n" + BODY]),
    ]
    answers = await asyncio.gather(*(statuses(scenario, *one) for one in unfinished))
    assert answers == [[408]] * len(unfinished)
    assert await statuses(scenario, length(len(BODY)), [BODY]) == [200]


async def test_a_body_that_is_too_long_is_answered(serve: Serve) -> None:
    """Also to a caller that has the connection closed after it, of which the answer is the last."""
    scenario = serve(settings={"CARTRITA_SERVER_V1_BODY_MAX_BYTES": "1024"})
    body = b"{" + b" " * (20 << 20) + b"}"
    assert await statuses(scenario, length(len(body)), [body], at_once=1) == [413]
