"""Settings of the routes, and of how model calls are repeated, spread and continued."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cartrita.settings.fields import Group, Setting


class ConfiguredTarget(BaseModel):
    """A deployment of a route, as `provider/model` or a provider, with its weight if it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: str
    weight: int | None = None


class ConfiguredRoute(BaseModel):
    """A name that stands for deployments; `cache_ttl_s` caches its answers for so long."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    deployments: tuple[ConfiguredTarget, ...]
    continue_with: Literal["same", "any"] = "same"
    cache_ttl_s: float | None = None


class Routes(Group):
    """How model calls are repeated, spread over deployments, and continued."""

    attempts: Annotated[
        int,
        Field(ge=1, le=20),
        Setting("How many calls an answer may take; each deployment of a route is tried once."),
    ] = 3
    first_pause_s: Annotated[
        float,
        Field(ge=0, le=60),
        Setting("The pause before a call is repeated; it doubles each time."),
    ] = 0.5
    longest_pause_s: Annotated[float, Field(ge=0, le=600), Setting("The longest such pause.")] = 8.0
    continuations: Annotated[
        int,
        Field(ge=0, le=20),
        Setting("How often an answer that broke off is continued; 0 never does."),
    ] = 3
    ejection_failures: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting("After so many failures in a row a deployment is left out."),
    ] = 5
    ejection_s: Annotated[
        float,
        Field(ge=0, le=3600),
        Setting("For how long; twice that the second time, and so on."),
    ] = 30.0
    longest_ejection_s: Annotated[
        float, Field(ge=0, le=86400), Setting("For how long at most.")
    ] = 600.0
    exhausted_s: Annotated[
        float,
        Field(ge=0, le=86400),
        Setting("How long a provider is left out whose key is refused or has no credit left."),
    ] = 300.0
    entries: tuple[ConfiguredRoute, ...] = ()
