"""Models and calls of them, as the surfaces of the vendors offer them."""

from contextlib import AbstractAsyncContextManager

from msgspec.structs import replace

from cartrita.application.agent_models import AgentModels
from cartrita.domain.credentials import Payer
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.tokens import TokenCount, TokenCounter
from cartrita.domain.requests import ModelRequest
from cartrita.domain.scopes import UNLIMITED, Scopes
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

    async def names(
        self, scopes: Scopes = UNLIMITED, payer: Payer | None = None
    ) -> tuple[str, ...]:
        """The names that belong to no provider: those of agents, then those of routes.

        Those of agents are left out where their model may not be called.
        """
        agents = self._agent_models.names
        if scopes.limited:
            try:
                await self._gateway.choose(None, None, scopes, payer)
            except CartritaError:
                agents = ()
        return (*agents, *await self._gateway.routes(scopes, payer))

    async def models(self, scopes: Scopes = UNLIMITED) -> list[ModelInfo]:
        """The models of all providers that may be called."""
        return await self._gateway.models(scopes)

    async def find(
        self, name: str, scopes: Scopes = UNLIMITED, payer: Payer | None = None
    ) -> ModelInfo:
        """The model that a name stands for.

        Raises NotFound, with the nearest names, Forbidden, and Unavailable where that cannot be
        told now.
        """
        deployment = await self._gateway.resolve(None, name, scopes, payer)
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

    async def as_agent(
        self, agent: str, request: ModelRequest, payer: Payer | None = None
    ) -> ModelRequest:
        """The request as this agent asks its model: with its instructions before the caller's.

        Raises NotFound, and Unavailable.
        """
        deployment = await self._gateway.resolve(None, None, payer=payer)
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
