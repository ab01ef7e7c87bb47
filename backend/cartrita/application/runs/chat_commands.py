"""Commands of chats: a message to be answered, and what it allows."""

import msgspec

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.team import Team
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import BusyPolicy
from cartrita.tools.toolbox import Toolbox

DEFAULT_SURFACE = "native"
"""The surface recorded for a run that names none; retries and edits exist on this one only."""


class ChatCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be answered and how to answer it, independent of the surface.

    Values are as callers send them: public ids, the names of a provider, a model (or
    `provider/model`) and an agent. None selects the default. A model that is named without an agent
    answers alone, without tools of ours, unless `tools` name some. `caps` and `approval` tighten
    what the agent has; `loosened_to` replaces its policy, for callers who may do that. `last_words`
    were said to a server before it began to stop, or may have been: it begins to answer them then,
    too.
    """

    message: Message
    surface: str = DEFAULT_SURFACE
    conversation_id: str | None = None
    client_msg_id: str | None = None
    provider: str | None = None
    model: str | None = None
    agent: str | None = None
    context: tuple[Message, ...] = ()
    sampling: Sampling = Sampling()
    tools: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    instructions: str | None = None
    metadata: JsonObject = {}
    busy: BusyPolicy | None = None
    caps: Caps = Caps()
    approval: ApprovalPolicy | None = None
    loosened_to: ApprovalPolicy | None = None
    last_words: bool = False


async def allowed_tools_of(
    command: ChatCommand, agents: AgentRegistry, tools: Toolbox
) -> tuple[str, ...] | None:
    """The tools that a command allows; None for all of the agent. Raises InvalidInput, NotFound."""
    if command.tools:
        team = await Team.of(agents.find(command.agent), agents, tools)
        known = team.tool_names
        for name in command.tools:
            if name not in known:
                told = ", ".join(known) or "none"
                raise InvalidInput.of("tools", f"there is no tool {name!r}; there are: {told}")
        return command.tools
    named = command.provider is not None or command.model is not None
    return () if named and command.agent is None else None
