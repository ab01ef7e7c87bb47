"""Traces of answers that are not asked for: they are kept, of equal calls."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.traces import CalledFor
from cartrita.gateway.answers import Answer
from cartrita.gateway.call_tracing import note_answer, note_replay
from cartrita.gateway.calls import Call
from cartrita.gateway.routed_answers import RoutedAnswer
from cartrita.gateway.shared_answers import ReplayedAnswer

Ask: TypeAlias = Callable[[], AbstractAsyncContextManager[RoutedAnswer]]


@asynccontextmanager
async def open_traced(
    tracer: Tracer,
    called_for: CalledFor,
    call: Call,
    share: Callable[[Ask], AbstractAsyncContextManager[Answer]],
    ask: Ask,
) -> AsyncGenerator[Answer]:
    """The answer that `share` opens; where it is a kept one, this is noted when it is left.

    So is that the caller leaves while another call is on its way. What is asked for notes itself.
    """
    asked = False

    def asking() -> AbstractAsyncContextManager[RoutedAnswer]:
        nonlocal asked
        asked = True
        return ask()

    async with AsyncExitStack() as stack:
        try:
            answer = await stack.enter_async_context(share(asking))
        except BaseException as error:
            if not asked:
                note_answer(tracer, call, None, (), error, complete=False)
            raise
        if not isinstance(answer, ReplayedAnswer):
            yield answer
            return
        began, failure = time.monotonic(), None
        try:
            yield answer
        except BaseException as error:
            failure = error
            raise
        finally:
            outcome = _outcome(answer, failure)
            note_replay(tracer, called_for, call, answer.kept, began, outcome, failure)


def _outcome(answer: ReplayedAnswer, error: BaseException | None) -> CallOutcome:
    """How the replay of an answer ended; whoever leaves it early has made no error."""
    if answer.complete:
        return CallOutcome.COMPLETED
    if isinstance(error, Exception):
        return CallOutcome.CUT if answer.begun else CallOutcome.FAILED
    return CallOutcome.CANCELLED
