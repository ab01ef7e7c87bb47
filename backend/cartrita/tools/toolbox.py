"""The tools that there are, and those of them that an agent may call."""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Protocol, Self

from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.name_patterns import matches
from cartrita.domain.tools import ComputerTool, ToolSpec
from cartrita.tools.tool import Tool


class ToolSupply(Protocol):
    """Tools that may be others the next time, and for which one may have to wait.

    All of their names begin with `prefix`.
    """

    @property
    def prefix(self) -> str: ...

    async def tools(self) -> Sequence[Tool]: ...


class Toolbox:
    """Tools by name; iterates in the order in which they were given.

    Those of `supplies` come in when the toolbox is `filled`, and stay out where their names are
    taken.
    """

    def __init__(self, tools: Iterable[Tool] = (), supplies: Iterable[ToolSupply] = ()) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._supplies = tuple(supplies)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    async def filled(self, names: Iterable[str]) -> Self:
        """A toolbox with what there is now; it stays as it is while others are filled.

        Only supplies are asked that may have one of these names, which may be patterns.
        """
        wanted = tuple(names)
        asked = [each for each in self._supplies if _may_have(each.prefix, wanted)]
        if not asked:
            return self
        supplied = [tool for supply in asked for tool in await supply.tools()]
        more = (tool for tool in supplied if tool.name not in self._tools)
        return type(self)((*self._tools.values(), *more))

    async def end_run(
        self,
        conversation_id: ConversationId,
        run_id: RunId,
        called: Container[str] | None = None,
    ) -> None:
        """Tell those that want to know that a run of a conversation has ended.

        `called` are the names of those that it may have called, by default all.
        """
        for tool in self:
            if tool.over is not None and (called is None or tool.name in called):
                await tool.over(conversation_id, run_id)

    def find(self, name: str) -> Tool | None:
        """The tool of this name."""
        return self._tools.get(name)

    def only(self, names: Sequence[str]) -> Self:
        """Those of these names that there are, in their order.

        A name with `*` is a pattern. An agent may name tools that this server does not have, such
        as those of an extra.
        """
        found: dict[str, Tool] = {}
        for name in names:
            for tool in self._named(name):
                found.setdefault(tool.name, tool)
        return type(self)(found.values())

    def known(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of these names and patterns that stand for a tool here, or may for a supplied one.

        No supply is asked.
        """
        prefixes = [supply.prefix for supply in self._supplies]
        return tuple(
            name
            for name in names
            if any(True for _ in self._named(name))
            or any(_may_have(prefix, (name,)) for prefix in prefixes)
        )

    def _named(self, name: str) -> Iterable[Tool]:
        if "*" in name:
            return (tool for tool in self._tools.values() if matches((name,), tool.name))
        tool = self._tools.get(name)
        return () if tool is None else (tool,)

    def without(self, names: Iterable[str]) -> Self:
        """All others."""
        left_out = frozenset(names)
        return type(self)(tool for name, tool in self._tools.items() if name not in left_out)

    @property
    def specs(self) -> tuple[ToolSpec | ComputerTool, ...]:
        """What a model is told of them."""
        return tuple(tool.spec for tool in self._tools.values())


def _may_have(prefix: str, names: Iterable[str]) -> bool:
    """Whether a name or a pattern may stand for one that begins so."""
    return any(
        name.startswith(prefix) or ("*" in name and prefix.startswith(name.partition("*")[0]))
        for name in names
    )
