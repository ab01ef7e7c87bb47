"""Who closes an exchange, and when: each of them is closed once, whatever fails between."""

import asyncio
from collections.abc import Awaitable, Mapping
from types import TracebackType

import pytest
from tests.backend.adapters.http.servers import Handler, answer, serving

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import HttpRequest, HttpResponse
from cartrita.adapters.providers.opened_exchanges import OpenedExchange, Relay
from cartrita.domain.errors import UpstreamError, UpstreamRejected, UpstreamUnreachable
from cartrita.kit.secret import Secret

REFUSED = answer(b"no", status=b"401 Unauthorized")


class Renewable:
    """A credential that has another token after each that was refused."""

    secrets: tuple[Secret, ...] = ()

    def __init__(self) -> None:
        self.fetched = 0

    async def headers(self) -> dict[str, Secret]:
        self.fetched += 1
        return {"Authorization": Secret(f"Bearer {self.fetched}")}

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        return True

    def accepted(self, sent: Mapping[str, str | Secret]) -> None: ...


class Fetching(Renewable):
    """Its token is a secret as soon as there is one."""

    async def headers(self) -> dict[str, Secret]:
        self.secrets = (Secret("token-of-eternity"),)
        return await super().headers()


class Failing(Renewable):
    """There is no second token: its endpoint is gone."""

    async def headers(self) -> dict[str, Secret]:
        if self.fetched:
            raise UpstreamUnreachable("The token endpoint is gone.", provider="fake")
        return await super().headers()


