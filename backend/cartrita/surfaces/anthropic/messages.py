"""`POST /v1/messages`: relayed, translated, or answered by a run."""

from functools import cache, partial
from typing import Final

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.dialects.anthropic_messages import relay, request_parsing
from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.answers import CacheWish, Call, Relayable, RelayMonitor
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret
from cartrita.surfaces.answers import send_stream, send_whole
from cartrita.surfaces.anthropic import message_runs
from cartrita.surfaces.anthropic.message_fields import OWN_FIELDS, MessageFields, message_fields
from cartrita.surfaces.anthropic.message_format import MessageFormat
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.json_fields import parse_object, without
from cartrita.surfaces.request_reading import call_options, headers_passed_on, read_body
from cartrita.surfaces.services import config_of, services_of
from cartrita.surfaces.vendor_handles import refuse_vendor_ids

SURFACE: Final = "anthropic_messages"


async def post_messages(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Answer a message request."""
    principal, body = await read_body(connection, receive)
    fields = message_fields(body)
    completions = services_of(connection).completions
    agent = completions.agent_of(fields.model)
    key = connection.headers.get("idempotency-key")
    refuse_vendor_ids(body)
    if fields.stored or agent is not None or key is not None:
        await message_runs.answer(connection, receive, send, principal, fields, agent)
        return
    fields = replace(fields, body=without(body, OWN_FIELDS))
    call = _call(connection, principal, fields)
    head = MessageHead(id=f"msg_{uuid7().hex}", model=fields.model, finishing={})
    form = MessageFormat(head, lambda: completions.count_tokens(call.parse()).tokens)
    opening = completions.open(call)
    if fields.stream:
        heartbeat_s = config_of(connection).heartbeat_s
        await send_stream(opening, form, receive, send, heartbeat_s=heartbeat_s)
    else:
        await send_whole(opening, form, receive, send)


def _call(connection: HTTPConnection, principal: Principal, fields: MessageFields) -> Call:
    options = call_options(connection)

    @cache
    def parse() -> ModelRequest:
        return request_parsing.parse(parse_object(fields.body), principal.owner_id).request

    def rewrite(model: str) -> bytes:
        return relay.rewrite(fields.body, model=model)

    relayable = Relayable(
        endpoint=Endpoint.MESSAGES,
        rewrite=rewrite,
        monitor=partial(_monitor, streamed=fields.stream),
        body_monitor=relay.WholeMonitor,
        headers=headers_passed_on(connection),
    )
    return Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        surface=SURFACE,
        name=fields.model,
        parse=parse,
        streamed=fields.stream,
        strict=options.strict,
        relay=relayable if relay.is_relayable(fields.body) else None,
        cache=None if options.cache_s is None else CacheWish(options.cache_s),
    )


def _monitor(provider: str, secrets: tuple[Secret, ...], *, streamed: bool) -> RelayMonitor:
    kind = relay.Monitor if streamed else relay.WholeMonitor
    return kind(provider, secrets)


HOT_PATH = HotPath(
    method="POST",
    path="/v1/messages",
    name="create_anthropic_message",
    tag="anthropic",
    handler=post_messages,
    description=(
        "Answer a message request of Anthropic's API, by any configured model.\n\n"
        "A model whose provider speaks this API gets the request as it is; for any other it is "
        "translated, and `X-Cartrita-Receipts` tells what was lost. `X-Cartrita-Strict: true` "
        "refuses instead. Agents, a `conversation_id`, `store: true`, `background: true` and the "
        "header `Idempotency-Key` make a run, which is stored."
    ),
    request=(
        "As at Anthropic (https://docs.anthropic.com/en/api/messages); `conversation_id`, `store` "
        "and `background` are ours."
    ),
    response="A `message`, as at Anthropic.",
    streams=True,
    fields={
        "model": {"type": "string"},
        "max_tokens": {"type": "integer", "minimum": 1},
        "messages": {"type": "array", "items": {"type": "object"}},
        "system": {"type": ["string", "array"], "items": {"type": "object"}},
        "stream": {"type": "boolean"},
        "conversation_id": {"type": ["string", "null"]},
        "store": {"type": ["boolean", "null"]},
        "background": {"type": ["boolean", "null"]},
    },
    required=("model", "max_tokens", "messages"),
)
