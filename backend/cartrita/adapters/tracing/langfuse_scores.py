"""Feedback as scores of Langfuse: implements ScoreReceiver."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import structlog
from langfuse.api import CreateScoreBatchResults, CreateScoreRequest, ScoreDataType
from langfuse.api.core import ApiError
from pydantic import ValidationError

from cartrita.adapters.tracing.complaints import Complaints, Outcome
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_fixes import FIXES
from cartrita.adapters.tracing.langfuse_requests import ONCE, langfuse_api, open_http
from cartrita.adapters.tracing.policies import LangfuseProject, TracingPolicy
from cartrita.domain.feedback import Score
from cartrita.domain.ids import RunId

log = structlog.get_logger(__name__)

_NAME: Final = "feedback"
_NEVER: Final = (400, 413, 422)
"""What a server will not take later either."""


class LangfuseScores:
    """Sends the score of one answer at a time."""

    def __init__(self, policy: TracingPolicy, contents: Contents, project: LangfuseProject) -> None:
        self._contents = contents
        self._environment = policy.environment
        self._timeout_s = policy.send_timeout_s
        self._http = open_http(policy.send_timeout_s)
        self._scores = langfuse_api(project, self._http).scores
        self._complaints = Complaints(FIXES)

    async def take(self, score: Score) -> bool:
        """See ScoreReceiver."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._send(score)
        except (httpx.HTTPError, TimeoutError) as error:
            self._complain(type(error).__name__)
            return False
        except ValidationError:
            self._complain("malformed")
            return False
        except ApiError as error:
            return self._settled(score, error.status_code or 0)
        if self._complaints.over():
            log.info("scores_taken_again")
        return True

    async def close(self) -> None:
        """Send nothing more."""
        await self._http.aclose()

    async def _send(self, score: Score) -> None:
        identity = score_id(score)
        if score.score is None:
            await self._scores.delete(identity, request_options=ONCE)
            return
        comment = self._contents.text(score.comment)
        optional: dict[str, Any] = {
            "comment": comment if isinstance(comment, str) else None,
            "environment": self._environment,
        }
        asked = CreateScoreRequest(
            id=identity,
            trace_id=score.run_id.hex,
            name=_NAME,
            value=score.score,
            data_type=ScoreDataType.NUMERIC,
            timestamp=began(score.run_id),
            **{name: value for name, value in optional.items() if value is not None},
        )
        told = await self._scores.create(request=[asked], request_options=ONCE)
        if isinstance(told, CreateScoreBatchResults) and told.rejected:
            log.warning("score_refused", run_id=score.run_id.hex)

    def _settled(self, score: Score, status: int) -> bool:
        """Whether a score need not be sent again, which was answered with this status."""
        if status == 404 and score.score is None:  # it is not there, or was deleted before
            return True
        self._complain(status)
        return status in _NEVER

    def _complain(self, outcome: Outcome) -> None:
        if (fix := self._complaints.fix(outcome)) is not None:
            log.warning("scores_not_taken", outcome=outcome, fix=fix)


def score_id(score: Score) -> str:
    """The same for all that is ever said of one answer, so that the last of it stands."""
    return f"{_NAME}-{score.message_id.hex}"


def began(run_id: RunId) -> datetime:
    """When a run began, as its id tells: a score is replaced by one of the same time only."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)
