"""The interface of faults, which change an answer's steps, and ways to insert steps."""

from collections.abc import Callable, Iterator
from typing import Annotated, Protocol

import msgspec
from tests.harness.fake_provider.steps import Head, Send, Steps

Position = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class Rendering(Protocol):
    """How the answer at hand looks on the wire, for faults that send something in its manner."""

    @property
    def streamed(self) -> bool: ...

    def partial(self, delta: dict[str, object], **changes: object) -> bytes:
        """The JSON of a chunk with this delta, or of a whole completion with this message."""
        ...

    def frame(self, payload: bytes) -> bytes:
        """The payload as a server-sent event, or as it is where the answer is not streamed."""
        ...


class Fault(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    omit_defaults=True,
):
    """A fault is data with a method `apply`, which turns the steps of an answer into others.

    `after_tokens` counts what the answer has carried: text, reasoning, pieces of arguments.
    """


def until_head(steps: Steps) -> Steps:
    for step in steps:
        if isinstance(step, Head):
            return
        yield step


def interject(
    steps: Steps, rendering: Rendering, after: int, payloads: list[bytes], *, go_on: bool = True
) -> Steps:
    def events() -> Iterator[Send]:
        return (Send(rendering.frame(payload)) for payload in payloads)

    return insert(steps, after, events, go_on=go_on, rendering=rendering)


def insert(
    steps: Steps,
    after: int,
    extra: Callable[[], Steps],
    *,
    go_on: bool = True,
    rendering: Rendering | None = None,
) -> Steps:
    """Put steps where the answer has carried `after` tokens, and go on or stop there.

    Extra steps that are rendered take the place of the whole body where the answer is not streamed.
    """
    whole = rendering is not None and not rendering.streamed
    sent, started, pending = 0, False, True
    for step in steps:
        if isinstance(step, Head):
            started = True
            yield step if not whole and go_on else Head(step.status, step.headers)
        elif isinstance(step, Send):
            if pending and (whole or sent + step.tokens > after):
                pending = False
                yield from extra()
                if whole or not go_on:
                    return
            sent += step.tokens
            yield step
        else:
            yield step
        if pending and not whole and started and sent >= after:
            pending = False
            yield from extra()
            if not go_on:
                return
