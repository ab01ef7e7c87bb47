"""What is no answer of Langfuse to a score is complained of, and the score is tried again."""

from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.tracing.samples import run_id
from tests.backend.adapters.tracing.test_langfuse_wire import POLICY
from tests.harness.hostile_server import HostileServer, answer, hostile_server

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_scores import LangfuseScores
from cartrita.adapters.tracing.policies import LangfuseProject
from cartrita.domain.feedback import Score, ScoreOutcome
from cartrita.domain.ids import MessageId
from cartrita.kit import clock
from cartrita.kit.secret import Secret

JSON = "content-type: application/json"
HTML = "content-type: text/html; charset=utf-8"


async def take(server: HostileServer, score: float | None) -> ScoreOutcome | None:
    project = LangfuseProject(
        address=server.base_url, public_key="pk-lf-1", secret_key=Secret("sk-lf-1")
    )
    scores = LangfuseScores(POLICY, Contents("full", 1000), project)
    try:
        return await scores.take(
            Score(
                message_id=MessageId(uuid4()),
                run_id=run_id(),
                score=score,
                comment=None,
                given_at=clock.now(),
            )
        )
    finally:
        await scores.close()


async def told(
    answered: bytes, score: float | None = 1.0
) -> tuple[ScoreOutcome | None, list[dict[str, Any]]]:
    """How its sending ended, and what is said of that."""
    with hostile_server(lambda: iter([answered])) as server, capture_logs() as logs:
        taken = await take(server, score)
    return taken, [dict(one) for one in logs]


@pytest.mark.parametrize(
    "answered",
    [
        answer(b"[]", JSON),
        answer(b"null", JSON),
        answer(b'{"x": 1}', JSON),
        answer(b"{}", JSON),
        answer(b'{"message": "no"}', JSON),
        answer(b'{"accepted": "x", "rejected": []}', JSON),
        answer(b"\xff\xfe{", JSON),
        answer(b"[" * 100_000, JSON),
        answer(b"", JSON),
        answer(b"<html>Sign in</html>", HTML),
    ],
    ids=lambda answered: repr(answered[-40:]),
)
async def test_what_is_no_receipt_is_tried_again(answered: bytes) -> None:
    taken, logs = await told(answered)
    assert taken is None
    (complaint,) = logs
    assert (complaint["event"], complaint["outcome"]) == ("scores_not_taken", "malformed")
    assert "no Langfuse" in complaint["fix"]


@pytest.mark.parametrize(
    "answered",
    [
        answer(b'{"message": "Accepted"}', JSON, status=202),
        answer(b'{"message": "Accepted"}', JSON),
        answer(b'{"accepted": 1, "rejected": 0, "errors": []}', JSON, status=207),
    ],
    ids=repr,
)
async def test_what_langfuse_answers_is_a_receipt(answered: bytes) -> None:
    assert await told(answered) == (ScoreOutcome.SENT, [])


async def test_a_page_deletes_no_score() -> None:
    taken, logs = await told(answer(b"<html>Sign in</html>", HTML), score=None)
    assert taken is None
    assert [one["outcome"] for one in logs] == ["malformed"]
    assert await told(answer(b'{"message": "Score deletion queued."}', JSON), score=None) == (
        ScoreOutcome.SENT,
        [],
    )
