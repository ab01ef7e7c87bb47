"""What a model is told of a conversation."""

import asyncio
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from tests.backend.application.fakes import WATCHDOG_S, FakeMessageStore, claim, stored_message

from cartrita.agents.agent import Agent
from cartrita.application.history.history import History
from cartrita.domain.errors import Unavailable
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Message,
    MessageStatus,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.ports.tokens import TokenCount
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.runs import Claim, RunInput
from cartrita.domain.token_estimates import RuleCounter
from cartrita.domain.tools import ToolSpec

AGENT = Agent(id="a", name="A", type="a", description="", instructions="You help.")
NO_WORDS = Agent(id="a", name="A", type="a", description="", instructions="")


async def asked(
    claimed: Claim, *newest_first: StoredMessage | Exception, agent: Agent = AGENT, **bounds: int
) -> ModelRequest:
    given: dict[str, Any] = {"messages": 50, "characters": 1000, **bounds}
    async with asyncio.timeout(WATCHDOG_S):
        return await History(FakeMessageStore(*newest_first), **given).build_request(claimed, agent)


def work(**values: Any) -> Claim:
    return claim(input=RunInput(agent="a", provider="p", model="m", **values))


def texts(request: ModelRequest) -> list[str]:
    return [message.text for message in request.messages]


async def test_the_branch_is_told_the_oldest_first() -> None:
    request = await asked(
        work(),
        stored_message("third"),
        stored_message("second", Role.ASSISTANT),
        stored_message("first"),
    )
    assert texts(request) == ["first", "second", "third"]
    assert [m.role for m in request.messages] == [Role.USER, Role.ASSISTANT, Role.USER]
    assert (request.owner_id, request.model) == ("ann", "m")


async def test_the_store_is_asked_for_no_more_than_is_sent() -> None:
    branch, claimed = FakeMessageStore(stored_message("x")), work()
    await History(branch, messages=7, characters=100).build_request(claimed, AGENT)
    assert branch.asked == [("ann", claimed.user_message_id, 7)]


async def test_what_the_caller_brought_along_comes_before_it() -> None:
    brought = (Message(Role.USER, (Text("earlier"),)), Message(Role.ASSISTANT, (Text("yes"),)))
    assert texts(await asked(work(context=brought), stored_message("now"))) == [
        "earlier",
        "yes",
        "now",
    ]


@pytest.mark.parametrize(
    ("agent", "given", "told"),
    [
        (AGENT, None, "You help."),
        (AGENT, "Be brief.", "You help.\n\nBe brief."),
        (NO_WORDS, "Be brief.", "Be brief."),
        (NO_WORDS, None, None),
    ],
)
async def test_instructions_of_both(agent: Agent, given: str | None, told: str | None) -> None:
    request = await asked(work(instructions=given), stored_message("x"), agent=agent)
    assert request.instructions_text == (told or "")


async def test_sampling_is_passed_on() -> None:
    sampling = Sampling(temperature=0.5, max_tokens=7)
    assert (await asked(work(sampling=sampling), stored_message("x"))).sampling == sampling


async def test_only_the_latest_that_fit_and_always_the_question() -> None:
    branch = [
        stored_message("q" * 60),
        stored_message("a" * 30, Role.ASSISTANT),
        stored_message("p" * 30),
        stored_message("o" * 30),
    ]
    assert texts(await asked(work(), *branch, characters=125)) == ["p" * 30, "a" * 30, "q" * 60]
    assert texts(await asked(work(), *branch, characters=10)) == ["q" * 60]


async def test_it_begins_with_a_users_message() -> None:
    branch = [
        stored_message("now"),
        stored_message("answer", Role.ASSISTANT),
        stored_message("question" * 100),
    ]
    assert texts(await asked(work(), *branch, characters=100)) == ["now"]


async def test_what_was_left_half_said_counts() -> None:
    half = stored_message("half an", Role.ASSISTANT, status=MessageStatus.PARTIAL)
    assert texts(await asked(work(), stored_message("go on"), half, stored_message("tell me"))) == [
        "tell me",
        "half an",
        "go on",
    ]


async def test_what_is_no_text_counts_nothing() -> None:
    picture = Message(Role.USER, (Attachment("image/png", url="data:" + "x" * 5000), Text("see")))
    request = await asked(
        work(), stored_message("now"), stored_message("", message=picture), characters=10
    )
    assert texts(request) == ["see", "now"]


async def test_what_tools_were_asked_and_what_they_found_counts() -> None:
    call, result = ToolCall("c1", "look", {"at": "x" * 60}), ToolResult("c1", (Text("y" * 60),))
    answered = stored_message("", message=Message(Role.ASSISTANT, (Text("I look."), call, result)))
    branch = [stored_message("now"), answered, stored_message("before")]
    assert len((await asked(work(), *branch, characters=150)).messages) == 4
    assert texts(await asked(work(), *branch, characters=140)) == ["now"]


