"""What agents have done for their owner lately."""

from datetime import datetime

import msgspec


class AgentActivity(msgspec.Struct, frozen=True):
    """The runs that one agent answered, and its tasks of them.

    How many they are, when the latest began, and how many go on.
    """

    agent: str
    times: int = 0
    last_used_at: datetime | None = None
    active: int = 0
