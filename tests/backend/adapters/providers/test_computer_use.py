"""Models use a desktop through the strict stand-ins of their vendors: each request is accepted."""

from collections.abc import Iterator
from contextlib import aclosing

import msgspec
import pytest
from msgspec.structs import replace
from tests.backend.dialects.pictures import picture
from tests.harness.fake_provider.anthropic_messages.computer import HALTED
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.script import ToolCall as ScriptedCall

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.anthropic_compatible import AnthropicCompatible
from cartrita.adapters.providers.credentials import Bearer, HeaderKey
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.agents.step import Step
from cartrita.domain.deltas import FinishReason
from cartrita.domain.fold import Fold
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Part, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ReasoningOptions
from cartrita.domain.tools import ComputerTool, NamedTool
from cartrita.gateway.computer_forms import ComputerForms
from cartrita.kit.secret import Secret

ANTHROPICS = ("claude-opus-5-5", "claude-opus-5", "claude-opus-4-6", "claude-sonnet-4-5")
OTHERS = ("claude-sonnet-4-7", "gpt-5.4", "computer-use-preview", "gpt-4o", "gemini-3-pro")
DONE = Script(text="All done.")
CLICK: JsonObject = {"type": "click", "at": {"x": 10, "y": 20}}
SHOT: JsonObject = {"type": "screenshot"}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(models=[*ANTHROPICS, *OTHERS]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


class Talk:
    """A conversation with one model that has a desktop."""

    def __init__(self, fake: FakeProvider, http: HttpClient, model: str) -> None:
        anthropic = model.startswith("claude")
        key = Secret(fake.key)
        connection = ProviderConnection(
            name="fake",
            base_url=fake.root_url,
            transport=http,
            credential=HeaderKey(key, "x-api-key") if anthropic else Bearer(key),
        )
        openai = OpenAICompatible(connection, relays=("openai_responses",))
        self._provider = ComputerForms(AnthropicCompatible(connection) if anthropic else openai)
        self._fake = fake
        self.request = ModelRequest(
            owner_id="o",
            model=model,
            messages=(Message(Role.USER, (Text("Open the editor."),)),),
            tools=(ComputerTool(1280, 800),),
            reasoning=ReasoningOptions(mode="adaptive"),
        )

    async def asks(self, *calls: ScriptedCall, reasoning: str | None = None) -> list[ToolCall]:
        """What the model calls in its next answer, which is added to the conversation."""
        script = Script(tool_calls=calls, insist=True, reasoning=reasoning) if calls else DONE
        self._fake.script(script)
        step, fold = Step(self._provider, self.request), Fold()
        async with aclosing(step.events()) as events:
            async for event in events:
                fold.add(event)
        assert step.finish_reason is (FinishReason.TOOL_CALL if calls else FinishReason.STOP)
        self._add(Role.ASSISTANT, *fold.parts)
        return [part for part in fold.parts if isinstance(part, ToolCall)]

    def add_call(self, call: ToolCall) -> None:
        """Add a call of an earlier answer."""
        self._add(Role.ASSISTANT, call)

    def told(self, *results: ToolResult) -> None:
        """Add the results of the calls."""
        self._add(Role.TOOL, *results)

    def _add(self, role: Role, *parts: Part) -> None:
        messages = (*self.request.messages, Message(role, parts))
        self.request = replace(self.request, messages=messages)

    def sent(self) -> list[JsonObject]:
        """The bodies of all requests."""
        return [msgspec.json.decode(one.body, type=JsonObject) for one in self._fake.requests()]

    def statuses(self) -> list[int | None]:
        return [one.status for one in self._fake.requests()]


def member(name: str, given: JsonObject, call_id: str | None = None) -> ScriptedCall:
    return ScriptedCall(name=name, arguments=given, id=call_id)


def older(name: str, given: JsonObject) -> ScriptedCall:
    return ScriptedCall(name="computer", arguments={"action": name, **given})


def computer_call(*checks: JsonObject) -> ScriptedCall:
    actions = [{"type": "click", "x": 10, "y": 20, "button": "left"}, SHOT]
    said = {"actions": actions, "pending_safety_checks": [*checks]}
    return ScriptedCall(name="computer_call", arguments=said)


def seen(call: ToolCall, *, approved: bool = False) -> ToolResult:
    return ToolResult(call.call_id, (picture(),), call.name, approved=approved)


def failed(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call.call_id, (Text(why),), call.name, success=False)


@pytest.mark.parametrize("model", ANTHROPICS)
async def test_anthropics_models_use_the_tool_that_they_take(
    fake: FakeProvider, http: HttpClient, model: str
) -> None:
    talk = Talk(fake, http, model)
    write = member if "-5-5" in model or (model.endswith("-5") and "opus" in model) else older
    click, shot = await talk.asks(
        write("left_click", {"coordinate": [10, 20]}), write("screenshot", {}), reasoning="Hm."
    )
    assert (click.arguments, shot.arguments) == ({"actions": [CLICK]}, {"actions": [SHOT]})
    talk.told(seen(click), seen(shot))
    (typed,) = await talk.asks(write("type", {"text": "Grüße {{secret:PIN}}"}), reasoning="So.")
    assert typed.arguments == {
        "actions": [{"type": "type", "text": "Grüße "}, {"type": "type", "secret": "PIN"}]
    }
    talk.told(seen(typed))
    assert await talk.asks() == []
    assert talk.statuses() == [200, 200, 200]


async def test_a_batch_that_failed_is_told_as_the_vendor_wants_it(
    fake: FakeProvider, http: HttpClient
) -> None:
    talk = Talk(fake, http, "claude-opus-5-5")
    first, second, third = await talk.asks(
        member("left_click", {"coordinate": [10, 20]}),
        member("left_click", {"coordinate": [9999, 20]}),
        member("screenshot", {}),
    )
    off = "The point is outside of the screen (1280 x 800)."
    talk.told(seen(first), failed(second, off), failed(third, HALTED))
    await talk.asks()
    assert talk.statuses() == [200, 200]
    *_, said = msgspec.convert(talk.sent()[-1]["messages"], list[JsonObject])
    results = msgspec.convert(said["content"], list[JsonObject])
    assert [one.get("toolset_name") for one in results] == ["computer"] * 3
    assert [one.get("is_error", False) for one in results] == [False, True, True]


async def test_a_call_that_cannot_be_read_goes_on(fake: FakeProvider, http: HttpClient) -> None:
    talk = Talk(fake, http, "claude-opus-5-5")
    (call,) = await talk.asks(member("left_click", {"coordinate": "there"}))
    assert call.malformed
    assert (call.problem or "").startswith("The input of left_click cannot be read: ")
    talk.told(failed(call, call.problem or ""))
    await talk.asks()
    assert talk.statuses() == [200, 200]


async def test_a_form_that_is_refused_is_stepped_down_from(
    fake: FakeProvider, http: HttpClient
) -> None:
    talk = Talk(fake, http, "claude-sonnet-4-7")
    (click,) = await talk.asks(older("left_click", {"coordinate": [10, 20]}))
    assert click.arguments == {"actions": [CLICK]}
    talk.told(seen(click))
    await talk.asks()
    assert talk.statuses() == [400, 200, 200]


async def test_a_named_tool_is_no_order_where_none_can_be_given(
    fake: FakeProvider, http: HttpClient
) -> None:
    for model in ("claude-opus-5-5", "claude-opus-5", "claude-sonnet-4-5", "gpt-5.4"):
        talk = Talk(fake, http, model)
        talk.request = replace(
            talk.request, tool_choice=NamedTool("computer"), reasoning=ReasoningOptions()
        )
        await talk.asks()
    assert set(talk.statuses()) == {200}


@pytest.mark.parametrize("size", [(1280, 800), (2200, 1000), (2576, 2576)])
async def test_many_pictures_are_sent_as_far_as_they_are_taken(
    fake: FakeProvider, http: HttpClient, size: tuple[int, int]
) -> None:
    talk = Talk(fake, http, "claude-opus-5")
    for number in range(25):
        call = ToolCall(f"toolu_{number}", "computer", {"actions": [SHOT]})
        talk.add_call(call)
        talk.told(ToolResult(call.call_id, (picture(*size),), "computer"))
    await talk.asks()
    assert talk.statuses() == [200]


async def test_openai_batches_actions(fake: FakeProvider, http: HttpClient) -> None:
    talk = Talk(fake, http, "gpt-5.4")
    (call,) = await talk.asks(computer_call(), reasoning="Hm.")
    assert call.arguments == {"actions": [CLICK, SHOT]}
    talk.told(seen(call))
    await talk.asks()
    assert talk.statuses() == [200, 200]
    assert {one.path for one in fake.requests()} == {"/v1/responses"}


CHECK: JsonObject = {"id": "cu_sc_1", "code": "malicious_instructions", "message": "Look."}


async def test_checks_are_acknowledged_once_a_person_approved(
    fake: FakeProvider, http: HttpClient
) -> None:
    talk = Talk(fake, http, "gpt-5.4")
    (call,) = await talk.asks(computer_call(CHECK), reasoning="Hm.")
    assert call.arguments["checks"] == [CHECK]
    talk.told(seen(call, approved=True))
    await talk.asks()
    assert talk.statuses() == [200, 200]
    output = msgspec.convert(talk.sent()[-1]["input"], list[JsonObject])[-1]
    assert output["acknowledged_safety_checks"] == [CHECK]


async def test_no_check_is_acknowledged_that_a_person_denied(
    fake: FakeProvider, http: HttpClient
) -> None:
    talk = Talk(fake, http, "gpt-5.4")
    (call,) = await talk.asks(computer_call(CHECK), reasoning="Hm.")
    talk.told(failed(call, "A person denied this."))
    await talk.asks()
    assert talk.statuses() == [200, 200]
    assert b"acknowledged_safety_checks" not in msgspec.json.encode(talk.sent())


async def test_the_preview_is_used_as_it_wants_it(fake: FakeProvider, http: HttpClient) -> None:
    talk = Talk(fake, http, "computer-use-preview")
    said = {"action": {"type": "wait"}}
    (call,) = await talk.asks(ScriptedCall(name="computer_call", arguments=said))
    assert call.arguments == {"actions": [{"type": "wait"}]}
    talk.told(seen(call))
    await talk.asks()
    assert talk.statuses() == [200, 200]


@pytest.mark.parametrize(
    ("model", "place"), [("gpt-4o", {"x": 10, "y": 20}), ("gemini-3-pro", {"x": 8, "y": 25})]
)
async def test_any_other_model_calls_a_function(
    fake: FakeProvider, http: HttpClient, model: str, place: JsonObject
) -> None:
    talk = Talk(fake, http, model)
    written: JsonObject = {"actions": [{"type": "click", "at": place}, SHOT]}
    (call,) = await talk.asks(ScriptedCall(name="computer", arguments=written))
    assert call.arguments == {"actions": [CLICK, SHOT]}
    talk.told(seen(call))
    await talk.asks()
    assert talk.statuses() == [200, 200]
    _, again, *_ = msgspec.convert(talk.sent()[-1]["messages"], list[JsonObject])
    assert msgspec.json.encode(again).count(b"click") == 1
    assert {one.path for one in fake.requests()} == {"/v1/chat/completions"}


async def test_a_conversation_goes_on_with_a_model_of_another_vendor(
    fake: FakeProvider, http: HttpClient
) -> None:
    talk = Talk(fake, http, "claude-opus-5-5")
    (click,) = await talk.asks(member("left_click", {"coordinate": [10, 20]}), reasoning="Hm.")
    talk.told(seen(click))
    for model in ("gpt-5.4", "claude-opus-4-6", "gpt-4o", "claude-opus-5"):
        other = Talk(fake, http, model)
        other.request = replace(talk.request, model=model)
        await other.asks()
    assert set(talk.statuses()) == {200}