class Hanging(Renewable):
    """The second token does not come."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_again = asyncio.Event()

    async def headers(self) -> dict[str, Secret]:
        if self.fetched:
            self.asked_again.set()
            await asyncio.Event().wait()
        return await super().headers()


class Recorded:
    """A transport that answers with the statuses given; it knows what was done to each exchange."""

    def __init__(self, *statuses: int | Exception) -> None:
        self.statuses = list(statuses)
        self.opened: list[Opened] = []
        self.headers: Mapping[str, str] = {}

    def open(self, request: HttpRequest) -> "Opened":
        opened = Opened(request, self.statuses.pop(0))
        opened.headers = self.headers
        self.opened.append(opened)
        return opened


class Opened:
    def __init__(self, request: HttpRequest, status: int | Exception) -> None:
        self.sent = request.headers
        self.headers: Mapping[str, str] = {}
        self.ends: list[type[BaseException] | None] = []
        self._says = status
        self.status = 0

    async def __aenter__(self) -> HttpResponse:
        if isinstance(self._says, Exception):
            raise self._says
        self.status = self._says
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ends.append(kind)

    async def read(self) -> bytes:
        return b""


def refuse(response: HttpResponse, secrets: tuple[Secret, ...]) -> Awaitable[UpstreamError] | None:
    """The check of a dialect, in short."""

    async def tell() -> UpstreamError:
        return UpstreamRejected("It said no.", provider="fake", status=response.status)

    return None if response.status == 200 else tell()


def call(url: str = "http://fake/", body: bytes = b"") -> HttpRequest:
    method = "POST" if body else "GET"
    return HttpRequest(provider="fake", method=method, url=url, headers={"X-A": "b"}, body=body)


def ends(transport: Recorded) -> list[list[type[BaseException] | None]]:
    return [one.ends for one in transport.opened]


async def test_a_response_is_closed_with_its_context() -> None:
    transport = Recorded(200)
    async with OpenedExchange(transport, Renewable(), call(), refuse) as response:
        assert response.status == 200
        assert ends(transport) == [[]]
    assert ends(transport) == [[None]]
    assert set(transport.opened[0].sent) == {"X-A", "Authorization"}


async def test_what_its_reader_raises_is_told_to_it() -> None:
    transport = Recorded(200)
    with pytest.raises(KeyError):
        async with OpenedExchange(transport, Renewable(), call(), refuse):
            raise KeyError
    assert ends(transport) == [[KeyError]]


async def test_a_refused_credential_is_renewed_once() -> None:
    transport = Recorded(401, 200)
    async with OpenedExchange(transport, Renewable(), call(), refuse) as response:
        assert response.status == 200
        assert ends(transport) == [[None], []]
    assert ends(transport) == [[None], [None]]
    sent = [one.sent["Authorization"] for one in transport.opened]
    assert sent == [Secret("Bearer 1"), Secret("Bearer 2")]

    transport = Recorded(401, 401)
    with pytest.raises(UpstreamRejected):
        async with OpenedExchange(transport, Renewable(), call(), refuse):
            raise AssertionError
    assert ends(transport) == [[None], [UpstreamRejected]]


async def test_a_second_send_that_fails_closes_nothing_again() -> None:
    gone = UpstreamUnreachable("It is gone.", provider="fake")
    transport = Recorded(401, gone)
    with pytest.raises(UpstreamUnreachable):
        async with OpenedExchange(transport, Renewable(), call(), refuse):
            raise AssertionError
    assert ends(transport) == [[None], []]

    transport = Recorded(401)
    with pytest.raises(UpstreamUnreachable, match="token endpoint"):
        async with OpenedExchange(transport, Failing(), call(), refuse):
            raise AssertionError
    assert ends(transport) == [[None]]


async def test_leaving_while_the_second_token_is_fetched_closes_nothing_again() -> None:
    transport, credential = Recorded(401), Hanging()

    async def ask() -> None:
        async with OpenedExchange(transport, credential, call(), refuse):
            raise AssertionError

    asking = asyncio.create_task(ask())
    await credential.asked_again.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert ends(transport) == [[None]]


async def test_a_first_send_that_fails_has_nothing_to_close() -> None:
    transport = Recorded(UpstreamUnreachable("It is gone.", provider="fake"))
    exchange = OpenedExchange(transport, Renewable(), call(), refuse)
    with pytest.raises(UpstreamUnreachable):
        await exchange.__aenter__()
    await exchange.__aexit__(None, None, None)
    assert ends(transport) == [[]]


async def test_a_relay_tells_errors_in_the_words_of_the_provider() -> None:
    transport = Recorded(200, 400)
    async with Relay(OpenedExchange(transport, Renewable(), call(), refuse), 9) as response:
        assert (response.status, response.line_limit) == (200, 9)
        assert await response.read() == b""
    with pytest.raises(UpstreamRejected):
        async with Relay(OpenedExchange(transport, Renewable(), call(), refuse), 9):
            raise AssertionError
    assert ends(transport) == [[None], [UpstreamRejected]]


async def test_a_relay_passes_no_header_with_a_token_fetched_for_it() -> None:
    transport, credential = Recorded(200), Fetching()
    transport.headers = {"x-request-id": "token-of-eternity", "retry-after": "7"}
    opened = OpenedExchange(transport, credential, call(), refuse)
    async with Relay(opened, 9) as response:
        assert response.headers == {"retry-after": "7"}
        assert response.secrets == (*credential.secrets, Secret("1"))


def refusing_first(connections: list[int]) -> Handler:
    """Refuses the token 1, and answers others with the body that it got."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.split(b"Content-Length: ")[1].split()[0]))
            writer.write(REFUSED if b"Bearer 1\r\n" in head else answer(body))
            await writer.drain()

    return handle


@pytest.mark.parametrize("credential", [Failing, Hanging])
async def test_two_requests_never_share_a_connection(
    http: HttpClient, credential: type[Renewable]
) -> None:
    """A connection that was given back twice would give one of them the other's answer."""
    connections: list[int] = []

    async def ask(url: str, body: bytes) -> bytes:
        async with http.open(call(url, body)) as response:
            await asyncio.sleep(0)
            return await response.read()

    async with serving(refusing_first(connections)) as url, asyncio.timeout(20):
        refused = OpenedExchange(http, one := credential(), call(url, b"refused"), refuse)
        asking = asyncio.ensure_future(refused.__aenter__())
        if isinstance(one, Hanging):
            await one.asked_again.wait()
            asking.cancel()
        with pytest.raises((UpstreamUnreachable, asyncio.CancelledError)):
            await asking
        told = await asyncio.gather(ask(url, b"alice"), ask(url, b"bob"))
    assert told == [b"alice", b"bob"]
    assert len(connections) == 2


async def test_a_provider_that_is_gone_after_it_refused_a_token(http: HttpClient) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        server.close()
        writer.write(answer(b"no", b"Connection: close", status=b"401 Unauthorized"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(UpstreamUnreachable, match="it refused the connection"):
        async with OpenedExchange(http, Renewable(), call(url), refuse):
            raise AssertionError
