"""Answers of people to what a stored response asks them, in the input of the next request."""

from cartrita.dialects.openai_refusals import refusal
from cartrita.dialects.openai_responses import approval_items
from cartrita.dialects.openai_responses.approval_items import ApprovalAnswer, ApprovalPlace
from cartrita.domain.approvals import Decision, Verdict, hash_arguments
from cartrita.domain.errors import Conflict
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.kit import ids
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.openai.references import find_response
from cartrita.surfaces.openai.response_fields import ResponseFields
from cartrita.surfaces.openai.response_heads import response_id
from cartrita.surfaces.openai.response_parts import open_part
from cartrita.surfaces.openai.response_runs import response_form
from cartrita.surfaces.services import Services
from cartrita.surfaces.v1.run_answers import ResumedAnswer


async def resume_response(
    services: Services, principal: Principal, fields: ResponseFields, body: JsonObject
) -> ResumedAnswer | None:
    """Decide as the input's last items say; how the response goes on. None for other requests.

    Raises InvalidInput, NotFound, and Conflict for a call that is not the one that was asked for,
    was decided otherwise, or for which it is too late.
    """
    answers = approval_items.last_answers(body.get("input"))
    if not answers:
        return None
    run_id = _run_of(answers, body)
    _refuse_changes(answers, body)
    await find_response(services, principal, response_id(run_id))
    run = await services.approvals.decide_all(principal, run_id, tuple(map(_verdict, answers)))
    bind_run(run_id)
    decided = frozenset(ids.public("appr", answer.place.approval_id) for answer in answers)
    return ResumedAnswer(
        response_form(run, fields),
        open_part(services, principal, run_id, after=decided, streamed=fields.stream),
    )


def _verdict(answer: ApprovalAnswer) -> Verdict:
    decision = Decision.APPROVED if answer.approve else Decision.DENIED
    return Verdict(answer.place.approval_id, decision, answer.place.arguments_hash)


def _run_of(answers: tuple[ApprovalAnswer, ...], body: JsonObject) -> RunId:
    """The run that all the answers are for. Raises InvalidInput."""
    run_id = RunId(answers[0].place.run_id)
    for answer in answers:
        if answer.place.run_id != run_id:
            path = f"input[{answer.position}].approval_request_id"
            raise refusal(path, "All answers must be for one response.", "invalid_value")
    previous = body.get("previous_response_id")
    if previous is not None and previous != response_id(run_id):
        problem = "The approvals were asked for by another response."
        raise refusal("previous_response_id", problem, "invalid_value")
    return run_id


def _refuse_changes(answers: tuple[ApprovalAnswer, ...], body: JsonObject) -> None:
    """Raise Conflict where the input repeats a call otherwise than it was shown."""
    asked = {answer.place for answer in answers}
    for place, name, arguments in approval_items.shown_calls(body.get("input")):
        if place in asked and not _is_as_shown(place, name, arguments):
            raise Conflict(
                "The call has other arguments than those that were asked for; nothing was decided.",
                code="arguments_changed",
            )


def _is_as_shown(place: ApprovalPlace, name: str, arguments: JsonObject | None) -> bool:
    return arguments is not None and hash_arguments(name, arguments) == place.arguments_hash
