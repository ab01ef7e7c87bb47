"""What of an answer that ended early another run goes on from, and how its log begins."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings, strategies
from tests.backend.examples import examples

from cartrita.domain.continued_answers import Beginning, beginning_of, events_of
from cartrita.domain.fold import fold
from cartrita.domain.message_steps import steps_with_results
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
        ((Reasoning("hm"), Text("half")), Beginning(text="half")),
        ((Reasoning("hm", "signed"), Text("half")), None),
        ((Reasoning("hm"),), Beginning()),
        ((*STEP, Reasoning("so"), Text("It is")), Beginning(STEP, text="It is")),
        ((*STEP, Reasoning("so", None, "secret"), Text("It is")), None),
        ((*STEP, Reasoning("so", "signed")), Beginning(STEP)),
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
    assert answer.begun.ends() == []
    assert fold(events_of([Reasoning("", None, "secret", "dialect")])).parts == (
        Reasoning("", None, "secret", "dialect"),
    )


def of(*calls: str) -> list[Part]:
    """Calls as `c0` and results as `r0`, by their ids; anything else is text."""
    parts: list[Part] = []
    for one in calls:
        match one[0]:
            case "c":
                parts.append(ToolCall(one[1:], "f", {}))
            case "r":
                parts.append(ToolResult(one[1:], ()))
            case _:
                parts.append(Text(one))
    return parts


def ids(parts: Iterable[Part]) -> list[str]:
    return [part.call_id for part in parts if isinstance(part, ToolCall | ToolResult)]


def test_ids_that_a_server_uses_again_are_told_apart() -> None:
    """The second step was cut between its results, so its first call was not answered."""
    begins = beginning_of(of("c0", "r0", "c0", "c1", "r1"))
    assert begins == Beginning(tuple(of("c0", "r0", "c1", "r1")))
    assert begins is not None
    again = beginning_of([*begins.parts, *of("Then", "c0", "r0")])
    assert again == Beginning(tuple(of("c0", "r0", "c1", "r1", "Then", "c0", "r0")))


@settings(examples, max_examples=200)
@given(strategies.lists(strategies.sampled_from(["c0", "c1", "r0", "r1", "Text"]), max_size=12))
def test_each_step_that_is_kept_has_its_results(calls: list[str]) -> None:
    begins = beginning_of(of(*calls))
    assert begins is None or beginning_of(begins.parts) == begins
    if begins is None:
        return
    assert fold(events_of(begins.parts)).begun.ends() == []
    kept = [
        part for step in steps_with_results(begins.steps) for each in step for part in each.parts
    ]
    assert sorted(ids(kept)) == sorted(ids(begins.steps))
    assert sorted(ids(kept)) == sorted(
        2 * [part.call_id for part in kept if isinstance(part, ToolCall)]
    )
