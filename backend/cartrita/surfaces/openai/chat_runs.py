"""Chat completions that are answered by a run: stored, and in a conversation."""

from functools import partial
from typing import Final

from msgspec.structs import replace

from cartrita.application.runs.model_runs import ModelCommand
from cartrita.dialects.openai_chat import request_parsing
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.kit.long_work import run_long
from cartrita.surfaces.openai.chat_fields import ChatFields
from cartrita.surfaces.openai.chat_format import ChatFormat
from cartrita.surfaces.openai.errors import InvalidExtension
from cartrita.surfaces.services import Services

SURFACE: Final = "openai_chat"
_AGENT_TEMPERATURE: Final = 0.7


async def chat_command(
    services: Services,
    principal: Principal,
    fields: ChatFields,
    body: JsonObject,
    agent: str | None,
) -> ModelCommand:
    """The command for a request. Raises InvalidInput."""
    if fields.choices > 1:
        message = "Invalid 'n': a stored answer and an agent's have one choice; leave it out."
        raise InvalidInput(message, fields={"n": [message]}, code="unsupported_value")
    if agent is not None and body.get("messages") == []:
        raise InvalidExtension.of("messages", "send at least one message")
    parsed = await run_long(
        len(fields.body.octets),
        request_parsing.parse,
        body,
        principal.owner_id,
        continued=fields.conversation_id is not None,
    )
    request = parsed.request
    return ModelCommand(
        surface=SURFACE,
        request=request if agent is None else _with_default_temperature(request),
        agent=agent,
        conversation_id=fields.conversation_id,
        metadata=parsed.metadata,
    )


async def chat_run_format(
    services: Services,
    principal: Principal,
    fields: ChatFields,
    command: ModelCommand,
    admitted: Admitted,
) -> ChatFormat:
    """How the answer of a run is written."""
    conversation = fields.conversation_id or ids.public("conv", admitted.conversation_id)
    create_head = partial(
        CompletionHead,
        id=f"chatcmpl-{admitted.run_id.hex}",
        model=fields.model,
        created=_seconds(admitted.run_id),
        include_usage=fields.include_usage,
        legacy=fields.legacy,
        extra={"conversation_id": conversation},
        finishing={},
    )
    return ChatFormat(create_head, command.metadata)


def _with_default_temperature(request: ModelRequest) -> ModelRequest:
    if request.sampling.temperature is not None:
        return request
    sampling = replace(request.sampling, temperature=_AGENT_TEMPERATURE)
    return replace(request, sampling=sampling)


def _seconds(run_id: RunId) -> int:
    """The Unix time at which a run was made, which its id begins with."""
    return (run_id.int >> 80) // 1000
