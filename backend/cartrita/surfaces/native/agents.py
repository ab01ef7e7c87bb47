"""Agent endpoints."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cartrita.application.agent_directory import PERIOD, ListedAgent
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, PublicId

router = APIRouter(prefix="/api/agents", tags=["agents"])


class AgentInfo(BaseModel):
    """An agent."""

    id: str = Field(examples=["supervisor"])
    name: str
    type: str
    status: Literal["idle", "busy", "offline"] = Field(
        description="Busy while it works for you; offline without a model that you may use."
    )
    model: str | None = Field(
        description="What it begins with where the request names none; null if it is offline.",
        examples=["openai/gpt-5"],
    )
    description: str
    capabilities: list[str]
    version: str
    last_used_at: datetime | None = Field(description="Null: not lately.")
    usage_count: int = Field(
        description=f"Its answers to you, and its tasks within any, of the last {PERIOD.days} days."
    )
    metadata: dict[str, Any]

    @classmethod
    def of(cls, listed: ListedAgent) -> "AgentInfo":
        agent = listed.agent
        return cls(
            id=agent.id,
            name=agent.name,
            type=agent.type,
            status=listed.status.value,
            model=listed.model,
            description=agent.description,
            capabilities=list(agent.capabilities),
            version=agent.version,
            last_used_at=listed.activity.last_used_at,
            usage_count=listed.activity.times,
            metadata={
                "tools": list(agent.tools),
                "delegates": list(agent.delegates),
                "approval": agent.approval,
                "route": agent.route,
                "aliases": list(agent.aliases),
                "success_rate": listed.activity.success_rate,
                "average_seconds": listed.activity.average_s,
            },
        )


class AgentDiscovery(BaseModel):
    """All agents."""

    agents: list[AgentInfo]
    total: int


@router.get("")
async def get_agents(principal: CurrentPrincipal, services: AppServices) -> AgentDiscovery:
    """List the agents; `agent_override` in a chat request takes one of their ids."""
    views = [AgentInfo.of(each) for each in await services.agent_directory.list(principal)]
    return AgentDiscovery(agents=views, total=len(views))


@router.get("/{agent_id}")
async def get_agent(
    principal: CurrentPrincipal, agent_id: PublicId, services: AppServices
) -> AgentInfo:
    """Get one agent."""
    return AgentInfo.of(await services.agent_directory.get(principal, agent_id))
