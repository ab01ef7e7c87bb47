"""The frames of `/ws/chat`, as older frontends send and read them."""

from typing import cast

import msgspec
from starlette.types import Message, Receive, Send

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.json_bodies import parse_object
from cartrita.surfaces.older_frontends.absent_values import is_absent
from cartrita.surfaces.older_frontends.chat_fields import Fields, native_chat_fields
from cartrita.surfaces.older_frontends.event_fields import with_flat_fields


class TranslatedSocket:
    """The two directions of one socket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """The next message; a frame that authenticates without a key says nothing."""
        while True:
            message = await self._receive()
            text = message.get("text")
            if message["type"] != "websocket.receive" or text is None:
                return message
            frame = native_frame(text)
            if frame is not None:
                return {**message, "text": frame}

    async def send(self, message: Message) -> None:
        text = message.get("text")
        if message["type"] == "websocket.send" and text is not None:
            message = {**message, "text": with_flat_fields(text.encode()).decode()}
        await self._send(message)


def native_frame(text: str) -> str | None:
    """The frame of a client as the native API takes it; None for one that says nothing."""
    try:
        given = parse_object(text.encode())
    except CartritaError:
        return text
    if given.get("type") == "auth" and _is_no_key(given.get("api_key", given.get("apiKey"))):
        return None
    found = given
    if "type" not in found and "message" in found:
        found = {**found, "type": "chat"}
    if found.get("type") == "chat":
        found = native_chat_fields(cast("Fields", found))
    return text if found == given else msgspec.json.encode(found).decode()


def _is_no_key(key: object) -> bool:
    return key is None or (isinstance(key, str) and is_absent(key))
