"""The transport: an HTTP/1.1 client with pooled connections.

It keeps no cookies, follows no redirects, and takes no proxy or credential from the environment, so
that a request reaches the configured server only. It does not decompress, so that a response is
never larger than what came over the wire.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import NoReturn, Self

from cartrita.adapters.http.connecting import unreachable, within
from cartrita.adapters.http.connection import HttpConnection, NotHttp
from cartrita.adapters.http.pool import CheckAddresses, HttpPool
from cartrita.adapters.http.targets import Origin, find_target, target_of
from cartrita.adapters.http.transport import HttpRequest, HttpResponse
from cartrita.adapters.http.web_sockets import SocketRequest, WebSocket, opened_socket
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed, UpstreamUnreachable


class HttpClient:
    """The transport; enter it once for the lifetime of the server.

    With `check` it calls only addresses that this has seen; what it raises, `open` raises.
    """

    def __init__(
        self, user_agent: str = "cartrita", *, check: CheckAddresses | None = None
    ) -> None:
        self._check = check
        self._user_agent = user_agent
        self._pool: HttpPool | None = None

    async def __aenter__(self) -> Self:
        self._pool = HttpPool(self._check)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            await asyncio.sleep(0)  # the event loop closes them in its next round

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpResponse]:
        """See `Transport.open`."""
        return _Exchange(request, self._opened, self._user_agent)

    def open_socket(self, request: SocketRequest) -> AbstractAsyncContextManager[WebSocket]:
        """Open a WebSocket. Raises UpstreamError and HandshakeRefused; see `WebSocket`."""
        return opened_socket(request, self._opened, self._user_agent)

    @property
    def _opened(self) -> HttpPool:
        if self._pool is None:
            raise RuntimeError("The HTTP client is used outside of its context.")
        return self._pool


class _Overdue(Exception):
    """Nothing came in time."""


class _Exchange:
    """A request and its response: the context of both, with their deadlines and size limit.

    One timer watches all waiting: when it fires it looks whether somebody has waited for too long.
    A timeout around each read would cost 4 us per piece, more than the read itself.

    The connection is detached before anything else is done with its end, so that it is given back
    once, and nobody reads from it what the next exchange asked for.
    """

    __slots__ = (
        "_connection",
        "_deadlines",
        "_latest",
        "_loop",
        "_max_bytes",
        "_origin",
        "_patience",
        "_pool",
        "_provider",
        "_remaining_bytes",
        "_request",
        "_timer",
        "_user_agent",
        "_waiting_since",
        "headers",
        "status",
    )

    def __init__(self, request: HttpRequest, pool: HttpPool, user_agent: str) -> None:
        self._request = request
        self._provider = request.provider
        self._deadlines = request.deadlines
        self._max_bytes = request.max_bytes
        self._pool = pool
        self._user_agent = f"User-Agent: {user_agent}"
        self._loop = asyncio.get_running_loop()
        self._latest = self._loop.time() + request.deadlines.total
        self._remaining_bytes = request.max_bytes
        self._patience = request.deadlines.headers
        self._waiting_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._connection: HttpConnection | None = None
        self._origin: Origin
        self.status = 0
        self.headers: Mapping[str, str] = {}

    async def __aenter__(self) -> HttpResponse:
        request = self._request
        del self._request  # its body may be large, and the response take long
        try:
            target = target_of(request.url) if request.once else find_target(request.url)
            head = target.head(request, self._user_agent)
        except ValueError:
            raise self._unreachable("its base URL or its key is malformed") from None
        origin = self._origin = target.origin
        kept = self._pool.idle(origin)
        connection = kept or await self._connect()
        await self._send(head, request.body, connection)
        if kept is not None and request.method == "GET" and connection.hung_up:
            connection = await self._connect()  # it was closed while it was idle
            await self._send(head, request.body, connection)
        if not connection.status:
            self._explain(connection.failure)
        self.status = connection.status
        self.headers = connection.headers
        self._patience = request.deadlines.idle
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    async def read(self) -> bytes:
        """See `HttpResponse.read`."""
        connection = self._connection
        if connection is None:
            raise self._cut(ConnectionError())
        if self._loop.time() >= self._latest and not connection.complete:
            connection.fail(_Overdue())  # what has arrived is read before that is told
        if not connection.has_news:
            try:
                await self._waiting(connection)
            finally:
                self._waiting_since = None
            if self._connection is None:  # closed while somebody waited for it
                raise self._cut(ConnectionError())
        piece = connection.take()
        if not piece and connection.failure is not None:
            raise self._cut(connection.failure)
        self._remaining_bytes -= len(piece)
        if self._remaining_bytes < 0:
            raise self._malformed(f"sent more than {self._max_bytes} bytes")
        return piece

    async def _send(self, head: bytes, body: bytes, connection: HttpConnection) -> None:
        """Send the request, and wait for the head of its response, or for what prevents one."""
        self._connection = connection
        try:
            connection.send(head, body)
            while not connection.status and connection.failure is None:
                await self._waiting(connection)
        except BaseException:  # cancelled, perhaps in the moment in which the head came
            self._close()
            raise
        self._waiting_since = None
        if not connection.status:
            self._close()

    async def _connect(self) -> HttpConnection:
        return await within(
            self._deadlines.connect, self._provider, self._pool.connect(self._origin)
        )

    def _waiting(self, connection: HttpConnection) -> asyncio.Future[None]:
        """Something that the connection has to say; the timer watches how long that takes."""
        now = self._waiting_since = self._loop.time()
        due = min(now + self._patience, self._latest)
        timer = self._timer
        if timer is None or timer.when() > due:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(due, self._check, connection)
        return connection.news()

    def _check(self, connection: HttpConnection) -> None:
        """Nobody waits while the client takes nothing; the call is over in time all the same."""
        self._timer = None
        if connection.complete:
            return
        since, due = self._waiting_since, self._latest
        if since is not None:
            due = min(since + self._patience, due)
        if self._loop.time() >= due:
            connection.fail(_Overdue())
        else:
            self._timer = self._loop.call_at(due, self._check, connection)

    def _close(self) -> None:
        """Keep the connection if the response has arrived to its end, else close it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        connection, self._connection = self._connection, None
        if connection is not None and connection.finish():
            self._pool.give_back(self._origin, connection)

    def _explain(self, failure: Exception | None) -> NoReturn:
        """Say why there is no response.

        The failure's own text is left out: it may repeat the address, and with it a credential.
        """
        if isinstance(failure, NotHttp):
            raise self._malformed("does not speak HTTP")
        if isinstance(failure, _Overdue):
            limit = self._deadlines.headers
            raise self._unreachable(f"it did not begin to answer within {limit:g} s")
        raise self._unreachable("the connection broke before it answered")

    def _cut(self, failure: Exception) -> UpstreamCut:
        provider = self._provider
        if not isinstance(failure, _Overdue):
            what = "broke off its answer"
        elif self._loop.time() < self._latest:
            what = f"sent nothing for {self._patience:g} s"
        else:
            what = f"did not end its answer within {self._deadlines.total:g} s"
        return UpstreamCut(f"{provider} {what}.", provider=provider, status=self.status)

    def _malformed(self, what: str) -> UpstreamMalformed:
        provider = self._provider
        return UpstreamMalformed(
            f"{provider} {what}.", provider=provider, status=self.status or None
        )

    def _unreachable(self, why: str) -> UpstreamUnreachable:
        return unreachable(self._provider, why)
