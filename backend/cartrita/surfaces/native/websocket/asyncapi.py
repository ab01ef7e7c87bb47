"""The AsyncAPI document of the WebSocket, as `openapi.json` is that of the requests."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec
from pydantic.json_schema import models_json_schema

from cartrita.surfaces.native.event_schemas import ChatEvent
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

_REF = "#/components/schemas/"
_CHANNEL = "#/channels/chat"
_ANSWERS = (AcceptedFrame, PongFrame, DrainFrame, ErrorReply)


def asyncapi_document(version: str) -> Document:
    """The document. An event is an object that has the fields of its place and its own."""
    sent = [model.__name__ for model in FRAMES.values()]
    received = ["EventFrame", *(struct.__name__ for struct in _ANSWERS)]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Cartrita's WebSocket", "version": version},
        "channels": {
            "chat": {
                "address": PATH,
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"} for name in (*sent, *received)
                },
            }
        },
        "operations": {
            "send": _operation("send", sent),
            "receive": _operation("receive", received),
        },
        "components": {
            "messages": {
                name: {"payload": {"$ref": _REF + name}} for name in sorted((*sent, *received))
            },
            "schemas": dict(sorted({**_client_schemas(), **_server_schemas()}.items())),
        },
    }


def _operation(action: str, names: Iterable[str]) -> Document:
    """What a client does."""
    messages = [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": _CHANNEL}, "messages": messages}


def _client_schemas() -> Document:
    _, made = models_json_schema(
        [(model, "validation") for model in FRAMES.values()], ref_template=_REF + "{model}"
    )
    return made["$defs"]


def _server_schemas() -> Document:
    (event, *_), components = msgspec.json.schema_components(
        [ChatEvent, EventPlace, DonePlace, *_ANSWERS], ref_template=_REF + "{name}"
    )
    place = {"anyOf": [{"$ref": _REF + "DonePlace"}, {"$ref": _REF + "EventPlace"}]}
    return {
        **components,
        "ChatEvent": event,
        "EventFrame": {"allOf": [place, {"$ref": _REF + "ChatEvent"}]},
    }
