"""A provider over any server with an OpenAI-compatible chat completions API."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from cartrita.adapters.providers.addresses import MODELS_PATH, PATHS, openai_url
from cartrita.adapters.providers.exchange import Connection, Exchange
from cartrita.adapters.providers.transport import Deadlines
from cartrita.dialects.openai_chat import errors
from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.request_types import ServerOptions
from cartrita.dialects.openai_chat.response_parsing import model_names
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.upstream_errors import unexpected_content
from cartrita.domain.deltas import Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest

LISTING = Deadlines(connect=2.0, headers=5.0, idle=5.0, total=10.0)
"""Deadlines of the model list, which should be quicker than an answer."""


class OpenAICompatible:
    """One such server; its base URL may be its root, its `/v1`, or the chat completions endpoint.

    `models` are the names that it offers; without them, the server is asked. `relays` are further
    dialects in which it can be addressed.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        models: tuple[str, ...] = (),
        server_options: ServerOptions | None = None,
        relays: tuple[str, ...] = (),
    ) -> None:
        self._connection = connection
        self._exchange = Exchange(connection, errors.from_response)
        self._models = models
        self._server_options = server_options or ServerOptions()
        self._dialects = frozenset({"openai_chat", *relays})

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._connection.name

    async def models(self) -> list[ModelInfo]:
        """The configured models, else those that the server lists."""
        return [ModelInfo(self.name, name) for name in self._models or await self._list_models()]

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`."""
        return self._dialects

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        rendered = render(request, self._server_options)
        parser = StreamParser(self.name, self._connection.credential.secrets)
        url = self._url(PATHS[Endpoint.CHAT_COMPLETIONS])
        async with self._exchange.stream(
            url, request, rendered, parser, parse_completion
        ) as deltas:
            yield deltas

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """See `RelayProvider.relay`."""
        return self._exchange.relay(self._url(PATHS[request.endpoint]), request)

    async def _list_models(self) -> list[str]:
        status, body = await self._exchange.get(self._url(MODELS_PATH), LISTING)
        try:
            return model_names(body)
        except ValueError:
            raise unexpected_content(self.name, status, "something else") from None

    def _url(self, path: str) -> str:
        return openai_url(self._connection.base_url, path)
