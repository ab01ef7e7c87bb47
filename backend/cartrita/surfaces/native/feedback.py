"""Feedback endpoints: what a person thinks of an answer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from cartrita.domain.feedback import COMMENT_MAX, HIGHEST, LOWEST, Feedback
from cartrita.kit import ids
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel

router = APIRouter(
    prefix="/api/messages/{message_id}/feedback", tags=["messages"], dependencies=STORED
)


class FeedbackRequest(RequestModel):
    """How good an answer was."""

    score: Annotated[
        float,
        Field(
            ge=LOWEST,
            le=HIGHEST,
            allow_inf_nan=False,
            description="The higher, the better, on a scale of your own: 1 and -1, or 1 to 5.",
        ),
    ]
    comment: Annotated[str | None, Field(max_length=COMMENT_MAX)] = None


class FeedbackView(BaseModel):
    """The latest feedback on an answer."""

    message_id: str
    score: float
    comment: str | None = None
    given_at: datetime

    @classmethod
    def of(cls, given: Feedback) -> "FeedbackView":
        return cls(
            message_id=ids.public("msg", given.message_id),
            score=given.score,
            comment=given.comment,
            given_at=given.given_at,
        )


@router.post("")
async def give_feedback(
    principal: CurrentPrincipal,
    message_id: PublicId,
    body: Annotated[FeedbackRequest, Depends(JsonBody(FeedbackRequest))],
    services: AppServices,
) -> FeedbackView:
    """Say how good an answer was; what was said before is replaced."""
    given = await services.feedback.give(principal, message_id, body.score, body.comment)
    return FeedbackView.of(given)


@router.get("")
async def get_feedback(
    principal: CurrentPrincipal, message_id: PublicId, services: AppServices
) -> FeedbackView:
    """The feedback on an answer; 404 where there is none."""
    return FeedbackView.of(await services.feedback.get(principal, message_id))


@router.delete("", status_code=204)
async def delete_feedback(
    principal: CurrentPrincipal, message_id: PublicId, services: AppServices
) -> Response:
    """Take the feedback on an answer back."""
    await services.feedback.take_back(principal, message_id)
    return Response(status_code=204)
