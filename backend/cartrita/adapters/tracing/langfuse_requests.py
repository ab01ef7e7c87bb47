"""Requests to Langfuse by the REST client of its SDK, each once and bounded.

The SDK's `Langfuse` class above it is not used: that one starts threads, has queues in memory and a
hook at exit, and reads the environment. What answers is not trusted: its size is bounded, and keys
follow no redirect. Its time is bounded by whoever asks, as the timeouts of httpx are of each read.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Final

import httpx
import langfuse
from langfuse.api import AsyncLangfuseAPI
from langfuse.api.core.request_options import RequestOptions

from cartrita.adapters.tracing.pipeline import silence
from cartrita.adapters.tracing.policies import LangfuseProject

MOST_BYTES: Final = 4 << 20
ONCE: Final = RequestOptions(max_retries=0)
"""Whoever asks does so again later, and the SDK would wait for as long as a server says."""


class OversizedAnswer(httpx.RequestError):
    """An answer is larger than any that is asked for, or its size cannot be told."""


def open_http(timeout_s: float) -> httpx.AsyncClient:
    """What carries the requests; to be closed."""
    silence()
    return httpx.AsyncClient(
        transport=_Bounded(ssl.create_default_context()),
        headers={"accept-encoding": "identity"},
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,  # no proxy, and no password of a .netrc
    )


def langfuse_api(project: LangfuseProject, http: httpx.AsyncClient) -> AsyncLangfuseAPI:
    """The requests of a project."""
    return AsyncLangfuseAPI(
        base_url=project.address,
        username=project.public_key,
        password=project.secret_key.reveal(),
        x_langfuse_sdk_name="python",
        x_langfuse_sdk_version=langfuse.__version__,
        x_langfuse_public_key=project.public_key,
        httpx_client=http,
    )


class _Bounded(httpx.AsyncHTTPTransport):
    """Reads no more of an answer than it can have."""

    def __init__(self, certificates: ssl.SSLContext) -> None:
        super().__init__(verify=certificates, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise OversizedAnswer("it is compressed, though this was not asked for")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > MOST_BYTES:
                raise OversizedAnswer(f"it has more than {MOST_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
