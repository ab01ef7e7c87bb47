"""Which providers there are, and who answers to which name of a model."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import IntEnum
from typing import TypeAlias

import msgspec
import structlog

from cartrita.domain.errors import NotFound, Unavailable, UpstreamError
from cartrita.domain.json import JsonValue
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports import ModelProvider
from cartrita.gateway.aliases import ALIASES, Alias

_log = structlog.get_logger(__name__)


class Origin(IntEnum):
    """Why a provider is there; the lowest of them is asked where nobody chose."""

    CHOSEN = 0
    KEY = 1
    LOCAL = 2
    OFFLINE = 3


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that can be called; without `default_model` that is the first that it lists."""

    provider: ModelProvider
    origin: Origin
    default_model: str | None = None


class Target(msgspec.Struct, frozen=True):
    """A model at a provider, by the provider's own name for it."""

    provider: str
    model: str

    @property
    def id(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


class _Known(msgspec.Struct, frozen=True):
    """What a provider listed, and when; None where it could not say."""

    at: float
    models: list[ModelInfo] | None


_Lists: TypeAlias = dict[str, list[ModelInfo] | None]


class Catalog:
    """Resolves names. `default_model` is what an explicit setting wants, in any form of name.

    `absent` says of providers that could be configured what is missing. Lists of models are kept
    for `keep_seconds`, the failure to get one for `keep_failure_seconds`.
    """

    def __init__(
        self,
        offers: Iterable[Offer],
        *,
        default_model: str | None = None,
        aliases: Mapping[str, Sequence[Alias]] = ALIASES,
        absent: Mapping[str, str] | None = None,
        keep_seconds: float = 300.0,
        keep_failure_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # sorted() keeps the order given among providers of one origin.
        self._offers = {o.provider.name: o for o in sorted(offers, key=lambda o: o.origin)}
        self._default_model = default_model
        self._aliases = aliases
        self._absent = absent or {}
        self._keep_seconds = keep_seconds
        self._keep_failure_seconds = keep_failure_seconds
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Lock] = {name: asyncio.Lock() for name in self._offers}

    @property
    def providers(self) -> tuple[str, ...]:
        """Their names, the preferred ones first."""
        return tuple(self._offers)

    def provider(self, name: str) -> ModelProvider:
        """The provider of this name. Raises NotFound."""
        return self._offer(name).provider

    async def models(self) -> list[ModelInfo]:
        """All models on offer; a provider that cannot say has none."""
        lists = await self._lists()
        return [model for models in lists.values() for model in models or ()]

    async def resolve(self, provider: str | None, model: str | None) -> Target:
        """Who answers. Raises NotFound, with the nearest names, where nobody does.

        Raises Unavailable where the answer depends on a list that cannot be had now.
        """
        if provider:
            return await self._at(provider, model)
        if model or self._default_model:
            return await self._named(model or self._default_model or "")
        return await self._default()

    async def _default(self) -> Target:
        for name, offer in self._offers.items():
            # A server that has no model yet is passed over; one that is away is not: nobody wants
            # its answers from somebody else without being told.
            if offer.default_model or await self._list(name) != []:
                return await self._at(name, None)
        raise NotFound("No provider has a model. Configure one.", code="model_not_found")

    async def _at(self, provider: str, model: str | None) -> Target:
        offer = self._offer(provider)
        name = (model or "").removeprefix(f"{provider}/")
        return Target(provider, name or offer.default_model or await self._first_model(provider))

    async def _first_model(self, provider: str) -> str:
        models = await self._list(provider)
        if models is None:
            raise Unavailable(
                f"{provider} does not tell at the moment which models it has; "
                f"name one as {provider}/model, or try again."
            )
        for model in models:
            if "embed" not in model.name:
                return model.name
        raise NotFound(f"{provider} has no model yet.", code="model_not_found")

    async def _named(self, name: str) -> Target:
        prefix, _, rest = name.partition("/")
        if rest and prefix in self._offers:
            return Target(prefix, rest)
        if name in self._offers:
            return await self._at(name, None)
        lists = await self._lists()
        found = self._listed(name, lists) or await self._aliased(name)
        if found is not None:
            return found
        if rest and prefix in self._absent:
            raise NotFound(self._absent[prefix], code="provider_not_configured")
        for provider, models in lists.items():
            if models is None:  # it may well know the name, and cannot say so
                return Target(provider, name)
        raise self._unknown(name, lists)

    def _listed(self, name: str, lists: _Lists) -> Target | None:
        for provider, models in lists.items():
            if any(model.name == name for model in models or ()):
                return Target(provider, name)
        return None

    async def _aliased(self, name: str) -> Target | None:
        for alias in self._aliases.get(name, ()):
            if alias.provider in self._offers:
                return await self._at(alias.provider, alias.model)
        return None

    def _unknown(self, name: str, lists: _Lists) -> NotFound:
        models = [model for one in lists.values() for model in one or ()]
        names = {one for model in models for one in (model.name, model.id)} | self._aliases.keys()
        near = get_close_matches(name[:200], sorted(names), n=3, cutoff=0.5)
        shown: list[JsonValue] = [*(near or [model.id for model in models[:3]])]
        return NotFound(
            f"There is no model {name[:200]}. Nearest: {', '.join(map(str, shown))}.",
            code="model_not_found",
            details={"nearest": shown},
        )

    def _offer(self, name: str) -> Offer:
        offer = self._offers.get(name)
        if offer is None:
            told = self._absent.get(name) or (
                f"There is no provider {name[:200]}; there are {', '.join(self._offers)}."
            )
            raise NotFound(told, code="provider_not_configured")
        return offer

    async def _lists(self) -> _Lists:
        async with asyncio.TaskGroup() as group:
            asked = {name: group.create_task(self._list(name)) for name in self._offers}
        return {name: task.result() for name, task in asked.items()}

    async def _list(self, name: str) -> list[ModelInfo] | None:
        async with self._asking[name]:  # those who come together share one question
            known = self._known.get(name)
            if known is None or self._clock() - known.at > self._patience(known):
                known = self._known[name] = _Known(self._clock(), await self._ask(name))
            return known.models

    def _patience(self, known: _Known) -> float:
        return self._keep_failure_seconds if known.models is None else self._keep_seconds

    async def _ask(self, name: str) -> list[ModelInfo] | None:
        try:
            return await self._offers[name].provider.models()
        except UpstreamError as error:
            _log.warning("models_not_listed", provider=name, code=error.code)
            return None
