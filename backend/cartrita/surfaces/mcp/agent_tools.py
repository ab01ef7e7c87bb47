"""The agents as tools: what a client is told of them, and the results of their runs."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec

from cartrita.agents.agent import Agent
from cartrita.application.runs.approvals import LastItem, Waiting
from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.domain.approvals import Approval
from cartrita.domain.events import RunCompleted, RunStopped
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.runs import Run
from cartrita.kit import ids

SURFACE: Final = "mcp"
_MAX_CHARACTERS: Final = 32_000
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "message": {
            "type": "string",
            "minLength": 1,
            "maxLength": _MAX_CHARACTERS,
            "description": "What the agent is to answer or to do.",
        },
        "conversation_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "description": "The conversation to go on with, as an earlier result names it.",
        },
    },
    "required": ["message"],
    "additionalProperties": False,
}


class AgentArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a call."""

    message: Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_CHARACTERS, pattern=r"\S")]
    conversation_id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None

    def to_command(self, agent_id: str) -> ChatCommand:
        """The command of a chat with this agent."""
        return ChatCommand(
            message=Message(Role.USER, (Text(self.message),)),
            surface=SURFACE,
            conversation_id=self.conversation_id,
            agent=agent_id,
        )


def tool_list(agents: Iterable[Agent]) -> list[Mapping[str, Any]]:
    """Every agent as a tool of its id."""
    return [
        {
            "name": agent.id,
            "title": agent.name,
            "description": agent.description,
            "inputSchema": _SCHEMA,
            "annotations": {"title": agent.name, "readOnlyHint": False, "openWorldHint": True},
        }
        for agent in agents
    ]


def answer_of(run: Run, end: LastItem) -> Mapping[str, Any]:
    """The result of a call whose run has ended, or waits for a person."""
    told: dict[str, Any] = {
        "run_id": ids.public("run", run.id),
        "conversation_id": run.public_conversation_id,
    }
    if isinstance(end, Waiting):
        return tool_result(_asks(told["run_id"], end.approvals), {**told, "status": "waiting"})
    match end.event:
        case RunCompleted() as completed:
            sources = [{"title": each.title, "url": each.url} for each in completed.sources]
            used = list(completed.agents_used)
            told |= {"status": "completed", "agents_used": used, "sources": sources}
            return tool_result(completed.text, told)
        case RunStopped() as stopped:
            told |= {"status": stopped.kind.value, "code": stopped.code}
            return tool_result(stopped.message, told, is_error=True)
        case _:
            raise TypeError(f"{type(end.event).__name__} is not the end of a run.")


def tool_result(
    text: str, told: Mapping[str, Any] | None = None, *, is_error: bool = False
) -> Mapping[str, Any]:
    """A result as MCP has it: text for the model, and data for the program."""
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
        "resultType": "complete",
    }
    return result if told is None else {**result, "structuredContent": told}


def _asks(run_id: str, approvals: Iterable[Approval]) -> str:
    calls = ", ".join(f"{each.tool} of {each.agent}" for each in approvals)
    return (
        f"A person must decide on {calls} before this goes on, by POST"
        f" /api/runs/{run_id}/approvals/{{approval_id}} or in the console."
    )
