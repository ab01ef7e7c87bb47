"""The most that a call may use, by what is known of it before and while it is answered."""

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import REQUEST, asking, call

from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Attachment, Message, Role, ToolResult
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.domain.scopes import Operation
from cartrita.gateway.usage_bounds import (
    OutputBound,
    most_input,
    most_output,
    most_output_of_model,
)


def unreadable() -> ModelRequest:
    raise InvalidInput.of("x", "only its provider understands it")


async def test_a_request_that_cannot_be_read_is_bounded_by_its_size() -> None:
    made = call("m", parse=unreadable, size=4000)
    assert await most_input(made, "m") == 4000
    assert await most_output(made) is None


@pytest.mark.parametrize("text", ["x7/Qz" * 100, "\U00012000" * 100, " a" * 100])
async def test_a_text_is_bounded_whatever_a_tokenizer_makes_of_it(text: str) -> None:
    made = call("m", asking(text))
    assert len(text.encode()) <= await most_input(made, "m") <= len(text.encode()) + 10


async def test_what_an_answer_goes_on_from_is_input_too() -> None:
    assert await most_input(call("m"), "m") == 6
    assert await most_input(call("m"), "m", "x" * 400) == 6 + 401


@pytest.mark.parametrize(
    ("attachment", "least", "most"),
    [
        (Attachment("image/png", url="data:image/png;base64," + "A" * 1_000_000), 4096, 4300),
        (Attachment("application/pdf", url="https://example.com/a.pdf"), 4096, 4300),
        (Attachment("application/pdf", url="data:;base64," + "A" * 400_000), 100_000, 101_000),
    ],
)
async def test_attachments_are_bounded_by_their_kind(
    attachment: Attachment, least: int, most: int
) -> None:
    for part in (attachment, ToolResult("c", (attachment,))):
        made = call("m", replace(REQUEST, messages=(Message(Role.USER, (part,)),)))
        assert least <= await most_input(made, "m") <= most
    assert await most_input(made, "text-embedding-3-small") <= 8191


async def test_every_answer_may_be_as_long_as_the_request_allows() -> None:
    limited = replace(REQUEST, sampling=Sampling(max_tokens=100))
    assert await most_output(call("m", limited, choices=3)) == 300
    assert await most_output(call("m", limited, operation=Operation.EMBEDDINGS)) == 0
    assert most_output_of_model(call("m", choices=2), "gpt-5-chat", 10) == 2 * 16384
    assert most_output_of_model(call("m"), "nobody-knows-it", 10) == 10


def test_bytes_are_counted_until_it_is_known_how_many_of_them_are_text() -> None:
    bound, text = OutputBound(), "word" * 100
    assert bound.add(4000) == 1500  # all could be text
    assert bound.count(lambda: text) == 150
    assert bound.add(4000) == 150 + 300  # twice as much of it as before
