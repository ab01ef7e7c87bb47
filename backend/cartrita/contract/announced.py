"""Operations that clients have already, and that a later version of the server will serve.

Frontends were promised their methods, so both clients have them; until the routes come, they are
answered with the error of what is not found. They are in no `openapi.json`, which describes what is
served; once they are, they leave this table.
"""

from typing import Any, Final, TypeAlias

from cartrita.contract.schemas import REF

Schema: TypeAlias = dict[str, Any]


def _reference(name: str) -> Schema:
    return {"$ref": REF + name}


def _optional(schema: Schema, description: str) -> Schema:
    found = {"anyOf": [schema, {"type": "null"}], "default": None}
    return {**found, "description": description}


def _described(kind: str, description: str) -> Schema:
    return {"type": kind, "description": description}


def _answered(record: str) -> Schema:
    content = {"application/json": {"schema": _reference(record)}}
    return {"200": {"description": "The answer.", "content": content}}


_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_INTEGER: Final[Schema] = {"type": "integer"}
_SECURITY: Final[list[Schema]] = [{"ApiKey": []}, {"Bearer": []}, {"Session": []}]

_COMPUTER: Final[Schema] = {
    "operationId": "execute_computer_task",
    "summary": "Let an agent do a task on a desktop",
    "description": "Let an agent do a task on a desktop.",
    "tags": ["computer-use"],
    "security": _SECURITY,
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _reference("ComputerUseRequest")}},
    },
    "responses": _answered("ComputerUseResponse"),
    "x-provider": {"field": "provider"},
    "x-stream": "on_request",
}
_SCHEMAS: Final[dict[str, Schema]] = {
    "ComputerUseRequest": {
        "type": "object",
        "description": "A task for an agent that sees a desktop and uses it.",
        "required": ["task"],
        "properties": {
            "task": _described("string", "What is to be done."),
            "session_id": _optional(_TEXT, "The desktop to go on with; without it a new one."),
            "max_steps": _optional(_INTEGER, "After so many the task ends."),
            "approval": _optional(
                _reference("ApprovalPolicy"), "Which actions a person decides on."
            ),
            "provider": _optional(_TEXT, "A configured provider."),
            "model": _optional(_TEXT, "A model that sees."),
            "timeout_s": _optional(_NUMBER, "After so many seconds the task ends."),
            "stream": {
                "type": "boolean",
                "default": False,
                "description": "Answer as text/event-stream.",
            },
        },
    },
    "ComputerUseResponse": {
        "type": "object",
        "description": "What became of a task on a desktop.",
        "required": [
            "run_id", "session_id", "status", "result", "steps", "processing_time", "token_usage",
        ],
        "properties": {
            "run_id": _described("string", "The run that did it."),
            "session_id": _described("string", "The desktop."),
            "status": _described("string", "How the run ended, or that it waits."),
            "result": _described("string", "What the agent says of it."),
            "steps": {
                "type": "array",
                "items": _reference("ComputerStep"),
                "description": "What was done.",
            },
            "live_url": _optional(_TEXT, "Where the desktop is seen."),
            "processing_time": _described("number", "Seconds."),
            "token_usage": _reference("TokenUsage"),
        },
    },
    "ComputerStep": {
        "type": "object",
        "description": "One action on a desktop.",
        "required": ["index", "action", "arguments", "duration_ms"],
        "properties": {
            "index": _described("integer", "From 1."),
            "action": _described("string", "What was done."),
            "arguments": _described("object", "With what."),
            "screenshot_url": _optional(_TEXT, "How it looked afterwards."),
            "approved_by": _optional(_TEXT, "Who approved of it."),
            "duration_ms": _described("number", "Milliseconds."),
        },
    },
}  # fmt: skip

PATHS: Final[dict[str, dict[str, Schema]]] = {
    "/api/computer-use/execute": {"post": _COMPUTER},
}


def with_announced(document: Schema) -> Schema:
    """The document with what is announced, but for what it serves already."""
    coming = {path: methods for path, methods in PATHS.items() if path not in document["paths"]}
    components = document["components"]
    schemas = {**(_SCHEMAS if coming else {}), **components["schemas"]}
    return {
        **document,
        "paths": {**document["paths"], **coming},
        "components": {**components, "schemas": schemas},
    }
