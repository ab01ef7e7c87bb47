"""Where an older frontend's own settings are kept: in the metadata of one archived conversation.

So they are their owner's as everything else is: listed among the archived, exported, deleted.
"""

from typing import Final

from cartrita.application.conversations.conversations import Conversations
from cartrita.domain.conversations import Conversation, ConversationChange
from cartrita.domain.errors import Conflict, InvalidInput, NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal

_ID: Final = "settings-of-the-older-frontend"
_TITLE: Final = "Settings of the older frontend"


async def stored_settings(conversations: Conversations, principal: Principal) -> JsonObject:
    """What was stored; empty before anything was."""
    try:
        return (await conversations.get(principal, _ID)).metadata
    except NotFound:
        return {}


async def store_settings(
    conversations: Conversations, principal: Principal, changed: JsonObject
) -> JsonObject:
    """Store these beside the others. Of two that are stored at once, the later one counts."""
    kept = await _conversation(conversations, principal)
    metadata = {**kept.metadata, **changed}
    change = ConversationChange(archived=True, metadata=metadata)
    try:
        return (await conversations.change(principal, kept.public_id, change)).metadata
    except InvalidInput as error:
        raise InvalidInput.of("settings", "; ".join(*error.fields.values())) from None


async def _conversation(conversations: Conversations, principal: Principal) -> Conversation:
    try:
        return await conversations.get(principal, _ID)
    except NotFound:
        pass
    try:
        return await conversations.create(principal, title=_TITLE, external_id=_ID)
    except Conflict:  # another request made it meanwhile
        return await conversations.get(principal, _ID)
