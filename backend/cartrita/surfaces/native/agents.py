"""Agents that answer."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cartrita.agents.agent import Agent
from cartrita.agents.registry import agents, find_agent
from cartrita.surfaces.native.dependencies import Me, PublicId

router = APIRouter(prefix="/api/agents", tags=["agents"])


class AgentInfo(BaseModel):
    """One of the team."""

    id: str = Field(examples=["assistant"])
    name: str
    type: str
    status: Literal["idle", "busy", "offline", "error"]
    model: str | None = Field(description="Its own; null where the request or a default chooses.")
    description: str
    capabilities: list[str]
    version: str
    last_used_at: datetime | None = Field(description="Null where nobody counts.")
    usage_count: int | None = Field(description="Null where nobody counts.")
    metadata: dict[str, Any]

    @classmethod
    def of(cls, member: Agent) -> "AgentInfo":
        return cls(
            id=member.id,
            name=member.name,
            type=member.type,
            status="idle",
            model=None,
            description=member.description,
            capabilities=list(member.capabilities),
            version=member.version,
            last_used_at=None,
            usage_count=None,
            metadata={},
        )


class AgentList(BaseModel):
    """The team."""

    agents: list[AgentInfo]
    total: int


@router.get("")
async def list_agents(_: Me) -> AgentList:
    """Who can be asked: `agent_override` names one of these."""
    team = [AgentInfo.of(member) for member in agents().values()]
    return AgentList(agents=team, total=len(team))


@router.get("/{agent_id}")
async def get_agent(_: Me, agent_id: PublicId) -> AgentInfo:
    """One of them."""
    return AgentInfo.of(find_agent(agent_id))
