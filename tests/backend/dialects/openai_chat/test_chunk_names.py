"""Each chunk of a relayed stream tells the asked name in place of the sent one; all else stays."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import splits
from tests.backend.examples import dialect_examples

from cartrita.dialects import relayed_frames
from cartrita.dialects.openai_chat.chunk_names import RenamedChunks
from cartrita.dialects.openai_chat.relay import Monitor
from cartrita.domain.relays import ModelNames

NAMES = ModelNames("p/m", "m")
TEXTS = (
    *("Hello", "", "m", "\\", '"model":"m"', ',"model":"m"}', 'data: {"model":"m"', "x" * 3000),
    *('","model":"m"', '{"id":"x","model":"m"}\n\ndata: {"id":"x","model":"m"'),
)
MODELS = ("m", "m", "m", "m-2026", "", None)
ORDERS = ("itmc", "itcm", "ctim", "mict", "itc")
ENDS = ("\n\n", "\n\n", "\r\n\r\n", "\r\r")


def chunk(
    content: str, model: Any, order: str, created: int, metadata: dict[str, str]
) -> dict[str, Any]:
    """A chunk with its fields in this order, as servers differ in it."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    fields = {"i": ("id", "x"), "c": ("choices", [choice]), "m": ("model", model)}
    ordered = [{**fields, "t": ("created", created)}[letter] for letter in order]
    return dict([*ordered, ("metadata", metadata)] if metadata else ordered)


def frame(data: dict[str, Any], end: str = "\n\n", *, spaces: bool = False) -> bytes:
    separators = None if spaces else (",", ":")
    return f"data: {json.dumps(data, separators=separators)}{end}".encode()


def renamed(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "model": "p/m"} if data.get("model") == "m" else data


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream of one server, most of whose chunks are alike, and what its caller is told."""
    order, end, spaces = (
        draw(st.sampled_from(ORDERS)),
        draw(st.sampled_from(ENDS)),
        draw(st.booleans()),
    )
    unusual = st.tuples(st.sampled_from(MODELS), st.sampled_from(ORDERS), st.integers(5, 6))
    usual = st.just(("m", order, 5))
    sent = told = b""
    for _ in range(draw(st.integers(1, 8))):
        model, own_order, created = draw(st.one_of(usual, usual, unusual))
        metadata = draw(st.sampled_from([{}, {}, {"model": "m"}]))
        data = chunk(draw(st.sampled_from(TEXTS)), model, own_order, created, metadata)
        own_end = draw(st.sampled_from((*ENDS, *[end] * 8)))
        sent += frame(data, own_end, spaces=spaces)
        told += frame(renamed(data), own_end, spaces=spaces)
    done = f"data: [DONE]{end}".encode()
    return sent + done, told + done


@given(streams(), st.data())
@dialect_examples
def test_every_split_of_a_stream_is_renamed_exactly(
    stream: tuple[bytes, bytes], data: st.DataObject
) -> None:
    sent, told = stream
    monitor = Monitor("fake", (), NAMES)
    passed = b"".join(monitor.feed(piece) for piece in data.draw(splits(sent)))
    assert passed.rstrip() == told.rstrip()  # half a line end may be left at the end


@given(streams(), st.data())
@dialect_examples
def test_frames_that_come_together_are_renamed_exactly(
    stream: tuple[bytes, bytes], data: st.DataObject
) -> None:
    sent, told = stream
    frames = list(relayed_frames.split(sent))
    chunks = RenamedChunks(NAMES)
    passed = b""
    while frames:
        count = data.draw(st.integers(1, len(frames)))
        passed += chunks.feed(b"".join(frames[:count]))
        del frames[:count]
    assert passed == told


def test_a_stream_whose_chunks_are_alike_is_parsed_once() -> None:
    for order in ("itmc", "ctim"):
        chunks = RenamedChunks(NAMES)
        first, second = (frame(chunk(text, "m", order, 5, {})) for text in ("Hello", "there"))
        assert chunks.feed(first) == first.replace(b'"m"', b'"p/m"')
        together = second + first + second
        # What comes after the name, or before it, need not even be JSON now.
        broken = together.replace(b'"delta"', b"delta")
        assert chunks.feed(broken) == broken.replace(b'"m"', b'"p/m"')


def test_frames_whose_lines_end_in_different_ways() -> None:
    chunks = RenamedChunks(NAMES)
    one = chunk("Hello", "m", "itmc", 5, {})
    for ends in (("\n\n",), ("\n\n", "\r\n\r\n"), ("\r\r", "\n\n"), ("\n\n", "\n\n")):
        frames = b"".join(frame(one, end) for end in ends)
        assert chunks.feed(frames) == frames.replace(b'"m"', b'"p/m"')
