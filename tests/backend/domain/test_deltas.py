"""A whole answer in deltas of bounded size, and how much JSON they make."""

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.deltas import (
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    in_pieces,
    size_of,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.usage import Usage

DONE = Finished(FinishReason.STOP, Usage(1, 1))


def tokens(*texts: str) -> tuple[JsonObject, ...]:
    return tuple({"token": text, "logprob": -0.1} for text in texts)


@examples
@given(st.lists(st.text(max_size=3), max_size=300))
def test_each_piece_has_the_text_of_its_tokens(texts: list[str]) -> None:
    whole = TextDelta("".join(texts), tokens(*texts))
    pieces = [one for one in in_pieces([whole]) if isinstance(one, TextDelta)]
    assert "".join(one.text for one in pieces) == whole.text
    assert sum((one.logprobs for one in pieces), ()) == whole.logprobs
    assert all(len(one.logprobs) <= 64 for one in pieces)
    for one in pieces:
        assert one.text == "".join(str(token["token"]) for token in one.logprobs)


def test_tokens_that_do_not_make_up_the_text_follow_it() -> None:
    told = tokens(*["a"] * 100)
    assert list(in_pieces([TextDelta("Hi", told), DONE])) == [
        TextDelta("Hi", told[:64]),
        TextDelta("", told[64:]),
        DONE,
    ]


def test_other_deltas_are_the_same() -> None:
    deltas = [TextDelta("x" * 100_000), TextDelta("a", tokens("a")), DONE]
    assert list(in_pieces(deltas)) == deltas


def test_the_size_grows_with_all_that_the_model_wrote() -> None:
    long = "x" * 5000
    large: list[Delta] = [TextDelta(long), ReasoningDelta(long), RefusalDelta(long)]
    large += [ToolCallDelta(0, arguments=long), TextDelta("a", tokens(*["a"] * 100))]
    assert all(size_of([one]) > 5000 for one in large)
    assert size_of([TextDelta("a"), DONE]) < 500
