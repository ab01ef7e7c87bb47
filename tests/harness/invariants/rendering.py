"""How a logged event must look on the native surface, restated from the wire contract."""

from typing import Any

Json = dict[str, Any]

TERMINAL = frozenset({"run_completed", "run_stopped"})


def total(usage: Json | None) -> int:
    """Tokens in all."""
    return int((usage or {}).get("input_tokens", 0)) + int((usage or {}).get("output_tokens", 0))


def expected(run: str, event: Json) -> tuple[str, Json]:
    """The frame's event name, and the fields of its data that follow from the log."""
    kind = event["type"]
    if kind == "run_started":
        fields = _started(event)
        return "stream_start", {**fields, "run_id": f"run_{run}"}
    if kind == "run_completed":
        return "done", {
            "final_response": event["text"],
            "conversation_id": event["conversation_id"],
            "message_id": event["message_id"],
            "run_id": f"run_{run}",
            "agent_type": event["agent"],
            "finish_reason": event["finish_reason"],
        }
    name, fields = _RENAMED[kind]
    return name, {new: event[old] for new, old in fields.items()}


def _started(event: Json) -> Json:
    fields: Json = {
        "conversation_id": event["conversation_id"],
        "message_id": event["message_id"],
        "agent_type": event["agent"],
    }
    if "heard" in event:
        fields["transcription"] = event["heard"]
    return {**fields, "resumed": True} if event.get("resumed") else fields


_RENAMED: dict[str, tuple[str, dict[str, str]]] = {
    "text_appended": ("token", {"delta": "text", "content": "text", "position": "position"}),
    "reasoning_appended": ("reasoning", {"delta": "text"}),
    "provider_awaited": ("queued", {"eta_seconds": "seconds", "provider": "provider"}),
    "tool_called": (
        "function_call",
        {"call_id": "call_id", "function_name": "name", "arguments": "arguments"},
    ),
    "tool_returned": (
        "tool_result",
        {"call_id": "call_id", "tool_name": "name", "result": "result", "success": "success"},
    ),
    "task_started": (
        "agent_task_start",
        {"task_id": "task_id", "agent_type": "agent", "description": "description"},
    ),
    "task_progressed": ("agent_task_progress", {"task_id": "task_id", "current_step": "status"}),
    "task_completed": (
        "agent_task_complete",
        {"task_id": "task_id", "agent_type": "agent", "result": "result", "success": "success"},
    ),
    "approval_asked": (
        "approval_required",
        {
            "approval_id": "approval_id",
            "tool_name": "name",
            "arguments": "arguments",
            "arguments_hash": "arguments_hash",
        },
    ),
    "source_found": ("source", {}),
    "call_measured": ("metrics", {}),
    "run_stopped": ("error", {"error": "message", "code": "code", "recoverable": "recoverable"}),
}


def fold(log: list[Json]) -> list[Json]:
    """The message that a log adds up to: texts of one kind that follow each other are one part."""
    parts: list[Json] = []
    for event in log:
        kind = event["type"].removesuffix("_appended")
        if kind in ("text", "reasoning"):
            if parts and parts[-1]["type"] == kind:
                parts[-1]["text"] += event["text"]
            else:
                parts.append({"type": kind, "text": event["text"]})
        elif event["type"] == "source_found":
            # A citation stands before the text that is still being written, not inside of it.
            at = len(parts) - 1 if parts and parts[-1]["type"] in ("text", "reasoning") else None
            parts.insert(len(parts) if at is None else at, event["citation"])
        elif event.get("task_id"):
            continue  # done for a task: the answer holds what came of it
        elif event["type"] == "tool_called":
            parts.append({"type": "tool_call", "call_id": event["call_id"]})
        elif event["type"] == "tool_returned":
            parts.append({"type": "tool_result", "call_id": event["call_id"]})
    return parts


def text_of(log: list[Json]) -> str:
    return "".join(event["text"] for event in log if event["type"] == "text_appended")
