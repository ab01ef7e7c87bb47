"""The JSON bodies of older frontends, as the native API reads them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

import msgspec
from starlette.types import Message, Receive

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.json_bodies import parse_object
from cartrita.surfaces.older_frontends.addresses import Address
from cartrita.surfaces.older_frontends.chat_fields import Fields, native_chat_fields, with_metadata

BodyTranslation: TypeAlias = Callable[[Mapping[str, Any]], Fields]

_STATES: Final = {"isArchived": "archived", "isPinned": "pinned"}
_KEPT_AS_METADATA: Final = ("agentId", "workspaceId")


def translation_for(address: Address) -> BodyTranslation | None:
    """How bodies that are sent to an address are translated; None where they are the same."""
    for methods, path, translation in _TRANSLATIONS:
        if address.method in methods.split() and path.fullmatch(address.path):
            return translation
    return None


class TranslatedBody:
    """Receives a body whole, and hands it on translated.

    One of more than `most_bytes`, and one that cannot be read, is handed on as it comes: the native
    API says what is wrong with it.
    """

    def __init__(self, receive: Receive, translation: BodyTranslation, most_bytes: int) -> None:
        self._receive = receive
        self._translation = translation
        self._most_bytes = most_bytes
        self._handed_on = False

    async def receive(self) -> Message:
        if self._handed_on:
            return await self._receive()
        self._handed_on = True
        gathered = bytearray()
        more = True
        while more and len(gathered) <= self._most_bytes:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            gathered += message.get("body", b"")
            more = message.get("more_body", False)
        body = bytes(gathered) if more else translated(bytes(gathered), self._translation)
        return {"type": "http.request", "body": body, "more_body": more}


def translated(body: bytes, translation: BodyTranslation) -> bytes:
    """A JSON object translated; what is none, or says the same, as it is."""
    try:
        given = parse_object(body)
    except CartritaError:
        return body
    found = translation(given)
    return body if found == given else msgspec.json.encode(found)


def _native_change(fields: Mapping[str, Any]) -> Fields:
    return {_STATES.get(name, name): value for name, value in fields.items()}


def _native_conversation(fields: Mapping[str, Any]) -> Fields:
    """What their conversations have and ours have not is kept as metadata."""
    found = dict(fields)
    kept = {name: found.pop(name) for name in _KEPT_AS_METADATA if found.get(name) is not None}
    return with_metadata(found, **kept) if kept else found


def _native_speech(fields: Mapping[str, Any]) -> Fields:
    """Of their settings for the voice, which voice it is."""
    settings = fields.get("voiceSettings")
    if not isinstance(settings, dict) or "voice" in fields:
        return dict(fields)
    voice = cast("Fields", settings).get("voice")
    return {**fields, "voice": voice} if voice else dict(fields)


_TRANSLATIONS: Final[tuple[tuple[str, re.Pattern[str], BodyTranslation], ...]] = (
    ("POST", re.compile(r"/api/chat(/stream)?|/api/huggingface/chat"), native_chat_fields),
    ("POST", re.compile(r"/api/conversations/[^/]+/messages"), native_chat_fields),
    ("POST", re.compile(r"/api/conversations"), _native_conversation),
    ("PUT PATCH", re.compile(r"/api/conversations/[^/]+"), _native_change),
    ("POST", re.compile(r"/api/voice/speak"), _native_speech),
)
