"""The offline provider: `offline/assistant` answers by rules, `offline/script` plays a file."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from cartrita.adapters.providers.offline import assistant
from cartrita.adapters.providers.offline.assistant import TextReply, ToolCallReply
from cartrita.adapters.providers.offline.playback import play
from cartrita.adapters.providers.offline.request import (
    count_request_tokens,
    json_text,
    split_tokens,
)
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.models import OFFLINE, ModelInfo, ModelProfile
from cartrita.domain.ports.search import PassageSearch
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR
from cartrita.domain.usage import Usage

ASSISTANT = "assistant"
SCRIPT = "script"

_PROFILE = ModelProfile(capabilities=("text", "stream", "tools", "json"))


class Offline:
    """See `ModelProvider`.

    `script_file` is what `offline/script` plays. `token_delay_s` is the assistant's pause between
    two tokens, in seconds.
    """

    def __init__(
        self, search: PassageSearch, *, script_file: Path | None = None, token_delay_s: float = 0.0
    ) -> None:
        self._search = search
        self._script_file = script_file
        self._token_delay_s = token_delay_s

    @property
    def name(self) -> str:
        """`offline`."""
        return OFFLINE

    async def models(self) -> list[ModelInfo]:
        """Both models; `offline/script` without a script answers with how to configure one."""
        return [ModelInfo(OFFLINE, model, _PROFILE) for model in (ASSISTANT, SCRIPT)]

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
                provider=OFFLINE,
                status=404,
            )
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                yield delta

    async def _assist(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        reply = await assistant.reply(request, self._search)
        if isinstance(reply, ToolCallReply):
            deltas, reason = _tool_call_deltas(reply), FinishReason.TOOL_CALL
        else:
            deltas, reason = _text_deltas(reply, request), _finish_reason(reply, request)
        output_tokens = 0
        for delta in deltas:
            output_tokens += isinstance(delta, TextDelta | ToolCallDelta)
            yield delta
            await asyncio.sleep(self._token_delay_s)
        usage = Usage(
            count_request_tokens(request), output_tokens, estimated=True, error_bound=RULE_ERROR
        )
        yield Finished(reason, usage, ASSISTANT)


def _text_deltas(reply: TextReply, request: ModelRequest) -> list[Delta]:
    citations: list[Delta] = [CitationDelta(citation) for citation in reply.citations]
    tokens = split_tokens(_until_stop(reply.text, request.sampling.stop))
    return [*citations, *(TextDelta(token) for token in tokens[: request.sampling.max_tokens])]


def _finish_reason(reply: TextReply, request: ModelRequest) -> FinishReason:
    limit = request.sampling.max_tokens
    length = len(split_tokens(_until_stop(reply.text, request.sampling.stop)))
    return FinishReason.LENGTH if limit is not None and length > limit else FinishReason.STOP


def _until_stop(text: str, stops: tuple[str, ...]) -> str:
    places = [text.find(stop) for stop in stops if stop]
    return text[: min((place for place in places if place >= 0), default=len(text))]


def _tool_call_deltas(reply: ToolCallReply) -> list[Delta]:
    first = ToolCallDelta(0, reply.call_id, reply.name)
    arguments = split_tokens(json_text(reply.arguments))
    return [first, *(ToolCallDelta(0, arguments=token) for token in arguments)]
