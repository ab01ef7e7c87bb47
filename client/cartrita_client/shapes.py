"""What all models of the API have in common: they read what newer and older servers send."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

ABSENT: Any = None
"""The default of fields of answers: None stands for what an older server does not send."""
UNKNOWN = "unknown"


def is_absent(value: object) -> bool:
    """Whether a field was not sent, whatever its type promises."""
    return value is ABSENT


class Model(BaseModel):
    """Frozen; fields that it does not know are left out."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        defer_build=True,
        protected_namespaces=(),
        populate_by_name=True,
    )


class Event(Model):
    """An event of a run; `id` is its place in the run's log, None where it is not logged."""

    id: str | None = None

    @property
    def seq(self) -> int | None:
        """Its number in the log."""
        number = (self.id or "").rpartition(".")[2]
        return int(number) if number.isdigit() else None


class UnknownVariant(Model):
    """Something of a kind that only a newer server knows, with all that was sent of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = UNKNOWN


def tagged(name: str, known: Collection[str]) -> Callable[[Any], str]:
    """Chooses the member of a union by a field; what newer servers send is `UNKNOWN`."""

    def choose(given: Any) -> str:
        if isinstance(given, dict):
            tag = cast("dict[str, Any]", given).get(name)
        else:
            tag = getattr(given, name, None)
        return tag if isinstance(tag, str) and tag in known else UNKNOWN

    return choose
