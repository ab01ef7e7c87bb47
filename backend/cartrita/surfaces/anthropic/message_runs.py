"""Messages that are answered by a run: stored, and in a conversation."""

from typing import Final

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.application.model_runs import ModelCommand
from cartrita.dialects.anthropic_messages import request_parsing
from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.surfaces.anthropic.message_fields import MessageFields
from cartrita.surfaces.anthropic.message_format import MessageRunFormat
from cartrita.surfaces.idempotency import idempotency_of
from cartrita.surfaces.json_fields import parse_object
from cartrita.surfaces.request_reading import call_options
from cartrita.surfaces.run_answers import send_run_stream, send_run_whole
from cartrita.surfaces.services import services_of

SURFACE: Final = "anthropic_messages"


async def answer(
    connection: HTTPConnection,
    receive: Receive,
    send: Send,
    principal: Principal,
    fields: MessageFields,
    agent: str | None,
) -> None:
    """Start a run, or find the one of the same Idempotency-Key, and send its answer."""
    services = services_of(connection)
    body = parse_object(fields.body)
    request = request_parsing.parse(body, principal.owner_id).request
    command = ModelCommand(
        surface=SURFACE,
        request=replace(request, strict=call_options(connection).strict),
        agent=agent,
        conversation_id=fields.conversation_id,
    )
    content = {name: value for name, value in body.items() if name != "stream"}
    key = idempotency_of(SURFACE, connection, content)
    admitted = await services.model_runs.start(principal, command, key)
    form = _format(fields, admitted, services.completions.count_tokens(request).tokens)
    tail = services.runs.tail(admitted.run_id, 0)
    if fields.stream:
        await send_run_stream(tail, form, receive, send)
    else:
        await send_run_whole(tail, form, receive, send)


def _format(fields: MessageFields, admitted: Admitted, input_tokens: int) -> MessageRunFormat:
    conversation = fields.conversation_id or ids.public("conv", admitted.conversation_id)
    extra: JsonObject = {"conversation_id": conversation}
    head = MessageHead(
        id=f"msg_{admitted.run_id.hex}",
        model=fields.model,
        input_tokens=input_tokens,
        extra=extra,
        finishing={},
    )
    return MessageRunFormat(head)
