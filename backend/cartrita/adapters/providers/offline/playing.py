"""Plays a scene of a script as the answer of a model."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from cartrita.adapters.providers.offline import words
from cartrita.adapters.providers.offline.asking import (
    closing_results,
    last_words,
    next_call_id,
)
from cartrita.adapters.providers.offline.script import (
    DEFAULT,
    Scene,
    Script,
    ScriptError,
    Step,
    matches,
    read,
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
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage

_PROVIDER = "offline"


async def play(path: Path | None, request: ModelRequest) -> AsyncGenerator[Delta]:
    """The deltas of the scene for a request. Raises what the scene, or the lack of one, demands.

    The file is read each time: whoever edits it sees the difference at once.
    """
    scene = _chosen(await _loaded(path), request)
    called, used = 0, 0
    reason: FinishReason | None = None
    for step in _unrolled(scene.steps):
        await asyncio.sleep(step.delay or 0)
        _break_off(step)
        if step.finish is not None:
            reason = step.finish
            break
        for delta in _deltas(step, called, request):
            yield delta
        called += step.tool_call is not None
        used += words.count([step.text or "", step.reasoning or ""])
    reason = reason or (FinishReason.TOOL_CALL if called else FinishReason.STOP)
    yield Finished(reason, Usage(words.request_tokens(request), used, estimated=True), "script")


async def _loaded(path: Path | None) -> Script:
    if path is None:
        raise _refused(
            "there is none. Set CARTRITA_OFFLINE_SCRIPT to the path of a YAML file; "
            "docs/offline-script.md says what belongs into it"
        )
    try:
        return await asyncio.to_thread(read, path)
    except ScriptError as error:
        raise _refused(str(error)) from None


def _chosen(script: Script, request: ModelRequest) -> Scene:
    said = last_words(request.messages)
    tools = [result.name for result in closing_results(request.messages)]
    fitting = [
        scene
        for scene in script.scenes
        if (scene.after_tool in tools if tools else scene.after_tool is None)
        and matches(scene.when, said)
    ]
    if not fitting:
        wanted = f"`after_tool: {tools[0]}`" if tools else f"`when: {DEFAULT}`"
        raise _refused(f"no scene is for this message; add one with {wanted}")
    return min(fitting, key=lambda scene: scene.when == DEFAULT)


def _unrolled(steps: list[Step]) -> Iterator[Step]:
    for step in steps:
        if step.repeat is None:
            yield step
            continue
        for _ in range(step.repeat.times):
            yield from _unrolled(step.repeat.steps)


def _break_off(step: Step) -> None:
    if step.cut:
        raise UpstreamCut("offline ended its answer in the middle.", provider=_PROVIDER)
    if step.error is not None:
        kind = UpstreamOverloaded if step.error.retryable else UpstreamError
        raise kind(
            step.error.message,
            provider=_PROVIDER,
            code=step.error.code,
            retry_after=step.error.retry_after,
        )


def _deltas(step: Step, called: int, request: ModelRequest) -> Iterator[Delta]:
    if step.text:
        yield TextDelta(step.text)
    if step.reasoning:
        yield ReasoningDelta(step.reasoning)
    if step.citation is not None:
        yield CitationDelta(step.citation)
    if step.tool_call is not None:
        call = step.tool_call
        given = call.arguments
        text = given if isinstance(given, str) else words.json_text(given)
        call_id = call.id or next_call_id(request.messages, called)
        yield ToolCallDelta(called, call_id, call.name, text)


def _refused(problem: str) -> UpstreamRejected:
    return UpstreamRejected(f"The script cannot be played: {problem}.", provider=_PROVIDER)
