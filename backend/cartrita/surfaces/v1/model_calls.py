"""Answers the requests of the vendors' APIs: relayed, translated, or by a run.

The procedure is the same for all of them; a `ModelApi` describes what is not. This is the hot path:
a request is not parsed, and nothing is awaited, where that can be left out.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.application.completions import Completions
from cartrita.application.runs.model_runs import ModelCommand
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.relay_monitors import CreateMonitor, RelayMonitor
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint, ModelNames
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Admitted
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import Call, Relayable
from cartrita.kit.long_work import run_long
from cartrita.kit.secret import Secret
from cartrita.surfaces.answer_room import require_room
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.idempotency import idempotency_of
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.services import Services, SurfaceConfig, config_of, services_of
from cartrita.surfaces.sse import send_later
from cartrita.surfaces.v1.call_answers import AnswerFormat, send_json, send_stream, send_whole
from cartrita.surfaces.v1.own_files import FileFields, may_name_files, with_own_files
from cartrita.surfaces.v1.request_counts import counts_of
from cartrita.surfaces.v1.request_reading import call_options, headers_passed_on, read_body
from cartrita.surfaces.v1.run_answers import (
    ResumedAnswer,
    RunFormat,
    Tail,
    send_run_stream,
    send_run_whole,
)
from cartrita.surfaces.v1.vendor_handles import OWN_FILES, may_hold_vendor_ids, refuse_vendor_ids

_NOT_OF_THE_ANSWER: Final = frozenset({"stream", "stream_options"})
"""Fields that may change between two requests with one Idempotency-Key."""
_NONE: Final[frozenset[str]] = frozenset()


def run_tail(services: Services, principal: Principal, run_id: RunId, streamed: bool) -> Tail:
    """The whole log of a run."""
    return services.connections.holding(principal, services.runs.tail(run_id, 0))


class CallFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a surface itself reads of a request; all other fields stay in `body`, as they came.

    `stored` asks for an answer that is kept, and `choices` for so many at once; with `relay_only`
    they can only be relayed. A request that is not `relayable` is translated for each provider.
    One that `refers` may name what is stored here, which is then looked up.
    """

    body: RelayedBody
    model: str
    stream: bool = False
    stored: bool = False
    choices: int = 1
    relay_only: bool = False
    relayable: bool = True
    refers: bool = False


class ParsedRequest(Protocol):
    """A request as its dialect has parsed it; see `request_parsing.py` of each."""

    @property
    def request(self) -> ModelRequest: ...


F = TypeVar("F", bound=CallFields)
P = TypeVar("P", bound=ParsedRequest)

Opened: TypeAlias = tuple[AbstractAsyncContextManager[Answer], AnswerFormat]
"""The answer to a call, not yet entered, and how it is written."""


class ModelApi(msgspec.Struct, Generic[F, P], frozen=True, kw_only=True):
    """What differs between the APIs of the vendors.

    `own_fields` are those of a body that the vendor refuses, so that only `read_fields` sees them,
    and `own_ids` those that may hold ids that this server gave out. `dotted_paths` is how it writes
    the path of a field, see `refuse_vendor_ids`. `parse` takes the id of the
    owner; `rewrite` and the monitors are those of `Relayable`. `open` gets the fields and what
    parses the request.

    `files` is how parts name files. `look_up` puts what a request refers to into its fields, which
    it returns. For a run, `command` makes its command from the rest of the body, parsed as JSON,
    and the name of an agent; `run_answer` is how its answer is written, or an answer that does not
    wait for it, and `tail` what of its log that is, streamed or not. `resume` is asked first: the
    request may be what a run waits for.
    """

    surface: str
    endpoint: Endpoint
    read_fields: Callable[[RelayedBody, SurfaceConfig], F]
    parse: Callable[[F, str], P]
    rewrite: Callable[[F, str], bytes]
    stream_monitor: Callable[[F, str, tuple[Secret, ...], ModelNames | None], RelayMonitor]
    body_monitor: CreateMonitor
    open: Callable[[Completions, Call, F, Callable[[], P]], Opened]
    command: Callable[[Services, Principal, F, JsonObject, str | None], Awaitable[ModelCommand]]
    run_answer: Callable[
        [Services, Principal, F, ModelCommand, Admitted], Awaitable[RunFormat | bytes]
    ]
    files: FileFields
    own_fields: tuple[str, ...] = ()
    own_ids: frozenset[str] = _NONE
    dotted_paths: bool = False
    look_up: Callable[[Services, Principal, F], Awaitable[F]] | None = None
    resume: (
        Callable[[Services, Principal, F, JsonObject], Awaitable[ResumedAnswer | None]] | None
    ) = None
    tail: Callable[[Services, Principal, RunId, bool], Tail] = run_tail


