"""Agent endpoints."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cartrita.agents.agent import Agent
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, PublicId

router = APIRouter(prefix="/api/agents", tags=["agents"])


class AgentView(BaseModel):
    """An agent."""

    id: str = Field(examples=["supervisor"])
    name: str
    type: str
    status: Literal["idle", "busy", "offline", "error"]
    model: str | None = Field(description="Null if the request or the default decides.")
    description: str
    capabilities: list[str]
    version: str
    last_used_at: datetime | None = Field(description="Null: not counted.")
    usage_count: int | None = Field(description="Null: not counted.")
    metadata: dict[str, Any]

    @classmethod
    def of(cls, agent: Agent) -> "AgentView":
        return cls(
            id=agent.id,
            name=agent.name,
            type=agent.type,
            status="idle",
            model=None,
            description=agent.description,
            capabilities=list(agent.capabilities),
            version=agent.version,
            last_used_at=None,
            usage_count=None,
            metadata={
                "tools": list(agent.tools),
                "delegates": list(agent.delegates),
                "approval": agent.approval,
                "route": agent.route,
                "aliases": list(agent.aliases),
            },
        )


class AgentList(BaseModel):
    """All agents."""

    agents: list[AgentView]
    total: int


@router.get("")
async def list_agents(_: CurrentPrincipal, services: AppServices) -> AgentList:
    """List the agents; `agent_override` in a chat request takes one of their ids."""
    views = [AgentView.of(agent) for agent in services.agents]
    return AgentList(agents=views, total=len(views))


@router.get("/{agent_id}")
async def get_agent(_: CurrentPrincipal, agent_id: PublicId, services: AppServices) -> AgentView:
    """Get one agent."""
    return AgentView.of(services.agents.find(agent_id))
