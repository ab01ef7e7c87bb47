"""Types of JSON values that are stored and passed on without interpretation."""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = (
        "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
    )
else:
    JsonValue = Any  # msgspec decodes any JSON here and cannot follow a recursive alias

JsonObject: TypeAlias = dict[str, JsonValue]
