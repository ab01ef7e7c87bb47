"""Faults in what is sent: malformed events, invalid characters, unusual lines and chunks."""

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from tests.harness.fake_provider.fault import (
    Fault,
    Malformed,
    Position,
    Rendering,
    Seconds,
    insert,
    insert_inside,
    interject,
)
from tests.harness.fake_provider.steps import Send, Steps, Wait


class ErrorEvent(Fault, frozen=True, tag="error_event"):
    """An error inside a 200: the last thing sent, or followed by the rest (`go_on`)."""

    after_tokens: Position = 0
    error: dict[str, Any] | None = None
    go_on: bool = False

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        payloads = [rendering.failure(self.error)]
        return interject(steps, rendering, self.after_tokens, payloads, go_on=self.go_on)


class Junk(Fault, frozen=True, tag="junk"):
    """One event that a careless client trips over, between the ordinary ones.

    `invalid_json` breaks off, `unbalanced_json` ends as an object does. `duplicate_index` says
    "dup" twice for choice 0; the others carry no text. What a dialect has no choices for, it does
    to what comes nearest to them.
    """

    what: Malformed
    after_tokens: Position = 0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        if self.what == "unknown_event" and rendering.streamed:
            event = Send(b'event: vendor.novelty\ndata: {"novel":true}\n\n')
            return insert(steps, self.after_tokens, lambda: iter([event]))
        payloads = [rendering.malformed(self.what)]
        return interject(steps, rendering, self.after_tokens, payloads)


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
        if rendering.streamed:
            events = partial(self._events, rendering, self.contents)
            return insert_inside(steps, self.after_tokens, events)
        body = partial(self._events, rendering, (b"".join(self.contents),))
        return insert(steps, self.after_tokens, body, rendering=rendering)

    def _events(self, rendering: Rendering, contents: tuple[bytes, ...]) -> Steps:
        for content in contents:
            yield Send(rendering.frame(rendering.text("@odd@").replace(b"@odd@", content)))


class HugeLine(Fault, frozen=True, tag="huge_line"):
    """One chunk in which a field unknown to anybody makes a line of about so many bytes."""

    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 30)] = 10 * 1024 * 1024
    after_tokens: Position = 0

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        pieces = partial(self._pieces, rendering)
        return insert(steps, self.after_tokens, pieces, rendering=rendering)

    def _pieces(self, rendering: Rendering) -> Steps:
        before, after = rendering.frame(rendering.padded("@pad@")).split(b"@pad@")
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
            yield msgspec.structs.replace(step, data=mark + data.replace(b"\n", end))
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
                piece = step.data[start : start + self.size]
                yield Send(piece, step.tokens if last else 0, step.terminal)
                yield Wait(self.delay_s)
