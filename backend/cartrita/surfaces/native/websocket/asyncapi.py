"""The AsyncAPI document of the WebSocket, as `openapi.json` is that of the requests."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec
from pydantic.json_schema import models_json_schema

from cartrita.surfaces.native.event_documents import event_documents
from cartrita.surfaces.native.public_names import REF, with_public_names
from cartrita.surfaces.native.websocket.client_frames import FRAMES
from cartrita.surfaces.native.websocket.endpoint import PATH
from cartrita.surfaces.native.websocket.server_frames import (
    AcceptedFrame,
    DonePlace,
    DrainFrame,
    ErrorReply,
    EventPlace,
    PongFrame,
)

Document: TypeAlias = dict[str, Any]

_CHANNEL = "#/channels/chat"
_ANSWERS = (AcceptedFrame, PongFrame, DrainFrame, ErrorReply)


def asyncapi_document(version: str) -> Document:
    """The document. An event is an object that has the fields of its place and its own."""
    sent = [model.__name__ for model in FRAMES.values()]
    received = ["EventFrame", *(struct.__name__ for struct in _ANSWERS)]
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Cartrita's WebSocket", "version": version},
        "channels": {
            "chat": {
                "address": PATH,
                "description": "Several runs on one connection, with what the streams send.",
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"} for name in (*sent, *received)
                },
                "x-frames": _frames(),
            }
        },
        "operations": {
            "send": _operation("send", sent),
            "receive": _operation("receive", received),
        },
        "components": {
            "messages": {
                name: {"payload": {"$ref": REF + name}} for name in sorted((*sent, *received))
            },
            "schemas": {**_client_schemas(), **_server_schemas()},
        },
    }
    return with_public_names(document)


def _operation(action: str, names: Iterable[str]) -> Document:
    """What a client does."""
    messages = [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": _CHANNEL}, "messages": messages}


def _frames() -> Document:
    """What schemas do not tell: which frame has which type, and what an event is made of."""
    tagged = {struct.__struct_config__.tag: struct for struct in _ANSWERS}
    return {
        "sent": {tag: model.__name__ for tag, model in FRAMES.items()},
        "received": {tag: struct.__name__ for tag, struct in tagged.items() if tag is not None},
        "events": "ChatEvent",
        "place": EventPlace.__name__,
        "end_place": DonePlace.__name__,
        "refusal": ErrorReply.__name__,
    }


def _client_schemas() -> Document:
    _, made = models_json_schema(
        [(model, "validation") for model in FRAMES.values()], ref_template=REF + "{model}"
    )
    return made["$defs"]


def _server_schemas() -> Document:
    _, components = msgspec.json.schema_components(
        [EventPlace, DonePlace, *_ANSWERS], ref_template=REF + "{name}"
    )
    place = {"anyOf": [{"$ref": REF + "DonePlace"}, {"$ref": REF + "EventPlace"}]}
    event = {
        "description": "An event of a run, with its place in it.",
        "allOf": [place, {"$ref": REF + "ChatEvent"}],
    }
    return {**components, **event_documents(), "EventFrame": event}
