"""One procedure answers the requests of all vendors: relayed as they came, read, or by a run."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace
from starlette.requests import HTTPConnection
from starlette.types import Message
from tests.backend.surfaces.v1.test_call_answers import FakeAnswer, Form

from cartrita.application.completions import Completions
from cartrita.application.model_runs import ModelCommand
from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint, ModelNames
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Admitted, Idempotency
from cartrita.gateway.calls import Call
from cartrita.kit.secret import Secret
from cartrita.surfaces.services import Services, SurfaceConfig
from cartrita.surfaces.v1 import model_calls
from cartrita.surfaces.v1.model_calls import CallFields, ModelApi, Opened, answer_request

ANN = Principal("ann", "key")


class Parsed:
    def __init__(self, fields: CallFields) -> None:
        self.request = ModelRequest(owner_id="ann", model=fields.model, messages=())


class Vendor:
    """An API whose own field is `ours`, which can name what is stored here with `thread_id`."""

    def __init__(self) -> None:
        self.parsed = 0
        self.calls: list[Call] = []
        self.agents: list[str | None] = []
        self.keys: list[Idempotency | None] = []
        self.commands: list[ModelCommand] = []
        self.api = ModelApi[CallFields, Parsed](
            surface="vendor",
            endpoint=Endpoint.MESSAGES,
            read_fields=self._read_fields,
            own_fields=("ours",),
            own_ids=frozenset({"thread_id"}),
            parse=self._parse,
            rewrite=lambda fields, model: fields.body.octets + model.encode(),
            stream_monitor=self._monitor,
            body_monitor=CountMonitor,
            open=self._open,
            look_up=self._look_up,
            command=self._command,
            run_answer=self._run_answer,
        )
        self.services = cast(
            "Services",
            SimpleNamespace(
                completions=SimpleNamespace(agent_of=self._agent_of),
                model_runs=SimpleNamespace(start=self._start),
            ),
        )

    def _agent_of(self, model: str) -> str | None:
        return "writer" if model == "agent" else None

    def _read_fields(self, body: RelayedBody, config: SurfaceConfig) -> CallFields:
        refers = "thread_id" in body.spans
        return CallFields(
            body=body, model=body.parsed("model"), stored=bool(body.parsed("store")), refers=refers
        )

    def _parse(self, fields: CallFields, owner_id: str) -> Parsed:
        assert owner_id == "ann"
        self.parsed += 1
        return Parsed(fields)

    def _monitor(
        self, fields: CallFields, name: str, secrets: tuple[Secret, ...], names: ModelNames | None
    ) -> CountMonitor:
        return CountMonitor(name, secrets, names)

    def _open(
        self, completions: Completions, call: Call, fields: CallFields, parse: Callable[[], Parsed]
    ) -> Opened:
        self.calls.append(call)
        return FakeAnswer(b"{}").opening(), Form()

    async def _look_up(
        self, services: Services, principal: Principal, fields: CallFields
    ) -> CallFields:
        return replace(fields, relayable=False)

    async def _command(
        self,
        services: Services,
        principal: Principal,
        fields: CallFields,
        body: JsonObject,
        agent: str | None,
    ) -> ModelCommand:
        self.agents.append(agent)
        return ModelCommand(surface="vendor", request=Parsed(fields).request)

    async def _start(
        self, principal: Principal, command: ModelCommand, key: Idempotency | None
    ) -> Admitted:
        self.commands.append(command)
        self.keys.append(key)
        return cast("Admitted", None)

    async def _run_answer(
        self,
        services: Services,
        principal: Principal,
        fields: CallFields,
        command: ModelCommand,
        admitted: Admitted,
    ) -> bytes:
        return b'{"status": "queued"}'


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def asked(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Asks the vendor for an answer to these fields, with these headers; returns its body."""

    async def ask(fields: dict[str, Any], **headers: str) -> bytes:
        async def read_body(*_: object) -> tuple[Principal, bytes]:
            return ANN, json.dumps(fields).encode()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        sent: list[Message] = []
        monkeypatch.setattr(model_calls, "read_body", read_body)
        app = SimpleNamespace(state=SimpleNamespace(config=SurfaceConfig()))
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        state = {"services": vendor.services}
        connection = HTTPConnection({"type": "http", "headers": raw, "app": app, "state": state})
        await answer_request(vendor.api, connection, receive, send)
        return b"".join(message.get("body", b"") for message in sent)

    return ask


async def test_a_request_is_relayed_unread_and_without_our_own_fields(
    vendor: Vendor, asked: Callable[..., Any]
) -> None:
    assert await asked({"model": "m", "ours": 1, "x": 2}, x_cartrita_strict="true") == b"{}"
    [call] = vendor.calls
    assert (call.surface, call.owner_id, call.name, call.strict) == ("vendor", "ann", "m", True)
    assert call.relay is not None
    assert call.relay.rewrite("n") == b'{"model":"m","x":2}n'
    assert vendor.parsed == 0


async def test_a_request_is_parsed_once(vendor: Vendor, asked: Callable[..., Any]) -> None:
    await asked({"model": "m"})
    [call] = vendor.calls
    assert call.parse() is call.parse()
    assert vendor.parsed == 1


async def test_what_refers_to_something_stored_is_looked_up_and_not_relayed(
    vendor: Vendor, asked: Callable[..., Any]
) -> None:
    await asked({"model": "m", "thread_id": "t"})
    assert vendor.calls[0].relay is None


async def test_ids_of_the_vendor_are_refused(vendor: Vendor, asked: Callable[..., Any]) -> None:
    for fields in ({"model": "m"}, {"model": "m", "store": True}, {"model": "m", "thread_id": "t"}):
        with pytest.raises(InvalidInput, match="file_id"):
            await asked({**fields, "messages": [{"file_id": "f"}]})
    assert not vendor.calls
    assert not vendor.commands


@pytest.mark.parametrize(
    ("fields", "headers", "agent"),
    [
        ({"model": "m", "store": True}, {}, None),
        ({"model": "agent"}, {}, "writer"),
        ({"model": "m", "stream": True}, {"idempotency_key": "k"}, None),
    ],
    ids=["stored", "agent", "key"],
)
async def test_what_makes_a_run(
    vendor: Vendor,
    asked: Callable[..., Any],
    fields: dict[str, Any],
    headers: dict[str, str],
    agent: str | None,
) -> None:
    told = await asked(fields, **headers, x_cartrita_strict="true")
    assert json.loads(told) == {"status": "queued"}
    assert vendor.agents == [agent]
    assert vendor.commands[0].request.strict
    assert [key and key.key for key in vendor.keys] == [headers.get("idempotency_key")]
    assert not vendor.calls


async def test_a_key_is_bound_to_the_content_and_not_to_how_it_is_sent(
    vendor: Vendor, asked: Callable[..., Any]
) -> None:
    for fields in ({"x": 1}, {"x": 1, "stream": True}, {"x": 2}):
        await asked({"model": "m", **fields}, idempotency_key="k")
    one, streamed, other = (key.request_hash for key in vendor.keys if key is not None)
    assert one == streamed != other
