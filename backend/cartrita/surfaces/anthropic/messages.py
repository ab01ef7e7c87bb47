"""`POST /v1/messages`: relayed, translated, or answered by a run."""

from collections.abc import Callable
from functools import partial
from typing import Final

from cartrita.application.completions import Completions
from cartrita.dialects.anthropic_messages import relay, request_parsing
from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.dialects.anthropic_messages.request_parsing import Parsed
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.relays import Endpoint, ModelNames
from cartrita.gateway.calls import Call
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret
from cartrita.surfaces.anthropic.file_parts import MESSAGE_FILES
from cartrita.surfaces.anthropic.message_fields import OWN_FIELDS, MessageFields, message_fields
from cartrita.surfaces.anthropic.message_format import MessageFormat
from cartrita.surfaces.anthropic.message_runs import SURFACE, message_command, message_run_format
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.services import SurfaceConfig
from cartrita.surfaces.v1.model_calls import ModelApi, Opened, answer_request


def _read_fields(body: RelayedBody, config: SurfaceConfig) -> MessageFields:
    return message_fields(body)


def _parse(fields: MessageFields, owner_id: str) -> Parsed:
    return request_parsing.parse(fields.body.parsed_whole(), owner_id)


def _rewrite(fields: MessageFields, model: str) -> bytes:
    return relay.rewrite(fields.body, model=model)


def _stream_monitor(
    fields: MessageFields, provider: str, secrets: tuple[Secret, ...], names: ModelNames | None
) -> relay.Monitor:
    return relay.Monitor(provider, secrets, names)


def _open(
    completions: Completions, call: Call, fields: MessageFields, parse: Callable[[], Parsed]
) -> Opened:
    form = MessageFormat(
        lambda: MessageHead(id=f"msg_{uuid7().hex}", model=fields.model, finishing={}),
        lambda: completions.count_tokens(parse().request).tokens,
    )
    return completions.open(call), form


_API: Final = ModelApi[MessageFields, Parsed](
    surface=SURFACE,
    endpoint=Endpoint.MESSAGES,
    files=MESSAGE_FILES,
    read_fields=_read_fields,
    own_fields=OWN_FIELDS,
    dotted_paths=True,
    parse=_parse,
    rewrite=_rewrite,
    stream_monitor=_stream_monitor,
    body_monitor=relay.BodyMonitor,
    open=_open,
    command=message_command,
    run_answer=message_run_format,
)

HOT_PATH = HotPath(
    method="POST",
    path="/v1/messages",
    name="create_anthropic_message",
    tag="anthropic",
    handler=partial(answer_request, _API),
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
