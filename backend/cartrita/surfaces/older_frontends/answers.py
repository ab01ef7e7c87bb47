"""JSON answers as older frontends read them: `success`, `data`, and all that is native."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

import msgspec

from cartrita.surfaces.older_frontends import twins
from cartrita.surfaces.older_frontends.addresses import Address
from cartrita.surfaces.older_frontends.twins import Fields


class Around(msgspec.Struct, frozen=True):
    """What stands around an answer: whose it is, since when agents are served, and messages.

    `messages` are those of the conversation that was answered, as the native API tells them.
    """

    owner_id: str
    since: str
    messages: list[Fields] = []


class Told(msgspec.Struct, frozen=True):
    """The fields of an answer, and which of them are its `data`."""

    fields: Mapping[str, Any]
    data: object


Translation: TypeAlias = Callable[[Fields, Around], Told]


def old_answer(address: Address, status: int, body: bytes, around: Around) -> bytes:
    """The body of an answer. One that is no JSON object is left as it is."""
    native = _object(body)
    if native is None:
        return body
    if status >= 400:
        return msgspec.json.encode({"success": False, **native})
    told = _translation_for(address)(native, around)
    return msgspec.json.encode({"success": True, "data": told.data, **told.fields})


def empty_page(body: bytes) -> bytes:
    """A page with nothing on it, instead of one that is there."""
    native = _object(body)
    if native is None or "items" not in native:
        return body
    return msgspec.json.encode({**native, "items": [], "next_cursor": None})


def is_conversation(address: Address) -> bool:
    """Whether an answer is one conversation, which is told with its messages."""
    return _CONVERSATION.fullmatch(address.path) is not None


def _translation_for(address: Address) -> Translation:
    for path, translation in _TRANSLATIONS:
        if path.fullmatch(address.path):
            return translation
    return _same


def _same(native: Fields, _: Around) -> Told:
    return Told(native, native)


def _conversation(native: Fields, around: Around) -> Told:
    if "items" in native:
        items = [twins.conversation(each, around.owner_id, []) for each in native["items"]]
        return _page(native, items)
    messages = [twins.message(each) for each in around.messages]
    twin = twins.conversation(native, around.owner_id, messages)
    return Told(twin, twin)


def _message(native: Fields, _: Around) -> Told:
    if "items" in native:
        return _page(native, [twins.message(each) for each in native["items"]])
    twin = twins.answer(native) if "response" in native else _plain_message(native)
    return Told(twin, twin)


def _plain_message(native: Fields) -> Fields:
    """A message; a run that waits for a person is told as it is."""
    return twins.message(native) if "role" in native else native


def _agents(native: Fields, around: Around) -> Told:
    if "agents" in native:
        listed = [twins.agent(each, around.since) for each in native["agents"]]
        return Told({**native, "agents": listed}, listed)
    twin = twins.agent(native, around.since)
    return Told(twin, twin)


def _uploads(native: Fields, _: Around) -> Told:
    if "files" in native:
        made = [twins.upload(each) for each in native["files"]]
        return Told({**native, "files": made}, made)
    twin = twins.upload(native)
    return Told(twin, twin)


def _files(native: Fields, _: Around) -> Told:
    if "items" in native:
        return _page(native, [twins.file(each) for each in native["items"]])
    twin = twins.file(native)
    return Told(twin, twin)


def _search(native: Fields, _: Around) -> Told:
    twin = twins.found(native) if "has_more" in native else native
    return Told(twin, twin)


def _heard(native: Fields, _: Around) -> Told:
    twin = twins.heard(native)
    return Told(twin, twin)


def _page(native: Fields, items: list[Fields]) -> Told:
    return Told({**native, "items": items}, items)


def _object(body: bytes) -> Fields | None:
    try:
        found = msgspec.json.decode(body)
    except ValueError:
        return None
    return cast("Fields", found) if isinstance(found, dict) else None


_CONVERSATION: Final = re.compile(r"/api/conversations/[^/]+(/(archive|pin|fork))?")
_TRANSLATIONS: Final[tuple[tuple[re.Pattern[str], Translation], ...]] = (
    (re.compile(r"/api/conversations"), _conversation),
    (_CONVERSATION, _conversation),
    (re.compile(r"/api/conversations/[^/]+/messages(/.+)?"), _message),
    (re.compile(r"/api/chat|/api/huggingface/chat|/api/chat/voice"), _message),
    (re.compile(r"/api/voice/(transcribe|process)"), _heard),
    (re.compile(r"/api/agents(/[^/]+)?"), _agents),
    (re.compile(r"/api/upload(/multiple)?"), _uploads),
    (re.compile(r"/api/files(/[^/]+)?"), _files),
    (re.compile(r"/api/search"), _search),
)
"""What is not here has no twins: its `data` are its fields."""
