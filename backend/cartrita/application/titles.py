"""Titles of conversations, made from their first message."""

_LONGEST = 60
UNTITLED = "New conversation"


def title_of(message: str) -> str:
    """The first line, cut at a word; at most 60 characters and an ellipsis."""
    line = " ".join(next((line for line in message.splitlines() if line.strip()), "").split())
    if len(line) <= _LONGEST:
        return line or UNTITLED
    head, space, _ = line[: _LONGEST + 1].rpartition(" ")
    return f"{head if space else line[:_LONGEST]}…"
