"""Chat completions that are answered by a run: stored, and in a conversation."""

from typing import Final

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.application.model_runs import ModelCommand
from cartrita.dialects.openai_chat import request_parsing
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Admitted
from cartrita.kit import ids
from cartrita.surfaces.idempotency import idempotency_of
from cartrita.surfaces.json_fields import parse_object
from cartrita.surfaces.openai.chat_fields import ChatFields
from cartrita.surfaces.openai.chat_format import ChatRunFormat
from cartrita.surfaces.openai.errors import InvalidExtension
from cartrita.surfaces.request_reading import call_options
from cartrita.surfaces.run_answers import send_run_stream, send_run_whole
from cartrita.surfaces.services import services_of

SURFACE: Final = "openai_chat"
_AGENT_TEMPERATURE: Final = 0.7
_NOT_OF_THE_ANSWER: Final = frozenset({"stream", "stream_options"})


async def answer(
    connection: HTTPConnection,
    receive: Receive,
    send: Send,
    principal: Principal,
    fields: ChatFields,
    agent: str | None,
) -> None:
    """Start a run, or find the one of the same Idempotency-Key, and send its answer."""
    services = services_of(connection)
    command, body = _command(connection, principal, fields, agent)
    content = {name: body[name] for name in body if name not in _NOT_OF_THE_ANSWER}
    key = idempotency_of(SURFACE, connection, content)
    admitted = await services.model_runs.start(principal, command, key)
    form = _format(fields, admitted)
    tail = services.runs.tail(admitted.run_id, 0)
    if fields.stream:
        await send_run_stream(tail, form, receive, send)
    else:
        await send_run_whole(tail, form, receive, send)


def _command(
    connection: HTTPConnection, principal: Principal, fields: ChatFields, agent: str | None
) -> tuple[ModelCommand, JsonObject]:
    """The command for a request, and its body."""
    if fields.n > 1:
        message = "Invalid 'n': a stored answer and an agent's have one choice; leave it out."
        raise InvalidInput(message, fields={"n": [message]}, code="unsupported_value")
    body = parse_object(fields.body)
    if agent is not None and body.get("messages") == []:
        raise InvalidExtension.of("messages", "send at least one message")
    parsed = request_parsing.parse(body, principal.owner_id)
    request = replace(parsed.request, strict=call_options(connection).strict)
    command = ModelCommand(
        surface=SURFACE,
        request=request if agent is None else _with_default_temperature(request),
        agent=agent,
        conversation_id=fields.conversation_id,
        metadata=parsed.metadata,
    )
    return command, body


def _with_default_temperature(request: ModelRequest) -> ModelRequest:
    if request.sampling.temperature is not None:
        return request
    sampling = replace(request.sampling, temperature=_AGENT_TEMPERATURE)
    return replace(request, sampling=sampling)


def _format(fields: ChatFields, admitted: Admitted) -> ChatRunFormat:
    conversation = fields.conversation_id or ids.public("conv", admitted.conversation_id)
    finishing: JsonObject = {}
    head = CompletionHead(
        id=f"chatcmpl-{admitted.run_id.hex}",
        model=fields.model,
        created=_seconds(admitted.run_id),
        include_usage=fields.include_usage,
        legacy=fields.legacy,
        extra={"conversation_id": conversation},
        finishing=finishing,
    )
    return ChatRunFormat(head, finishing)


def _seconds(run_id: RunId) -> int:
    """The Unix time at which a run was made, which its id begins with."""
    return (run_id.int >> 80) // 1000
