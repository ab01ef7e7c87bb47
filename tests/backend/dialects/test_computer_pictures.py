"""The oldest pictures of a desktop are left out before a request would be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.pictures import picture
from tests.backend.examples import examples

from cartrita.dialects.computer_pictures import OLDER, PictureLimits, fitted, size_of
from cartrita.domain.messages import (
    Attachment,
    Message,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool

LIMITS = PictureLimits(most=8, many=4, side=2576, side_of_many=2000, patches=4784)


def conversation(*pictures: Attachment, desktop: bool = True) -> ModelRequest:
    messages = [Message(Role.USER, (Text("Go"),))]
    for number, one in enumerate(pictures):
        thought = Reasoning(f"thought {number}", signature="s", origin="anthropic_messages")
        messages.append(Message(Role.ASSISTANT, (thought, ToolCall(f"c{number}", "computer", {}))))
        messages.append(Message(Role.TOOL, (ToolResult(f"c{number}", (one,)),)))
    tools = (ComputerTool(1280, 800),) if desktop else ()
    return ModelRequest(owner_id="o", model="m", messages=tuple(messages), tools=tools)


def kept(request: ModelRequest) -> list[bool]:
    results = [
        part for one in request.messages for part in one.parts if isinstance(part, ToolResult)
    ]
    return [isinstance(result.content[0], Attachment) for result in results]


def thoughts(request: ModelRequest) -> list[str]:
    parts = (part for one in request.messages for part in one.parts)
    return [part.text for part in parts if isinstance(part, Reasoning)]


def test_the_size_of_a_picture_is_read() -> None:
    assert size_of(picture(1280, 800)) == (1280, 800)


@pytest.mark.parametrize(
    "url", [None, "https://a.test/b.png", "data:image/png;base64,AAAA", "data:image/png;base64,!"]
)
def test_a_picture_may_have_a_size_that_is_not_known(url: str | None) -> None:
    assert size_of(Attachment("image/png", url=url)) == (0, 0)


@pytest.mark.parametrize(
    ("size", "count", "left_out"),
    [
        ((1280, 800), 8, 0),
        ((1280, 800), 9, 4),
        ((1280, 800), 12, 4),
        ((1280, 800), 13, 8),
        ((2200, 1000), 4, 0),
        ((2200, 1000), 5, 2),
    ],
)
def test_the_oldest_are_left_out_by_the_dozen(
    size: tuple[int, int], count: int, left_out: int
) -> None:
    request = fitted(conversation(*[picture(*size)] * count), LIMITS)
    assert kept(request) == [False] * left_out + [True] * (count - left_out)
    assert len(thoughts(request)) == count


def test_what_is_left_out_says_so() -> None:
    request = fitted(conversation(*[picture(10, 10)] * 9), LIMITS)
    assert request.messages[2].parts == (ToolResult("c0", (OLDER,)),)


@pytest.mark.parametrize("size", [(2577, 10), (10, 2577), (2576, 2576)])
def test_a_picture_that_is_too_large_is_left_out(size: tuple[int, int]) -> None:
    request = fitted(conversation(picture(*size), picture(1280, 800)), LIMITS)
    assert kept(request) == [False, True]
    assert f"{size[0]} x {size[1]}" in str(request.messages[2])


def test_bound_reasoning_goes_with_what_it_was_written_for() -> None:
    """Of a request with 9 pictures 4 are left out: what was thought when there were fewer goes."""
    limits = PictureLimits(most=8, many=8, side=2576, side_of_many=2576, bound=True)
    nine = fitted(conversation(*[picture(10, 10)] * 9), limits)
    assert thoughts(nine) == []
    twelve = fitted(conversation(*[picture(10, 10)] * 12), limits)
    assert thoughts(twelve) == ["thought 9", "thought 10", "thought 11"]


def test_a_request_that_fits_stays_as_it_is() -> None:
    request = conversation(picture(1280, 800))
    assert fitted(request, LIMITS) == request


def test_a_request_without_a_desktop_is_left_alone() -> None:
    request = conversation(*[picture(5000, 5000)] * 30, desktop=False)
    assert fitted(request, LIMITS) is request


@examples
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=1, max_size=30))
def test_no_request_has_more_than_a_provider_takes(sizes: list[tuple[int, int]]) -> None:
    request = fitted(conversation(*(picture(*size) for size in sizes)), LIMITS)
    left = [size for size, stays in zip(sizes, kept(request), strict=True) if stays]
    assert len(left) <= LIMITS.most
    assert len(left) <= LIMITS.many or max(map(max, left)) <= LIMITS.side_of_many
    assert all(max(size) <= LIMITS.side for size in left)
