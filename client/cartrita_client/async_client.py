"""The client for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from cartrita_client.construction import module, settings_of
from cartrita_client.generated.operations_async import Operations

if TYPE_CHECKING:
    from ssl import SSLContext

    from cartrita_client.async_chat_streams import AsyncChatStream
    from cartrita_client.async_downloads import AsyncDownload
    from cartrita_client.async_live import AsyncLiveSession
    from cartrita_client.async_voice import AsyncVoiceSession
    from cartrita_client.asynchronous import Asynchronous
    from cartrita_client.generated.requests import VoiceFields
    from cartrita_client.operations import Given, Operation


class AsyncCartritaApiClient(Operations):
    """One method for each operation of the API, named as in `frontend-contract/openapi.json`.

    `base_url` may end in `/api`. `api_key` is a key of the server; `provider_keys` are keys of
    providers by their names, sent with the operations that call that provider. Times are seconds:
    `timeout` is for ordinary answers, `long_timeout` for those that a model writes, and
    `silence_timeout` for streams, uploads and downloads, which may last as long as they want. A
    request that failed is sent again up to `retries` times where that does nothing twice, first
    after `retry_delay`, then ever later; a stream comes back up to `resumes` times in a row
    without having got anything. It belongs to one event loop.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        *,
        provider_keys: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        long_timeout: float = 600.0,
        connect_timeout: float = 10.0,
        silence_timeout: float = 45.0,
        retries: int = 3,
        resumes: int = 11,
        retry_delay: float = 0.5,
        longest_retry_after: float = 60.0,
        headers: Mapping[str, str] | None = None,
        verify: bool | SSLContext = True,
    ) -> None:
        self._settings = settings_of(
            base_url,
            api_key,
            provider_keys,
            times=(timeout, long_timeout, connect_timeout, silence_timeout),
            counts=(retries, resumes),
            delays=(retry_delay, longest_retry_after),
            headers=headers,
            verify=verify,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.address.root!r})"

    def live(self) -> AsyncLiveSession:
        """A session over a WebSocket, which holds several answers at once; a context manager."""
        return self._asynchronous.live()

    def voice(self, **fields: Unpack[VoiceFields]) -> AsyncVoiceSession:
        """A live conversation: speech goes in, words and speech come out; a context manager."""
        return self._asynchronous.voice(dict(fields))

    async def close(self) -> None:
        """Close all connections."""
        if "_asynchronous" in self.__dict__:
            await self._asynchronous.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @cached_property
    def _asynchronous(self) -> Asynchronous:
        """Made when it is first needed: an import should not load an HTTP client and models."""
        made: Asynchronous = module("asynchronous").Asynchronous(self._settings)
        return made

    async def _answer(self, operation: Operation, given: Given) -> Any:
        return await self._asynchronous.answer(operation, given)

    def _items(self, operation: Operation, given: Given) -> Any:
        return self._asynchronous.items(operation, given)

    def _stream(self, operation: Operation, given: Given) -> AsyncChatStream:
        return self._asynchronous.stream(operation, given)

    def _download(self, operation: Operation, given: Given) -> AsyncDownload:
        return self._asynchronous.download(operation, given)
