"""Approvals of tool calls: which calls need one, what is asked, and why a call may not be made."""

from datetime import UTC
from typing import Final

from cartrita.agents.agent import Agent
from cartrita.agents.run_context import RunContext
from cartrita.domain.approvals import Approval, ApprovalPolicy, Decision, hash_arguments
from cartrita.domain.desktop_films import Shown
from cartrita.domain.events import ApprovalAsked
from cartrita.domain.messages import ToolCall
from cartrita.domain.step_places import StepPlace
from cartrita.kit.ids import public, uuid7
from cartrita.tools.tool import Risk

_DENIED: Final = "A person was asked, and did not allow this. Do not try it again; say so instead."
_EXPIRED: Final = (
    "A person was asked, and nobody decided in time, so it was not done. Do not try it again; say"
    " so instead."
)
NOBODY: Final = (
    "This needs the approval of a person, and nobody can be asked here. It was not done; say so."
)
_CHANGED: Final = "The arguments are not those that were approved, so it was not done."


def is_approval_needed(policy: ApprovalPolicy, risk: Risk) -> bool:
    """Whether a person decides on the calls of a tool."""
    match policy:
        case ApprovalPolicy.NEVER:
            return risk is Risk.CHECK
        case ApprovalPolicy.RISKY:
            return risk in (Risk.ACT, Risk.CHECK)
        case ApprovalPolicy.ALWAYS:
            return True


def new_approval(
    run: RunContext, agent: Agent, place: StepPlace, call: ToolCall, shown: Shown | None = None
) -> Approval:
    """What a person is asked of the call that an agent makes at a place, undecided."""
    return Approval(
        id=uuid7(),
        run_id=run.claim.run_id,
        owner_id=run.claim.owner_id,
        place=place,
        call_id=call.call_id,
        agent=agent.id,
        tool=call.name,
        arguments=call.arguments,
        arguments_hash=hash_arguments(call.name, call.arguments),
        expires_at=run.expiry(),
        shown=shown,
    )


def asked_event(approval: Approval, task_id: str | None) -> ApprovalAsked:
    """What readers are told of an approval that a run waits for."""
    return ApprovalAsked(
        public("appr", approval.id),
        approval.call_id,
        approval.tool,
        approval.arguments,
        approval.arguments_hash,
        approval.expires_at.astimezone(UTC).isoformat(timespec="seconds"),
        task_id,
        approval.shown,
    )


def refusal_of(call: ToolCall, approval: Approval) -> str | None:
    """Why a call that was asked about may not be made, in words for the model; None if it may."""
    if approval.decision is not Decision.APPROVED:
        return _EXPIRED if approval.expired else _DENIED
    if approval.arguments_hash != hash_arguments(call.name, call.arguments):
        return _CHANGED
    return None
