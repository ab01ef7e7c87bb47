"""Conversation titles, derived from the first message."""

_MAX_LENGTH = 60
UNTITLED = "New conversation"
"""The title of a conversation without messages."""


def derive_title(message: str) -> str:
    """The first non-empty line, cut at a word boundary to 60 characters and an ellipsis."""
    line = " ".join(next((line for line in message.splitlines() if line.strip()), "").split())
    if len(line) <= _MAX_LENGTH:
        return line or UNTITLED
    head, space, _ = line[: _MAX_LENGTH + 1].rpartition(" ")
    return f"{head if space else line[:_MAX_LENGTH]}…"
