"""The interface of faults, which change an answer's steps, and ways to insert steps."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Protocol

import msgspec
from tests.harness.fake_provider.steps import Head, Send, Step, Steps

Position = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


Malformed = Literal[
    "invalid_json", "unbalanced_json", "not_an_object", "null_choices", "no_choices", "null_delta",
    "unknown_event", "unknown_fields", "duplicate_index", "empty_data",
]  # fmt: skip


class Rendering(Protocol):
    """How the answer at hand looks on the wire, for faults that send something in its manner.

    Payloads are the JSON of one event of a stream, or of a whole answer.
    """

    @property
    def streamed(self) -> bool: ...

    def frame(self, payload: bytes) -> bytes:
        """The payload as a server-sent event, or as it is where the answer is not streamed."""
        ...

    def refusal(self, status: int, code: str | None) -> bytes:
        """What the vendor says with a status that has nothing to do with the request."""
        ...

    def failure(self, error: dict[str, Any] | None) -> bytes:
        """An error inside a stream; without one, the vendor's for an internal error."""
        ...

    def text(self, text: str) -> bytes:
        """A delta of the text, or an answer with it."""
        ...

    def padded(self, padding: str) -> bytes:
        """A delta, or an answer, in which a field unknown to anybody holds this."""
        ...

    def malformed(self, what: Malformed) -> bytes:
        """One that a careless client trips over."""
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


def insert_inside(steps: Steps, after: int, extra: Callable[[], Steps]) -> Steps:
    """Put steps next to what carries tokens, where the answer has carried `after` of them."""
    sent, held = 0, list[Step]()
    started, pending = False, True
    for step in steps:
        tokens = step.tokens if isinstance(step, Send) else 0
        if pending and tokens and sent + tokens > after:
            pending = False
            yield from held
            yield from extra()
        if pending and started and sent >= after:
            held.append(step)
        else:
            yield step
        started = started or isinstance(step, Head)
        sent += tokens
    if pending and sent >= after:
        yield from extra()
        yield from held


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
