"""HTTP exchanges with a provider, the same for all dialects: send, check the response, read it."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Final, Protocol

import msgspec

from cartrita.adapters.http.bodies import error_body, whole_body
from cartrita.adapters.http.transport import (
    MAX_BYTES,
    Deadlines,
    HttpRequest,
    HttpResponse,
    Transport,
)
from cartrita.adapters.providers.credentials import Anonymous, Bearer, Credential
from cartrita.adapters.providers.opened_exchanges import (
    Check,
    OpenedExchange,
    Relay,
    RelayedResponse,
)
from cartrita.adapters.providers.relayed_headers import request_headers, response_headers
from cartrita.adapters.providers.streamed_deltas import (
    StreamedDeltas,
    told_before,
)
from cartrita.dialects.losses import Rendered, callers_field
from cartrita.dialects.stream_parsers import CreateParser, ParseCompletion
from cartrita.dialects.upstream_errors import REFUSED_FIELD, WEB_PAGE, unexpected_content
from cartrita.domain.deltas import Accepted, Delta, answered_as, in_pieces
from cartrita.domain.errors import UpstreamError
from cartrita.domain.receipts import require_exact
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit import sse
from cartrita.kit.long_work import InTurns, run_long
from cartrita.kit.secret import Secret

_JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}


class ParseError(Protocol):
    """A dialect's conversion of an error response."""

    def __call__(
        self,
        provider: str,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        secrets: tuple[Secret, ...],
    ) -> UpstreamError: ...


class ProviderConnection(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider is reached.

    `name` is the provider's, for errors. `max_bytes` bounds a response, and `line_limit` one line
    of a stream, in bytes. `use_key` makes the credential of another key.
    """

    name: str
    base_url: str
    transport: Transport
    credential: Credential = Anonymous()
    use_key: Callable[[Secret], Credential] = Bearer
    deadlines: Deadlines = Deadlines()
    max_bytes: int = MAX_BYTES
    line_limit: int = sse.MAX_LINE

    def with_key(self, key: Secret) -> "ProviderConnection":
        """The same with another key. Raises ValueError for one that no header can carry."""
        return msgspec.structs.replace(self, credential=self.use_key(key))


class Exchange:
    """Calls over a connection; `parse_error` converts the error responses of its dialect."""

    def __init__(self, connection: ProviderConnection, parse_error: ParseError) -> None:
        self._connection = connection
        self._parse_error = parse_error

    async def get(
        self, url: str, deadlines: Deadlines, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of a successful response. Raises UpstreamError for any other."""
        request = self._request(url, deadlines, headers=headers)
        async with self._open(request) as response:
            return response.status, await whole_body(response)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], deadlines: Deadlines
    ) -> OpenedExchange:
        """The response to a body of any kind, as it comes. Raises UpstreamError on opening."""
        request = HttpRequest(
            provider=self._connection.name,
            method="POST",
            url=url,
            headers=headers,
            body=body,
            deadlines=deadlines,
            max_bytes=self._connection.max_bytes,
        )
        return self._open(request)

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        request: ModelRequest,
        rendered: Rendered,
        create_parser: CreateParser,
        parse_completion: ParseCompletion,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[AsyncIterator[Delta]]:
        """The deltas of the answer to a rendered request.

        Before the first comes `Accepted`, if the translation lost something, or the answer calls
        the model by another name.

        Raises InvalidInput if the request is strict and its translation lost something.
        """
        if request.strict:
            require_exact(rendered.receipts)
        deadlines = self._connection.deadlines.for_model(request.model)
        call = self._request(url, deadlines, rendered.body, headers)
        accepted = Accepted(self._connection.name, request.model, rendered.receipts)
        check = partial(self._check_translated, request.origin)
        opened = self._open(call, check)
        async with opened as response:
            if "json" in response.headers.get("content-type", "").lower():
                whole = self._whole(response, parse_completion, opened.secrets, accepted)
                async with aclosing(whole) as deltas:
                    yield deltas
            else:
                parser = create_parser(self._connection.name, opened.secrets)
                limit = self._connection.line_limit
                yield StreamedDeltas(self._connection.name, response, parser, accepted, limit)

    def relay(
        self, url: str, request: RelayRequest, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[RelayedResponse]:
        """Send a request as it is, with the caller's headers that may pass and `headers`.

        Raises UpstreamError for a response that is not successful.
        """
        deadlines = self._connection.deadlines.for_model(request.model)
        passed = request_headers(request.headers)
        if headers:
            passed = {**headers, **passed}
        call = self._request(url, deadlines, request.body, passed)
        return Relay(self._open(call), self._connection.line_limit)

    async def _whole(
        self,
        response: HttpResponse,
        parse_completion: ParseCompletion,
        secrets: tuple[Secret, ...],
        accepted: Accepted,
    ) -> AsyncGenerator[Delta]:
        """The deltas of a response that is JSON, because its server does not stream."""
        body = await whole_body(response)
        whole = await run_long(len(body), parse_completion, self._connection.name, body, secrets)
        told = told_before(accepted, answered_as(whole, accepted.model))
        async for delta in InTurns((*told, *in_pieces(whole))):
            yield delta

    def _request(
        self,
        url: str,
        deadlines: Deadlines,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> HttpRequest:
        """The request without its credential, which is added when it is sent."""
        content_type = _JSON if body else {}
        return HttpRequest(
            provider=self._connection.name,
            method="POST" if body else "GET",
            url=url,
            headers={**headers, **content_type} if headers else content_type,
            body=body,
            deadlines=deadlines,
            max_bytes=self._connection.max_bytes,
        )

    def _open(self, request: HttpRequest, check: Check | None = None) -> OpenedExchange:
        connection = self._connection
        return OpenedExchange(
            connection.transport, connection.credential, request, check or self._check
        )

    def _check_translated(
        self, origin: str | None, response: HttpResponse, secrets: tuple[Secret, ...]
    ) -> Awaitable[UpstreamError] | None:
        """As `_check`; an error names the field that the caller sent, in this dialect, or none."""
        error = self._check(response, secrets)
        return error if error is None or origin is None else _in_words_of(origin, error)

    def _check(
        self, response: HttpResponse, secrets: tuple[Secret, ...]
    ) -> Awaitable[UpstreamError] | None:
        """None for a response that is successful, not compressed and no page; else its error."""
        if not 200 <= response.status < 300:
            return self._error(response, secrets)
        if _is_compressed(response):
            raise unexpected_content(self._connection.name, response.status, "compressed data")
        if "html" in response.headers.get("content-type", "").lower():
            raise unexpected_content(self._connection.name, response.status, WEB_PAGE)
        return None

    async def _error(self, response: HttpResponse, secrets: tuple[Secret, ...]) -> UpstreamError:
        """The error of a response that is not successful."""
        name = self._connection.name
        body = b"" if _is_compressed(response) else await error_body(response)
        error = self._parse_error(name, response.status, body, response.headers, secrets)
        error.headers = response_headers(response.headers, secrets)
        return error


async def _in_words_of(dialect: str, telling: Awaitable[UpstreamError]) -> UpstreamError:
    """The error with the caller's name of the field, if any, and the provider's beside it."""
    error = await telling
    param = error.details.pop("upstream_param", None)
    if isinstance(param, str):
        error.details[REFUSED_FIELD] = param
        if name := callers_field(param, dialect):
            error.details["upstream_param"] = name
    return error


def _is_compressed(response: HttpResponse) -> bool:
    return response.headers.get("content-encoding", "identity").lower() != "identity"
