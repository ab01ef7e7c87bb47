"""A provider with two dialects: the second answers where the first one is missing."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from cartrita.dialects.upstream_errors import WRONG_ADDRESS
from cartrita.domain.deltas import Delta
from cartrita.domain.errors import UpstreamError
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayProvider, RelayResponse
from cartrita.domain.relays import DIALECTS, Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest

REMEMBERED_SECONDS = 600.0
"""For so long the first dialect is not tried again where it was missing."""

_UNTIL_TRANSLATED_SECONDS = 5.0
_MODEL = re.compile(r"\bmodel", re.I)
_UNSUPPORTED = re.compile(r"unsupported|not[_ ]supported", re.I)
log = structlog.get_logger()


class DialectFallback:
    """Asks `first`, and `second` if the server has no such endpoint, or not for this model.

    That is: status 404 or 405, a web page, or an error that says "unsupported". Any other error of
    the first is the answer. Both are the same server in another dialect.
    """

    def __init__(
        self,
        first: RelayProvider,
        second: RelayProvider,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._clock = clock
        self._missing_until: dict[str, float] = {}
        self._no_relay_until = 0.0

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._first.name

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`: without the first while it is missing."""
        if self._clock() < self._no_relay_until:
            return self._second.dialects
        return self._first.dialects | self._second.dialects

    async def models(self) -> list[ModelInfo]:
        """Its models, as either dialect lists them."""
        try:
            return await self._first.models()
        except UpstreamError as error:
            if not is_missing(error):
                raise
            return await self._second.models()

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with AsyncExitStack() as stack:
            yield await self._open(request, stack)

    async def _open(self, request: ModelRequest, stack: AsyncExitStack) -> AsyncIterator[Delta]:
        if self._clock() >= self._missing_until.get(request.model, 0.0):
            try:
                return await stack.enter_async_context(self._first.stream(request))
            except UpstreamError as error:
                if not is_missing(error):
                    raise
                self._remember(request.model, error)
        return await stack.enter_async_context(self._second.stream(request))

    @asynccontextmanager
    async def relay(self, request: RelayRequest) -> AsyncGenerator[RelayResponse]:
        """See `RelayProvider.relay`.

        A relay has no second dialect. Where the first is missing the error is retryable: by then it
        is no longer among the `dialects`, and the request is translated.
        """
        first = DIALECTS[request.endpoint] in self._first.dialects
        async with AsyncExitStack() as stack:
            try:
                provider = self._first if first else self._second
                response = await stack.enter_async_context(provider.relay(request))
            except UpstreamError as error:
                if request.endpoint is Endpoint.MESSAGES and is_missing(error):
                    self._remember(request.model, error)
                    self._no_relay_until = self._clock() + _no_relay_seconds(error)
                    error.retryable = True
                raise
            yield response

    def _remember(self, model: str, error: UpstreamError) -> None:
        now = self._clock()
        current = {one: until for one, until in self._missing_until.items() if until > now}
        self._missing_until = current | {model: now + REMEMBERED_SECONDS}
        log.info("dialect_missing", provider=self.name, model=model, status=error.status)


def is_missing(error: UpstreamError) -> bool:
    """Whether an error says that there is no such endpoint, or not for the model."""
    if error.code == WRONG_ADDRESS:
        return not 300 <= (error.status or 0) < 400
    if error.status in (404, 405):
        return True
    return not error.retryable and bool(_UNSUPPORTED.search(_said(error)))


def _no_relay_seconds(error: UpstreamError) -> float:
    """How long nothing is relayed: if only the model is missing, until this request is retried."""
    lacks_model = error.code != WRONG_ADDRESS and _MODEL.search(_said(error))
    return _UNTIL_TRANSLATED_SECONDS if lacks_model else REMEMBERED_SECONDS


def _said(error: UpstreamError) -> str:
    details = error.details
    return f"{error.message} {details.get('upstream_type', '')} {details.get('upstream_code', '')}"
