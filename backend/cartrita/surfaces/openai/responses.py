"""`POST /v1/responses`: answered by a run, or with `store: false` relayed or translated."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from cartrita.application.completions import Completions
from cartrita.dialects.openai_responses import DIALECT, relay, request_parsing
from cartrita.dialects.openai_responses.request_parsing import Parsed
from cartrita.dialects.openai_responses.response_objects import ResponseHead
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.ids import RunId
from cartrita.domain.messages import Message, Reasoning
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint, ModelNames
from cartrita.gateway.calls import Call
from cartrita.kit.ids import uuid7
from cartrita.kit.long_work import run_long
from cartrita.kit.secret import Secret
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.openai.file_parts import RESPONSE_FILES
from cartrita.surfaces.openai.references import with_history
from cartrita.surfaces.openai.response_approvals import resume_response
from cartrita.surfaces.openai.response_fields import (
    OWN_FIELDS,
    OWN_IDS,
    ResponseFields,
    response_fields,
)
from cartrita.surfaces.openai.response_format import ResponseFormat
from cartrita.surfaces.openai.response_heads import SURFACE
from cartrita.surfaces.openai.response_parts import open_part
from cartrita.surfaces.openai.response_runs import response_command, response_run_answer
from cartrita.surfaces.services import Services, SurfaceConfig
from cartrita.surfaces.v1.model_calls import ModelApi, Opened, answer_request
from cartrita.surfaces.v1.run_answers import Tail


def _read_fields(body: RelayedBody, config: SurfaceConfig) -> ResponseFields:
    return response_fields(body)


def _parse(fields: ResponseFields, owner_id: str) -> Parsed:
    return fields.whole or request_parsing.parse(fields.body.parsed_whole(), owner_id)


def _rewrite(fields: ResponseFields, model: str) -> bytes:
    return relay.rewrite(fields.body, model=model)


def _stream_monitor(
    fields: ResponseFields, provider: str, secrets: tuple[Secret, ...], names: ModelNames | None
) -> relay.Monitor:
    return relay.Monitor(provider, secrets, names)


def _open(
    completions: Completions, call: Call, fields: ResponseFields, parse: Callable[[], Parsed]
) -> Opened:
    return completions.open(call), ResponseFormat(lambda: _head(parse()))


def _head(parsed: Parsed) -> ResponseHead:
    return ResponseHead(
        id=f"resp_{uuid7().hex}",
        created_at=int(time.time()),
        model=parsed.request.model,
        store=False,
        previous_response_id=parsed.previous_response_id,
        metadata=parsed.metadata,
        include=parsed.include,
        echo=parsed.echo,
    )


def _tail(services: Services, principal: Principal, run_id: RunId, streamed: bool) -> Tail:
    return open_part(services, principal, run_id, streamed=streamed)


async def _look_up(
    services: Services, principal: Principal, fields: ResponseFields
) -> ResponseFields:
    """The fields with the whole request, if it refers to anything. Raises as `with_history`.

    Reasoning that is not sealed is never relayed: to OpenAI it is the id of what it has stored,
    whoever asked for that. The translation leaves it out, and says so.
    """
    size = len(fields.body.octets)
    parsed = await run_long(size, _parse, fields, principal.owner_id)
    if not parsed.references and not parsed.previous_response_id:
        sealed = await run_long(size, _are_sealed, parsed.request.messages)
        return replace(fields, refers=False, whole=parsed, relayable=fields.relayable and sealed)
    whole = await with_history(services, principal, parsed)
    return replace(fields, relayable=False, whole=whole)


def _are_sealed(messages: tuple[Message, ...]) -> bool:
    """Whether OpenAI has sealed all reasoning of these messages."""
    return all(
        part.encrypted and part.origin == DIALECT
        for message in messages
        for part in message.parts
        if isinstance(part, Reasoning)
    )


_API: Final = ModelApi[ResponseFields, Parsed](
    surface=SURFACE,
    endpoint=Endpoint.RESPONSES,
    files=RESPONSE_FILES,
    read_fields=_read_fields,
    own_fields=OWN_FIELDS,
    own_ids=OWN_IDS,
    parse=_parse,
    rewrite=_rewrite,
    stream_monitor=_stream_monitor,
    body_monitor=relay.BodyMonitor,
    open=_open,
    look_up=_look_up,
    command=response_command,
    run_answer=response_run_answer,
    resume=resume_response,
    tail=_tail,
)

HOT_PATH = HotPath(
    method="POST",
    path="/v1/responses",
    name="create_response",
    tag="openai",
    handler=partial(answer_request, _API),
    description=(
        "Answer a response request of OpenAI's API, by any configured model or agent.\n\n"
        "Its answer is a run, which is stored here and can be read, resumed, cancelled and "
        "continued with `previous_response_id`, or is part of a `conversation`. With "
        "`store: false` nothing is stored: the request is relayed, or translated."
    ),
    request=(
        "As at OpenAI (https://platform.openai.com/docs/api-reference/responses/create); "
        "`conversation_id` is ours: a conversation that is made if it is not there."
    ),
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
        "conversation_id": {"type": ["string", "null"]},
    },
    required=("model",),
)
