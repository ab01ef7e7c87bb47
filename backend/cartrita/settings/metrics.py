"""Settings of metrics: what is counted for Prometheus."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting


class Metrics(Group):
    """What `GET /metrics` tells: see [monitoring.md](monitoring.md)."""

    enabled: Annotated[bool, Setting("Whether anything is counted, and told.")] = True
    models_max: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting("How many models are told by their names; all further ones are `other`."),
    ] = 100
