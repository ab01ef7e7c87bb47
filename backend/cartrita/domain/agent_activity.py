"""What agents have done for their owner lately."""

from datetime import datetime

import msgspec


class AgentActivity(msgspec.Struct, frozen=True):
    """The runs that one agent answered: how many, the latest one's beginning, how many go on."""

    agent: str
    runs: int = 0
    last_used_at: datetime | None = None
    active: int = 0
