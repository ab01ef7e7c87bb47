"""The port through which the use of agents is read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cartrita.domain.agent_activity import AgentActivity


class AgentActivityReader(Protocol):
    """Reads what agents did for an owner."""

    async def activity(self, owner_id: str, since: datetime) -> Sequence[AgentActivity]:
        """Of each agent that worked in runs of the owner, what it began since then."""
        ...
