"""Responses that are answered by a run: stored, and read again by their ids."""

from cartrita.application.model_runs import ModelCommand
from cartrita.dialects.openai_responses import request_parsing
from cartrita.dialects.openai_responses.response_rendering import render_state
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
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
    parsed = await run_long(
        len(fields.body.octets), request_parsing.parse, body, principal.owner_id
    )
    if parsed.conversation_id is not None and not parsed.may_be_new:
        await services.conversations.get(principal, parsed.conversation_id)
    previous = await find_previous(services, principal, parsed)
    whole = await with_items(services, principal, parsed)
    return ModelCommand(
        surface=SURFACE,
        request=whole.request,
        agent=agent,
        conversation_id=parsed.conversation_id,
        previous=None if previous is None else ids.public("run", previous.id),
        metadata=parsed.metadata,
        echo=remembered(parsed),
    )


async def response_run_answer(
    services: Services,
    principal: Principal,
    fields: ResponseFields,
    command: ModelCommand,
    admitted: Admitted,
) -> ResponseFormat | bytes:
    """How the answer of a run is written; one in the background is answered by its state."""
    run = await services.runs.get(principal, ids.public("run", admitted.run_id))
    head = head_of(run)
    if fields.background and not fields.stream:
        return render_state(head, "queued" if run.status.value == "queued" else "in_progress")
    return ResponseFormat(lambda: head)
