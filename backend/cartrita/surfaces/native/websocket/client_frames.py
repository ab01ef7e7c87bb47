"""Frames that clients send on every socket, validated as the bodies of requests are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from pydantic import Field

from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.json_bodies import parse_object
from cartrita.surfaces.native.approval_schemas import DecisionRequest
from cartrita.surfaces.native.request_bodies import RequestModel, validated

MAX_SEQ: Final = 999_999_999
_LONGEST_ID = 255

RunReference: TypeAlias = Annotated[str, Field(min_length=1, max_length=_LONGEST_ID)]
Seq: TypeAlias = Annotated[int, Field(ge=0, le=MAX_SEQ)]


class AuthFrame(RequestModel):
    """Says who calls. The first frame, unless the handshake has said it."""

    type: Literal["auth"]
    api_key: Annotated[str, Field(min_length=1, max_length=4096)]
    provider: Annotated[
        str | None,
        Field(max_length=64, description="Whose key it is, if it is a provider's."),
    ] = None


class ResumeFrame(RequestModel):
    """Asks for the events of a run after one that was received, and for those to come."""

    type: Literal["resume"]
    run_id: RunReference
    after: Annotated[Seq, Field(description="The last event that was received.")] = 0


class CancelFrame(RequestModel):
    """Cancels a run; its last event tells that it has ended."""

    type: Literal["cancel"]
    run_id: RunReference


class ApproveFrame(DecisionRequest):
    """Decides on an approval that a run waits for; the run's events tell what comes of it."""

    type: Literal["approve"]
    run_id: RunReference
    approval_id: RunReference


class AckFrame(RequestModel):
    """Tells what was received. The server keeps no cursor, so that it changes nothing."""

    type: Literal["ack"]
    run_id: RunReference
    seq: Seq


class PingFrame(RequestModel):
    """Asks for a `pong`."""

    type: Literal["ping"]


FrameModels: TypeAlias = Mapping[str, type[RequestModel]]
"""What the frames of a socket have to be, by their type."""
SHARED_FRAMES: Final[FrameModels] = MappingProxyType(
    {
        "auth": AuthFrame,
        "resume": ResumeFrame,
        "cancel": CancelFrame,
        "approve": ApproveFrame,
        "ack": AckFrame,
        "ping": PingFrame,
    }
)


class Reference(msgspec.Struct, frozen=True):
    """What an error frame names, so that its reader knows which frame was refused."""

    client_msg_id: str | None = None
    run_id: str | None = None


class ReceivedFrame(msgspec.Struct, frozen=True):
    """The JSON object of a frame, which may be anything."""

    fields: dict[str, Any]

    @property
    def reference(self) -> Reference:
        """What can be named of it."""
        return Reference(_short(self.fields, "client_msg_id"), _short(self.fields, "run_id"))

    def validated(self, models: FrameModels) -> RequestModel:
        """The frame, on a socket of these. Raises InvalidInput."""
        kind = self.fields.get("type")
        model = models.get(kind) if isinstance(kind, str) else None
        if model is None:
            raise InvalidInput.of("type", f"send one of {', '.join(models)}")
        return validated(model, self.fields)


def parse_frame(text: str) -> ReceivedFrame:
    """Parse a frame. Raises Malformed, and InvalidInput for text that cannot be stored."""
    return ReceivedFrame(parse_object(text.encode()))


def _short(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID else None
