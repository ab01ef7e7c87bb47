"""Models and calls of them, as the surfaces of the vendors offer them."""

from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from cartrita.application.agent_models import AgentModels
from cartrita.domain.errors import Unavailable
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.tokens import TokenCount, TokenCounter
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import Call
from cartrita.gateway.gateway import Gateway


class Completions:
    """Model calls whose content is not stored, and what can be called, by all of its names."""

    def __init__(self, gateway: Gateway, agent_models: AgentModels, counter: TokenCounter) -> None:
        self._gateway = gateway
        self._agent_models = agent_models
        self._counter = counter

    def agent_of(self, model: str) -> str | None:
        """The agent that answers as this model, in a run; see `AgentModels.agent_of`."""
        return self._agent_models.agent_of(model)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that belong to no provider: those of agents, then those of routes."""
        return (*self._agent_models.names, *self._gateway.routes)

    async def models(self) -> list[ModelInfo]:
        """The models of all providers."""
        return await self._gateway.models()

    async def find(self, name: str) -> ModelInfo:
        """The model that a name stands for.

        Raises NotFound, with the nearest names, and Unavailable where that cannot be told now.
        """
        deployment = await self._gateway.resolve(None, name)
        for model in await self._gateway.models():
            if model.id == deployment.id:
                return model
        if self._gateway.guessed(name, deployment):
            provider = deployment.provider
            raise Unavailable(
                f"{provider} does not tell at the moment which models it has, and nobody else has "
                f"{name[:200]}; name it as {provider}/model, or try again.",
                retry_after=5,
            )
        return ModelInfo(deployment.provider, deployment.model)

    async def as_agent(self, agent: str, request: ModelRequest) -> ModelRequest:
        """The request as this agent asks its model: with its instructions before the caller's.

        Raises NotFound, and Unavailable.
        """
        deployment = await self._gateway.resolve(None, None)
        instructions = self._agent_models.instructions_of(agent)
        return replace(
            request,
            model=deployment.model,
            instructions=(*instructions, *request.instructions),
        )

    def count_tokens(self, request: ModelRequest) -> TokenCount:
        """About how many input tokens a request is, and how far that may be off."""
        return self._counter.count_request(request)

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """Call a model: see `Gateway.open`. Nothing of it is stored but its usage."""
        return self._gateway.open(call)
