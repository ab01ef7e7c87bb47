"""A conversation as a file: JSON that can be read back, Markdown that a person can read."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal

from cartrita.domain.conversations import Conversation
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import (
    Citation,
    Message,
    MessageStatus,
    Part,
    Reasoning,
    Role,
    StoredMessage,
    Text,
)
from cartrita.kit import ids
from cartrita.surfaces.native.exports import export

NOW = datetime(2026, 11, 21, 5, 14, tzinfo=UTC)
CONVERSATION = Conversation(
    id=ConversationId(ids.uuid7()),
    owner_id="a",
    title='Über "Pumpen"/\r\nSet-Cookie: x',
    created_at=NOW,
    updated_at=NOW,
)


def message(
    role: Role, *parts: Part, status: MessageStatus = MessageStatus.COMPLETE
) -> StoredMessage:
    return StoredMessage(
        id=MessageId(ids.uuid7()),
        conversation_id=CONVERSATION.id,
        parent_id=None,
        depth=0,
        message=Message(role, parts),
        status=status,
        created_at=NOW,
    )


MESSAGES = [
    message(Role.USER, Text("What is\n# this?")),
    message(
        Role.ASSISTANT,
        Reasoning("hm", "signed"),
        Text("A pump [1]"),
        Citation("Manual", url="http://localhost/m"),
        status=MessageStatus.PARTIAL,
    ),
]


async def exported(
    kind: Literal["json", "markdown"], messages: list[StoredMessage]
) -> tuple[str, dict[str, str]]:
    async def transcript() -> AsyncIterator[StoredMessage]:
        for one in messages:
            yield one

    response = export(CONVERSATION, transcript(), kind)
    pieces = [piece async for piece in response.body_iterator]
    return "".join(str(piece) for piece in pieces), dict(response.headers)


async def test_json_can_be_read_back() -> None:
    text, headers = await exported("json", MESSAGES)
    told = json.loads(text)
    assert told["conversation"]["title"] == CONVERSATION.title
    assert [one["content"] for one in told["messages"]] == ["What is\n# this?", "A pump [1]"]
    assert told["messages"][1]["status"] == "partial"
    assert "signed" not in text
    assert headers["content-type"] == "application/json"


async def test_an_empty_conversation_is_still_json() -> None:
    text, _ = await exported("json", [])
    assert json.loads(text)["messages"] == []


async def test_markdown_can_be_read() -> None:
    text, headers = await exported("markdown", MESSAGES)
    assert "\n## User\n\nWhat is\n# this?\n" in text
    assert "\n## Assistant (partial)\n\nA pump [1]\n\n[1] Manual http://localhost/m\n" in text
    assert headers["content-type"].startswith("text/markdown")


async def test_the_name_of_the_file_holds_nothing_that_a_header_may_not() -> None:
    _, headers = await exported("markdown", [])
    disposition = headers["content-disposition"]
    assert disposition.startswith("attachment; filename=\"conversation.md\"; filename*=UTF-8''")
    assert disposition.isascii()
    assert not set("\r\n/") & set(disposition.partition("''")[2])
