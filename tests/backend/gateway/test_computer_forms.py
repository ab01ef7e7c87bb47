"""A desktop is offered in the best form that a model takes, and in the next where it is refused."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager

import pytest
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamError, UpstreamOverloaded, UpstreamRejected
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool, ToolSpec
from cartrita.domain.usage import Usage
from cartrita.gateway.computer_forms import REMEMBERED_SECONDS, ComputerForms
from cartrita.kit.secret import Secret

ANSWER = [TextDelta("Done."), Finished(FinishReason.STOP, Usage(1, 1))]
LOOK = ToolSpec("look", "", {"type": "object"})
OPUS = "claude-opus-5-5"


def rejected(message: str, status: int = 400, param: str | None = None) -> UpstreamRejected:
    details: JsonObject = {"upstream_param": param} if param else {}
    return UpstreamRejected(message, provider="p", status=status, details=details)


class Provider:
    """Refuses the forms of `refused` with an error that tells of them."""

    name = "p"

    def __init__(self, dialects: Collection[str], refused: dict[str, Exception]) -> None:
        self.dialects = frozenset(dialects)
        self.refused = refused
        self.requests: list[ModelRequest] = []
        self.key: Secret | None = None

    async def models(self) -> list[ModelInfo]:
        return []

    def with_key(self, key: Secret) -> "Provider":
        other = Provider(self.dialects, self.refused)
        other.key, other.requests = key, self.requests
        return other

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        self.requests.append(request)
        computer = request.computer
        error = None if computer is None else self.refused.get(computer.form)
        script = ANSWER if error is None else [error]
        return ScriptedProvider(script, at_once=True).stream(request)

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        raise AssertionError(request)


def asked(model: str = OPUS, *, desktop: bool = True) -> ModelRequest:
    tools = (LOOK, ComputerTool(1280, 800)) if desktop else (LOOK,)
    said = (Message(Role.USER, (Text("Go"),)),)
    return ModelRequest(owner_id="o", model=model, messages=said, tools=tools)


async def answer(forms: ComputerForms, request: ModelRequest) -> list[Delta]:
    async with forms.stream(request) as deltas:
        return [delta async for delta in deltas]


def offered(provider: Provider) -> list[str]:
    return [one.computer.form for one in provider.requests if one.computer]


TOOLSET, NEWER = "computer_toolset_20260801", "computer_20251124"
ANTHROPIC, OPENAI = {"anthropic_messages"}, {"openai_chat", "openai_responses"}


@pytest.mark.parametrize(
    ("model", "dialects", "form", "grid"),
    [
        ("claude-opus-5-5", ANTHROPIC, TOOLSET, None),
        ("claude-opus-4-8", ANTHROPIC, TOOLSET, None),
        ("claude-opus-4-6", ANTHROPIC, NEWER, None),
        ("claude-opus-4-5", ANTHROPIC, NEWER, None),
        ("claude-sonnet-4-5", ANTHROPIC, "computer_20250124", None),
        ("claude-opus-5-5", {"openai_chat"}, "function", None),
        ("gpt-5.4", OPENAI, "computer", None),
        ("gpt-5.4", {"openai_chat"}, "function", None),
        ("computer-use-preview", OPENAI, "computer_use_preview", None),
        ("gpt-4o", OPENAI, "function", None),
        ("gemini-3-pro", {"openai_chat"}, "function", 1000),
        ("qwen3-vl-32b", {"openai_chat"}, "function", 1000),
        ("no-such-model", OPENAI, "function", None),
    ],
)
async def test_a_model_is_offered_its_best_form(
    model: str, dialects: Collection[str], form: str, grid: int | None
) -> None:
    provider = Provider(dialects, {})
    assert await answer(ComputerForms(provider), asked(model)) == ANSWER
    (request,) = provider.requests
    assert request.tools[0] == LOOK
    assert request.computer is not None
    assert (request.computer.form, request.computer.grid) == (form, grid)


async def test_what_is_refused_is_offered_in_the_next_form_and_remembered() -> None:
    now = [0.0]
    refusal = rejected(f"tools.1: Input tag '{TOOLSET}' found using 'type' does not match any")
    provider = Provider(ANTHROPIC, {TOOLSET: refusal})
    forms = ComputerForms(provider, clock=lambda: now[0])
    for _ in range(2):
        assert await answer(forms, asked()) == ANSWER
    assert offered(provider) == [TOOLSET, NEWER, NEWER]
    keyed = forms.with_key(Secret("k"))
    await answer(keyed, asked())
    await answer(forms, asked("claude-opus-5"))
    assert offered(provider)[3:] == [NEWER, TOOLSET, NEWER]
    now[0] = REMEMBERED_SECONDS
    await answer(forms, asked())
    assert offered(provider)[6:] == [TOOLSET, NEWER]


async def test_a_function_is_the_last_form() -> None:
    unknown = {form: rejected(f"Unknown tool type {form}.") for form in (TOOLSET, NEWER)}
    provider = Provider(ANTHROPIC, dict(unknown))
    assert await answer(ComputerForms(provider), asked()) == ANSWER
    assert offered(provider) == [TOOLSET, NEWER, "function"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Tool 'computer' is not supported with gpt-5.4.", None),
        ("Invalid value.", "tools[1].type"),
        ("Invalid value.", "tools[1]"),
    ],
)
async def test_openai_says_it_in_its_own_ways(message: str, param: str | None) -> None:
    provider = Provider(OPENAI, {"computer": rejected(message, param=param)})
    assert await answer(ComputerForms(provider), asked("gpt-5.4")) == ANSWER
    assert offered(provider) == ["computer", "function"]


@pytest.mark.parametrize(
    "error",
    [
        rejected("messages: at least one message is required"),
        rejected("The computer is on fire.", param="input[3].output"),
        rejected(f"There is no {TOOLSET}.", status=413),
        UpstreamOverloaded(f"{TOOLSET} is busy.", provider="p", status=529),
    ],
)
async def test_any_other_error_is_the_answer(error: UpstreamError) -> None:
    provider = Provider(ANTHROPIC | OPENAI, {TOOLSET: error, "computer": error})
    forms = ComputerForms(provider)
    for model, form in ((OPUS, TOOLSET), ("gpt-5.4", "computer")):
        with pytest.raises(type(error)):
            await answer(forms, asked(model))
        assert offered(provider)[-1] == form


async def test_a_refusal_of_a_function_is_the_answer() -> None:
    provider = Provider(set(), {"function": rejected("Unknown tool type function.")})
    with pytest.raises(UpstreamRejected):
        await answer(ComputerForms(provider), asked())
    assert offered(provider) == ["function"]


async def test_a_call_without_a_desktop_is_passed_on() -> None:
    provider = Provider(ANTHROPIC, {})
    request = asked(desktop=False)
    assert await answer(ComputerForms(provider), request) == ANSWER
    assert provider.requests == [request]
    assert provider.requests[0] is request
