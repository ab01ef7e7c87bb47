"""Responses that are answered by a run: stored, and read again by their ids."""

from msgspec.structs import replace

from cartrita.application.runs.model_runs import ModelCommand
from cartrita.dialects.openai_refusals import refusal
from cartrita.dialects.openai_responses import request_parsing
from cartrita.dialects.openai_responses.approval_items import without_approvals
from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.openai_responses.response_rendering import render_state
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted, Run
from cartrita.kit import ids
from cartrita.kit.long_work import run_long
from cartrita.surfaces.openai.references import find_previous, with_items
from cartrita.surfaces.openai.response_fields import ResponseFields
from cartrita.surfaces.openai.response_format import ResponseFormat
from cartrita.surfaces.openai.response_heads import SURFACE, head_of, remembered
from cartrita.surfaces.services import Services


async def response_command(
    services: Services,
    principal: Principal,
    fields: ResponseFields,
    body: JsonObject,
    agent: str | None,
) -> ModelCommand:
    """The command for a request. Raises InvalidInput, and NotFound for what it refers to."""
    named = fields.conversation_id
    asked = await run_long(
        len(fields.body.octets),
        request_parsing.parse,
        body,
        principal.owner_id,
        continued=named is not None,
    )
    parsed = asked if named is None else _in_conversation(asked, named)
    if asked.conversation_id is not None:
        await services.conversations.get(principal, asked.conversation_id)
    previous = await find_previous(services, principal, parsed)
    whole = await with_items(services, principal, parsed)
    return ModelCommand(
        surface=SURFACE,
        request=replace(whole.request, messages=without_approvals(whole.request.messages)),
        agent=agent,
        conversation_id=parsed.conversation_id,
        previous=None if previous is None else ids.public("run", previous.id),
        metadata=parsed.metadata,
        echo=remembered(parsed),
        answerable=True,
    )


async def response_run_answer(
    services: Services,
    principal: Principal,
    fields: ResponseFields,
    command: ModelCommand,
    admitted: Admitted,
) -> ResponseFormat | bytes:
    """How the answer of a run is written; one in the background is answered by its state."""
    return response_form(
        await services.runs.get(principal, ids.public("run", admitted.run_id)), fields
    )


def response_form(run: Run, fields: ResponseFields) -> ResponseFormat | bytes:
    """How the answer of this run is written; one in the background is answered by its state."""
    head = head_of(run)
    if fields.background and not fields.stream:
        return render_state(head, "queued" if run.status.value == "queued" else "in_progress")
    return ResponseFormat(lambda: head)


def _in_conversation(parsed: Parsed, named: str) -> Parsed:
    """The request in the conversation that our own field names. Raises InvalidInput."""
    if parsed.previous_response_id is not None:
        raise _two_conversations("previous_response_id", "previous_response_id")
    if parsed.conversation_id not in (None, named):
        raise _two_conversations("conversation", "conversation_id")
    return replace(parsed, conversation_id=named)


def _two_conversations(other: str, param: str) -> InvalidInput:
    problem = f"'{other}' and 'conversation_id' name two conversations. Send only one."
    return refusal(param, problem, "mutually_exclusive_parameters")
