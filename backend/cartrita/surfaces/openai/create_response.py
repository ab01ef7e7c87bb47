"""`POST /v1/responses`: answered by a run, or with `store: false` relayed or translated."""

from collections.abc import Callable
from functools import cache, partial
from typing import Final

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.application.model_runs import ModelCommand
from cartrita.dialects.openai_responses import relay, request_parsing
from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.openai_responses.response_rendering import render_state
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.answers import CacheWish, Call, Relayable, RelayMonitor
from cartrita.kit import ids
from cartrita.kit.secret import Secret
from cartrita.surfaces.answers import send_json, send_stream, send_whole
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.idempotency import idempotency_of
from cartrita.surfaces.json_fields import Fields, parse_object, parsed, top_level_fields
from cartrita.surfaces.openai.response_format import ResponseFormat, ResponseRunFormat
from cartrita.surfaces.openai.response_heads import head_of, remembered
from cartrita.surfaces.openai.stored_responses import (
    SURFACE,
    find_previous,
    with_history,
    with_items,
)
from cartrita.surfaces.request_reading import call_options, headers_passed_on, read_body
from cartrita.surfaces.run_answers import send_run_stream, send_run_whole
from cartrita.surfaces.services import config_of, services_of
from cartrita.surfaces.vendor_handles import REFERENCE, refuse_vendor_ids

_ID_NEEDLES: Final = (b'"id"', b"\\u")
"""Without one of these in its bytes, no input refers to an item."""
_NOT_OF_THE_ANSWER: Final = frozenset({"stream", "stream_options"})
_OURS: Final = frozenset({"previous_response_id", "conversation", REFERENCE})
"""The ids that are looked up among those of the caller, where a request is not relayed."""


async def post_responses(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Answer a response request."""
    principal, body = await read_body(connection, receive)
    fields = top_level_fields(body)
    model = _model(fields)
    completions = services_of(connection).completions
    agent = completions.agent_of(model)
    key = connection.headers.get("idempotency-key")
    if parsed(fields, "store") is not False or agent is not None or key is not None:
        refuse_vendor_ids(body, ours=_OURS)
        await _answer_by_run(connection, receive, send, principal, body, agent)
        return

    @cache
    def parse() -> Parsed:
        return request_parsing.parse(parse_object(body), principal.owner_id)

    request, relayed = parse, True
    if _may_refer(fields) and (parse().references or parse().previous_response_id):
        refuse_vendor_ids(body, ours=_OURS)
        whole = await with_history(services_of(connection), principal, parse())
        request, relayed = (lambda: whole), False
    else:
        refuse_vendor_ids(body)
    streamed = parsed(fields, "stream") is True
    call = _call(connection, principal, body, model, request, streamed=streamed)
    opening = completions.open(call if relayed else replace(call, relay=None))
    form = ResponseFormat(request)
    if streamed:
        heartbeat_s = config_of(connection).heartbeat_s
        await send_stream(opening, form, receive, send, heartbeat_s=heartbeat_s)
    else:
        await send_whole(opening, form, receive, send)


async def _answer_by_run(
    connection: HTTPConnection,
    receive: Receive,
    send: Send,
    principal: Principal,
    body: bytes,
    agent: str | None,
) -> None:
    services = services_of(connection)
    content = parse_object(body)
    request = request_parsing.parse(content, principal.owner_id)
    run_id = await _start(connection, principal, request, content, agent)
    run = await services.runs.get(principal, ids.public("run", run_id))
    head = head_of(run)
    if request.background and not request.stream:
        state = "queued" if run.status.value == "queued" else "in_progress"
        await send_json(send, render_state(head, state))
        return
    tail = services.runs.tail(run_id, 0)
    form = ResponseRunFormat(head)
    if request.stream:
        await send_run_stream(tail, form, receive, send)
    else:
        await send_run_whole(tail, form, receive, send)


async def _start(
    connection: HTTPConnection,
    principal: Principal,
    request: Parsed,
    content: JsonObject,
    agent: str | None,
) -> RunId:
    services = services_of(connection)
    if request.conversation_id is not None:
        await services.conversations.get(principal, request.conversation_id)
    previous = await find_previous(services, principal, request)
    whole = await with_items(services, principal, request)
    command = ModelCommand(
        surface=SURFACE,
        request=replace(whole.request, strict=call_options(connection).strict),
        agent=agent,
        conversation_id=request.conversation_id,
        previous=None if previous is None else ids.public("run", previous.id),
        metadata=request.metadata,
        echo=remembered(request),
    )
    asked = {name: content[name] for name in content if name not in _NOT_OF_THE_ANSWER}
    key = idempotency_of(SURFACE, connection, asked)
    return (await services.model_runs.start(principal, command, key)).run_id


def _may_refer(fields: Fields) -> bool:
    """Whether a request that is not stored may name something that is, so that it must be read."""
    if parsed(fields, "previous_response_id") is not None:
        return True
    content = bytes(fields.get("input", b""))
    return any(needle in content for needle in _ID_NEEDLES)


def _model(fields: Fields) -> str:
    model = parsed(fields, "model")
    if not isinstance(model, str) or not model:
        message = "Missing required parameter: 'model'."
        raise InvalidInput(message, fields={"model": [message]}, code="missing_required_parameter")
    return model


def _call(
    connection: HTTPConnection,
    principal: Principal,
    body: bytes,
    model: str,
    parse: Callable[[], Parsed],
    *,
    streamed: bool,
) -> Call:
    options = call_options(connection)

    def request() -> ModelRequest:
        return parse().request

    def rewrite(name: str) -> bytes:
        return relay.rewrite(body, model=name)

    return Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        surface=SURFACE,
        name=model,
        parse=request,
        streamed=streamed,
        strict=options.strict,
        relay=Relayable(
            endpoint=Endpoint.RESPONSES,
            rewrite=rewrite,
            monitor=partial(_monitor, streamed=streamed),
            body_monitor=relay.WholeMonitor,
            headers=headers_passed_on(connection),
        ),
        cache=None if options.cache_s is None else CacheWish(options.cache_s),
    )


def _monitor(provider: str, secrets: tuple[Secret, ...], *, streamed: bool) -> RelayMonitor:
    kind = relay.Monitor if streamed else relay.WholeMonitor
    return kind(provider, secrets)


HOT_PATH = HotPath(
    method="POST",
    path="/v1/responses",
    name="create_response",
    tag="openai",
    handler=post_responses,
    description=(
        "Answer a response request of OpenAI's API, by any configured model or agent.\n\n"
        "Its answer is a run, which is stored here and can be read, resumed, cancelled and "
        "continued with `previous_response_id`, or is part of a `conversation`. With "
        "`store: false` nothing is stored: the request is relayed, or translated."
    ),
    request="As at OpenAI (https://platform.openai.com/docs/api-reference/responses/create).",
    response="A `response`, as at OpenAI.",
    streams=True,
    fields={
        "model": {"type": "string"},
        "input": {"type": ["string", "array"], "items": {"type": "object"}},
        "instructions": {"type": ["string", "null"]},
        "stream": {"type": ["boolean", "null"]},
        "store": {"type": ["boolean", "null"]},
        "background": {"type": ["boolean", "null"]},
        "previous_response_id": {"type": ["string", "null"]},
        "conversation": {"type": ["string", "object", "null"]},
    },
    required=("model",),
)
