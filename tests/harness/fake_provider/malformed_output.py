"""Faults in what is sent: malformed events, invalid characters, unusual lines and chunks."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from tests.harness.fake_provider.fault import (
    Fault,
    Position,
    Rendering,
    Seconds,
    insert,
    interject,
)
from tests.harness.fake_provider.openai_chat import errors
from tests.harness.fake_provider.steps import Send, Steps, Wait


class ErrorEvent(Fault, frozen=True, tag="error_event"):
    """An error inside a 200: the last thing sent, or followed by the rest (`go_on`)."""

    after_tokens: Position = 0
    error: dict[str, Any] = msgspec.field(default_factory=lambda: errors.answer_to(500).error)
    go_on: bool = False

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        payload = msgspec.json.encode({"error": self.error})
        return interject(steps, rendering, self.after_tokens, [payload], go_on=self.go_on)


class Junk(Fault, frozen=True, tag="junk"):
    """One event that a careless client trips over, between the ordinary ones.

    `duplicate_index` says "dup" twice for choice 0; the others carry no text.
    """

    what: Literal[
        "invalid_json", "not_an_object", "null_choices", "no_choices", "null_delta",
        "unknown_event", "unknown_fields", "duplicate_index", "empty_data",
    ]  # fmt: skip
    after_tokens: Position = 0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        if self.what == "unknown_event" and rendering.streamed:
            event = Send(b'event: vendor.novelty\ndata: {"novel":true}\n\n')
            return insert(steps, self.after_tokens, lambda: iter([event]))
        return interject(steps, rendering, self.after_tokens, [self._payload(rendering)])

    def _payload(self, rendering: Rendering) -> bytes:
        dup = {"index": 0, "delta": {"content": "dup"}, "finish_reason": None}
        payloads: dict[str, Callable[[], bytes]] = {
            "invalid_json": lambda: rendering.partial({})[:-20],
            "not_an_object": lambda: b'["chunk"]',
            "null_choices": lambda: rendering.partial({}, choices=None),
            "no_choices": lambda: rendering.partial({}, choices=[]),
            "null_delta": lambda: rendering.partial({}, choices=[dup | {"delta": None}]),
            "unknown_event": lambda: b'{"novel":true}',
            "unknown_fields": lambda: rendering.partial({"mood": "calm"}, x_vendor={"deep": [1]}),
            "duplicate_index": lambda: rendering.partial({}, choices=[dup, dup]),
            "empty_data": lambda: b"",
        }
        return payloads[self.what]()


class InvalidText(Fault, frozen=True, tag="odd"):
    """One delta more (two for `split_pair`) whose text is no ordinary text.

    `nul` is a JSON-escaped U+0000, `surrogate` an escaped lone one, `split_pair` an emoji of which
    each half comes in a delta of its own, `invalid_utf8` two raw bytes that no UTF-8 has.
    """

    what: Literal["nul", "surrogate", "split_pair", "invalid_utf8"]
    after_tokens: Position = 0

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The inside of the JSON string of each delta."""
        return {
            "nul": (rb"\u0000",),
            "surrogate": (rb"\ud800",),
            "split_pair": (rb"\ud83d", rb"\ude42"),
            "invalid_utf8": (b"\xff\xfe",),
        }[self.what]

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        delta = rendering.partial({"content": "@odd@"})
        contents = self.contents if rendering.streamed else (b"".join(self.contents),)
        payloads = [delta.replace(b"@odd@", content) for content in contents]
        return interject(steps, rendering, self.after_tokens, payloads)


class HugeLine(Fault, frozen=True, tag="huge_line"):
    """One chunk in which a field unknown to anybody makes a line of about so many bytes."""

    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 30)] = 10 * 1024 * 1024
    after_tokens: Position = 0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        chunk = rendering.frame(rendering.partial({}, padding="@pad@"))
        return insert(steps, self.after_tokens, lambda: self._pieces(chunk), rendering=rendering)

    def _pieces(self, chunk: bytes) -> Steps:
        before, after = chunk.split(b"@pad@")
        yield Send(before)
        for start in range(0, self.size, 65536):
            yield Send(b"x" * min(65536, self.size - start))
        yield Send(after)


class Lines(Fault, frozen=True, tag="lines"):
    """The event stream with other line ends, a byte order mark, or without its blank lines."""

    end: Literal["lf", "cr", "crlf"] = "lf"
    bom: bool = False
    blank: bool = True

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        end = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}[self.end]
        mark = b"\xef\xbb\xbf" if self.bom else b""
        for step in steps:
            if not isinstance(step, Send):
                yield step
                continue
            data = step.data if self.blank else step.data.replace(b"\n\n", b"\n")
            yield Send(mark + data.replace(b"\n", end), step.tokens)
            mark = b""


class Trickle(Fault, frozen=True, tag="trickle"):
    """The body a few bytes at a time, each write on its own."""

    size: Annotated[int, msgspec.Meta(ge=1)] = 1
    delay_s: Seconds = 0.0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        for step in steps:
            if not isinstance(step, Send):
                yield step
                continue
            for start in range(0, len(step.data), self.size):
                last = start + self.size >= len(step.data)
                yield Send(step.data[start : start + self.size], step.tokens if last else 0)
                yield Wait(self.delay_s)
