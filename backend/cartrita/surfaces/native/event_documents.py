"""The schemas of events and of the parts of messages, for the documents of all transports."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from cartrita.surfaces.native.event_schemas import ChatEvent
from cartrita.surfaces.native.public_names import REF
from cartrita.surfaces.native.schemas import MessagePart

Schema: TypeAlias = dict[str, Any]


def struct_schemas(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Their schemas, and all that these name, as JSON has them: defaults are no tuples."""
    made = msgspec.json.schema_components(types, ref_template=REF + "{name}")
    return msgspec.json.decode(
        msgspec.json.encode(made), type=tuple[list[Schema], dict[str, Schema]]
    )


def event_documents() -> Schema:
    """`ChatEvent` and `MessagePart`, each a union of named schemas, and all that these name."""
    (event, part), components = struct_schemas([ChatEvent, MessagePart])
    components["SnapshotMessage"]["properties"]["parts"]["items"] = {"$ref": REF + "MessagePart"}
    event_text = "An event of a run: `event` says which, and `data` holds what belongs to it."
    part_text = "A part of a message: `type` says which."
    return {
        **components,
        "ChatEvent": {**event, "description": event_text},
        "MessagePart": {**part, "description": part_text},
    }
