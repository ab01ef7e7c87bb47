"""A provider whose models see the files that results of tools name."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from cartrita.application.files.context import FileContext, is_stored
from cartrita.domain.deltas import Delta
from cartrita.domain.messages import Attachment, Message, Part, Role, ToolContent, ToolResult
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.requests import ModelRequest


class ShownFiles:
    """Implements `ModelProvider` by another one."""

    def __init__(self, provider: ModelProvider, files: FileContext) -> None:
        self._provider = provider
        self._files = files

    @property
    def name(self) -> str:
        """The name of the other."""
        return self._provider.name

    async def models(self) -> list[ModelInfo]:
        """The models of the other."""
        return await self._provider.models()

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with self._provider.stream(await self._filled(request)) as deltas:
            yield deltas

    async def _filled(self, request: ModelRequest) -> ModelRequest:
        named = [Message(Role.TOOL, tuple(_named(message))) for message in request.messages]
        if not any(message.parts for message in named):
            return request
        filled = await self._files.filled(request.owner_id, named)
        messages = (
            replace(message, parts=tuple(_with_files(message, iter(files.parts))))
            for message, files in zip(request.messages, filled, strict=True)
        )
        return replace(request, messages=tuple(messages))


def _named(message: Message) -> Iterator[Attachment]:
    """The files that results in a message name, in their order."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield from (one for one in part.content if is_stored(one))


def _with_files(message: Message, files: Iterator[Part]) -> Iterator[Part]:
    for part in message.parts:
        if not isinstance(part, ToolResult):
            yield part
            continue
        content: list[ToolContent] = []
        for one in part.content:
            held = next(files) if is_stored(one) else one
            if isinstance(held, ToolContent):
                content.append(held)
        yield replace(part, content=tuple(content))
