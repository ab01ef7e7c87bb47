"""Any conversation that used a desktop is a request that the strict stand-ins of vendors take."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.actions import actions
from tests.backend.dialects.pictures import picture
from tests.backend.examples import dialect_examples
from tests.harness.fake_provider.anthropic_messages import message_request
from tests.harness.fake_provider.anthropic_messages.computer import HALTED
from tests.harness.fake_provider.anthropic_messages.threads import Threads
from tests.harness.fake_provider.openai_responses import response_request
from tests.harness.fake_provider.seals import Seal

from cartrita.dialects.anthropic_messages import request_rendering as anthropic
from cartrita.dialects.anthropic_messages.computer_actions import write_member
from cartrita.dialects.anthropic_messages.computer_calls import betas
from cartrita.dialects.anthropic_messages.models import known_options
from cartrita.dialects.openai_responses import request_rendering as openai
from cartrita.domain.desktop import Action, ComputerCall
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerForm, ComputerTool

SEAL = Seal(0)
CHECK: JsonObject = {"id": "cu_sc_1", "code": "odd", "message": "Look."}
MODELS: dict[str, ComputerForm] = {
    "claude-opus-5-5": "computer_toolset_20260801",
    "claude-opus-5": "computer_toolset_20260801",
    "claude-opus-4-6": "computer_20251124",
    "claude-sonnet-4-5": "computer_20250124",
    "claude-3-5-haiku": "function",
    "gpt-5.4": "computer",
    "computer-use-preview": "computer_use_preview",
    "gpt-4o": "function",
}
ANTHROPIC, OPENAI = "anthropic_messages", "openai_responses"
SIZES = ((1280, 800), (1280, 800), (2100, 700), (3000, 100))

# Made once: a strategy that is made anew for each draw costs more than all it draws.
some_actions = st.lists(actions(), min_size=1, max_size=3)
kinds = st.sampled_from(["function", "malformed", "toolset", "older", "openai"])
one_in_five = st.sampled_from([True, False, False, False, False])
booleans = st.booleans()
sizes = st.sampled_from(SIZES)
steps = st.integers(1, 5)
counts = st.sampled_from([1, 1, 2, 3, 8])
origins = st.sampled_from([None, ANTHROPIC, OPENAI])


def call_of(draw: st.DrawFn, call_id: str) -> ToolCall:
    """A call that a model of some vendor made."""
    arguments: JsonObject = msgspec.to_builtins(ComputerCall(tuple(done := draw(some_actions))))
    match draw(kinds):
        case "malformed":
            block = {**_block(call_id, "launch", {"a": 1}), "toolset_name": "computer"}
            unread: JsonObject = {"INVALID_JSON": "{"}
            return ToolCall(call_id, "computer", unread, None, True, "No.", ANTHROPIC, block)
        case "openai":
            item = _item(call_id, checked=draw(booleans))
            return ToolCall(call_id, "computer", arguments, origin=OPENAI, vendor=item)
        case "function":
            return ToolCall(call_id, "computer", arguments)
        case kind:
            return _anthropics(call_id, done[0], toolset=kind == "toolset")


def _anthropics(call_id: str, action: Action, *, toolset: bool) -> ToolCall:
    arguments: JsonObject = msgspec.to_builtins(ComputerCall((action,)))
    name, given = write_member(action) or ("screenshot", {})
    block = _block(call_id, name, given) | {"toolset_name": "computer"}
    if not toolset:
        block = _block(call_id, "computer", {"action": name, **given})
    return ToolCall(call_id, "computer", arguments, origin=ANTHROPIC, vendor=block)


def _block(call_id: str, name: str, given: JsonObject) -> JsonObject:
    caller: JsonObject = {"type": "direct"}
    return {"type": "tool_use", "id": call_id, "name": name, "input": given, "caller": caller}


def _item(call_id: str, *, checked: bool) -> JsonObject:
    return {
        "type": "computer_call",
        "id": f"cu_{call_id}",
        "call_id": call_id,
        "status": "completed",
        "pending_safety_checks": [CHECK] if checked else [],
        "actions": [{"type": "screenshot"}],
    }


def results_of(draw: st.DrawFn, made: list[ToolCall]) -> list[ToolResult]:
    """What came of the calls of a step: after one that failed none is done."""
    found: list[ToolResult] = []
    for call in made:
        if any(not one.success for one in found):
            found.append(ToolResult(call.call_id, (Text(HALTED),), "computer", success=False))
        elif call.malformed or draw(one_in_five):
            content: list[Text | Attachment] = [Text("It is off the screen.")]
            content += [picture()] if draw(booleans) else []
            found.append(ToolResult(call.call_id, tuple(content), "computer", success=False))
        else:
            shown = picture(*draw(sizes))
            told = (Text("X=1,Y=2"),) if draw(booleans) else ()
            approved = draw(booleans)
            found.append(ToolResult(call.call_id, (*told, shown), "computer", approved=approved))
    return found


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """A task of some steps, some of them long."""
    messages = [Message(Role.USER, (Text("Do it."),))]
    for step in range(draw(steps)):
        made = [call_of(draw, f"call_{step}_{number}") for number in range(draw(counts))]
        said: list[Part] = [*_thought(draw(origins)), *made]
        messages.append(Message(Role.ASSISTANT, tuple(said)))
        messages.append(Message(Role.TOOL, tuple(results_of(draw, made))))
    return tuple(messages)


def _thought(origin: str | None) -> list[Part]:
    if origin is None:
        return []
    if origin == ANTHROPIC:
        return [Reasoning("Hm.", signature=SEAL.sign("Hm."), origin=origin)]
    return [Reasoning("", encrypted=SEAL.close("Hm."), origin=origin, id="rs_1")]


@pytest.mark.parametrize("model", MODELS)
@dialect_examples
@given(messages=conversations())
def test_a_conversation_is_taken(model: str, messages: tuple[Message, ...]) -> None:
    tool = ComputerTool(1280, 800, form=MODELS[model])
    request = ModelRequest(owner_id="o", model=model, messages=messages, tools=(tool,))
    if model.startswith("claude"):
        options = known_options(model)
        body = anthropic.render(request, options).body
        asked = Threads({}, ",".join(betas(request, options)))
        message_request.parse(body, [model], SEAL, asked)
    else:
        response_request.parse(openai.render(request).body, [model], SEAL, {})
