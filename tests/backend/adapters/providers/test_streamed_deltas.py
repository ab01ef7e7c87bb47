"""What becomes of the bytes of a stream: the deltas before a fault, then the fault."""

import asyncio
from collections.abc import Mapping

import pytest

from cartrita.adapters.providers import streamed_deltas
from cartrita.adapters.providers.streamed_deltas import StreamedDeltas, told_before
from cartrita.domain.deltas import Accepted, Delta, TextDelta
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamMalformed
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

LOST = Receipt("seed", "openai_chat", "anthropic_messages", "dropped", "It has none.")
CUT = UpstreamCut("It broke off.", provider="fake")


class Response:
    """A response of these pieces; an error among them is raised, and None never comes."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, *pieces: bytes | UpstreamError | None) -> None:
        self.rest = list(pieces)

    async def read(self) -> bytes:
        piece = self.rest.pop(0) if self.rest else b""
        if isinstance(piece, UpstreamError):
            raise piece
        if piece is None:
            await asyncio.Event().wait()
        return piece or b""


class Words:
    """A dialect in which each event is a word; some have a meaning of their own."""

    line_bytes = 0

    def __init__(self, model: str | None = None) -> None:
        self.model = model
        self.done = False
        self.complete = False
        self.ignored = 0
        self.counted: Usage | None = None

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        word = data if isinstance(data, str) else data.decode()
        match word:
            case "END":
                self.done = self.complete = True
            case "COMPLETE":
                self.complete = True
            case "ODD":
                self.ignored += 1
            case "WRONG":
                raise UpstreamMalformed("That is no word.", provider="fake")
            case _:
                return [TextDelta(word)]
        return []

    def end(self) -> list[Delta]:
        if not self.complete:
            raise CUT
        return [TextDelta("(end)")]


def words(*said: str) -> bytes:
    return b"".join(b"data: %b\n\n" % word.encode() for word in said)


async def heard(
    response: Response,
    parser: Words | None = None,
    receipts: tuple[Receipt, ...] = (),
    limit: int = 100,
) -> tuple[list[Delta], UpstreamError | None]:
    accepted = Accepted("fake", "m", receipts)
    deltas = StreamedDeltas("fake", response, parser or Words(), accepted, limit)
    seen: list[Delta] = []
    try:
        async for delta in deltas:
            seen.append(delta)  # noqa: PERF401 - what came before an error is wanted too
    except UpstreamError as error:
        with pytest.raises(type(error)):
            await anext(deltas)
        return seen, error
    with pytest.raises(StopAsyncIteration):
        await anext(deltas)
    return seen, None


def texts(*said: str) -> list[Delta]:
    return [TextDelta(word) for word in said]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_pieces_of_any_size(size: int) -> None:
    said = words("a", "b", "END")
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    assert await heard(Response(*pieces)) == (texts("a", "b", "(end)"), None)


async def test_an_end_without_its_mark() -> None:
    assert await heard(Response(words("a"))) == (texts("a"), CUT)
    assert await heard(Response(words("a"), CUT)) == (texts("a"), CUT)
    assert await heard(Response()) == ([], CUT)


async def test_a_cut_after_the_whole_answer_is_none() -> None:
    assert await heard(Response(words("a", "COMPLETE"), CUT)) == (texts("a", "(end)"), None)


async def test_what_came_before_a_fault_is_heard_first() -> None:
    seen, error = await heard(Response(words("a", "b", "WRONG", "c")))
    assert seen == texts("a", "b")
    assert type(error) is UpstreamMalformed

    seen, error = await heard(Response(words("a") + b"data: " + b"x" * 101))
    assert seen == texts("a")
    assert error is not None
    assert "too long" in error.message


async def test_a_line_that_is_too_long_would_come_again_after_a_part_of_an_answer() -> None:
    long = b"data: " + b"x" * 101
    for said, retryable in ((b"", True), (words("ODD"), True), (words("a"), False)):
        for pieces in ((said + long,), (said, long)):
            _, error = await heard(Response(*filter(None, pieces)))
            assert error is not None
            assert error.retryable == retryable


async def test_a_dialect_may_need_longer_lines_than_there_are() -> None:
    class Repeating(Words):
        line_bytes = 1000

    long = "x" * 900
    seen, error = await heard(Response(words("a", long, "END")), Repeating())
    assert (seen, error) == (texts("a", long, "(end)"), None)
    seen, error = await heard(Response(words("a", "x" * 1001)), Repeating())
    assert seen == texts("a")
    assert type(error) is UpstreamMalformed


async def test_a_fault_in_what_precedes_a_line_that_is_too_long_comes_first() -> None:
    _, error = await heard(Response(words("WRONG") + b"data: " + b"x" * 101))
    assert error is not None
    assert error.message == "That is no word."


async def test_what_follows_the_end_mark_is_read_and_not_heard() -> None:
    response = Response(words("a", "END"), words("b"), b"", b"later")
    assert await heard(response, Words()) == (texts("a", "(end)"), None)
    assert b"data: b\n\n" not in response.rest

    assert await heard(Response(words("END"), CUT)) == (texts("(end)"), None)


async def test_a_body_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_deltas, "_LAST_BYTES_SECONDS", 0.01)
    async with asyncio.timeout(20):
        assert await heard(Response(words("a", "END"), None)) == (texts("a", "(end)"), None)


async def test_parts_that_are_not_known_are_passed_over() -> None:
    assert await heard(Response(words("ODD", "a", "END"))) == (texts("a", "(end)"), None)


async def test_what_was_lost_is_told_before_the_first_delta_once() -> None:
    said = words("ODD", "a", "b", "END")
    seen, _ = await heard(Response(said), receipts=(LOST,))
    assert seen == [Accepted("fake", "m", (LOST,)), *texts("a", "b", "(end)")]
    seen, _ = await heard(Response(words("END")), receipts=(LOST,))
    assert seen == [Accepted("fake", "m", (LOST,)), *texts("(end)")]
    seen, error = await heard(Response(words("ODD")), receipts=(LOST,))
    assert (seen, error) == ([], CUT)


async def test_a_model_that_calls_itself_otherwise() -> None:
    seen, _ = await heard(Response(words("a", "END")), Words("m-2026"))
    assert seen[0] == Accepted("fake", "m", answered_as="m-2026")


async def test_what_a_provider_counts_at_its_beginning_is_told() -> None:
    parser = Words()
    parser.counted = Usage(9, 1)
    seen, _ = await heard(Response(words("a", "END")), parser)
    assert seen[0] == Accepted("fake", "m", counted=Usage(9, 1))


def test_what_is_told_before() -> None:
    plain, lost = Accepted("p", "m"), Accepted("p", "m", (LOST,))
    assert told_before(plain, None) == told_before(plain, "m") == ()
    assert told_before(lost, None) == told_before(lost, "m") == (lost,)
    assert told_before(lost, "n") == (Accepted("p", "m", (LOST,), answered_as="n"),)
