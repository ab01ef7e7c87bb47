"""A route's deployments are chosen by what they can do, by their health, and in turns."""

from typing import Any, NoReturn

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import (
    DONE,
    REQUEST,
    Ledger,
    ListingProvider,
    NamedProvider,
    RelayingProvider,
    Time,
    answer_to,
    asking,
    call,
    create_gateway,
    overloaded,
    relayed_call,
)

from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.messages import Attachment, Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.models import ModelInfo, ModelProfile
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.tools import ComputerTool, ToolSpec
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routes import ROUTES, Route, Target, infer

GPT, CLAUDE, OLD = "openai/gpt-4o", "anthropic/claude-opus-4-1", "openai/gpt-4"


def route(*targets: Target | str, **values: Any) -> Route:
    return Route(
        targets=tuple(Target(one) if isinstance(one, str) else one for one in targets), **values
    )


def gateway(**routes: Route) -> Gateway:
    providers = [
        ListingProvider("openai", "gpt-4o", "gpt-4", "gpt-4o-audio"),
        ListingProvider("anthropic", "claude-opus-4-1"),
        ListingProvider("own", "strange"),
    ]
    return create_gateway(*providers, routes=routes)


async def chosen(gateway: Gateway, name: str, request: ModelRequest = REQUEST) -> str:
    answer, _ = await answer_to(gateway, call(name, request))
    return f"{answer.provider}/{answer.model}"


class TestNames:
    async def test_the_first_whose_provider_is_configured(self) -> None:
        fast = gateway(fast=route("vllm", "own/tiny", GPT))
        assert await chosen(fast, "fast") == "own/tiny"
        assert (await fast.resolve(None, "fast")).id == "own/tiny"

    @pytest.mark.parametrize("name", ["openai/fa\x00ke", "openai/\ud800", "x" * 257])
    async def test_a_name_that_no_model_can_have(self, name: str) -> None:
        with pytest.raises(NotFound):
            await chosen(gateway(), name)

    async def test_routes_that_have_a_provider_are_listed(self) -> None:
        made = gateway(fast=route("vllm", GPT), slow=route("vllm"), code=route("vllm"))
        assert await made.routes() == ("fast", "chat", "high_volume", "auto")
        ollama = create_gateway(ListingProvider("ollama", "a"), routes={})
        assert (await ollama.routes())[:3] == ("llama3.1:8b", "qwen-coder", "code")

    async def test_a_configured_route_goes_before_a_model_of_its_name(self) -> None:
        assert await chosen(gateway(strange=route(GPT)), "strange") == GPT

    async def test_a_model_goes_before_a_built_in_route(self) -> None:
        litellm, ollama = ListingProvider("litellm", "qwen-coder"), ListingProvider("ollama", "a")
        assert await chosen(create_gateway(ollama, litellm), "qwen-coder") == "litellm/qwen-coder"
        assert await chosen(create_gateway(ollama), "qwen-coder") == "ollama/qwen2.5-coder"

    async def test_with_a_provider_it_is_no_route(self) -> None:
        found = await gateway(fast=route(GPT)).resolve("own", "fast")
        assert found.id == "own/fast"

    async def test_a_provider_whose_models_are_not_known_now_is_passed_over(self) -> None:
        away = ListingProvider("away", error=overloaded())
        both = create_gateway(away, ListingProvider("own", "x"), routes={"r": route("away", "own")})
        assert await chosen(both, "r") == "own/x"

    async def test_none_is_configured(self) -> None:
        with pytest.raises(NotFound, match=r"route llama-cpp-native is configured.*llamacpp"):
            await chosen(gateway(), "llama-cpp-native")

    def test_the_names_of_old(self) -> None:
        assert {
            "llama3.1:8b",
            "qwen-coder",
            "llama2-13b-vllm",
            "llama-cpp-python",
            "llama-cpp-native",
        } < set(ROUTES)


