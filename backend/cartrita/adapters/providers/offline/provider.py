"""The offline provider: `offline/assistant` answers by rule, `offline/script` plays a file."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from cartrita.adapters.providers.offline import assistant, words
from cartrita.adapters.providers.offline.assistant import Call, Say
from cartrita.adapters.providers.offline.playing import play
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.models import ModelInfo, ModelProfile
from cartrita.domain.ports import PassageSearch
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage

NAME = "offline"
ASSISTANT = "assistant"
SCRIPT = "script"

_CAN = ModelProfile(capabilities=("text", "stream", "tools", "json"))


class Offline:
    """See `ModelProvider`. `pace` is the pause between two tokens of the assistant, in seconds."""

    def __init__(
        self, search: PassageSearch, *, script_file: Path | None = None, pace: float = 0.0
    ) -> None:
        self._search = search
        self._script_file = script_file
        self._pace = pace

    @property
    def name(self) -> str:
        """`offline`."""
        return NAME

    async def models(self) -> list[ModelInfo]:
        """Both, whether there is a script or not: without one, that model tells how to get one."""
        return [ModelInfo(NAME, model, _CAN) for model in (ASSISTANT, SCRIPT)]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        if request.model == ASSISTANT:
            answer = self._assist(request)
        elif request.model == SCRIPT:
            answer = play(self._script_file, request)
        else:
            raise UpstreamRejected(
                f"The offline provider has no model {request.model[:80]}; "
                f"it has {ASSISTANT} and {SCRIPT}.",
                provider=NAME,
                status=404,
            )
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                yield delta

    async def _assist(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        reply = await assistant.reply(request, self._search)
        deltas = _call(reply) if isinstance(reply, Call) else _said(reply, request)
        used = 0
        for delta in deltas:
            used += isinstance(delta, TextDelta | ToolCallDelta)
            yield delta
            await asyncio.sleep(self._pace)
        reason = FinishReason.TOOL_CALL if isinstance(reply, Call) else _ending(reply, request)
        yield Finished(reason, _usage(request, used), ASSISTANT)


def _said(reply: Say, request: ModelRequest) -> list[Delta]:
    cited: list[Delta] = [CitationDelta(citation) for citation in reply.citations]
    told = words.pieces(_until_stop(reply.text, request.sampling.stop))
    return [*cited, *(TextDelta(piece) for piece in told[: request.sampling.max_tokens])]


def _ending(reply: Say, request: ModelRequest) -> FinishReason:
    most = request.sampling.max_tokens
    wanted = len(words.pieces(_until_stop(reply.text, request.sampling.stop)))
    return FinishReason.LENGTH if most is not None and wanted > most else FinishReason.STOP


def _until_stop(text: str, stops: tuple[str, ...]) -> str:
    places = [text.find(stop) for stop in stops if stop]
    return text[: min((place for place in places if place >= 0), default=len(text))]


def _call(call: Call) -> list[Delta]:
    first = ToolCallDelta(0, call.call_id, call.name)
    arguments = words.pieces(words.json_text(call.arguments))
    return [first, *(ToolCallDelta(0, arguments=piece) for piece in arguments)]


def _usage(request: ModelRequest, used: int) -> Usage:
    return Usage(words.request_tokens(request), used, estimated=True)
