"""`POST /v1/messages/count_tokens`: the provider's own count, or our estimate with its bound."""

from typing import Final

import msgspec
from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.dialects.anthropic_messages import relay, request_parsing
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.calls import Call
from cartrita.kit.long_work import run_long
from cartrita.surfaces.anthropic.file_parts import MESSAGE_FILES
from cartrita.surfaces.anthropic.message_fields import OWN_FIELDS, MessageFields, message_fields
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.services import services_of
from cartrita.surfaces.v1.call_answers import send_json
from cartrita.surfaces.v1.own_files import may_name_files, with_own_files
from cartrita.surfaces.v1.relay_only import NotRelayed, relay_only_call, relayed_body
from cartrita.surfaces.v1.request_reading import read_body
from cartrita.surfaces.v1.vendor_handles import refuse_vendor_ids

SURFACE: Final = "anthropic_count_tokens"
_NO_ENDPOINT: Final = (404, 405)
HEADER: Final = "X-Cartrita-Token-Count"


async def post_count_tokens(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Count the input tokens of a message request."""
    principal, octets = await read_body(connection, receive)
    body = RelayedBody.of(octets)
    if may_name_files(body):
        body = await with_own_files(MESSAGE_FILES, services_of(connection), principal, body)
    size = len(body.octets)
    fields = message_fields(body)
    await run_long(size, refuse_vendor_ids, body, dotted=True)
    completions = services_of(connection).completions
    fields = replace(fields, body=body.without(OWN_FIELDS))
    parsed = await run_long(size, _parse, fields.body, principal.owner_id)
    agent = completions.agent_of(fields.model)
    if agent is not None:
        parsed = await completions.as_agent(agent, parsed, principal.payer)
    headers: list[tuple[str, str]]
    try:
        if agent is not None:
            raise NotRelayed
        call = _call(connection, principal, fields)
        counted, told = await relayed_body(connection, receive, call)
        headers = [*told, (HEADER, "exact")]
    except (NotRelayed, UpstreamRejected) as error:
        if isinstance(error, UpstreamRejected) and error.status not in _NO_ENDPOINT:
            raise
        count = await run_long(size, completions.count_tokens, parsed)
        headers = [(HEADER, f"estimated;bound={count.error_bound:g}")]
        counted = msgspec.json.encode({"input_tokens": count.tokens})
    await send_json(send, counted, headers)


def _parse(body: RelayedBody, owner_id: str) -> ModelRequest:
    return request_parsing.parse_count(body.parsed_whole(), owner_id)


def _call(connection: HTTPConnection, principal: Principal, fields: MessageFields) -> Call:
    return relay_only_call(
        connection,
        principal,
        surface=SURFACE,
        endpoint=Endpoint.COUNT_TOKENS,
        model=fields.model,
        rewrite=lambda name: relay.rewrite(fields.body, model=name),
        size=len(fields.body.octets),
        recorded=False,
    )


HOT_PATH = HotPath(
    method="POST",
    path="/v1/messages/count_tokens",
    name="count_anthropic_tokens",
    tag="anthropic",
    handler=post_count_tokens,
    description=(
        "Count the input tokens of a message request.\n\n"
        "`X-Cartrita-Token-Count` is `exact` for a count of the model's provider, and "
        "`estimated;bound=0.35` for ours, which may be off by that fraction. Of an agent its own "
        "instructions are counted, too."
    ),
    request="As at Anthropic (https://docs.anthropic.com/en/api/messages-count-tokens).",
    response="`input_tokens`.",
    fields={
        "model": {"type": "string"},
        "messages": {"type": "array", "items": {"type": "object"}},
        "system": {"type": ["string", "array"], "items": {"type": "object"}},
    },
    required=("model", "messages"),
)
