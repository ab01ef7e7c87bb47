"""Prompts of Langfuse, by the REST client of its SDK.

The client of its `Langfuse` class is not used: that one starts threads and reads the environment.
What answers is not trusted: its size, its time and its words are bounded, and keys follow no
redirect.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import httpx
import langfuse
from langfuse.api import AsyncLangfuseAPI
from langfuse.api.core import ApiError
from langfuse.api.core.request_options import RequestOptions
from langfuse.api.prompts import ChatMessage, Prompt_Chat, Prompt_Text

from cartrita.adapters.tracing.langfuse_fixes import FIXES
from cartrita.adapters.tracing.pipeline import silence
from cartrita.adapters.tracing.policies import LangfuseProject
from cartrita.domain.prompts import (
    INSTRUCTIONS_MAX,
    Prompt,
    PromptNotTaken,
    PromptReference,
    PromptVersion,
)

_MOST_BYTES: Final = 4 << 20
_PLACEHOLDER: Final = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}")
_FIXES: Final = {
    **FIXES,
    404: "Langfuse has no such prompt: make it, or give a version of it the label that is named.",
    429: "Langfuse is asked too often: raise CARTRITA_TRACING_PROMPTS_REFRESH_S.",
}
_ONCE: Final = RequestOptions(max_retries=0)
"""It is read again soon, and the SDK would wait for as long as a server says."""


class _TooLarge(Exception):
    """An answer is larger than any prompt, or its size cannot be told."""


class LangfusePrompts:
    """Implements PromptReader by a project of Langfuse; one reading takes `timeout_s` at most."""

    def __init__(self, project: LangfuseProject, timeout_s: float) -> None:
        silence()
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            transport=_Bounded(ssl.create_default_context()),
            headers={"accept-encoding": "identity"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )
        self._api = AsyncLangfuseAPI(
            base_url=project.address,
            username=project.public_key,
            password=project.secret_key.reveal(),
            x_langfuse_sdk_name="python",
            x_langfuse_sdk_version=langfuse.__version__,
            x_langfuse_public_key=project.public_key,
            httpx_client=self._http,
        )

    async def close(self) -> None:
        """Read nothing more."""
        await self._http.aclose()

    async def read(self, reference: PromptReference) -> Prompt:
        """See PromptReader."""
        found = await self._found(reference)
        return Prompt(PromptVersion(reference.name, found.version), _text(found))

    async def _found(self, reference: PromptReference) -> Prompt_Text | Prompt_Chat:
        label = reference.label if reference.version is None else None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._api.prompts.get(
                    quote(reference.name, safe=""),
                    version=reference.version,
                    label=label,
                    request_options=_ONCE,
                )
        except ApiError as error:
            status = error.status_code or 0
            if 200 <= status < 300:
                raise _malformed("what came is no JSON") from None
            raise PromptNotTaken(status, _FIXES.get(status, _FIXES[0])) from None
        except _TooLarge:
            raise _malformed(f"it has more than {_MOST_BYTES} bytes") from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise PromptNotTaken(type(error).__name__, _FIXES[0]) from None
        except Exception:  # noqa: BLE001 - whatever came and cannot be read, runs go on
            raise _malformed("what came is no prompt of Langfuse") from None


def _text(prompt: Prompt_Text | Prompt_Chat) -> str:
    """The text of a prompt, which can be instructions. Raises PromptNotTaken."""
    text = prompt.prompt if isinstance(prompt, Prompt_Text) else _system_text(prompt)
    text = text.strip()
    if not text:
        raise _malformed("it is empty")
    if len(text) > INSTRUCTIONS_MAX:
        raise _malformed(f"it has more than {INSTRUCTIONS_MAX} characters")
    if "\0" in text or not _is_unicode(text):
        raise _malformed("it has characters that are no text")
    if _PLACEHOLDER.search(text):
        raise _malformed("it has {{variables}}, which nobody fills here")
    return text


def _system_text(prompt: Prompt_Chat) -> str:
    texts: list[str] = []
    for message in prompt.prompt:
        if not isinstance(message, ChatMessage) or message.role != "system":
            raise _malformed("it is a chat with messages that are not of the system")
        texts.append(message.content)
    return "\n\n".join(texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(why: str) -> PromptNotTaken:
    return PromptNotTaken("malformed", f"Mend the prompt in Langfuse: {why}.")


class _Bounded(httpx.AsyncHTTPTransport):
    """Reads no more of an answer than a prompt can have."""

    def __init__(self, certificates: ssl.SSLContext) -> None:
        super().__init__(verify=certificates, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise _TooLarge
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
            if size > _MOST_BYTES:
                raise _TooLarge
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
