"""Schemas of approvals: what is asked, and what a person decides."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from cartrita.domain.approvals import Approval, Decision
from cartrita.domain.runs import Run
from cartrita.kit import ids
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.screen_schemas import ActionMarker, image_url


class DecisionRequest(RequestModel):
    """A person's decision on the call of a tool."""

    decision: Literal["approve", "deny"]
    arguments_hash: Annotated[
        str,
        Field(
            min_length=1, max_length=128, description="Of the arguments that the person has seen."
        ),
    ]

    @property
    def outcome(self) -> Decision:
        """The decision in the domain's words."""
        return Decision.APPROVED if self.decision == "approve" else Decision.DENIED


class ApprovalView(BaseModel):
    """A call that waits for a decision."""

    approval_id: str
    call_id: str
    agent_type: str
    tool_name: str
    arguments: dict[str, Any]
    arguments_hash: str
    expires_at: datetime = Field(description="Without a decision until then it is denied.")
    screenshot_url: str | None = Field(
        default=None, description="The screen on which it would act, if it is of a desktop."
    )
    markers: list[ActionMarker] = Field(default=[], description="Where on that it would act.")

    @classmethod
    def of(cls, approval: Approval) -> "ApprovalView":
        return cls(
            approval_id=ids.public("appr", approval.id),
            call_id=approval.call_id,
            agent_type=approval.agent,
            tool_name=approval.tool,
            arguments=approval.arguments,
            arguments_hash=approval.arguments_hash,
            expires_at=approval.expires_at,
            screenshot_url=image_url(approval.shown),
            markers=ActionMarker.all_of(approval.shown),
        )


class WaitingResponse(BaseModel):
    """An answer that waits for a person; its run goes on after the decision."""

    run_id: str
    conversation_id: str
    status: str = Field(examples=["waiting"])
    approval: ApprovalView = Field(description="The first of them.")
    approvals: list[ApprovalView]
    transcription: str | None = Field(
        default=None, description="What was heard, where the message was said."
    )

    @classmethod
    def of(
        cls, run: Run, approvals: tuple[Approval, ...], heard: str | None = None
    ) -> "WaitingResponse":
        views = [ApprovalView.of(approval) for approval in approvals]
        said = {} if heard is None else {"transcription": heard}
        return cls(
            run_id=ids.public("run", run.id),
            conversation_id=run.public_conversation_id,
            status=run.status,
            approval=views[0],
            approvals=views,
            **said,
        )


WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": WaitingResponse, "description": "The run waits for a person."}
}
"""The response of an endpoint that answers with a whole answer, where that has to wait."""
