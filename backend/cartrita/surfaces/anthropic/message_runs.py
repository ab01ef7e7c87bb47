"""Messages that are answered by a run: stored, and in a conversation."""

from functools import partial
from typing import Final

from cartrita.application.runs.model_runs import ModelCommand
from cartrita.dialects.anthropic_messages import request_parsing
from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.kit.long_work import run_long
from cartrita.surfaces.anthropic.message_fields import MessageFields
from cartrita.surfaces.anthropic.message_format import MessageFormat
from cartrita.surfaces.services import Services

SURFACE: Final = "anthropic_messages"


async def message_command(
    services: Services,
    principal: Principal,
    fields: MessageFields,
    body: JsonObject,
    agent: str | None,
) -> ModelCommand:
    """The command for a request. Raises InvalidInput."""
    parsed = await run_long(
        len(fields.body.octets),
        request_parsing.parse,
        body,
        principal.owner_id,
        continued=fields.conversation_id is not None,
    )
    return ModelCommand(
        surface=SURFACE,
        request=parsed.request,
        agent=agent,
        conversation_id=fields.conversation_id,
    )


async def message_run_format(
    services: Services,
    principal: Principal,
    fields: MessageFields,
    command: ModelCommand,
    admitted: Admitted,
) -> MessageFormat:
    """How the answer of a run is written."""
    conversation = fields.conversation_id or ids.public("conv", admitted.conversation_id)
    request = command.request
    if command.agent is not None:
        request = await services.completions.as_agent(command.agent, request, principal.payer)
    create_head = partial(
        MessageHead,
        id=f"msg_{admitted.run_id.hex}",
        model=fields.model,
        extra={"conversation_id": conversation},
        finishing={},
    )
    return MessageFormat(create_head, lambda: services.completions.count_tokens(request).tokens)
