"""The tools that there are, and those of them that an agent may call."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from cartrita.domain.errors import InvalidInput
from cartrita.domain.tools import ToolSpec
from cartrita.tools.tool import Tool


class Toolbox:
    """Tools by name; iterates in the order in which they were given."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def find(self, name: str) -> Tool | None:
        """The tool of this name."""
        return self._tools.get(name)

    def require(self, names: Iterable[str], field: str = "tools") -> None:
        """Raises InvalidInput, which names the tools that there are."""
        for name in names:
            if name not in self._tools:
                known = ", ".join(self._tools) or "none"
                raise InvalidInput.of(field, f"there is no tool {name[:80]!r}; there are: {known}")

    def only(self, names: Sequence[str]) -> Self:
        """Those of these names that there are, in their order.

        An agent may name tools that this server does not have, such as those of an extra.
        """
        return type(self)(self._tools[name] for name in names if name in self._tools)

    def without(self, names: Iterable[str]) -> Self:
        """All others."""
        left_out = frozenset(names)
        return type(self)(tool for name, tool in self._tools.items() if name not in left_out)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of them."""
        return tuple(tool.spec for tool in self._tools.values())
