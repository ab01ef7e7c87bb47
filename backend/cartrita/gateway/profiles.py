"""Profiles: what the models of well-known families can do, from a table."""

import re
import tomllib
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

import msgspec
from msgspec.structs import replace

from cartrita.domain.models import ModelInfo, ModelProfile
from cartrita.domain.tools import ComputerForm


class _Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the table: `checked` on that day at `source`."""

    pattern: str
    checked: date
    source: str
    capabilities: tuple[str, ...]
    context_tokens: int | None = None
    output_tokens: int | None = None
    continues: str | None = "instruction"
    computer: tuple[ComputerForm, ...] = ("function",)
    grid: int | None = None

    @property
    def profile(self) -> ModelProfile:
        """The profile of its models."""
        return ModelProfile(
            self.capabilities,
            self.context_tokens,
            self.output_tokens,
            True,
            self.continues,
            self.computer,
            self.grid,
        )


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    profiles: tuple[_Family, ...]


@lru_cache(maxsize=1024)
def find_profile(model: str) -> ModelProfile:
    """The profile of a model by its name; an unknown one where no family matches."""
    name = model.rpartition("/")[2].lower()
    return next((profile for one, profile in _families() if one.fullmatch(name)), ModelProfile())


def with_profile(model: ModelInfo) -> ModelInfo:
    """The model with the profile of its family, unless its provider told one."""
    return model if model.profile.known else replace(model, profile=find_profile(model.name))


@cache
def _families() -> tuple[tuple[re.Pattern[str], ModelProfile], ...]:
    text = files("cartrita.gateway").joinpath("profiles.toml").read_text("utf-8")
    table = msgspec.convert(tomllib.loads(text), _Table)
    return tuple((re.compile(one.pattern), one.profile) for one in table.profiles)
