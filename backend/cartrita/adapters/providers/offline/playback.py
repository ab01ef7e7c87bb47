"""The model `offline/script`: it plays a scene of a script as its answer."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from cartrita.adapters.providers.offline.request import (
    count_request_tokens,
    count_tokens,
    json_text,
    last_user_text,
    next_call_id,
    trailing_tool_results,
)
from cartrita.adapters.providers.offline.script import (
    DEFAULT,
    Scene,
    SceneStep,
    Script,
    ScriptError,
    matches,
    read_script,
)
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.models import OFFLINE
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR
from cartrita.domain.usage import Usage


async def play(path: Path | None, request: ModelRequest) -> AsyncGenerator[Delta]:
    """Yield the deltas of the scene for a request.

    Raises UpstreamRejected if there is no script, it is invalid or no scene fits, and the errors
    that the scene asks for. The file is read for each request, so that edits take effect at once.
    """
    scene = _choose_scene(await _load(path), request)
    call_count, output_tokens = 0, 0
    reason: FinishReason | None = None
    for step in _expand_repeats(scene.steps):
        await asyncio.sleep(step.delay or 0)
        _raise_if_failing(step)
        if step.finish is not None:
            reason = step.finish
            break
        for delta in _deltas(step, call_count, request):
            yield delta
        call_count += step.tool_call is not None
        output_tokens += count_tokens([step.text or "", step.reasoning or ""])
    reason = reason or (FinishReason.TOOL_CALL if call_count else FinishReason.STOP)
    input_tokens = count_request_tokens(request)
    usage = Usage(input_tokens, output_tokens, estimated=True, error_bound=RULE_ERROR)
    yield Finished(reason, usage, "script")


async def _load(path: Path | None) -> Script:
    if path is None:
        raise _rejection(
            "there is none. Set CARTRITA_OFFLINE_SCRIPT to the path of a YAML file; "
            "docs/offline-script.md says what belongs into it"
        )
    try:
        return await asyncio.to_thread(read_script, path)
    except ScriptError as error:
        raise _rejection(str(error)) from None


def _choose_scene(script: Script, request: ModelRequest) -> Scene:
    text = last_user_text(request.messages)
    tools = [result.name for result in trailing_tool_results(request.messages)]
    matching = [
        scene
        for scene in script.scenes
        if (scene.after_tool in tools if tools else scene.after_tool is None)
        and matches(scene.when, text)
    ]
    if not matching:
        wanted = f"`after_tool: {tools[0]}`" if tools else f"`when: {DEFAULT}`"
        raise _rejection(f"no scene is for this message; add one with {wanted}")
    return min(matching, key=lambda scene: scene.when == DEFAULT)


def _expand_repeats(steps: list[SceneStep]) -> Iterator[SceneStep]:
    for step in steps:
        if step.repeat is None:
            yield step
            continue
        for _ in range(step.repeat.times):
            yield from _expand_repeats(step.repeat.steps)


def _raise_if_failing(step: SceneStep) -> None:
    if step.cut:
        raise UpstreamCut("offline ended its answer in the middle.", provider=OFFLINE)
    if step.error is not None:
        kind = UpstreamOverloaded if step.error.retryable else UpstreamError
        raise kind(
            step.error.message,
            provider=OFFLINE,
            code=step.error.code,
            retry_after=step.error.retry_after,
        )


def _deltas(step: SceneStep, call_count: int, request: ModelRequest) -> Iterator[Delta]:
    if step.text:
        yield TextDelta(step.text)
    if step.reasoning:
        yield ReasoningDelta(step.reasoning)
    if step.citation is not None:
        yield CitationDelta(step.citation)
    if step.tool_call is not None:
        call = step.tool_call
        given = call.arguments
        text = given if isinstance(given, str) else json_text(given)
        call_id = call.id or next_call_id(request.messages, call_count)
        yield ToolCallDelta(call_count, call_id, call.name, text)


def _rejection(problem: str) -> UpstreamRejected:
    return UpstreamRejected(f"The script cannot be played: {problem}.", provider=OFFLINE)
