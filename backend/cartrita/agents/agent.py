"""The definition of an agent."""

import msgspec


class AgentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on the resources of an agent."""

    tool_calls_per_step: int = 64


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that can answer runs; `instructions` is its system text."""

    id: str
    name: str
    type: str
    description: str
    instructions: str
    capabilities: tuple[str, ...] = ()
    version: str = "1"
    limits: AgentLimits = AgentLimits()


NO_AGENT = Agent(
    id="model",
    name="Model",
    type="model",
    description="A model by itself, without instructions of ours.",
    instructions="",
)
"""Answers runs for which the caller chose a model and no agent."""
