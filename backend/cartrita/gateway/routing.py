"""Routing: which deployments can answer a request, in the order in which they should be tried."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from cartrita.domain.credentials import NO_CREDENTIALS, CredentialsByProvider
from cartrita.domain.errors import CartritaError, InvalidInput, NotFound
from cartrita.domain.requests import ModelRequest
from cartrita.domain.scopes import UNLIMITED, Scopes
from cartrita.gateway.catalog import Catalog
from cartrita.gateway.health import Health
from cartrita.gateway.needs import Need, find_needs, lacking
from cartrita.gateway.rotation import Rotation
from cartrita.gateway.routes import AUTO, ROUTES, Deployment, Route, Target, infer
from cartrita.kit.long_work import run_long
from cartrita.kit.text import storable_text

_MOST_TOLD = 3
_LONGEST_NAME = 256


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The deployments that can answer a request, the one to call first in front.

    `route` is the name of the route that they are of, if they are of one.
    """

    deployments: tuple[Deployment, ...]
    route: str | None = None
    continue_with: Literal["same", "any"] = "same"
    cache_ttl: float | None = None


class Choice(msgspec.Struct, frozen=True):
    """The first deployment that names stand for, and the route that it is of, if it is of one."""

    deployment: Deployment
    route: str | None = None


class _Tier(msgspec.Struct, frozen=True):
    """Equals with their weights, or a single deployment."""

    equals: tuple[tuple[Deployment, int], ...]


