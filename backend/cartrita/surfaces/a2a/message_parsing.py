"""Messages of A2A as commands of chats."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import UNSET

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.domain.messages import Message, Role, Text
from cartrita.surfaces.a2a.rpc_errors import (
    CONTENT_TYPE_NOT_SUPPORTED,
    PUSH_NOTIFICATION_NOT_SUPPORTED,
    a2a_error,
)
from cartrita.surfaces.a2a.types import ContentPart, MessageRole, SendParams
from cartrita.surfaces.rpc.json_rpc import INVALID_PARAMS, RpcError

SURFACE: Final = "a2a"
MAX_CHARACTERS: Final = 32_000


def command_of(params: SendParams, agent_id: str | None) -> ChatCommand:
    """The command for a message. The same message that is sent again is the same task.

    Raises RpcError for what this server cannot answer.
    """
    message = params.message
    if message.role is not MessageRole.USER:
        raise RpcError(INVALID_PARAMS, "message.role must be ROLE_USER.")
    if params.configuration.task_push_notification_config is not UNSET:
        raise a2a_error(
            PUSH_NOTIFICATION_NOT_SUPPORTED,
            "Nothing is pushed: stream the task, or ask for it with GetTask.",
        )
    text = "\n\n".join(_texts(message.parts))
    if not text.strip():
        raise RpcError(INVALID_PARAMS, "message.parts holds no text: send at least one part.")
    if len(text) > MAX_CHARACTERS:
        most = f"message.parts holds more than {MAX_CHARACTERS:,} characters: send fewer."
        raise RpcError(INVALID_PARAMS, most)
    return ChatCommand(
        message=Message(Role.USER, (Text(text),)),
        surface=SURFACE,
        conversation_id=message.context_id or None,
        client_msg_id=message.message_id,
        agent=agent_id,
        metadata={**params.metadata, **message.metadata},
    )


def _texts(parts: tuple[ContentPart, ...]) -> Iterator[str]:
    """What the parts say; data as its JSON."""
    for part in parts:
        if part.raw is not None or part.url is not None:
            raise a2a_error(
                CONTENT_TYPE_NOT_SUPPORTED,
                "Parts are text or data here: upload files with POST /api/upload.",
            )
        if part.text is not None:
            yield part.text
        elif part.data is not UNSET:
            yield msgspec.json.encode(part.data).decode()
        else:
            raise RpcError(INVALID_PARAMS, "A part of the message has no content.")
