"""Open HTTP exchanges with a provider, as contexts.

They are objects, because generators of contexts, nested as these are, would cost a relay more than
sending it. What only passes a call on returns its coroutine, instead of being one more.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import CoroutineType, TracebackType
from typing import Any, TypeAlias

from msgspec.structs import replace

from cartrita.adapters.http.transport import HttpRequest, HttpResponse, Transport
from cartrita.adapters.providers.credentials import Credential, sent_tokens
from cartrita.adapters.providers.relayed_headers import response_headers
from cartrita.domain.errors import UpstreamError
from cartrita.kit.secret import Secret

Check: TypeAlias = Callable[[HttpResponse, tuple[Secret, ...]], Awaitable[UpstreamError] | None]
"""Judges a response, given the values that its error must not show."""


class RelayedResponse:
    """A response that is passed on; see `RelayResponse`. Its body is read from it directly."""

    def __init__(
        self, response: HttpResponse, secrets: tuple[Secret, ...], line_limit: int
    ) -> None:
        self.status = response.status
        self.secrets = secrets
        self.line_limit = line_limit
        self.headers: Mapping[str, str] = response_headers(response.headers, secrets)
        self.read = response.read


class OpenedExchange:
    """The context of one successful response; a credential that is refused is renewed once.

    `request` is without its credential. `check` returns None for a successful response; for any
    other it raises UpstreamError, or returns what reads the error of it. `secrets` are the values
    that no text of the response may show: those of the credential, and what was sent of it.
    """

    __slots__ = ("_check", "_credential", "_opened", "_request", "_sent", "_transport", "secrets")

    def __init__(
        self,
        transport: Transport,
        credential: Credential,
        request: HttpRequest,
        check: Check,
    ) -> None:
        self._opened: AbstractAsyncContextManager[HttpResponse] | None = None
        self._transport = transport
        self._credential = credential
        self._request = request
        self._check = check
        self.secrets: tuple[Secret, ...] = ()

    async def __aenter__(self) -> HttpResponse:
        response = await self._send()
        try:
            if response.status == 401 and self._credential.discard(self._sent):
                await self.__aexit__(None, None, None)
                response = await self._send()
            if response.status < 400:
                self._credential.accepted(self._sent)
            self.secrets = self._secrets()
            if (error := self._check(response, self.secrets)) is not None:
                raise await error
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        del self._request, self._sent  # the body may be large, and the response take long
        return response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        opened, self._opened = self._opened, None  # what is closed once is not closed again
        return None if opened is None else await opened.__aexit__(kind, error, trace)

    async def _send(self) -> HttpResponse:
        self._sent = {**self._request.headers, **await self._credential.headers()}
        opened = self._transport.open(replace(self._request, headers=self._sent))
        response = await opened.__aenter__()
        self._opened = opened
        return response

    def _secrets(self) -> tuple[Secret, ...]:
        """With the token that was sent, which may have been replaced in the meantime."""
        secrets = self._credential.secrets
        return secrets + tuple(one for one in sent_tokens(self._sent) if one not in secrets)


class Relay:
    """The context of a relayed response."""

    __slots__ = ("_line_limit", "_opened")

    def __init__(self, opened: OpenedExchange, line_limit: int) -> None:
        self._opened = opened
        self._line_limit = line_limit

    async def __aenter__(self) -> RelayedResponse:
        try:
            response = await self._opened.__aenter__()
            return RelayedResponse(response, self._opened.secrets, self._line_limit)
        except UpstreamError as error:
            raise error.in_words_of_provider() from None

    def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> "CoroutineType[Any, Any, bool | None]":
        return self._opened.__aexit__(kind, error, trace)
