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
            "Calls to each provider, over its built-in limits.",
            env="CARTRITA_PROVIDER_LIMITS",
            value="off, or openai=100/minute;github=500/hour",
            documented=False,
        ),
    ] = Rates()
    inbound: Annotated[
        RateLimits,
        Setting(
            "Requests to us, over the built-in limits; docs/operating.md has their names.",
            env="CARTRITA_INBOUND_LIMITS",
            value="off, or chat=100/minute;failed=10/minute",
            example="chat=100/minute;failed=10/minute",
        ),
    ] = Rates()
    streams_max: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting(
            "How many answers a key may be receiving at once from a worker, as streams or whole."
        ),
    ] = 10_000
    upload_max_bytes: Annotated[
        int,
        Field(ge=1024, le=1 << 40),
        Setting("The largest file.", env="CARTRITA_MAX_UPLOAD_BYTES", documented=False),
    ] = 50 << 20
