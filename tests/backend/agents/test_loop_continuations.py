"""An answer that ended early goes on after the steps that it did with tools."""

from tests.backend.agents.loop_fixture import (
    LoopFixture,
    asked,
    called,
    completed,
    said,
)

from cartrita.domain.continued_answers import beginning_of
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.fold import fold
from cartrita.domain.messages import Citation, Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.runs import Claim, RunStatus
from cartrita.tools.schema import tool
from cartrita.tools.tool import Source, ToolContext, ToolOutput

CUT = UpstreamCut("It broke.", provider="p")


async def find(_: ToolContext, what: str) -> ToolOutput:
    """Find."""
    return ToolOutput(f"found {what}", sources=(Source(what, f"https://{what}"),))


def finding(*scripts: object) -> LoopFixture:
    return LoopFixture(*scripts, tools=(tool(find),))  # type: ignore[arg-type]


async def broken(fixture: LoopFixture) -> Claim:
    """The claim of a run that continues this fixture's, which breaks off."""
    ending = await fixture.ending(asked())
    assert ending.status in (RunStatus.INTERRUPTED, RunStatus.FAILED)
    assert ending.message is not None
    begins = beginning_of(ending.message.parts)
    assert begins is not None
    return asked(prefix=begins.text, done=begins.parts)


FIND = called(("find", {"what": "a"}), text="See.")


async def test_the_text_after_a_step_goes_on_and_the_step_is_not_done_again() -> None:
    claimed = await broken(finding(FIND, [TextDelta("It is "), CUT]))
    again = finding(said("a. [1]"))
    ending = await again.ending(claimed)
    assert completed(ending).text == "See.\n\nIt is a. [1]"
    (request,) = again.provider.requests
    assert [message.role for message in request.messages[1:4]] == [
        Role.ASSISTANT,
        Role.TOOL,
        Role.ASSISTANT,
    ]
    assert request.messages[1].parts == (Text("See."), ToolCall("c1", "find", {"what": "a"}))
    assert request.messages[3].text.strip() == "It is"
    assert ending.message == Message(
        Role.ASSISTANT,
        (
            Text("See."),
            ToolCall("c1", "find", {"what": "a"}),
            ToolResult("c1", (Text("found a\n\nSources:\n[1] a https://a"),), "find"),
            Citation("a", "https://a"),
            Text("\n\nIt is a. [1]"),
        ),
    )
    assert ending.message == fold(again.queue.events[claimed.run_id]).message
    assert completed(ending).sources == (Citation("a", "https://a"),)


async def test_one_that_broke_before_it_said_more_is_asked_again() -> None:
    claimed = await broken(finding(FIND, [CUT]))
    again = finding(said("It is a."))
    assert completed(await again.ending(claimed)).text == "See.\n\nIt is a."
    (request,) = again.provider.requests
    assert request.messages[-1].role is Role.TOOL


async def test_a_continuation_works_in_steps_too_and_goes_on_from_its_records() -> None:
    claimed = await broken(finding(FIND, [TextDelta("First, "), CUT]))
    more = called(("find", {"what": "b"}), text="b.", first=2)
    again = finding(more, said("All found."))
    ending = await again.ending(claimed)
    assert completed(ending).text == "See.\n\nFirst, b.\n\nAll found."
    assert [source.index for source in completed(ending).sources] == [1, 2]
    first, second = again.provider.requests
    assert [message.role for message in first.messages[-3:]][1] is Role.ASSISTANT
    assert second.messages[3].text.strip() == "First, b."
    assert second.messages[4].role is Role.TOOL
    assert len(second.messages) == 5, "what follows is no continuation of the text before"

    events, steps = again.recorded(claimed)
    events = events[:-2]  # the words after the last record, and their usage
    resumed = finding(said("All found."))
    assert completed(await resumed.resumed(claimed, events, steps)).text == completed(ending).text
    assert resumed.provider.requests[0].messages == second.messages
