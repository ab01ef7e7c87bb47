"""What a model is sent grows at its end, and is made shorter in large pieces."""

from cartrita.agents.context import Context
from cartrita.domain.messages import Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RuleCounter

FIRST = (Message(Role.USER, (Text("Hi"),)),)


def step(context: Context, number: int, length: int = 2000) -> None:
    context.add(
        Message(Role.ASSISTANT, (ToolCall(f"c{number}", "look", {}),)),
        Message(Role.TOOL, (ToolResult(f"c{number}", (Text("word " * (length // 5)),)),)),
    )


def test_nothing_before_the_end_changes_while_there_is_room() -> None:
    context = Context(FIRST, RuleCounter(), "m", 100_000)
    before = context.messages()
    for number in range(9):
        step(context, number)
        assert context.messages()[: len(before)] == before
        before = context.messages()


def test_old_results_are_left_out_many_at_once() -> None:
    context = Context(FIRST, RuleCounter(), "m", 4000)
    changes, before = 0, context.messages()
    for number in range(40):
        step(context, number)
        now = context.messages()
        changes += now[: len(before)] != before
        before = now
    assert 2 <= changes <= 12
    results = [part for m in before for part in m.parts if isinstance(part, ToolResult)]
    assert "left out" in results[0].text
    assert results[-1].text.startswith("word")
    assert [part.call_id for part in results] == [f"c{number}" for number in range(40)]


def test_results_of_one_step_share_the_limit() -> None:
    context, counter = Context(FIRST, RuleCounter(), "m", 4000), RuleCounter()
    long = [ToolResult(f"c{n}", (Text("word " * 4000),)) for n in range(8)]
    short = ToolResult("c8", (Text("as it was"),))
    calls = tuple(ToolCall(f"c{n}", "look", {}) for n in range(9))
    context.add(Message(Role.ASSISTANT, calls), Message(Role.TOOL, (*long, short)))
    sent = context.messages()
    request = ModelRequest(owner_id="", model="m", messages=sent[1:])
    assert counter.count_request(request).tokens <= 4000
    results = [part for part in sent[-1].parts if isinstance(part, ToolResult)]
    assert all(400 <= len(part.text) < 2000 for part in results[:-1])
    assert results[-1] is short


def test_short_results_and_the_last_step_stay() -> None:
    context = Context(FIRST, RuleCounter(), "m", 10)
    step(context, 1, length=50)
    step(context, 2)
    texts = [
        part.text for m in context.messages() for part in m.parts if isinstance(part, ToolResult)
    ]
    assert texts[0].startswith("word")
    assert texts[1].startswith("word")
