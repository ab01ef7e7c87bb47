"""What of an answer that ended early another run goes on from, and how its log begins."""

import pytest

from cartrita.domain.continued_answers import Beginning, beginning_of, events_of
from cartrita.domain.fold import fold
from cartrita.domain.messages import (
    Citation,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)

CALL = ToolCall("c1", "calculator", {"expression": "6*7"})
RESULT = ToolResult("c1", (Text("6*7 = 42"),), "calculator")
SOURCE = Citation("a", "https://a")
STEP: tuple[Part, ...] = (Reasoning("hm", "signed", None, "dialect"), Text("See."), CALL, RESULT)


@pytest.mark.parametrize(
    ("parts", "beginning"),
    [
        ((), Beginning()),
        ((Text("half"),), Beginning(text="half")),
        ((Text("half"), SOURCE), Beginning((), (SOURCE,), "half")),
        (STEP, Beginning(STEP)),
        ((*STEP, SOURCE, Text("It is")), Beginning(STEP, (SOURCE,), "It is")),
        ((*STEP, Reasoning("so")), Beginning(STEP)),
        ((ToolCall("c0", "theirs", {}), *STEP), Beginning(STEP)),
        ((Reasoning("hm"), Text("half")), None),
        ((*STEP, Reasoning("so"), Text("It is")), None),
        ((*STEP, Refusal("No.")), None),
        ((CALL,), None),
    ],
)
def test_what_is_gone_on_from(parts: tuple[Part, ...], beginning: Beginning | None) -> None:
    assert beginning_of(parts) == beginning


def test_a_log_that_begins_with_them_has_the_same_parts() -> None:
    parts = (*STEP, SOURCE, VendorPart("dialect", {"a": 1}), Refusal("No."), Text("It is"))
    answer = fold(events_of(parts))
    assert answer.parts == parts
    assert answer.length == len("See.No.It is")
    assert answer.unfinished.ends() == []
    assert fold(events_of([Reasoning("", None, "secret", "dialect")])).parts == (
        Reasoning("", None, "secret", "dialect"),
    )
