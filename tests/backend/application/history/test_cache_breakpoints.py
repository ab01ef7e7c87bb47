"""Cache breakpoints of a long conversation: as many as a provider takes, the latest first."""

from cartrita.application.history.cache_breakpoints import keep_latest
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.tools import ToolSpec, VendorTool

MARK = CacheBreakpoint()


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


def test_the_latest_breakpoints_are_kept() -> None:
    messages = tuple(user(Text(str(number), MARK), Text("x")) for number in range(6))
    kept = keep_latest(messages, (), ())
    assert kept[2:] == messages[2:]
    assert kept[:2] == tuple(user(Text(str(number)), Text("x")) for number in range(2))


def test_those_of_instructions_and_tools_count() -> None:
    tools = (ToolSpec("a", "", {}, cache=MARK), ToolSpec("b", "", {}), VendorTool("o", "c", {}))
    messages = (user(Text("0", MARK)), user(Text("1", MARK)))
    assert keep_latest(messages, (Text("x", MARK), Text("y")), tools) == messages
    many = (Text("x", MARK),) * 4
    assert keep_latest(messages, many, tools) == (user(Text("0")), user(Text("1")))


def test_every_part_that_can_hold_one_is_counted() -> None:
    image = Attachment("image/png", url="data:image/png;base64,AA==", cache=MARK)
    found = ToolResult("c1", (Text("a", MARK), Text("b"), image), cache=MARK)
    call = ToolCall("c1", "look", {}, MARK)
    messages = (
        Message(Role.ASSISTANT, (Reasoning("hm"), call)),
        Message(Role.TOOL, (found,)),
        user(Text("now", MARK)),
    )
    unmarked = Message(Role.ASSISTANT, (Reasoning("hm"), ToolCall("c1", "look", {})))
    assert keep_latest(messages, (), ()) == (unmarked, *messages[1:])
