"""What a request asks, read off its messages."""

from cartrita.domain.messages import Message, Role, ToolCall, ToolResult

Messages = tuple[Message, ...]


def last_words(messages: Messages) -> str:
    """What the user said last."""
    return next((one.text for one in reversed(messages) if one.role is Role.USER), "")


def closing_results(messages: Messages) -> list[ToolResult]:
    """The tool results with which the request ends, each with the name of its tool if known."""
    found: list[ToolResult] = []
    for message in reversed(messages):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            break
        found[:0] = results
    names = {call.call_id: call.name for call in _calls(messages)}
    return [_named(result, names) for result in found]


def next_call_id(messages: Messages, more: int = 0) -> str:
    """An id that no call in the request has; `more` calls were made since."""
    return f"call_offline_{len(_calls(messages)) + 1 + more}"


def _calls(messages: Messages) -> list[ToolCall]:
    return [part for one in messages for part in one.parts if isinstance(part, ToolCall)]


def _named(result: ToolResult, names: dict[str, str]) -> ToolResult:
    name = result.name or names.get(result.call_id)
    return ToolResult(result.call_id, result.text, name, result.success)
