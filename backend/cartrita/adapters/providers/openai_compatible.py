"""A provider over any server with an OpenAI-compatible chat completions API."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from cartrita.adapters.providers.exchange import Connection, Exchange
from cartrita.adapters.providers.transport import Deadlines
from cartrita.dialects.openai_chat import errors
from cartrita.dialects.openai_chat.request_rendering import render
from cartrita.dialects.openai_chat.response_parsing import model_names
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.openai_chat.types import ServerOptions
from cartrita.dialects.upstream_errors import unexpected_content
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.models import ModelInfo
from cartrita.domain.receipts import Receipt, require_exact
from cartrita.domain.requests import ModelRequest

LISTING = Deadlines(connect=2.0, headers=5.0, idle=5.0, total=10.0)
"""Deadlines of the model list, which should be quicker than an answer."""

_ENDPOINT = "/chat/completions"


class OpenAICompatible:
    """One such server; its base URL may be its root, its `/v1`, or the chat completions endpoint.

    `models` are the names that it offers; without them, the server is asked.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        models: tuple[str, ...] = (),
        server_options: ServerOptions | None = None,
    ) -> None:
        self._connection = connection
        self._exchange = Exchange(connection, errors.from_response)
        self._models = models
        self._server_options = server_options or ServerOptions()

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._connection.name

    async def models(self) -> list[ModelInfo]:
        """The configured models, else those that the server lists."""
        return [ModelInfo(self.name, name) for name in self._models or await self._list_models()]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        rendered = render(request, self._server_options)
        if request.strict:
            require_exact(rendered.receipts)
        url = endpoint(self._connection.base_url, _ENDPOINT)
        deadlines = self._connection.deadlines.for_model(request.model)
        parser = StreamParser(self.name, self._connection.credential.secrets)
        async with (
            self._exchange.post(url, rendered.body, deadlines) as response,
            aclosing(self._exchange.deltas(response, parser, parse_completion)) as deltas,
            aclosing(self._told(request.model, rendered.receipts, deltas)) as told,
        ):
            yield told

    async def _told(
        self, model: str, receipts: tuple[Receipt, ...], deltas: AsyncIterator[Delta]
    ) -> AsyncGenerator[Delta]:
        """The deltas, after what the translation of the request lost, if anything."""
        if receipts:
            yield Accepted(self.name, model, receipts)
        async for delta in deltas:
            yield delta

    async def _list_models(self) -> list[str]:
        status, body = await self._exchange.get(
            endpoint(self._connection.base_url, "/models"), LISTING
        )
        try:
            return model_names(body)
        except ValueError:
            raise unexpected_content(self.name, status, "something else") from None


def endpoint(base_url: str, path: str) -> str:
    """The URL of `path` at a provider; `base_url` may already end with the chat endpoint.

    A base URL without a path gets `/v1`, where all of these servers have their API.
    """
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    if root.endswith(_ENDPOINT):
        root = root.removesuffix(_ENDPOINT)
    elif not root:
        root = "/v1"
    return urlunsplit(parts._replace(path=root + path))
