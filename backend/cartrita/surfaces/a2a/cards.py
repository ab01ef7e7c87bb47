"""Agent cards: what anybody may know of the agents, without their models and instructions."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.surfaces.a2a.types import PROTOCOL_VERSION, Wire
from cartrita.surfaces.origins import own_origin, require_host
from cartrita.surfaces.services import config_of

PATH = "/a2a"
CARD_PATH = "/.well-known/agent-card.json"


class AgentInterface(Wire, frozen=True):
    """Where and how an agent is asked."""

    url: str
    protocol_binding: str
    protocol_version: str


class AgentSkill(Wire, frozen=True):
    """What an agent can do."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]


class AgentCapabilities(Wire, frozen=True, omit_defaults=False):
    """What of the protocol there is."""

    streaming: bool = True
    push_notifications: bool = False
    extended_agent_card: bool = False


class AgentCard(Wire, frozen=True):
    """The card of one agent."""

    name: str
    description: str
    version: str
    supported_interfaces: tuple[AgentInterface, ...]
    capabilities: AgentCapabilities
    default_input_modes: tuple[str, ...]
    default_output_modes: tuple[str, ...]
    skills: tuple[AgentSkill, ...]
    security_schemes: Mapping[str, Any] = {}
    security_requirements: tuple[Mapping[str, Any], ...] = ()


_SCHEMES: Mapping[str, Any] = {
    "bearer": {"httpAuthSecurityScheme": {"scheme": "Bearer"}},
    "apiKey": {"apiKeySecurityScheme": {"location": "header", "name": "X-API-Key"}},
}


def card_of(request: Request, agents: AgentRegistry, agent_id: str | None) -> AgentCard:
    """The card of an agent, or for None that of the assistant, whose skills are all agents.

    Its address is the one by which the request came. Raises NotFound, and Forbidden for a header
    Host that names no host.
    """
    require_host(request)
    agent = agents.find(agent_id)
    config = config_of(request)
    path = PATH if agent_id is None else f"{PATH}/{agent.id}"
    return AgentCard(
        name="Cartrita" if agent_id is None else agent.name,
        description=agent.description,
        version=config.version if agent_id is None else agent.version,
        supported_interfaces=(
            AgentInterface(
                url=own_origin(request) + path,
                protocol_binding="JSONRPC",
                protocol_version=PROTOCOL_VERSION,
            ),
        ),
        capabilities=AgentCapabilities(),
        default_input_modes=("text/plain", "application/json"),
        default_output_modes=("text/plain",),
        skills=tuple(_skills(agents if agent_id is None else (agent,))),
        security_schemes={} if config.keyless else _SCHEMES,
        security_requirements=()
        if config.keyless
        else tuple({"schemes": {name: {"list": []}}} for name in _SCHEMES),
    )


def _skills(agents: Iterable[Agent]) -> Iterable[AgentSkill]:
    for agent in agents:
        yield AgentSkill(
            id=agent.id,
            name=agent.name,
            description=agent.description,
            tags=agent.capabilities or (agent.type,),
        )
