"""The declaration of a setting: its documentation, names and bounds, beside its field."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

_NUMBERS: tuple[object, ...] = (int, float)


@dataclass(frozen=True, slots=True)
class Setting:
    """The documentation of a setting. Units are in the names: `_s` seconds, `_bytes` bytes.

    `env` is its environment variable, if not CARTRITA_<GROUP>_<FIELD>. `value` describes the
    accepted values, if the type does not. `example` and `default` are shown instead of the default
    value.
    """

    doc: str
    env: str = ""
    value: str = ""
    example: str = ""
    default: str = ""
    secret: bool = False


class Group(BaseModel):
    """A frozen group of settings, one table of the file; unknown names are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, value: object, info: ValidationInfo) -> object:
        # TOML's `port = true` would otherwise be port 1.
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and plain_type(field) in _NUMBERS:
            raise PydanticCustomError("number_type", "a truth value is not a number")
        return value


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting with its place: `path` is, for example, ("server", "port")."""

    path: tuple[str, ...]
    env: str
    setting: Setting
    field: FieldInfo

    @property
    def key(self) -> str:
        """Its dotted name in the configuration file."""
        return ".".join(self.path)

    @property
    def expected(self) -> str:
        """The accepted values: `a whole number from 0 to 65535`."""
        return self.setting.value or _describe_type(self.path[-1], self.field)

    @property
    def example(self) -> str:
        """A value that would be accepted."""
        return self.setting.example or format_value(self.field.default)


def entries(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every setting of a class and of its groups, in the order of declaration."""
    for name, field in model.model_fields.items():
        here = (*path, name)
        found = [item for item in field.metadata if isinstance(item, Setting)]
        if found:
            env = found[0].env or "CARTRITA_" + "_".join(here).upper()
            yield Entry(here, env, found[0], field)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            yield from entries(field.annotation, here)


def plain_type(field: FieldInfo) -> object:
    """The type of a field without `| None` and validators."""
    kind: object = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(arg for arg in get_args(kind) if arg is not type(None))
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def format_value(value: object) -> str:
    """A value as it is typed in a configuration."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None or value == () else str(value)


def _describe_type(name: str, field: FieldInfo) -> str:
    kind = plain_type(field)
    if kind is bool:
        return "1 or 0"
    if kind in _NUMBERS:
        return _describe_number(name, field, whole=kind is int)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(choice.value) for choice in kind)
    return "a path" if kind is Path else "a text"


def _describe_number(name: str, field: FieldInfo, *, whole: bool) -> str:
    unit = " of seconds" if name.endswith("_s") else " of bytes" if name.endswith("_bytes") else ""
    low = next(bound.ge for bound in field.metadata if isinstance(bound, Ge))
    high = next(bound.le for bound in field.metadata if isinstance(bound, Le))
    noun = "a whole number" if whole and not unit else "a number"
    return f"{noun}{unit} from {_format_bound(low)} to {_format_bound(high)}"


def _format_bound(bound: object) -> str:
    return f"{cast('float', bound):.10g}"
