"""The model names under which agents answer on the surfaces of the vendors."""

from collections.abc import Mapping
from typing import Final

from cartrita.agents.registry import DEFAULT_AGENT, AgentRegistry
from cartrita.domain.errors import NotFound
from cartrita.domain.messages import Text

AGENT_MODEL: Final = "cartrita"
"""The default agent as a model; the others are `cartrita-<agent>`."""
ALIASES: Final[Mapping[str, str]] = {
    "cortex-flow": AGENT_MODEL,
    "cortex-flow-supervisor": AGENT_MODEL,
}
"""Names that clients of earlier servers use, and what they stand for."""
_PREFIX: Final = f"{AGENT_MODEL}-"


class AgentModels:
    """Finds the agent behind a model name; `alias` is one more name of the default agent."""

    def __init__(self, agents: AgentRegistry, alias: str | None = None) -> None:
        self._agents = agents
        self._aliases = {**ALIASES, **({alias: AGENT_MODEL} if alias else {})}

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the one that is not an alias first."""
        own = [f"{_PREFIX}{agent.id}" for agent in self._agents]
        return (AGENT_MODEL, *own, *self._aliases)

    def instructions_of(self, agent: str) -> tuple[Text, ...]:
        """What an agent tells its model. Raises NotFound."""
        text = self._agents.find_of_run(agent).instructions
        return (Text(text),) if text else ()

    def agent_of(self, model: str) -> str | None:
        """The id of the agent that answers as this model; None for a model of a provider.

        Raises NotFound for an agent that does not exist.
        """
        name = self._aliases.get(model, model)
        if name == AGENT_MODEL:
            return DEFAULT_AGENT
        if not name.startswith(_PREFIX):
            return None
        agent = name.removeprefix(_PREFIX)
        try:
            return self._agents.find(agent).id
        except NotFound:
            raise NotFound(
                f"There is no model {model[:200]}; agents answer as {', '.join(self.names)}.",
                code="model_not_found",
            ) from None
