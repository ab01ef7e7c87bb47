"""The parser equals a slow reading of the WHATWG text on every split; rendered frames come back."""

import random
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartrita.kit import sse
from cartrita.kit.sse import EventTooLong, Frame, LineTooLong, Parser


class Reference:
    """WHATWG HTML 9.2.6 read aloud, one character at a time, over the whole stream at once."""

    def __init__(self, stream: bytes) -> None:
        self.frames: list[Frame] = []
        self.data = self.event = self.id = ""
        self.retry: int | None = None
        self.half_line = ""
        # "UTF-8 decode" strips one byte order mark and replaces what is malformed.
        text = stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        line = ""
        position = 0
        while position < len(text):
            character = text[position]
            if character == "\r" and text[position + 1 : position + 2] == "\n":
                position += 1
            if character in "\r\n":
                self.line(line)
                line = ""
            else:
                line += character
            position += 1
        self.half_line = line

    def line(self, line: str) -> None:
        if line == "":
            self.dispatch()
        elif line.startswith(":"):
            pass
        elif ":" in line:
            colon = line.index(":")
            value = line[colon + 1 :]
            self.field(line[:colon], value[1:] if value.startswith(" ") else value)
        else:
            self.field(line, "")

    def field(self, name: str, value: str) -> None:
        if name == "event":
            self.event = value
        elif name == "data":
            self.data += value + "\n"
        elif name == "id":
            if "\0" not in value:
                self.id = value
        elif (
            name == "retry" and value and set(value) <= set("0123456789")
            # the one limit that is ours: 15 digits
            and len(value) <= 15
        ):  # fmt: skip
            self.retry = int(value)

    def dispatch(self) -> None:
        if self.data == "":
            self.event = ""
            return
        data = self.data[:-1] if self.data.endswith("\n") else self.data
        self.frames.append(Frame(data, self.event or "message", self.id, self.retry))
        self.data = self.event = ""
        self.retry = None

    @property
    def unfinished(self) -> bool:
        return bool(self.half_line or self.data or self.event)


def parse(chunks: list[bytes]) -> tuple[list[Frame], bool]:
    parser = Parser()
    frames = [frame for chunk in chunks for frame in parser.feed(chunk)]
    return frames, parser.unfinished


def cut(stream: bytes, positions: list[int]) -> list[bytes]:
    return [stream[a:b] for a, b in pairwise([0, *sorted(positions), len(stream)])]


def feed_pieces(parser: Parser, stream: bytes | memoryview, size: int, frames: list[Frame]) -> None:
    for start in range(0, len(stream), size):
        frames += parser.feed(bytes(stream[start : start + size]))


PIECES = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r"),
    *(b"data", b"event", b"id", b"retry", b"dat", b"Data", b": ", b":", b" ", b"\xef\xbb\xbf"),
    *(b"data: x\n", b"data\n\n", b"event: e\r\n", b"id: 7\r", b"id\n", b"id: \0\n", b": ping\n\n"),
    *(b"retry: 10\n", b"retry: 1a\n", b"retry:\n", b"retry: " + "١٠".encode() + b"\n"),
    *("é日本🙂".encode(), b"\xe6\x97", b"\xf0\x9f", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"),
    *(b"\0", b"\x0b", b"\x0c", b"\x1c", b"\xc2\x85", "\u2028".encode(), b"a", b"0123456789"),
]
streams = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=24).map(
    b"".join
)


@settings(derandomize=True, max_examples=1500, deadline=None)
@given(streams, st.data())
def test_any_stream_at_once_and_cut_anywhere_equals_the_reference(
    stream: bytes, data: st.DataObject
) -> None:
    reference = Reference(stream)
    expected = (reference.frames, reference.unfinished)
    positions = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))

    assert parse([stream]) == expected
    assert parse(cut(stream, positions)) == expected
    assert parse([bytes([byte]) for byte in stream]) == expected


