"""Places the messages of a request in a stored conversation: which are new, and what they follow.

Clients of the vendors' surfaces send the whole history again with each request, the latest part of
it, or only what is new. The stored history is the truth: what matches it is not stored again.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TypeAlias

import msgspec

from cartrita.domain.ids import MessageId
from cartrita.domain.messages import (
    Attachment,
    Message,
    Part,
    Refusal,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)

_Key: TypeAlias = tuple[str, ...]


class Placement(msgspec.Struct, frozen=True):
    """Where the messages of a request belong in the tree of a conversation.

    `new` are the messages to store, oldest first, below `parent_id`: without one at the root if
    `at_root`, else at the end of the current branch. Without new messages, `parent_id` is answered
    again.
    """

    new: tuple[Message, ...]
    parent_id: MessageId | None = None
    at_root: bool = False


class _Entry(msgspec.Struct, frozen=True):
    """A stored message as it is compared; `id` is the last of the messages that it stands for."""

    key: _Key
    id: MessageId


def place(branch: Sequence[StoredMessage], sent: Sequence[Message]) -> Placement:
    """The place of `sent` messages in the current branch, oldest first.

    Messages match if they have the same text, files and ids of tool calls. `sent` begins like the
    branch, or like a later part of it that holds an answer, since a client may leave out what is
    old. What follows the last message that matches is new. A request that matches nowhere continues
    the branch if it only asks, and is another conversation from the root on if it holds answers.
    """
    fresh = regrouped(sent)
    keys = [_key(message) for message in fresh]
    entries = _entries(branch)
    known = [entry.key for entry in entries]
    position, matched = 0, 0
    if branch and branch[0].depth == 0:
        position = matched = _common(keys, known)
    while (jump := _resumption(keys[matched:], known, position)) is not None:
        position, length = jump
        matched += length
    new = fresh[matched:]
    if matched:
        return Placement(new, entries[position - 1].id)
    return Placement(new, at_root=bool(branch) and _holds_answer(keys))


def regrouped(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The same messages as they are stored: one for each answer and one for each tool result.

    Dialects differ in how many of them share a message. System text is left out.
    """
    grouped: list[Message] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            continue
        for piece in _pieces(message):
            if piece.role is Role.ASSISTANT and grouped and grouped[-1].role is Role.ASSISTANT:
                grouped[-1] = Message(Role.ASSISTANT, (*grouped[-1].parts, *piece.parts))
            else:
                grouped.append(piece)
    return tuple(grouped)


def _pieces(message: Message) -> Iterator[Message]:
    if message.role is Role.ASSISTANT:
        yield message
        return
    others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield Message(Role.TOOL, (part,))
    if others or not message.parts:
        yield Message(message.role, others)


def _entries(branch: Sequence[StoredMessage]) -> list[_Entry]:
    """The branch as `regrouped` would hold it."""
    entries: list[_Entry] = []
    answer: tuple[Part, ...] = ()
    for stored in branch:
        message = stored.message
        if message.role is Role.ASSISTANT:
            if answer:
                entries.pop()
            answer = (*answer, *message.parts)
            message = Message(Role.ASSISTANT, answer)
        else:
            answer = ()
        entries.append(_Entry(_key(message), stored.id))
    return entries


def _common(sent: Sequence[_Key], known: Sequence[_Key]) -> int:
    """How many messages at the beginning are the same."""
    length = 0
    for one, other in zip(sent, known, strict=False):
        if one != other:
            break
        length += 1
    return length


def _resumption(
    sent: Sequence[_Key], known: Sequence[_Key], position: int
) -> tuple[int, int] | None:
    """Where `sent` goes on after a gap in the branch: the position after it, and its length.

    The longest such piece, and of those the latest. One that holds no answer may be new words that
    were said before, such as "yes".
    """
    best: tuple[int, int] | None = None
    for start in range(position, len(known)):
        length = _common(sent, known[start:])
        if (best is None or length >= best[1]) and _holds_answer(sent[:length]):
            best = (start + length, length)
    return best


def _holds_answer(keys: Sequence[_Key]) -> bool:
    return any(key[0] == Role.ASSISTANT for key in keys)


def _key(message: Message) -> _Key:
    """What makes two messages the same."""
    if message.role is Role.TOOL:
        return (Role.TOOL, *(p.call_id for p in message.parts if isinstance(p, ToolResult)))
    if message.role is Role.ASSISTANT and (calls := _open_calls(message)):
        return (Role.ASSISTANT, "calls", *calls)
    files = (digest for part in message.parts if (digest := _digest(part)) is not None)
    if message.role is Role.ASSISTANT:
        files = iter(())
    return (message.role, _normalised(message), *files)


def _open_calls(answer: Message) -> list[str]:
    """The calls that the client answers; what a run's own tools did is not sent to clients."""
    done = {part.call_id for part in answer.parts if isinstance(part, ToolResult)}
    calls = (part.call_id for part in answer.parts if isinstance(part, ToolCall))
    return [call_id for call_id in calls if call_id not in done]


def _normalised(message: Message) -> str:
    text = "".join(part.text for part in message.parts if isinstance(part, Text | Refusal))
    return "\n".join(map(str.rstrip, unicodedata.normalize("NFC", text).splitlines())).strip()


def _digest(part: Part) -> str | None:
    match part:
        case Attachment(attachment_id=str(identity)):
            return identity
        case Attachment(url=url):
            return sha256((url or "").encode()).hexdigest()
        case VendorPart(data=data):
            return sha256(msgspec.json.encode(data, order="sorted")).hexdigest()
        case _:
            return None
