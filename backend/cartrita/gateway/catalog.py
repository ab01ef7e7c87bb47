"""The catalog of providers and their models, which resolves model names."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from enum import IntEnum

import msgspec
import structlog

from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.json import JsonValue
from cartrita.domain.models import ModelInfo, ModelProfile
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.model_lists import ModelLists, ModelsByProvider
from cartrita.gateway.profiles import find_profile
from cartrita.gateway.routes import Deployment

log = structlog.get_logger(__name__)


class ProviderOrigin(IntEnum):
    """Why a provider is in the catalog; lower values are preferred as the default."""

    SELECTED = 0
    API_KEY = 1
    LOCAL = 2
    OFFLINE = 3


class ProviderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that can be called.

    Without `default_model` its default is the first model that it lists; with `any_model` also
    where it lists others but not that one. Names that begin with one of `model_prefixes` are its
    own, where no provider lists them.
    """

    provider: ModelProvider
    origin: ProviderOrigin
    default_model: str | None = None
    any_model: bool = False
    model_prefixes: tuple[str, ...] = ()


class Catalog:
    """Resolves model names. `default_model` is the configured default, in any form of name.

    `unpaid` are providers that the server cannot pay: they are there for callers who can, as the
    parameter `paid` names them. `unconfigured` maps names of providers that are not
    configured to a sentence saying what is missing. `route_names` are names to tell beside models
    where one is not found. Lists of models are cached for `cache_s`, failures to fetch one for
    `cache_failure_s`; the first one of a
    provider is waited for `first_wait_s` at most.
    """

    def __init__(
        self,
        entries: Iterable[ProviderEntry],
        *,
        unpaid: Iterable[ProviderEntry] = (),
        default_model: str | None = None,
        route_names: Collection[str] = (),
        unconfigured: Mapping[str, str] | None = None,
        cache_s: float = 300.0,
        cache_failure_s: float = 10.0,
        first_wait_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # sorted() is stable: providers of the same origin keep their order.
        self._entries = {e.provider.name: e for e in sorted(entries, key=lambda e: e.origin)}
        self._unpaid = {entry.provider.name: entry for entry in unpaid}
        self._default_model = default_model
        self._route_names = route_names
        self._unconfigured = unconfigured or {}
        self._lists = ModelLists(
            {name: entry.provider for name, entry in self._entries.items()},
            cache_s=cache_s,
            cache_failure_s=cache_failure_s,
            first_wait_s=first_wait_s,
            clock=clock,
        )

    async def run(self) -> None:
        """Refresh lists of models beside the calls that need them, until cancelled."""
        await self._lists.run()

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of the providers, preferred ones first."""
        return tuple(self._entries)

    @property
    def default_model(self) -> str | None:
        """The configured default."""
        return self._default_model

    def provider(self, name: str, paid: Collection[str] = ()) -> ModelProvider:
        """The provider of this name. Raises NotFound."""
        return self._entry(name, paid).provider

    def has(self, name: str, paid: Collection[str] = ()) -> bool:
        """Whether there is a provider of this name, for a caller who can pay these."""
        return name in self._entries or (name in self._unpaid and name in paid)

    def profile(self, deployment: Deployment) -> ModelProfile:
        """What the model can do: as its provider listed it, if it did already, or by its name."""
        for model in self._lists.known(deployment.provider):
            if model.name == deployment.model:
                return model.profile
        return find_profile(deployment.model)

    async def models(self) -> list[ModelInfo]:
        """The models of all providers, without those whose list cannot be fetched."""
        lists = await self._lists.all()
        return [model for models in lists.values() for model in models or ()]

    async def lists(self, name: str) -> bool:
        """Whether a provider lists a model of this name."""
        await self._lists.all()
        return self._lists.provider_of(name) is not None

    def knows(self, deployment: Deployment) -> bool:
        """Whether a model is its provider's by its list, as far as that is here, or by default."""
        name = deployment.provider
        entry = self._entries.get(name) or self._unpaid.get(name)
        if entry is not None and entry.default_model == deployment.model:
            return True
        if name in self._entries and not self._lists.listed(name):
            self._lists.begin()
        return self._lists.has(name, deployment.model)

    def guessed(self, name: str, deployment: Deployment) -> bool:
        """Whether a name stands for this deployment only because its provider lists no models now.

        A call is worth a try all the same.
        """
        return name == deployment.model and deployment.provider not in (
            self._lists.provider_of(name),
            self._find_own(name, self._unpaid),
        )

    async def resolve(
        self, provider: str | None, model: str | None, paid: Collection[str] = ()
    ) -> Deployment:
        """The deployment that these names stand for. Each may be None.

        Raises NotFound, with the nearest names, if there is none, and Unavailable if a list of
        models is needed and cannot be fetched now.
        """
        if provider:
            return await self._resolve_at(provider, model, paid)
        name = model or self._default_model
        if not name:
            return await self._resolve_default(paid)
        prefix, _, rest = name.partition("/")
        if rest and self.has(prefix, paid):
            return await self._resolve_at(prefix, name, paid)
        return await self._resolve_name(name, paid)

    async def _resolve_default(self, paid: Collection[str]) -> Deployment:
        for name, entry in self._entries.items():
            if entry.origin is ProviderOrigin.OFFLINE:
                for own in self._own(paid):
                    if own.default_model:
                        return Deployment(own.provider.name, own.default_model)
            # A server without models is skipped. One that is unreachable is not: falling back to
            # another provider silently would surprise the caller.
            if entry.default_model or await self._lists.of(name) != []:
                return await self._resolve_at(name, None)
        raise NotFound("No provider has a model. Configure one.", code="model_not_found")

    def _own(self, paid: Collection[str]) -> list[ProviderEntry]:
        """The providers that only this caller can pay, in their order."""
        return [entry for name, entry in self._unpaid.items() if name in paid] if paid else []

    async def _resolve_at(
        self, provider: str, model: str | None, paid: Collection[str] = ()
    ) -> Deployment:
        entry = self._entry(provider, paid)
        if model and model == entry.default_model:  # its own name may begin with the provider's
            return Deployment(provider, model)
        name = (model or "").removeprefix(f"{provider}/")
        return Deployment(provider, name or await self._default_at(provider, entry))

    async def _default_at(self, provider: str, entry: ProviderEntry) -> str:
        if provider in self._unpaid:  # its models cannot be listed without a key
            if entry.default_model:
                return entry.default_model
            raise NotFound(f"Name a model of {provider}.", code="model_not_found")
        if entry.any_model:
            listed = await self._lists.of(provider)
            names = [one.name for one in listed or () if "embed" not in one.name]
            if names and entry.default_model not in names:
                return names[0]
        return entry.default_model or await self._first_model(provider)

    async def _first_model(self, provider: str) -> str:
        models = await self._lists.of(provider)
        if models is None:
            raise Unavailable(
                f"{provider} does not tell at the moment which models it has; "
                f"name one as {provider}/model, or try again."
            )
        for model in models:
            if "embed" not in model.name:
                return model.name
        raise NotFound(f"{provider} has no model yet.", code="model_not_found")

    async def _resolve_name(self, name: str, paid: Collection[str]) -> Deployment:
        if self.has(name, paid):
            return await self._resolve_at(name, None, paid)
        lists = await self._lists_until(name)
        found = self._lists.provider_of(name) or self._find_own(name, paid)
        if found is not None:
            return Deployment(found, name)
        prefix, _, rest = name.partition("/")
        if rest and prefix in self._unconfigured:
            raise NotFound(self._unconfigured[prefix], code="provider_not_configured")
        return self._guess(name, lists)

    async def _lists_until(self, name: str) -> ModelsByProvider:
        """The lists of the providers up to the first that has this model, in their order.

        Those after it are not waited for. Where one is known to have it, those before it that have
        not answered yet are waited for as briefly as those that have failed.
        """
        if self._lists.current:
            return await self._lists.all()
        self._lists.begin()
        waiting = any(map(self._lists.pending, self._entries))
        brief = waiting and (self._lists.provider_of(name) or self._find_own(name)) is not None
        lists: ModelsByProvider = {}
        for provider in self._entries:
            lists[provider] = await self._lists.of(provider, brief=brief)
            if self._lists.provider_of(name) == provider:
                break
        return lists

    def _find_own(self, name: str, paid: Collection[str] = ()) -> str | None:
        """The provider whose own a model is where nobody lists it: by its default or a prefix."""
        for entry in (*self._entries.values(), *self._own(paid)):
            if name == entry.default_model or name.startswith(entry.model_prefixes):
                return entry.provider.name
        return None

    def _guess(self, name: str, lists: ModelsByProvider) -> Deployment:
        """A provider that may have a model which nobody lists: its list could not be fetched.

        Raises Unavailable if one has not answered yet, and NotFound if none may have it.
        """
        silent = [provider for provider in lists if self._lists.pending(provider)]
        if silent:
            raise Unavailable(
                f"No provider that has answered has a model {name[:200]}, and "
                f"{', '.join(silent)} did not tell in time which models there are; name one as "
                f"{silent[0]}/model, or try again."
            )
        for provider, models in lists.items():
            if models is None:
                return Deployment(provider, name)
        raise self._not_found(name, lists)

    def _not_found(self, name: str, lists: ModelsByProvider) -> NotFound:
        models = [model for one in lists.values() for model in one or ()]
        names = {one for model in models for one in (model.name, model.id)} | {*self._route_names}
        near = get_close_matches(name[:200], sorted(names), n=3, cutoff=0.5)
        shown: list[JsonValue] = [*(near or [model.id for model in models[:3]])]
        return NotFound(
            f"There is no model {name[:200]}. Nearest: {', '.join(map(str, shown))}.",
            code="model_not_found",
            details={"nearest": shown},
        )

    def _entry(self, name: str, paid: Collection[str] = ()) -> ProviderEntry:
        entry = self._entries.get(name) or (self._unpaid.get(name) if name in paid else None)
        if entry is None:
            sentence = self._unconfigured.get(name) or (
                f"There is no provider {name[:200]}; there are {', '.join(self._entries)}."
            )
            raise NotFound(sentence, code="provider_not_configured")
        return entry
