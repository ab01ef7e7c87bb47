"""A provider over any server with one of OpenAI's APIs: chat completions, or responses."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from cartrita.adapters.http.transport import LISTING
from cartrita.adapters.providers.addresses import MODELS_PATH, PATHS, openai_url
from cartrita.adapters.providers.exchange import Exchange, ProviderConnection
from cartrita.dialects.computer_calls import with_computer
from cartrita.dialects.openai_chat import request_rendering as chat_rendering
from cartrita.dialects.openai_chat import stream_parsing as chat_parsing
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.dialects.openai_errors import from_response
from cartrita.dialects.openai_model_list import parse_models
from cartrita.dialects.openai_responses import DIALECT as RESPONSES
from cartrita.dialects.openai_responses import computer_items
from cartrita.dialects.openai_responses import request_rendering as responses_rendering
from cartrita.dialects.openai_responses import stream_parsing as responses_parsing
from cartrita.dialects.stream_parsers import CreateParser, ParseCompletion
from cartrita.dialects.upstream_errors import unexpected_content
from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import VendorTool
from cartrita.kit.long_work import run_long
from cartrita.kit.secret import Secret


class OpenAICompatible:
    """One such server; its base URL may be its root, its `/v1`, or one of its endpoints.

    `models` are the names that it offers; without them, the server is asked. Calls are
    translated to `dialect`; `relays` are further dialects in which it can be addressed.
    """

    def __init__(
        self,
        connection: ProviderConnection,
        *,
        models: tuple[str, ...] = (),
        server_options: ServerOptions | None = None,
        dialect: Literal["openai_chat", "openai_responses"] = "openai_chat",
        relays: tuple[str, ...] = (),
    ) -> None:
        self._connection = connection
        self._exchange = Exchange(connection, from_response)
        self._models = models
        self._server_options = server_options or ServerOptions()
        self._dialect: Literal["openai_chat", "openai_responses"] = dialect
        self._relays = relays
        self._dialects = frozenset({dialect, *relays})

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._connection.name

    def with_key(self, key: Secret) -> "OpenAICompatible":
        """See `KeyedProvider.with_key`."""
        return OpenAICompatible(
            self._connection.with_key(key),
            models=self._models,
            server_options=self._server_options,
            dialect=self._dialect,
            relays=self._relays,
        )

    async def models(self) -> list[ModelInfo]:
        """The configured models, else those that the server lists."""
        if self._models:
            return [ModelInfo(self.name, name) for name in self._models]
        return await self._list_models()

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`."""
        return self._dialects

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        chat = self._dialect == "openai_chat" and not self._needs_responses(request)
        answering = await (self._stream_chat(request) if chat else self._stream_response(request))
        async with answering as deltas:
            yield deltas

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """See `RelayProvider.relay`."""
        return self._exchange.relay(self._url(PATHS[request.endpoint]), request)

    def _needs_responses(self, request: ModelRequest) -> bool:
        """Whether a tool of the request is known to the responses of this server alone."""
        if computer_items.is_own_form(request.computer):
            return True
        return RESPONSES in self._relays and any(
            isinstance(tool, VendorTool) and tool.origin == RESPONSES for tool in request.tools
        )

    async def _stream_chat(
        self, request: ModelRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        return self._exchange.stream(
            self._url(PATHS[Endpoint.CHAT_COMPLETIONS]),
            request,
            await run_long(request.size, chat_rendering.render, request, self._server_options),
            *_parsers(request, chat_parsing.StreamParser, chat_parsing.parse_completion),
        )

    async def _stream_response(
        self, request: ModelRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        return self._exchange.stream(
            self._url(PATHS[Endpoint.RESPONSES]),
            request,
            await run_long(request.size, responses_rendering.render, request),
            *_parsers(request, responses_parsing.StreamParser, responses_parsing.parse_completion),
        )

    async def _list_models(self) -> list[ModelInfo]:
        status, body = await self._exchange.get(self._url(MODELS_PATH), LISTING)
        try:
            return [ModelInfo(self.name, name, profile) for name, profile in parse_models(body)]
        except ValueError:
            raise unexpected_content(self.name, status, "something else") from None

    def _url(self, path: str) -> str:
        return openai_url(self._connection.base_url, path)


def _parsers(
    request: ModelRequest, create: CreateParser, parse: ParseCompletion
) -> tuple[CreateParser, ParseCompletion]:
    computer = request.computer
    if computer is None:
        return create, parse
    return with_computer(computer_items.call_form(computer), create, parse)