class Router:
    """Makes plans. `routes` are those of the configuration, which replace the built-in ones."""

    def __init__(
        self, catalog: Catalog, health: Health, routes: Mapping[str, Route] | None = None
    ) -> None:
        self._catalog = catalog
        self._health = health
        self._configured = routes or {}
        self._rotations: dict[str, Rotation] = {}

    async def choose(
        self,
        provider: str | None,
        name: str | None,
        scopes: Scopes = UNLIMITED,
        paid: Collection[str] = (),
        needing: Collection[str] = (),
    ) -> Choice:
        """What these names stand for, before there is a request. Each may be None.

        Of a route it is the first that is not known to lack what is needed, if there is such a one.
        Raises NotFound and Unavailable, and Forbidden where the scopes allow none of it.
        """
        provider, name = self._asked(provider, name, scopes)
        route = None if provider else await self._find_route(name or "", None)
        if route is None:
            return Choice(await self._resolve(provider, name, scopes, paid))
        tiers = await self._tiers(*route, scopes, paid)
        every = [one for tier in tiers for one, _ in tier.equals]
        able = (one for one in every if self._may_have(one, needing))
        return Choice(next(able, every[0]), name)

    async def plan(
        self,
        provider: str | None,
        name: str | None,
        read: Callable[[], Awaitable[ModelRequest]],
        relays: Callable[[str], bool] | None = None,
        scopes: Scopes = UNLIMITED,
        credentials: CredentialsByProvider = NO_CREDENTIALS,
    ) -> Plan:
        """The plan for a request, which is read only if there is a choice to be made.

        For a request that can only be passed on, `relays` tells the providers that take it. At
        their providers it is `credentials` that pay. Raises
        NotFound, Unavailable and Forbidden, and InvalidInput if no deployment can do what is asked.
        """
        provider, name = self._asked(provider, name, scopes)
        readable = read if relays is None else None
        found = None
        if not provider and self._is_named(name):
            found = await self._find_route(name or "", readable)
        if found is None:
            resolved = await self._resolve(provider, name, scopes, credentials)
            return Plan(deployments=(resolved,))
        named, route = found
        tiers = await self._tiers(named, route, scopes, credentials)
        if relays is not None:
            tiers = _filtered(tiers, lambda one: relays(one.provider)) or tiers
        elif len(tiers) > 1 or len(tiers[0].equals) > 1:
            tiers = await self._fitting(named, tiers, await read(), scopes)
        return Plan(
            deployments=self._order(named, tiers, credentials),
            route=named,
            continue_with=route.continue_with,
            cache_ttl=route.cache_ttl,
        )

    async def names(
        self, scopes: Scopes = UNLIMITED, paid: Collection[str] = ()
    ) -> tuple[str, ...]:
        """The routes that have a provider here, those of the configuration first."""
        names = self._usable_names(paid)
        if not scopes.limited:
            return names
        return tuple([name for name in names if await self._is_allowed(name, scopes, paid)])

    async def _is_allowed(self, name: str, scopes: Scopes, paid: Collection[str]) -> bool:
        try:
            await self.choose(None, name, scopes, paid)
        except CartritaError:
            return False
        return True

    def _usable_names(self, paid: Collection[str]) -> tuple[str, ...]:
        routes = dict(self._configured)
        for name, route in ROUTES.items():
            routes.setdefault(name, route)
        usable = [
            name
            for name, route in routes.items()
            if route.or_default or any(self._is_there(target, paid) for target in route.targets)
        ]
        return (*usable, *(() if AUTO in routes else (AUTO,)))

    def _is_there(self, target: Target, paid: Collection[str]) -> bool:
        return self._catalog.has(target.name.partition("/")[0], paid)

    def _asked(
        self, provider: str | None, name: str | None, scopes: Scopes
    ) -> tuple[str | None, str | None]:
        """The provider and the name that were asked for, which may be the default's.

        A key that may use one provider only asks for that one's default. Raises NotFound.
        """
        if name and (len(name) > _LONGEST_NAME or storable_text(name) != name):
            raise NotFound(
                "No model has such a name: it is too long, or holds what is no text.",
                code="model_not_found",
            )
        if provider or name:
            return provider, name
        default, only = self._catalog.default_model, scopes.only_provider
        if only is None or (default or "").startswith(f"{only}/"):
            return None, default
        return only, None

    def _is_named(self, name: str | None) -> bool:
        """Whether a route has this name, which may be a model's too."""
        return name in self._configured or name in ROUTES or name == AUTO

    async def _find_route(
        self, name: str, read: Callable[[], Awaitable[ModelRequest]] | None
    ) -> tuple[str, Route] | None:
        route = self._configured.get(name)
        if route is not None:
            return name, route
        if name == AUTO:
            return await self._find_route("chat" if read is None else infer(await read()), read)
        route = ROUTES.get(name)
        if route is None or await self._catalog.lists(name):
            return None
        return name, route

    async def _resolve(
        self, provider: str | None, name: str | None, scopes: Scopes, paid: Collection[str]
    ) -> Deployment:
        """What no route stands for. Raises NotFound, Unavailable and Forbidden."""
        if scopes is UNLIMITED:
            return await self._catalog.resolve(provider, name, paid)
        if provider:
            scopes.require_provider(provider)
        try:
            deployment = await self._catalog.resolve(provider, name, paid)
        except NotFound as error:
            if scopes.limited:  # the nearest names may be of models that it may not call
                raise NotFound("There is no such model.", code=error.code) from error
            raise
        scopes.require_model(deployment.provider, deployment.model)
        return deployment

    async def _tiers(
        self, name: str, route: Route, scopes: Scopes, paid: Collection[str]
    ) -> list[_Tier]:
        """Those of a route that may be called. Raises NotFound and Forbidden."""
        tiers = await self._all_tiers(name, route, scopes, paid)
        if scopes is UNLIMITED:
            return tiers
        allowed = _filtered(tiers, lambda one: scopes.allows_model(one.provider, one.model))
        if not allowed and route.or_default and scopes.only_provider:
            allowed = [await self._default_tier(scopes, paid)]
            allowed = _filtered(allowed, lambda one: scopes.allows_model(one.provider, one.model))
        if not allowed:
            first = tiers[0].equals[0][0]
            scopes.require_model(first.provider, first.model)
        return allowed

    async def _all_tiers(
        self, name: str, route: Route, scopes: Scopes, paid: Collection[str]
    ) -> list[_Tier]:
        tiers: list[_Tier] = []
        for weighted, targets in groupby(route.targets, key=lambda one: one.weight is not None):
            found = [
                (deployment, target.weight or 1)
                for target in targets
                if (deployment := await self._deployment(target, paid)) is not None
            ]
            if weighted and found:
                tiers.append(_Tier(tuple(found)))
            elif not weighted:
                tiers += [_Tier((one,)) for one in found]
        if tiers:
            return tiers
        if route.or_default:
            return [await self._default_tier(scopes, paid)]
        raise NotFound(
            f"No provider of the route {name} is configured; it needs one of "
            f"{', '.join(target.name for target in route.targets)}.",
            code="model_not_found",
        )

    async def _default_tier(self, scopes: Scopes, paid: Collection[str]) -> _Tier:
        default = self._asked(None, None, scopes)
        return _Tier(((await self._catalog.resolve(*default, paid), 1),))

    async def _deployment(self, target: Target, paid: Collection[str]) -> Deployment | None:
        provider, _, model = target.name.partition("/")
        if not self._is_there(target, paid):
            return None
        try:
            return await self._catalog.resolve(provider, model, paid)
        except CartritaError:  # its default model is not known now; the others are asked
            return None

    async def _fitting(
        self, name: str, tiers: list[_Tier], request: ModelRequest, scopes: Scopes
    ) -> list[_Tier]:
        needs = await run_long(request.size, find_needs, request)
        fitting = _filtered(tiers, lambda one: self._fits(one, needs))
        if not fitting:
            raise await self._unfit(name, tiers, needs, scopes)
        return fitting

    def _may_have(self, deployment: Deployment, capabilities: Collection[str]) -> bool:
        return not lacking(self._catalog.profile(deployment), capabilities)

    def _fits(self, deployment: Deployment, needs: Sequence[Need]) -> bool:
        profile = self._catalog.profile(deployment)
        return all(need.met_by(profile) for need in needs)

    async def _unfit(
        self, name: str, tiers: Sequence[_Tier], needs: Sequence[Need], scopes: Scopes
    ) -> InvalidInput:
        """Names the field that rules out most deployments, and models that would do."""
        deployments = [one for tier in tiers for one, _ in tier.equals]

        def ruled_out(need: Need) -> int:
            return sum(not need.met_by(self._catalog.profile(one)) for one in deployments)

        need = max(needs, key=ruled_out)
        fit = [
            model.id
            for model in await self._catalog.models()
            if model.profile.known
            and all(one.met_by(model.profile) for one in needs)
            and scopes.allows_model(model.provider, model.name)
        ]
        advice = f" {', '.join(fit[:_MOST_TOLD])} would." if fit else ""
        return InvalidInput.of(
            need.field, f"No model of the route {name} takes {need.noun}.{advice}"
        )

    def _order(
        self, name: str, tiers: Sequence[_Tier], credentials: CredentialsByProvider
    ) -> tuple[Deployment, ...]:
        """All of them, the healthy ones; the equals of a tier in turns."""
        ordered: list[Deployment] = []
        for number, tier in enumerate(tiers):
            healthy = set(self._health.usable([one for one, _ in tier.equals], credentials))
            equals = [one for one in tier.equals if one[0] in healthy]
            if len(equals) > 1:
                rotation = self._rotations.setdefault(f"{name}#{number}", Rotation())
                ordered += rotation.order(equals)
            else:
                ordered += [one for one, _ in equals]
        return self._health.usable(tuple(dict.fromkeys(ordered)), credentials)


def _filtered(tiers: Sequence[_Tier], keeps: Callable[[Deployment], bool]) -> list[_Tier]:
    """The tiers without deployments that are not kept, and without those that are left empty."""
    kept = (tuple(one for one in tier.equals if keeps(one[0])) for tier in tiers)
    return [_Tier(equals) for equals in kept if equals]