async def test_everything_since_the_user_last_spoke_is_told() -> None:
    call = stored_message("", message=Message(Role.ASSISTANT, (ToolCall("c1", "look", {}),)))
    found = stored_message("", message=Message(Role.TOOL, (ToolResult("c1", (Text("y" * 60),)),)))
    branch = [found, call, stored_message("What?"), stored_message("before")]
    request = await asked(work(), *branch, characters=10)
    assert [message.role for message in request.messages] == [Role.USER, Role.ASSISTANT, Role.TOOL]
    cut = await asked(work(), found, call, messages=2)
    assert [message.role for message in cut.messages] == [Role.ASSISTANT, Role.TOOL]


async def test_everything_that_the_run_was_asked_for_is_passed_on() -> None:
    fields: dict[str, Any] = {
        "tools": (ToolSpec("look", "Looks.", {"type": "object"}),),
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "response_format": ResponseFormat("json"),
        "reasoning": ReasoningOptions(effort="low"),
        "user": "u",
        "origin": "openai_chat",
        "vendor": VendorFields("openai_chat", {"verbosity": "low"}),
        "strict": True,
    }
    given = (Text("Be brief.", CacheBreakpoint()),)
    request = await asked(work(version=2, instructions=given, **fields), stored_message("x"))
    assert request.instructions == (Text("You help."), *given)
    assert {name: getattr(request, name) for name in fields} == fields


async def test_a_message_that_is_gone_is_told_as_nothing() -> None:
    assert texts(await asked(work())) == []


async def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cartrita.application.history.history._RETRY_INTERVAL_S", 0)
    away = Unavailable("away")
    assert texts(await asked(work(), away, away, stored_message("x"))) == ["x"]


async def test_tools_that_ran_are_told_in_the_order_that_models_expect() -> None:
    call, result = ToolCall("c1", "look", {}), ToolResult("c1", (Text("a cat"),))
    parts = (Text("I look."), call, result, Text("A cat."))
    request = await asked(
        work(),
        stored_message("And now?"),
        stored_message("", message=Message(Role.ASSISTANT, parts)),
        stored_message("What is there?"),
    )
    assert [message.role for message in request.messages] == [
        Role.USER,
        Role.ASSISTANT,
        Role.TOOL,
        Role.ASSISTANT,
        Role.USER,
    ]
    assert request.messages[1].parts == (Text("I look."), call)
    assert request.messages[2].parts == (result,)


class TestTokens:
    """What a run says of the most tokens of its history."""

    async def test_the_latest_that_fit_are_told(self) -> None:
        branch = [
            stored_message("four words of five"),
            stored_message("an answer", Role.ASSISTANT),
            stored_message("x" * 400),
        ]
        assert len(texts(await asked(work(), *branch))) == 3
        limited = work(version=3, context_tokens=60)
        assert texts(await asked(limited, *branch)) == ["four words of five"]
        assert len(texts(await asked(work(version=3, context_tokens=200), *branch))) == 3

    async def test_the_question_is_always_told(self) -> None:
        request = await asked(work(version=3, context_tokens=1), stored_message("x" * 400))
        assert texts(request) == ["x" * 400]

    async def test_the_counter_counts_for_the_model(self) -> None:
        counter = _Counter()
        store = FakeMessageStore(stored_message("second"), stored_message("first"))
        history = History(store, messages=50, characters=1000, counter=counter)
        request = await history.build_request(work(version=3, context_tokens=7), AGENT)
        assert (texts(request), counter.models) == (["second"], ["m", "m"])


class _Counter(RuleCounter):
    """Counts five tokens for every request."""

    def __init__(self) -> None:
        self.models: list[str] = []

    def count_request(self, request: ModelRequest) -> TokenCount:
        self.models.append(request.model)
        return TokenCount(5, 0.0)


async def test_a_history_that_is_cut_begins_where_it_began_before() -> None:
    """So that a provider's cache of its beginning is of use for many messages."""
    starts: list[str] = []
    rng = Random(5)
    texts = [f"{number}:" + "x" * rng.randrange(50, 300) for number in range(400)]
    for count in range(1, 400, 2):
        stored = [
            stored_message(text, Role.ASSISTANT if number % 2 else Role.USER, depth=number)
            for number, text in enumerate(texts[:count])
        ]
        store = FakeMessageStore(*reversed(stored))
        history = History(store, messages=60, characters=8000)
        request = await history.build_request(claim(), AGENT)
        sizes = sum(len(message.text) for message in request.messages)
        assert sizes <= 8000
        assert request.messages[-1].text == texts[count - 1]
        assert request.messages[0].role is Role.USER
        if count > 100:
            assert sizes >= 3500, "at least about half of the room is used"
        starts.append(request.messages[0].text.partition(":")[0])
    changes = sum(one != other for one, other in pairwise(starts))
    assert changes <= 24, f"it began anew {changes} times in 200 requests"
