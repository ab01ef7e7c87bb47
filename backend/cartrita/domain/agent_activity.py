"""What agents have done for their owner lately."""

from datetime import datetime

import msgspec


class AgentActivity(msgspec.Struct, frozen=True):
    """The runs that one agent answered, and its tasks of them.

    How many they are, when the latest began, and how many go on. Of its runs, how many were
    `completed` and how many `broke` (those that somebody cancelled are neither), and how many
    seconds the completed ones took on average.
    """

    agent: str
    times: int = 0
    last_used_at: datetime | None = None
    active: int = 0
    completed: int = 0
    broke: int = 0
    average_s: float | None = None

    @property
    def success_rate(self) -> float | None:
        """The share of completed ones; None before any ended."""
        ended = self.completed + self.broke
        return self.completed / ended if ended else None
