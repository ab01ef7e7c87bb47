"""What an operator is told of scores that Langfuse does not take: why, and not for each of them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import structlog
from tests.backend.adapters.tracing.samples import run_id
from tests.backend.adapters.tracing.test_langfuse_wire import POLICY
from tests.harness.langfuse_sink import LangfuseSink, langfuse_sink

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_scores import LangfuseScores, score_id
from cartrita.adapters.tracing.policies import LangfuseProject
from cartrita.domain.feedback import Score, ScoreOutcome
from cartrita.domain.ids import MessageId
from cartrita.kit.secret import Secret


@pytest.fixture
def sink() -> Iterator[LangfuseSink]:
    with langfuse_sink() as running:
        yield running


@pytest.fixture
async def receiver(sink: LangfuseSink) -> AsyncIterator[LangfuseScores]:
    project = LangfuseProject(
        address=sink.base_url, public_key=sink.public_key, secret_key=Secret(sink.secret_key)
    )
    opened = LangfuseScores(POLICY, Contents("full", 1000), project)
    yield opened
    await opened.close()


def scored() -> Score:
    return Score(
        message_id=MessageId(uuid4()),
        run_id=run_id(),
        score=1.0,
        comment=None,
        given_at=datetime.now(UTC),
    )


def rejected(sink: LangfuseSink) -> Score:
    """One in whose place there is another, of another time."""
    score = scored()
    sink.scores.kept[score_id(score)] = {"timestamp": "2026-11-28T12:00:00Z"}
    return score


def lines(logged: Any) -> list[tuple[str, object]]:
    return [(one["event"], one.get("outcome")) for one in logged]


async def test_refusals_are_told_seldom_whatever_else_is_taken(
    sink: LangfuseSink, receiver: LangfuseScores
) -> None:
    outcomes: list[ScoreOutcome | None] = []
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            outcomes.append(await receiver.take(rejected(sink)))
            outcomes.append(await receiver.take(scored()))
            sink.mode = 413
            outcomes.append(await receiver.take(scored()))
            sink.mode = "ok"
    assert outcomes == ["refused", "sent", "refused"] * 3
    assert lines(logged) == [("score_refused", "rejected"), ("score_refused", 413)]
    assert all(one["fix"] and one["run_id"] for one in logged)


async def test_what_is_tried_again_is_no_outcome(
    sink: LangfuseSink, receiver: LangfuseScores
) -> None:
    with structlog.testing.capture_logs() as logged:
        sink.mode = 500
        assert await receiver.take(scored()) is None
        assert await receiver.take(scored()) is None
        sink.mode = "ok"
        assert await receiver.take(scored()) is ScoreOutcome.SENT
    assert lines(logged) == [("scores_not_taken", 500), ("scores_taken_again", None)]
