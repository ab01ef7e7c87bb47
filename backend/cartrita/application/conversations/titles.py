"""Conversation titles, derived from the first message."""

_MAX_LENGTH = 60
_MAX_READ = 1000
"""Characters; a message may have 32 million, which take two thirds of a second to split."""
UNTITLED = "New conversation"
"""The title of a conversation without messages."""


def derive_title(message: str) -> str:
    """The first non-empty line, cut at a word boundary to 60 characters and an ellipsis."""
    lines = message.lstrip()[:_MAX_READ].splitlines()
    line = " ".join(lines[0].split()) if lines else ""
    if len(line) <= _MAX_LENGTH:
        return line or UNTITLED
    head, space, _ = line[: _MAX_LENGTH + 1].rpartition(" ")
    return f"{head if space else line[:_MAX_LENGTH]}…"
