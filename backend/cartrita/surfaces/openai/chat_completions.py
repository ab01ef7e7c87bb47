"""`POST /v1/chat/completions`: relayed, translated, or answered by a run."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from cartrita.application.completions import Completions
from cartrita.dialects.openai_chat import relay, request_parsing
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.request_parsing import Parsed
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.json import JsonObject
from cartrita.domain.relays import Endpoint, ModelNames
from cartrita.domain.requests import VendorFields
from cartrita.gateway.calls import Call
from cartrita.kit.ids import uuid7
from cartrita.kit.secret import Secret
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.openai.chat_fields import (
    MAX_CHOICES,
    OWN_FIELDS,
    ChatFields,
    chat_fields,
    too_many_choices,
)
from cartrita.surfaces.openai.chat_format import ChatFormat
from cartrita.surfaces.openai.chat_runs import SURFACE, chat_command, chat_run_format
from cartrita.surfaces.openai.choices import open_choices
from cartrita.surfaces.openai.file_parts import CHAT_FILES
from cartrita.surfaces.services import SurfaceConfig
from cartrita.surfaces.v1.model_calls import ModelApi, Opened, answer_request


def _read_fields(body: RelayedBody, config: SurfaceConfig) -> ChatFields:
    return chat_fields(body, config.translated_choices)


def _parse(fields: ChatFields, owner_id: str) -> Parsed:
    """The request of an answer that is not stored: its metadata is for the provider to keep."""
    if fields.relay_only:
        raise too_many_choices(fields.choices, fields.most_translated)
    parsed = request_parsing.parse(fields.body.parsed_whole(), owner_id)
    if not parsed.metadata:
        return parsed
    vendor = parsed.request.vendor
    kept: JsonObject = {**(vendor.fields if vendor else {}), "metadata": parsed.metadata}
    return replace(parsed, request=replace(parsed.request, vendor=VendorFields(SURFACE, kept)))


def _rewrite(fields: ChatFields, model: str) -> bytes:
    return relay.rewrite(fields.body, model=model, ask_for_usage=fields.hides_usage)


def _stream_monitor(
    fields: ChatFields, provider: str, secrets: tuple[Secret, ...], names: ModelNames | None
) -> relay.Monitor:
    hides_usage = fields.hides_usage
    return relay.Monitor(provider, secrets, names, choices=fields.choices, hide_usage=hides_usage)


def _open(
    completions: Completions, call: Call, fields: ChatFields, parse: Callable[[], Parsed]
) -> Opened:
    form = ChatFormat(partial(_head, fields))
    if fields.choices == 1:
        return completions.open(call), form
    return open_choices(completions, call, fields.choices, form.head), form


def _head(fields: ChatFields) -> CompletionHead:
    return CompletionHead(
        id=f"chatcmpl-{uuid7().hex}",
        model=fields.model,
        include_usage=fields.include_usage,
        legacy=fields.legacy,
        finishing={},
    )


_API: Final = ModelApi[ChatFields, Parsed](
    surface=SURFACE,
    endpoint=Endpoint.CHAT_COMPLETIONS,
    files=CHAT_FILES,
    read_fields=_read_fields,
    own_fields=OWN_FIELDS,
    parse=_parse,
    rewrite=_rewrite,
    stream_monitor=_stream_monitor,
    body_monitor=relay.BodyMonitor,
    open=_open,
    command=chat_command,
    run_answer=chat_run_format,
)

HOT_PATH = HotPath(
    method="POST",
    path="/v1/chat/completions",
    name="create_chat_completion",
    tag="openai",
    handler=partial(answer_request, _API),
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
