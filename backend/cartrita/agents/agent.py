"""Who answers, as data."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent may use up before it is stopped."""

    tool_calls_per_step: int = 64


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One of the team. `instructions` is what its model is told before anything else."""

    id: str
    name: str
    type: str
    description: str
    instructions: str
    capabilities: tuple[str, ...] = ()
    version: str = "1"
    limits: Limits = Limits()
