"""Settings of the usage ledger and of the prices it reckons with."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import FilePath


class Ledger(Group):
    """What model calls use and cost."""

    prices: Annotated[
        FilePath | None,
        Setting(
            "A TOML file of your own prices, in the form of cartrita/gateway/prices.toml, over the"
            " list prices.",
            example="prices.toml",
        ),
    ] = None
    flush_interval_s: Annotated[
        float, Field(ge=0.05, le=60), Setting("How often entries are written.")
    ] = 1.0
    retention_days: Annotated[
        int | None,
        Field(ge=1, le=36_500),
        Setting(
            "How long entries are kept.",
            value="a number of days",
            example="400",
            default="for ever",
        ),
    ] = None
    pending_max: Annotated[
        int,
        Field(ge=100, le=10_000_000),
        Setting("How many entries wait while the database is away; then the oldest are lost."),
    ] = 100_000