class TestCapabilityRoutes:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("Implement a stack", "code"),
            ("What is CLASSical music?", "code"),
            ("How are you?", "chat"),
        ],
    )
    def test_the_rule(self, text: str, kind: str) -> None:
        assert infer(asking(text)) == kind

    def test_the_last_message_of_the_user_counts(self) -> None:
        messages = (
            Message(Role.USER, (Text("Write a function"),)),
            Message(Role.USER, (Text("Thanks"),)),
            Message(Role.ASSISTANT, (Text("some code"),)),
        )
        assert infer(replace(REQUEST, messages=messages)) == "chat"
        assert infer(replace(REQUEST, messages=())) == "chat"

    async def test_auto_is_one_of_them(self) -> None:
        ollama = create_gateway(ListingProvider("ollama", "a"))
        assert await chosen(ollama, "auto", asking("code it")) == "ollama/qwen2.5-coder"
        assert await chosen(ollama, "auto") == "ollama/llama3.1:8b"
        assert (await ollama.resolve(None, "auto")).id == "ollama/llama3.1:8b"

    async def test_they_can_be_replaced(self) -> None:
        own = gateway(code=route(CLAUDE))
        assert await chosen(own, "auto", asking("code it")) == CLAUDE
        assert await chosen(gateway(auto=route(OLD)), "auto", asking("code it")) == OLD

    async def test_without_their_provider_the_default_model_answers(self) -> None:
        assert await chosen(gateway(), "high_volume") == GPT


class TestTurns:
    async def test_equals_share_by_weight(self) -> None:
        shared = gateway(r=route(Target(GPT, 2), Target(CLAUDE, 1)))
        turns = [await chosen(shared, "r") for _ in range(6)]
        assert turns == [GPT, CLAUDE, GPT, GPT, CLAUDE, GPT]

    async def test_others_keep_their_order(self) -> None:
        ordered = gateway(r=route(CLAUDE, Target(GPT, 1), Target(OLD, 1)))
        assert {await chosen(ordered, "r") for _ in range(4)} == {CLAUDE}

    async def test_one_that_is_ejected_has_no_turn(self) -> None:
        time = Time()
        bad, good = NamedProvider("a", [overloaded()]), NamedProvider("b")
        both = create_gateway(
            bad, good, routes={"r": route(Target("a/m", 1), Target("b/m", 1))}, time=time
        )
        for _ in range(20):
            assert await chosen(both, "r") == "b/m"
        assert len(bad.requests) == 5
        assert both.health()[0].state == "ejected"
        bad.scripts = ([DONE],)
        time.now += 30
        assert "a/m" in [await chosen(both, "r") for _ in range(2)]
        assert both.health() == ()


IMAGE = Attachment("image/png", url="data:image/png;base64,AA==")
TOOL = ToolSpec("f", "", {"type": "object"})


def with_part(part: Any, role: Role = Role.USER) -> ModelRequest:
    return replace(REQUEST, messages=(*REQUEST.messages, Message(role, (part,))))


