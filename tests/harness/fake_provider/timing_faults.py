"""Faults of time: an answer that does not begin, stands still, or ends too early."""

from typing import Literal

import msgspec
from tests.harness.fake_provider.fault import Fault, Position, Rendering, Seconds, insert
from tests.harness.fake_provider.steps import Cut, Hang, Head, Send, Steps, Wait


class HangBeforeHeaders(Fault, frozen=True, tag="hang"):
    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        yield Hang()


class Stall(Fault, frozen=True, tag="stall"):
    """Stop sending, for ever or for some seconds; after 0 tokens is right after the headers."""

    after_tokens: Position = 0
    seconds: Seconds | None = None

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        pause = Hang() if self.seconds is None else Wait(self.seconds)
        return insert(steps, self.after_tokens, lambda: iter([pause]))


class CutOff(Fault, frozen=True, tag="cut"):
    """End the answer early: by a TCP reset, by closing, or in order (`end`: no finish, no DONE).

    After so many tokens, or so many bytes of the body, or, with neither, before the headers.
    """

    how: Literal["rst", "fin", "end"] = "rst"
    after_tokens: Position | None = None
    after_bytes: Position | None = None

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        if self.after_bytes is not None:
            return self._after_bytes(steps, self.after_bytes)
        if self.after_tokens is not None:
            return insert(steps, self.after_tokens, self._end, go_on=False)
        return iter([Cut(reset=self.how != "fin")])

    def _end(self) -> Steps:
        if self.how != "end":
            yield Cut(reset=self.how == "rst")

    def _after_bytes(self, steps: Steps, left: int) -> Steps:
        for step in steps:
            if isinstance(step, Send) and len(step.data) > left:
                yield Send(step.data[:left])
                yield from self._end()
                return
            if isinstance(step, Send):
                left -= len(step.data)
            yield msgspec.structs.replace(step, length=None) if self._unsized(step) else step

    def _unsized(self, step: object) -> bool:
        # A clean end before its Content-Length would not be clean.
        return isinstance(step, Head) and self.how == "end"


class NoDone(Fault, frozen=True, tag="no_done"):
    """A stream that ends without its terminal marker: `data: [DONE]`, or the last event."""

    def apply(self, steps: Steps, rendering: Rendering) -> Steps:
        return (s for s in steps if not (isinstance(s, Send) and s.terminal))
