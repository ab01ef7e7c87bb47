"""The client for programs that block."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from cartrita_client.construction import module, settings_of
from cartrita_client.generated.operations_sync import Operations

if TYPE_CHECKING:
    from ssl import SSLContext

    from cartrita_client.blocking import Blocking
    from cartrita_client.chat_streams import ChatStream
    from cartrita_client.downloads import Download
    from cartrita_client.generated.requests import VoiceFields
    from cartrita_client.live import LiveSession
    from cartrita_client.operations import Given, Operation
    from cartrita_client.voice import VoiceSession


class CartritaApiClient(Operations):
    """One method for each operation of the API, named as in `frontend-contract/openapi.json`.

    `base_url` may end in `/api`. `api_key` is a key of the server; `provider_keys` are keys of
    providers by their names, sent with the operations that call that provider. Times are seconds:
    `timeout` is for ordinary answers, `long_timeout` for those that a model writes, and
    `silence_timeout` for streams, uploads and downloads, which may last as long as they want. A
    request that failed is sent again up to `retries` times where that does nothing twice, first
    after `retry_delay`, then ever later; a stream comes back up to `resumes` times in a row
    without having got anything. Threads may share it.
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

    def live(self) -> LiveSession:
        """A session over a WebSocket, which holds several answers at once; a context manager."""
        return self._blocking.live()

    def voice(self, **fields: Unpack[VoiceFields]) -> VoiceSession:
        """A live conversation: speech goes in, words and speech come out; a context manager."""
        return self._blocking.voice(dict(fields))

    def close(self) -> None:
        """Close all connections."""
        if "_blocking" in self.__dict__:
            self._blocking.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @cached_property
    def _blocking(self) -> Blocking:
        """Made when it is first needed: an import should not load an HTTP client and models."""
        made: Blocking = module("blocking").Blocking(self._settings)
        return made

    def _answer(self, operation: Operation, given: Given) -> Any:
        return self._blocking.answer(operation, given)

    def _items(self, operation: Operation, given: Given) -> Any:
        return self._blocking.items(operation, given)

    def _stream(self, operation: Operation, given: Given) -> ChatStream:
        return self._blocking.stream(operation, given)

    def _download(self, operation: Operation, given: Given) -> Download:
        return self._blocking.download(operation, given)