class TestNeeds:
    @pytest.mark.parametrize(
        "request_",
        [
            with_part(IMAGE),
            with_part(Attachment("application/pdf", url="data:,")),
            replace(REQUEST, response_format=ResponseFormat("json")),
            asking("word " * 20_000),
            with_part(ToolResult("c", (IMAGE,)), Role.TOOL),
            replace(REQUEST, tools=(ComputerTool(1280, 800),)),
        ],
    )
    async def test_who_cannot_is_passed_over(self, request_: ModelRequest) -> None:
        assert await chosen(gateway(r=route(OLD, CLAUDE)), "r", request_) == CLAUDE

    @pytest.mark.parametrize(
        "request_",
        [
            replace(REQUEST, tools=(TOOL,)),
            with_part(ToolCall("c", "f", {}), Role.ASSISTANT),
            with_part(Attachment("text/plain", url="data:,")),
            REQUEST,
        ],
    )
    async def test_who_can_is_not(self, request_: ModelRequest) -> None:
        assert await chosen(gateway(r=route(OLD, CLAUDE)), "r", request_) == OLD

    async def test_who_is_not_known_is_tried(self) -> None:
        unknown = gateway(r=route(OLD, "own/strange"))
        assert await chosen(unknown, "r", with_part(IMAGE)) == "own/strange"

    async def test_nobody_can(self) -> None:
        audio = with_part(Attachment("audio/wav", url="data:,"))
        with pytest.raises(InvalidInput, match="audio") as caught:
            await chosen(gateway(r=route(OLD, CLAUDE)), "r", audio)
        assert caught.value.fields == {
            "messages[1]": ["No model of the route r takes audio. openai/gpt-4o-audio would."]
        }

    @pytest.mark.parametrize(
        ("origin", "instructions", "field"),
        [
            ("openai_chat", (), "messages"),
            ("openai_chat", (Text("Be brief."),), "messages"),
            ("openai_responses", (), "input"),
            ("anthropic_messages", (), "messages"),
        ],
    )
    async def test_the_field_is_named_as_the_caller_names_it(
        self, origin: str, instructions: tuple[Text, ...], field: str
    ) -> None:
        audio = with_part(Attachment("audio/wav", url="data:,"))
        asked = replace(audio, origin=origin, instructions=instructions)
        with pytest.raises(InvalidInput) as caught:
            await chosen(gateway(r=route(OLD, CLAUDE)), "r", asked)
        assert set(caught.value.fields) == {field}

    async def test_a_part_that_nobody_takes_is_named_where_it_was_sent(self) -> None:
        audio = Attachment("audio/wav", url="data:,")
        asked = replace(with_part(audio), origin="openai_chat")
        asked.places.add(audio, "messages[1].content[2]", "input_audio.data")
        with pytest.raises(InvalidInput) as caught:
            await chosen(gateway(r=route(OLD, CLAUDE)), "r", asked)
        assert set(caught.value.fields) == {"messages[1].content[2].type"}

    async def test_the_window_holds_the_answer_too(self) -> None:
        asked = replace(REQUEST, sampling=Sampling(max_tokens=100_000))
        assert await chosen(gateway(r=route(OLD, GPT)), "r", asked) == GPT

    async def test_what_a_provider_lists_goes_before_what_a_name_tells(self) -> None:
        own = ListingProvider("own", "gpt-4o")
        own.listed = [ModelInfo("own", "gpt-4o", ModelProfile(known=True))]
        made = create_gateway(
            own, ListingProvider("anthropic", "claude-opus-4-1"), routes={"r": route("own", CLAUDE)}
        )
        await made.models()
        assert await chosen(made, "r", with_part(IMAGE)) == CLAUDE

    async def test_nor_anybody_else(self) -> None:
        long = asking("word " * 2_000_000)
        with pytest.raises(InvalidInput, match=r"takes \d+ tokens\.$"):
            await chosen(gateway(r=route(OLD, CLAUDE)), "r", long)

    async def test_a_single_deployment_is_not_compared(self) -> None:
        assert await chosen(gateway(r=route(OLD)), "r", with_part(IMAGE)) == OLD


class TestRelayOnly:
    """Calls that no provider of another dialect can answer."""

    async def test_the_first_that_takes_it_answers(self) -> None:
        made = create_gateway(
            NamedProvider("other"),
            RelayingProvider("away", [overloaded()]),
            RelayingProvider("own", [b"one\n.\n"]),
            routes={"r": route("other/m", "away/m", "own/m")},
        )
        asked = relayed_call("r", relay_only=True, parse=_unreadable)
        answer, _ = await answer_to(made, asked)
        assert answer.provider == "own"
        assert [one.provider for one in answer.failovers] == ["away"]

    @pytest.mark.parametrize("name", ["r", "other/m", "auto"])
    async def test_without_one_it_says_so(self, name: str) -> None:
        made = create_gateway(NamedProvider("other"), routes={"r": route("other/m", "other/n")})
        with pytest.raises(InvalidInput, match="no such endpoint"):
            await answer_to(made, relayed_call(name, relay_only=True, parse=_unreadable))

    async def test_what_costs_nothing_is_not_in_the_ledger(self) -> None:
        ledger = Ledger()
        made = create_gateway(RelayingProvider("own", [b"one\n.\n"]), ledger=ledger)
        await answer_to(made, relayed_call("own/m", relay_only=True, recorded=False))
        assert not ledger.entries


def _unreadable() -> NoReturn:
    raise InvalidInput.of("model", "no such endpoint")
