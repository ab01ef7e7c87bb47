"""The AsyncAPI document of the WebSockets, as `openapi.json` is that of the requests."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias, cast

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cartrita.surfaces.native.chat_socket.channel import CHAT_CHANNEL
from cartrita.surfaces.native.contract_examples import add_examples, frames_of
from cartrita.surfaces.native.contract_texts import describe_schemas
from cartrita.surfaces.native.desktop_socket import DESKTOP_CHANNEL
from cartrita.surfaces.native.event_documents import event_documents, struct_schemas
from cartrita.surfaces.native.public_names import REF, with_public_names
from cartrita.surfaces.native.voice_socket.channel import VOICE_CHANNEL
from cartrita.surfaces.native.websocket.channel import Channel
from cartrita.surfaces.native.websocket.server_frames import DonePlace, ErrorReply, EventPlace

Document: TypeAlias = dict[str, Any]

_CHANNELS: Final = (CHAT_CHANNEL, VOICE_CHANNEL, DESKTOP_CHANNEL)
_EVENT: Final = "EventFrame"
_DESCRIPTION: Final = (
    "Who calls is told by the handshake, or by a first frame of the type `auth` where frames are "
    "JSON. The events of runs are those that the streams send."
)
_SECURITY_SCHEMES: Final[Document] = {
    "ApiKey": {
        "type": "httpApiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of this server, or of a provider.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same."},
    "Session": {
        "type": "httpApiKey",
        "in": "cookie",
        "name": "cartrita_session",
        "description": "From POST /api/session, for pages of an allowed origin.",
    },
    "StreamTicket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "From POST /api/stream-tickets; good for one socket.",
    },
}


def asyncapi_document(version: str) -> Document:
    """The document. An event is an object that has the fields of its place and its own."""
    document = with_public_names(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "Cartrita's WebSockets",
                "version": version,
                "description": _DESCRIPTION,
            },
            "defaultContentType": "application/json",
            "servers": {"local": _server()},
            "channels": {channel.name: _channel(channel) for channel in _CHANNELS},
            "operations": dict(_operations()),
            "components": {
                "securitySchemes": _SECURITY_SCHEMES,
                "schemas": {**_client_schemas(), **_server_schemas()},
            },
        }
    )
    schemas = document["components"]["schemas"]
    describe_schemas(schemas)
    names = {name for channel in _CHANNELS for name in (*channel.sent, *channel.answered)}
    add_examples(schemas, {*names, *frames_of(schemas)})
    document["components"]["messages"] = {
        **{name: _message(name, schemas[name]) for name in sorted({*names, _EVENT})},
        **_binary_messages(),
    }
    document["components"]["schemas"] = _without_discriminators(schemas)
    return document


def _without_discriminators(value: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """AsyncAPI's own discriminators are names alone, of schemas that are called as their tags."""
    match value:
        case dict():
            members = cast("Document", value)
            return {
                "x-discriminator" if name == "discriminator" else name: _without_discriminators(one)
                for name, one in members.items()
            }
        case list():
            return [_without_discriminators(one) for one in cast("list[Any]", value)]
        case _:
            return value


def _server() -> Document:
    return {
        "host": "127.0.0.1:8000",
        "protocol": "ws",
        "description": "A server on this machine, as it is without settings.",
        "security": [
            {"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY_SCHEMES
        ],
    }


def _channel(channel: Channel) -> Document:
    ticket = {"type": "string", "description": _SECURITY_SCHEMES["StreamTicket"]["description"]}
    query = {"type": "object", "properties": {"ticket": ticket}}
    names = (*channel.sent, *_events_of(channel), *channel.answered, *channel.binary)
    parameters = {name: {"description": told} for name, told in channel.parameters.items()}
    return {
        "address": channel.path,
        **({"parameters": parameters} if parameters else {}),
        "description": channel.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
        "x-frames": _frames(channel),
        "x-close-codes": {str(code): told for code, told in sorted(channel.closings.items())},
    }


def _events_of(channel: Channel) -> tuple[str, ...]:
    return (_EVENT,) if channel.tells_events else ()


def _frames(channel: Channel) -> Document:
    """What schemas do not tell: which frame has which type, and what an event is made of."""
    tagged = {struct.__struct_config__.tag: struct for struct in channel.answers}
    events = {
        "events": "ChatEvent",
        "place": EventPlace.__name__,
        "end_place": DonePlace.__name__,
    }
    return {
        "sent": {tag: model.__name__ for tag, model in channel.frames.items()},
        "received": {tag: struct.__name__ for tag, struct in tagged.items() if tag is not None},
        **(events if channel.tells_events else {}),
        "refusal": ErrorReply.__name__,
        **({"binary": list(channel.binary)} if channel.binary else {}),
    }


def _operations() -> Iterator[tuple[str, Document]]:
    """What a client does on each channel."""
    for one in _CHANNELS:
        received = (*_events_of(one), *one.answered, *one.received_binary)
        sent = (*one.sent, *one.sent_binary)
        yield one.sending, _operation(one, "send", "What a client sends.", sent)
        yield one.receiving, _operation(one, "receive", "What it receives.", received)


def _operation(channel: Channel, action: str, summary: str, names: Iterable[str]) -> Document:
    address = f"#/channels/{channel.name}"
    messages = [{"$ref": f"{address}/messages/{name}"} for name in names]
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": address},
        "messages": messages,
    }


def _binary_messages() -> Document:
    return {
        name: {
            "name": name,
            "summary": summary,
            "contentType": "application/octet-stream",
            "payload": {"type": "string", "format": "binary"},
        }
        for channel in _CHANNELS
        for name, summary in channel.binary.items()
    }


def _message(name: str, schema: Document) -> Document:
    message = {
        "name": name,
        "summary": schema["description"].partition("\n")[0],
        "payload": {"$ref": REF + name},
    }
    examples = [{"payload": one} for one in schema.get("examples", ())]
    return {**message, "examples": examples} if examples else message


def _models() -> Iterable[type[BaseModel]]:
    return dict.fromkeys(model for one in _CHANNELS for model in one.frames.values())


def _structs() -> Iterable[type[msgspec.Struct]]:
    return dict.fromkeys(struct for one in _CHANNELS for struct in one.answers)


def _client_schemas() -> Document:
    _, made = models_json_schema(
        [(model, "validation") for model in _models()], ref_template=REF + "{model}"
    )
    return made["$defs"]


def _server_schemas() -> Document:
    _, components = struct_schemas([EventPlace, DonePlace, *_structs()])
    place = {"anyOf": [{"$ref": REF + "DonePlace"}, {"$ref": REF + "EventPlace"}]}
    event = {
        "description": "An event of a run, with its place in it.",
        "allOf": [place, {"$ref": REF + "ChatEvent"}],
        "examples": [
            {
                "run_id": "run_01a1fcc340507650bfc0eb245a5117a8",
                "seq": 2,
                "event": "token",
                "data": {"content": "Hel", "delta": "Hel", "position": 0},
            }
        ],
    }
    return {**components, **event_documents(), _EVENT: event}