@settings(derandomize=True, max_examples=100, deadline=None)
@given(streams)
def test_every_single_and_double_cut_equals_the_reference(stream: bytes) -> None:
    stream = b"\xef\xbb\xbf" + stream[:24] + "data: é\r\n\r\ndata: 🙂\r\r".encode()
    reference = Reference(stream)
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            assert parse(cut(stream, [first, second])) == (reference.frames, reference.unfinished)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Frame("YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n",
            [Frame("first event", id="1"), Frame("second event")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [Frame(""), Frame("\n")]),
        (b"data:test\n\ndata: test\n\n", [Frame("test"), Frame("test")]),
        (b"event: add\ndata: 7\n\nevent: none\n\ndata: 8\n\n", [Frame("7", "add"), Frame("8")]),
        (b"id: 1\n\ndata: a\n\ndata: b\n\n", [Frame("a", id="1"), Frame("b", id="1")]),
        (b"id: 1\nid: 2\0\ndata: a\n\n", [Frame("a", id="1")]),
        (b"retry: 250\n\ndata: a\n\ndata: b\n\n", [Frame("a", retry=250), Frame("b")]),
        (b"retry: -1\nretry: 1.5\nretry\ndata: a\n\n", [Frame("a")]),
        (b"retry: " + b"9" * 5000 + b"\ndata: a\n\n", [Frame("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [Frame("b")]),
        (b"data: a\rdata: b\r\rdata: c\r\r", [Frame("a\nb"), Frame("c")]),
        (b"data: a\x0bb\x1c\xc2\x85\n\n", [Frame("a\x0bb\x1c\x85")]),
        # The counts of U+FFFD are those of the Encoding standard's UTF-8 decoder.
        (b"data: \xe2\x82|\xf0\x80\x80|\xed\xa0\x80|\xc0\n\n", [Frame("�|���|���|�")]),
        (b"data : a\nDATA: b\n data: c\n\n", []),
    ],
)  # fmt: skip
def test_the_parser_reads_what_the_standard_says(stream: bytes, frames: list[Frame]) -> None:
    assert Parser().feed(stream) == frames
    assert Reference(stream).frames == frames


def test_a_carriage_return_ends_the_event_at_once_and_its_line_feed_is_not_a_second_line() -> None:
    parser = Parser()
    assert parser.feed(b"data: a\r\n\r") == [Frame("a")]
    assert parser.feed(b"") == []
    assert parser.feed(b"\ndata: b\r") == []
    assert parser.feed(b"\ndata: c\r\n") == []
    assert parser.feed(b"\r\n") == [Frame("b\nc")]


@pytest.mark.parametrize(
    ("stream", "unfinished"),
    [
        (b"", False),
        (b"\xef\xbb", False),
        (b"\xef\xbb\xbf", False),
        (b"\xef\xbb\xbfd", True),
        (b"data: a\n\n", False),
        (b"data: a\n", True),
        (b"event: x\n", True),
        (b"data: a\n\n: pi", True),
        (b"data: a\n\n: ping\n", False),
        (b"data: a\n\nid: 3\nretry: 1\n", False),
    ],
)
def test_unfinished_says_whether_the_end_would_lose_something(
    stream: bytes, *, unfinished: bool
) -> None:
    parser = Parser()
    parser.feed(stream)
    assert parser.unfinished is unfinished


def test_the_last_event_id_moves_with_the_stream() -> None:
    parser = Parser()
    assert parser.last_event_id == ""
    parser.feed(b"id: 5\ndata: a\n\nid: 6\n")
    assert parser.last_event_id == "6"


@pytest.mark.parametrize("size", [1, 3, 64, 4096])
def test_the_line_cap_holds_on_every_split_and_gives_back_what_came_before(size: int) -> None:
    stream = b"data: a\n\ndata: " + b"x" * 94 + b"\n\ndata: " + b"y" * 95 + b"\n\ndata: z\n\n"
    parser = Parser(max_line=100)
    frames: list[Frame] = []
    with pytest.raises(LineTooLong, match="more than 100 bytes") as raised:
        feed_pieces(parser, stream, size, frames)
    assert frames + raised.value.frames == [Frame("a"), Frame("x" * 94)]
    with pytest.raises(LineTooLong):
        parser.feed(b"\n\ndata: z\n\n")


def test_a_line_of_ten_megabytes_is_refused_at_the_cap_and_never_held() -> None:
    # 8 bytes at a time: adding them to an immutable line would move 65 GB before the cap.
    line = memoryview(bytes(10 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(LineTooLong):
            feed_pieces(Parser(), line, 8, [])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * sse.MAX_LINE


def test_lines_without_a_blank_line_between_them_stop_at_the_event_cap() -> None:
    parser = Parser(max_event=1000)
    parser.feed(b"data: 123456789\n" * 100)
    assert parser.feed(b"\n") == [Frame("\n".join(["123456789"] * 100))]
    with pytest.raises(EventTooLong, match="more than 1000 bytes") as raised:
        parser.feed(b"data: a\n\n" + b"data: 123456789\n" * 101)
    assert raised.value.frames == [Frame("a")]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = texts.map(lambda text: "".join(c for c in text if c not in "\r\n\0"))
rendered = st.tuples(
    texts,
    st.none() | names,
    st.none() | names.filter(bool),
    st.none() | st.integers(0, 10**15 - 1),
)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.lists(rendered, max_size=6), st.lists(texts, min_size=7, max_size=7), st.randoms())
def test_what_is_rendered_is_parsed_back(
    events: list[tuple[str, str | None, str | None, int | None]],
    comments: list[str],
    chance: random.Random,
) -> None:
    stream = sse.comment(comments.pop())
    expected: list[Frame] = []
    last = ""
    for data, id, event, retry in events:  # noqa: A001 - the field's name on the wire
        as_bytes = chance.random() < 0.5
        stream += b"" if retry is None else b"retry: %d\n" % retry
        stream += sse.frame(data.encode() if as_bytes else data, id, event)
        stream += sse.comment(comments.pop())
        last = last if id is None else id
        arrives = data.replace("\r\n", "\n").replace("\r", "\n")
        expected.append(Frame(arrives, event or "message", last, retry))
    assert parse([stream]) == (expected, False)


@pytest.mark.parametrize(
    ("call", "rendering"),
    [
        (sse.frame("a"), b"data: a\n\n"),
        (sse.frame(b'{"x":1}', id="r.3"), b'id: r.3\ndata: {"x":1}\n\n'),
        (sse.frame("a\nb\r\nc\rd\n", event="e"),
         b"event: e\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (sse.frame("", id=""), b"id: \ndata: \n\n"),
        (sse.frame("\ud83d\ude42 \ud800"), "data: 🙂 �\n\n".encode()),
        (sse.comment("ping"), b": ping\n\n"),
        (sse.comment("two\nlines"), b": two\n: lines\n\n"),
    ],
)  # fmt: skip
def test_a_rendered_frame_looks_like_this(call: bytes, rendering: bytes) -> None:
    assert call == rendering


@pytest.mark.parametrize(
    "wrong",
    [{"id": "a\nb"}, {"id": "a\rb"}, {"id": "a\0"}, {"event": "a\ndata: b"}],
)
def test_what_a_reader_would_misread_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must not"):
        sse.frame("a", **wrong)
