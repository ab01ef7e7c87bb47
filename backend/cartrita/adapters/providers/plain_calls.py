"""Calls of a provider that are no chats, such as those for audio."""

from contextlib import AbstractAsyncContextManager

from cartrita.adapters.http.transport import LISTING, Deadlines, HttpResponse
from cartrita.adapters.providers.addresses import MODELS_PATH, openai_url
from cartrita.adapters.providers.exchange import Exchange, ProviderConnection
from cartrita.dialects.openai_errors import from_response
from cartrita.dialects.openai_model_list import parse_models
from cartrita.dialects.upstream_errors import unexpected_content
from cartrita.kit.secret import Secret


class PlainCalls:
    """One server with APIs of OpenAI, reached as for its chats: address, credential and bounds.

    `has_key` and `needs_key` are those of `Service`.
    """

    def __init__(
        self, connection: ProviderConnection, *, has_key: bool, needs_key: bool = False
    ) -> None:
        self._connection = connection
        self._exchange = Exchange(connection, from_response)
        self.name = connection.name
        self.has_key = has_key
        self.needs_key = needs_key

    def with_key(self, key: Secret) -> "PlainCalls":
        """The same with another key. Raises ValueError for one that no header can carry."""
        return PlainCalls(
            self._connection.with_key(key), has_key=bool(key), needs_key=self.needs_key
        )

    def post(
        self, path: str, body: bytes, content_type: str, *, patience: float
    ) -> AbstractAsyncContextManager[HttpResponse]:
        """The response to a body, which may let one wait for `patience` seconds at any point.

        Raises UpstreamError for a response that is not successful.
        """
        usual = self._connection.deadlines
        deadlines = Deadlines(
            connect=usual.connect, headers=patience, idle=patience, total=max(usual.total, patience)
        )
        url = openai_url(self._connection.base_url, path)
        return self._exchange.post(url, body, {"Content-Type": content_type}, deadlines)

    async def model_names(self) -> list[str]:
        """The names of the models that it lists. Raises UpstreamError."""
        url = openai_url(self._connection.base_url, MODELS_PATH)
        status, body = await self._exchange.get(url, LISTING)
        try:
            return [name for name, _ in parse_models(body)]
        except ValueError:
            raise unexpected_content(self.name, status, "something else") from None
