"""A provider over any server with Anthropic's Messages API."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import quote

from cartrita.adapters.http.transport import LISTING
from cartrita.adapters.providers.addresses import MODELS_PATH, PATHS, anthropic_url
from cartrita.adapters.providers.exchange import Exchange, ProviderConnection
from cartrita.dialects.anthropic_messages import errors
from cartrita.dialects.anthropic_messages.computer_calls import betas, call_form
from cartrita.dialects.anthropic_messages.model_list import ModelPage, parse_models
from cartrita.dialects.anthropic_messages.models import ModelOptions, known_options
from cartrita.dialects.anthropic_messages.request_rendering import render
from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.computer_calls import with_computer
from cartrita.dialects.upstream_errors import unexpected_content
from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.kit.long_work import run_long
from cartrita.kit.secret import Secret

_HEADERS = {"anthropic-version": "2023-06-01"}
_PAGE_SIZE = 1000
_MAX_PAGES = 20


class AnthropicCompatible:
    """One such server; its base URL may be its root, its `/v1`, or an endpoint below it.

    `models` are the names that it offers; without them, the server is asked.
    """

    dialects = frozenset({"anthropic_messages"})

    def __init__(self, connection: ProviderConnection, *, models: tuple[str, ...] = ()) -> None:
        self._connection = connection
        self._exchange = Exchange(connection, errors.from_response)
        self._models = models

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._connection.name

    def with_key(self, key: Secret) -> "AnthropicCompatible":
        """See `KeyedProvider.with_key`."""
        return AnthropicCompatible(self._connection.with_key(key), models=self._models)

    async def models(self) -> list[ModelInfo]:
        """The configured models, else those that the server lists."""
        if self._models:
            return [ModelInfo(self.name, name) for name in self._models]
        found: list[ModelInfo] = []
        query = f"limit={_PAGE_SIZE}"
        for _ in range(_MAX_PAGES):
            page = await self._list_models(query)
            found += [ModelInfo(self.name, name, profile) for name, profile in page.models]
            if page.next_after is None:
                break
            query = f"limit={_PAGE_SIZE}&after_id={quote(page.next_after, safe='')}"
        return found

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        options = known_options(request.model)
        rendered = await run_long(request.size, render, request, options)
        url, headers = self._url(PATHS[Endpoint.MESSAGES]), _headers(request, options)
        parsers = StreamParser, parse_completion
        if request.computer is not None:
            parsers = with_computer(call_form(request.computer), *parsers)
        async with self._exchange.stream(url, request, rendered, *parsers, headers) as deltas:
            yield deltas

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """See `RelayProvider.relay`."""
        return self._exchange.relay(self._url(PATHS[request.endpoint]), request, _HEADERS)

    async def _list_models(self, query: str) -> ModelPage:
        url = self._url(MODELS_PATH)
        separator = "&" if "?" in url else "?"
        status, body = await self._exchange.get(f"{url}{separator}{query}", LISTING, _HEADERS)
        try:
            return parse_models(body)
        except ValueError:
            raise unexpected_content(self.name, status, "something else") from None

    def _url(self, path: str) -> str:
        return anthropic_url(self._connection.base_url, path)


def _headers(request: ModelRequest, options: ModelOptions) -> Mapping[str, str]:
    asked = betas(request, options)
    return {**_HEADERS, "anthropic-beta": ",".join(asked)} if asked else _HEADERS