async def answer_request(
    api: ModelApi[F, P], connection: HTTPConnection, receive: Receive, send: Send
) -> None:
    """Answer a request of one of the APIs."""
    principal, octets = await read_body(connection, receive)
    body = RelayedBody.of(octets)  # one call of C, during which no other thread would run
    config = config_of(connection)
    services = services_of(connection)
    require_room(connection, principal)
    fields = api.read_fields(body, config)
    agent = services.completions.agent_of(fields.model)
    if fields.stored or agent is not None or "idempotency-key" in connection.headers:
        await _refuse_ids(api, body, api.own_ids | {OWN_FILES})
        await _answer_by_run(api, connection, receive, send, principal, fields, agent)
        return
    kept = body.without(api.own_fields)
    names_files = may_name_files(kept)
    if names_files:
        async with UntilDisconnect(receive):
            kept = await with_own_files(api.files, services, principal, kept)
    if kept is not body:
        fields = replace(fields, body=kept)
    if fields.refers and api.look_up is not None:
        async with UntilDisconnect(receive):
            fields = await api.look_up(services, principal, fields)
    ours = api.own_ids if fields.refers else _NONE
    if names_files:
        await _refuse_ids(api, kept, ours)
        ours |= {OWN_FILES}
    if may_hold_vendor_ids(body):
        await _refuse_ids(api, body, ours)
    reading = _Reading(api, fields, principal.owner_id)
    call = _call(api, connection, principal, reading)
    opening, form = api.open(services.completions, call, fields, reading.parse)
    reading.form = form
    opening = services.connections.holding(principal, opening)
    if fields.stream:
        beat = config.heartbeat_s
        send_later(
            connection.scope, partial(send_stream, opening, form, receive, send, heartbeat_s=beat)
        )
    else:
        await send_whole(opening, form, receive, send)


async def _refuse_ids(api: ModelApi[F, P], body: RelayedBody, ours: frozenset[str]) -> None:
    """Raise InvalidInput for an id that is none of these."""
    dotted = api.dotted_paths
    await run_long(len(body.octets), refuse_vendor_ids, body, ours=ours, dotted=dotted)


class _Reading(Generic[F, P]):
    """One request, which is parsed once, and only where it has to be read."""

    __slots__ = ("_api", "_owner_id", "_parsed", "fields", "form")

    def __init__(self, api: ModelApi[F, P], fields: F, owner_id: str) -> None:
        self._api = api
        self._owner_id = owner_id
        self._parsed: P | None = None
        self.fields = fields
        self.form: AnswerFormat | None = None

    def parse(self) -> P:
        if self._parsed is None:
            self._parsed = self._api.parse(self.fields, self._owner_id)
        return self._parsed

    def request(self) -> ModelRequest:
        return self.parse().request

    def rewrite(self, model: str) -> bytes:
        return self._api.rewrite(self.fields, model)

    def log_keys(self) -> Mapping[str, int | str | None]:
        """What the log tells of it; it has no id where its provider gives it one."""
        written = None if self.form is None else self.form.message_id
        return {**counts_of(self.fields.body), "message_id": written}


def _call(
    api: ModelApi[F, P], connection: HTTPConnection, principal: Principal, reading: _Reading[F, P]
) -> Call:
    fields = reading.fields
    options = call_options(connection)
    relay = None
    if fields.relayable:
        relay = Relayable(
            endpoint=api.endpoint,
            rewrite=reading.rewrite,
            monitor=partial(api.stream_monitor, fields) if fields.stream else api.body_monitor,
            body_monitor=api.body_monitor,
            headers=headers_passed_on(connection),
        )
    return Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        caller_trace=principal.caller_trace,
        surface=api.surface,
        name=fields.model,
        parse=reading.request,
        streamed=fields.stream,
        strict=options.strict,
        relay=relay,
        cache=options.cache,
        choices=fields.choices,
        relay_only=fields.relay_only,
        size=len(fields.body.octets),
        tenant_id=principal.tenant_id,
        scopes=principal.scopes,
        log_keys=reading.log_keys,
    )


async def _answer_by_run(
    api: ModelApi[F, P],
    connection: HTTPConnection,
    receive: Receive,
    send: Send,
    principal: Principal,
    fields: F,
    agent: str | None,
) -> None:
    """Start a run, or find the one of the same Idempotency-Key, and send its answer."""
    services = services_of(connection)
    body = await run_long(len(fields.body.octets), fields.body.parsed_whole)
    asked = {name: body[name] for name in body if name not in api.own_fields}
    async with UntilDisconnect(receive):
        resumed = api.resume and await api.resume(services, principal, fields, asked)
    if resumed is not None:
        return await _send_run(*resumed, receive, send, streamed=fields.stream)
    async with UntilDisconnect(receive):
        command = await api.command(services, principal, fields, asked, agent)
    strict = call_options(connection).strict
    command = replace(command, request=replace(command.request, strict=strict))
    content = {name: body[name] for name in body if name not in _NOT_OF_THE_ANSWER}
    key = idempotency_of(api.surface, connection, content)
    admitted = await services.model_runs.start(principal, command, key)
    bind_run(admitted.run_id)
    form = await api.run_answer(services, principal, fields, command, admitted)
    tail = api.tail(services, principal, admitted.run_id, fields.stream)
    return await _send_run(form, tail, receive, send, streamed=fields.stream)


async def _send_run(
    form: RunFormat | bytes, tail: Tail, receive: Receive, send: Send, *, streamed: bool
) -> None:
    if isinstance(form, bytes):
        await send_json(send, form)
    elif streamed:
        await send_run_stream(tail, form, receive, send)
    else:
        await send_run_whole(tail, form, receive, send)
