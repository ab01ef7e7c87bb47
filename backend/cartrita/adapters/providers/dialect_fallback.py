"""A provider with two dialects: the second answers where the first one is missing."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from cartrita.dialects.upstream_errors import REFUSED_FIELD, WRONG_ADDRESS
from cartrita.domain.deltas import Delta
from cartrita.domain.errors import EndpointMissing, UpstreamError, UpstreamRejected
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import KeyedProvider, RelayResponse
from cartrita.domain.relays import DIALECTS, Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit.remembered import Remembered
from cartrita.kit.secret import Secret

REMEMBERED_SECONDS = 600.0
"""For so long the first dialect is not tried again for a model for which it was missing."""

_THING = r"(?:model|endpoint|path|route|api)"
_NAME = r"(?:[`'\"]?[\w.:/@-]*[-./:\d][\w.:/@-]*[`'\"]?\s+)?"
_UNSUPPORTED = re.compile(
    rf"\bunsupported[_ ]{_THING}\b"
    rf"|\b{_THING}_(?:not_supported|unsupported)\b"
    rf"|\b{_THING}[\s:]+{_NAME}(?:(?:is|are)\s+)?(?:not supported|unsupported)\b",
    re.I,
)
log = structlog.get_logger(__name__)


class DialectFallback:
    """Asks `first`, and `second` if the server has no such endpoint, or not for this model.

    That is: status 404 or 405, a web page, or an error that says that the model or the endpoint is
    unsupported. Any other error of the first is the answer. Both are the same server in another
    dialect.
    """

    def __init__(
        self,
        first: KeyedProvider,
        second: KeyedProvider,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._missing = Remembered[str](REMEMBERED_SECONDS, clock=clock)

    def with_key(self, key: Secret) -> "DialectFallback":
        """See `KeyedProvider.with_key`; what is missing at the server is missing for all keys."""
        other = DialectFallback(self._first.with_key(key), self._second.with_key(key))
        other._missing = self._missing
        return other

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._first.name

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`."""
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
        if request.model not in self._missing:
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

        A relay has no second dialect: it raises EndpointMissing where the first is missing.
        """
        first = DIALECTS[request.endpoint] in self._first.dialects
        async with AsyncExitStack() as stack:
            try:
                provider = self._first if first else self._second
                response = await stack.enter_async_context(provider.relay(request))
            except UpstreamError as error:
                if request.endpoint is Endpoint.MESSAGES and is_missing(error):
                    self._remember(request.model, error)
                    raise _endpoint_missing(error) from error
                raise
            yield response

    def _remember(self, model: str, error: UpstreamError) -> None:
        self._missing.add(model)
        log.info("dialect_missing", provider=self.name, model=model, status=error.status)


def is_missing(error: UpstreamError) -> bool:
    """Whether an error says that there is no such endpoint, or not for the model."""
    if error.code == WRONG_ADDRESS:
        return not 300 <= (error.status or 0) < 400
    if error.status in (404, 405):
        return True
    if not isinstance(error, UpstreamRejected):
        return False
    field = error.details.get(REFUSED_FIELD) or error.details.get("upstream_param", "")
    return field in ("", "model") and _UNSUPPORTED.search(_said(error)) is not None


def _endpoint_missing(error: UpstreamError) -> EndpointMissing:
    return EndpointMissing(
        error.message,
        provider=error.provider,
        status=error.status,
        code=error.code,
        details=error.details,
    )


def _said(error: UpstreamError) -> str:
    details = error.details
    return f"{error.message} {details.get('upstream_type', '')} {details.get('upstream_code', '')}"
