"""Settings of rate limits and size limits."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import RateLimits, Rates


class Limits(Group):
    """Rate limits and size limits."""

    providers: Annotated[
        RateLimits,
        Setting(
            "Calls that may begin at each provider in a second, minute, hour or day; `off` is for "
            "one of them or all. Those that are not named keep their built-in limits, which are in "
            'limits.md. In the file it may be a table: `providers = { openai = "100/minute" }`.',
            env="CARTRITA_PROVIDER_LIMITS",
            value="off, or openai=100/minute;github=500/hour",
            default="the built-in limits",
        ),
    ] = Rates()
    provider_burst: Annotated[
        float,
        Field(ge=0.01, le=10),
        Setting(
            "How many times its limit a provider may be called at once after a time without calls; "
            "in any one period it is called at most 1 + so many times as often as the limit says."
        ),
    ] = 1.0
    provider_wait_s: Annotated[
        float,
        Field(ge=0, le=600),
        Setting(
            "How long a call waits for the limits of its providers; one that would likely wait "
            "longer is refused at once."
        ),
    ] = 30.0
    provider_waiting_max: Annotated[
        int,
        Field(ge=1, le=100_000),
        Setting("The most calls of one tenant that wait for a provider in each worker process."),
    ] = 1000
    provider_position_s: Annotated[
        float,
        Field(ge=0.1, le=60),
        Setting("How often at most a stream is told its new place in the queue."),
    ] = 2.0
    replicas: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting(
            "How many servers share the limits of providers, on one database or one Valkey server; "
            "the worker processes of each are counted by themselves."
        ),
    ] = 1
    inbound: Annotated[
        RateLimits,
        Setting(
            "Requests to us, over the built-in limits; docs/operating.md has their names.",
            env="CARTRITA_INBOUND_LIMITS",
            value="off, or chat=100/minute;failed=10/minute",
            example="chat=100/minute;failed=10/minute",
            default="the built-in limits",
        ),
    ] = Rates()
    streams_max: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting(
            "How many answers a key may be receiving at once from a worker, as streams or whole."
        ),
    ] = 10_000
