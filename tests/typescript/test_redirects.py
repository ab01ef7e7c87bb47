"""Whoever sends the client elsewhere gets a typed error, and elsewhere gets nothing."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.typescript.package import Programs
from tests.typescript.proxies import Network, network
from tests.typescript.strangers import Answer, Writer, page, stranger
from tests.typescript.test_bad_input import failed

pytestmark = pytest.mark.slow


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


def moved(status: int, location: str) -> Answer:
    """Sends elsewhere, and stays until the whole request was read."""

    async def answer(writer: Writer) -> None:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        await asyncio.Event().wait()

    return answer


@pytest.mark.parametrize("status", [302, 307, 308])
@pytest.mark.parametrize(
    "what", ["chat", "stream", "agents", "nothing", "content", "upload", "counted"]
)
def test_no_key_goes_where_a_redirect_leads(
    what: str, status: int, programs: Programs, net: Network
) -> None:
    there = stranger(net, page(200))
    here = stranger(net, moved(status, f"{there.base}/login?next=secret"))
    error = failed(programs, here.base, what)
    assert there.asked == []
    assert error["name"] == "NotCartritaError"
    assert "elsewhere" in error["message"]
    assert "next=secret" not in error["message"]


def test_nor_does_a_live_session_go_there(programs: Programs, net: Network) -> None:
    there = stranger(net, page(200))
    here = stranger(net, moved(302, f"{there.base.replace('http', 'ws')}/ws/chat"))
    options = {"patience": {"run": 200, "firstByte": 200}}
    failed(programs, here.base, "live", options=options)
    assert there.asked == []
