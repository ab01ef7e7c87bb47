"""The definition of an agent."""

from typing import Final

import msgspec

from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.prompts import PromptVersion


class AgentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on the resources of an agent.

    `delegations` are the tasks of one run, `depth` how many of them may be within one another, and
    `parallel` how many of its tools run at once. `context_tokens` are the most that one of its
    model calls may be sent before the results of old tool calls are left out.
    """

    caps: Caps = Caps(steps=24)
    tool_calls_per_step: int = 64
    delegations: int = 16
    depth: int = 3
    parallel: int = 8
    context_tokens: int = 96_000


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that can answer runs; `instructions` is its system text.

    It may use the `tools` of these names, as far as they are there, and give tasks to the agents
    that it `delegates` to. With a `route` it works by the models of that one, unless a request
    names others. A person approves of its calls of tools as `approval` says. `aliases` are more
    names of it. `prompt` is what its instructions are from, if they are kept elsewhere.
    """

    id: str
    name: str
    type: str
    description: str
    instructions: str
    capabilities: tuple[str, ...] = ()
    version: str = "1"
    limits: AgentLimits = AgentLimits()
    tools: tuple[str, ...] = ()
    delegates: tuple[str, ...] = ()
    route: str | None = None
    approval: ApprovalPolicy = ApprovalPolicy.RISKY
    aliases: tuple[str, ...] = ()
    prompt: PromptVersion | None = None


NO_AGENT: Final = Agent(
    id="model",
    name="Model",
    type="model",
    description="A model by itself, without instructions of ours.",
    instructions="",
)
"""Answers runs for which the caller chose a model and no agent."""
