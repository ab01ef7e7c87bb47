"""Feedback as scores of Langfuse: implements ScoreReceiver."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import structlog
from langfuse.api import CreateScoreBatchResults, CreateScoreRequest, ScoreDataType
from langfuse.api.core import ApiError

from cartrita.adapters.tracing.complaints import Complaints, Outcome
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_fixes import FIXES
from cartrita.adapters.tracing.langfuse_requests import ONCE, langfuse_api, open_http
from cartrita.adapters.tracing.pages import is_page
from cartrita.adapters.tracing.policies import LangfuseProject, TracingPolicy
from cartrita.domain.feedback import Score, ScoreOutcome
from cartrita.domain.ids import RunId

log = structlog.get_logger(__name__)

_NAME: Final = "feedback"
_NEVER: Final = (400, 413, 422)
"""What a server will not take later either."""
_REJECTED: Final = "rejected"
"""It took the request, and not the score in it."""
_OF_ONE: Final = "Others may be taken: look into the log of the Langfuse server for why."


class LangfuseScores:
    """Sends the score of one answer at a time."""

    def __init__(self, policy: TracingPolicy, contents: Contents, project: LangfuseProject) -> None:
        self._contents = contents
        self._environment = policy.environment
        self._timeout_s = policy.send_timeout_s
        self._http = open_http(policy.send_timeout_s)
        self._scores = langfuse_api(project, self._http).scores
        self._complaints = Complaints(FIXES)
        self._refusals = Complaints({**FIXES, 0: _OF_ONE})

    async def take(self, score: Score) -> ScoreOutcome | None:
        """See ScoreReceiver."""
        try:
            async with asyncio.timeout(self._timeout_s):
                taken = await self._send(score)
        except (httpx.HTTPError, TimeoutError) as error:
            return self._complain(type(error).__name__)
        except (ValueError, RecursionError):  # no JSON of Langfuse came
            return self._complain("malformed")
        except ApiError as error:
            return self._settled(score, error.status_code or 0)
        if self._complaints.over():
            log.info("scores_taken_again")
        return ScoreOutcome.SENT if taken else self._refuse(score, _REJECTED)

    async def close(self) -> None:
        """Send nothing more."""
        await self._http.aclose()

    async def _send(self, score: Score) -> bool:
        """Whether it was taken."""
        identity = score_id(score)
        if score.score is None:
            deleted = await self._scores.with_raw_response.delete(identity, request_options=ONCE)
            if is_page(deleted.headers):
                raise ValueError("It is a web page.")
            return True
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
        if isinstance(told, CreateScoreBatchResults):
            return not told.rejected
        if "message" not in told.model_fields_set:  # the SDK takes any object for this one
            raise ValueError("It is another object.")
        return True

    def _settled(self, score: Score, status: int) -> ScoreOutcome | None:
        """How the sending ended of a score that was answered with this status."""
        if status == 404 and score.score is None:  # it is not there, or was deleted before
            return ScoreOutcome.SENT
        if status in _NEVER:
            return self._refuse(score, status)
        return self._complain("malformed" if 200 <= status < 300 else status)

    def _complain(self, outcome: Outcome) -> None:
        if (fix := self._complaints.fix(outcome)) is not None:
            log.warning("scores_not_taken", outcome=outcome, fix=fix)

    def _refuse(self, score: Score, outcome: Outcome) -> ScoreOutcome:
        """No other score that is taken ends this complaint."""
        if (fix := self._refusals.fix(outcome)) is not None:
            log.warning("score_refused", run_id=score.run_id.hex, outcome=outcome, fix=fix)
        return ScoreOutcome.REFUSED


def score_id(score: Score) -> str:
    """The same for all that is ever said of one answer, so that the last of it stands."""
    return f"{_NAME}-{score.message_id.hex}"


def began(run_id: RunId) -> datetime:
    """When a run began, as its id tells: a score is replaced by one of the same time only."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)
