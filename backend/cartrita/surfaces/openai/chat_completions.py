"""`POST /v1/chat/completions`: relayed, translated, or answered by a run."""

from functools import cache, partial

from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.dialects.openai_chat import relay, request_parsing
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import ModelRequest, VendorFields
from cartrita.gateway.answers import CacheWish, Call, Relayable, RelayMonitor
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret
from cartrita.surfaces.answers import send_stream, send_whole
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.json_fields import parse_object, without
from cartrita.surfaces.openai import chat_runs
from cartrita.surfaces.openai.chat_fields import (
    MAX_CHOICES,
    OWN_FIELDS,
    ChatFields,
    chat_fields,
    too_many_choices,
)
from cartrita.surfaces.openai.chat_format import ChatFormat
from cartrita.surfaces.openai.choices import open_choices
from cartrita.surfaces.request_reading import call_options, headers_passed_on, read_body
from cartrita.surfaces.services import config_of, services_of
from cartrita.surfaces.vendor_handles import refuse_vendor_ids

SURFACE = "openai_chat"


async def post_chat_completions(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Answer a chat completion request."""
    principal, body = await read_body(connection, receive)
    fields = chat_fields(body)
    completions = services_of(connection).completions
    agent = completions.agent_of(fields.model)
    key = connection.headers.get("idempotency-key")
    refuse_vendor_ids(body)
    if fields.stored or agent is not None or key is not None:
        await chat_runs.answer(connection, receive, send, principal, fields, agent)
        return
    fields = replace(fields, body=without(body, OWN_FIELDS))
    finishing: JsonObject = {}
    head = CompletionHead(
        id=f"chatcmpl-{uuid7().hex}",
        model=fields.model,
        include_usage=fields.include_usage,
        legacy=fields.legacy,
        finishing=finishing,
    )
    call = _call(connection, principal, fields)
    one = fields.n == 1
    opening = completions.open(call) if one else open_choices(completions, call, fields.n, head)
    form = ChatFormat(head, finishing)
    if fields.stream:
        heartbeat_s = config_of(connection).heartbeat_s
        await send_stream(opening, form, receive, send, heartbeat_s=heartbeat_s)
    else:
        await send_whole(opening, form, receive, send)


def _call(connection: HTTPConnection, principal: Principal, fields: ChatFields) -> Call:
    options = call_options(connection)

    most = config_of(connection).translated_choices
    relay_only = fields.n > most

    @cache
    def parse() -> ModelRequest:
        if relay_only:
            raise too_many_choices(fields.n, most)
        return _with_metadata(request_parsing.parse(parse_object(fields.body), principal.owner_id))

    hide_usage = fields.stream and not fields.include_usage

    def rewrite(model: str) -> bytes:
        return relay.rewrite(fields.body, model=model, ask_for_usage=hide_usage)

    return Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        surface=SURFACE,
        name=fields.model,
        parse=parse,
        streamed=fields.stream,
        strict=options.strict,
        relay=Relayable(
            endpoint=Endpoint.CHAT_COMPLETIONS,
            rewrite=rewrite,
            monitor=partial(_monitor, streamed=fields.stream, hide_usage=hide_usage),
            body_monitor=relay.BodyMonitor,
            headers=headers_passed_on(connection),
        ),
        cache=None if options.cache_s is None else CacheWish(options.cache_s),
        choices=fields.n,
        relay_only=relay_only,
    )


def _monitor(
    provider: str, secrets: tuple[Secret, ...], *, streamed: bool, hide_usage: bool
) -> RelayMonitor:
    if streamed:
        return relay.Monitor(provider, secrets, hide_usage=hide_usage)
    return relay.BodyMonitor(provider, secrets)


def _with_metadata(parsed: request_parsing.Parsed) -> ModelRequest:
    """The request of an answer that is not stored: its metadata is for the provider to keep."""
    if not parsed.metadata:
        return parsed.request
    vendor = parsed.request.vendor
    fields: JsonObject = {**(vendor.fields if vendor else {}), "metadata": parsed.metadata}
    return replace(parsed.request, vendor=VendorFields(SURFACE, fields))


HOT_PATH = HotPath(
    method="POST",
    path="/v1/chat/completions",
    name="create_chat_completion",
    tag="openai",
    handler=post_chat_completions,
    description=(
        "Answer a chat completion request of OpenAI's API, by any configured model.\n\n"
        "A model whose provider speaks this API gets the request as it is; for any other it is "
        "translated, and `X-Cartrita-Receipts` tells what was lost. `X-Cartrita-Strict: true` "
        "refuses instead. `X-Cartrita-Cache: 300` accepts an answer that is up to 300 s old.\n\n"
        "Agents (`cartrita`, `cartrita-<agent>`), `store: true`, `background: true`, a "
        "`conversation_id` and the header `Idempotency-Key` make a run, which is stored: its "
        "answer has a `conversation_id`, and `metadata` about the run."
    ),
    request=(
        "As at OpenAI (https://platform.openai.com/docs/api-reference/chat/create); "
        "`conversation_id` and `background` are ours."
    ),
    response="A `chat.completion`, as at OpenAI.",
    streams=True,
    fields={
        "model": {"type": "string"},
        "messages": {"type": "array", "items": {"type": "object"}},
        "stream": {"type": ["boolean", "null"]},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_CHOICES},
        "store": {"type": ["boolean", "null"]},
        "background": {"type": ["boolean", "null"]},
        "conversation_id": {"type": ["string", "null"]},
    },
    required=("model", "messages"),
)
