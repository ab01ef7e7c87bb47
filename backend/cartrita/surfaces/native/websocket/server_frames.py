"""Frames that the server sends on every socket: events with their place, answers to frames."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from cartrita.domain.errors import CartritaError
from cartrita.domain.events import LoggedEvent, RunCompleted
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import Queued, TailItem
from cartrita.kit import ids
from cartrita.surfaces.native.errors import invalid_fields
from cartrita.surfaces.native.event_rendering import is_public, render
from cartrita.surfaces.native.websocket.client_frames import Reference

_encoder = msgspec.json.Encoder()


class EventPlace(msgspec.Struct, frozen=True):
    """What stands in the frame of an event beside `event` and `data`.

    `seq` is the cursor after the event; an event without one is not in the log.
    """

    run_id: str
    seq: int | UnsetType = UNSET


class DonePlace(EventPlace, frozen=True, kw_only=True):
    """The same for `done`, with what older frontends read there."""

    response: str
    done: bool = True
    conversation_id: str
    agent_type: str
    processing_time: float


class PongFrame(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to `ping`."""


class DrainFrame(msgspec.Struct, frozen=True, tag_field="type", tag="drain"):
    """This server is about to stop: come back after so many seconds, with the same cursors."""

    retry_after: float


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """A frame could not be used, or a run could not be followed; it names which, if it can."""

    error: str
    code: str
    details: JsonObject | UnsetType = UNSET
    errors: dict[str, list[str]] | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    client_msg_id: str | UnsetType = UNSET
    run_id: str | UnsetType = UNSET


def event_frame(item: TailItem | None) -> str | None:
    """The frame of one item of a run's tail; None for what no reader is told."""
    if item is None or (isinstance(item, LoggedEvent) and not is_public(item.event)):
        return None
    # An event is an object that is never empty, as its place is.
    place = _encoder.encode(_place(item))
    return (place[:-1] + b"," + _encoder.encode(render(item))[1:]).decode()


def error_frame(error: CartritaError, reference: Reference) -> str:
    """The frame that tells an error."""
    return encode(
        ErrorReply(
            error=error.message,
            code=error.code,
            details=error.details or UNSET,
            errors=invalid_fields(error) or UNSET,
            retry_after=UNSET if error.retry_after is None else error.retry_after,
            client_msg_id=reference.client_msg_id or UNSET,
            run_id=reference.run_id or UNSET,
        )
    )


def encode(frame: msgspec.Struct) -> str:
    """A frame as it is sent."""
    return _encoder.encode(frame).decode()


def _place(item: TailItem) -> EventPlace:
    run_id = ids.public("run", item.run_id)
    if isinstance(item, Queued):
        return EventPlace(run_id)
    if isinstance(item, LoggedEvent) and isinstance(item.event, RunCompleted):
        done = item.event
        return DonePlace(
            run_id,
            item.seq,
            response=done.text,
            conversation_id=done.conversation_id,
            agent_type=done.agent,
            processing_time=done.seconds,
        )
    return EventPlace(run_id, item.seq)


SHARED_ANSWERS: Final = (PongFrame, DrainFrame, ErrorReply)
