"""Several choices of one request are calls of their own, of which few are open at a time."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import msgspec
import pytest

from cartrita.application.completions import Completions
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamOverloaded
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import Call
from cartrita.surfaces.openai.choices import open_choices


class CountingCompletions:
    """Every answer is one word; counts the calls that are open."""

    def __init__(self, fails_at: int = 0) -> None:
        self.calls = 0
        self.most = 0
        self._open = 0
        self._fails_at = fails_at

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncGenerator[Answer]:
        self.calls += 1
        if self.calls == self._fails_at:
            raise UpstreamOverloaded("p is busy.", provider="p")
        self._open += 1
        self.most = max(self.most, self._open)
        try:
            yield cast("Answer", OneAnswer())
        finally:
            self._open -= 1


class OneAnswer:
    provider = "p"
    model = "m"
    answered_as = "m-2026"
    relayed = False
    monitor = None
    usage = None
    receipts = failovers = ()
    cache = None

    @property
    def items(self) -> AsyncIterator[Delta]:
        return self._read()

    async def _read(self) -> AsyncIterator[Delta]:
        yield Accepted("p", "m")
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        yield TextDelta("word")
        yield Finished(FinishReason.STOP, Usage(1, 2))


def unread() -> ModelRequest:
    raise AssertionError("the request is not read here")


async def answer(completions: CountingCompletions, count: int) -> dict[str, Any]:
    call = Call(owner_id="o", surface="s", name="p/m", parse=unread, streamed=False)
    head = CompletionHead(id="c", model="p/m")
    async with open_choices(cast("Completions", completions), call, count, head) as answered:
        body = b"".join([item async for item in answered.items if isinstance(item, bytes)])
    return msgspec.json.decode(body)


async def test_few_calls_are_open_at_a_time() -> None:
    completions = CountingCompletions()
    told = await answer(completions, 20)
    assert [choice["index"] for choice in told["choices"]] == list(range(20))
    assert told["usage"]["completion_tokens"] == 40
    assert told["model"] == "m-2026"
    assert (completions.calls, completions.most <= 5) == (20, True)


async def test_the_error_of_a_call_is_that_of_the_answer() -> None:
    with pytest.raises(UpstreamOverloaded):
        await answer(CountingCompletions(fails_at=3), 8)
