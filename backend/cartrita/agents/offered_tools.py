"""The tools that a model is offered: those that its agent may use here, and those of the caller."""

from collections.abc import Sequence

from cartrita.agents.tool_runner import PlacedCall
from cartrita.domain.events import ToolCalled
from cartrita.domain.messages import Part, ToolCall
from cartrita.domain.step_places import StepPlace
from cartrita.domain.tools import ComputerTool, Tool
from cartrita.tools.toolbox import Toolbox


class OfferedTools:
    """Tells whose calls are whose.

    `allowed` are the tools of this server; the caller runs `given`, also where two have one name.
    The agent of a task (`in_task`) has no caller that could be asked.
    """

    def __init__(self, allowed: Toolbox, given: tuple[Tool, ...], *, in_task: bool) -> None:
        self._allowed = allowed.without({tool.name for tool in given})
        self._given = given
        self._in_task = in_task

    @property
    def any_allowed(self) -> bool:
        """Whether any of them is run here."""
        return len(self._allowed) > 0

    @property
    def has_desktop(self) -> bool:
        """Whether its agent is to use a desktop here, which no answer in words does."""
        return any(isinstance(tool.spec, ComputerTool) for tool in self._allowed)

    @property
    def told(self) -> tuple[Tool, ...]:
        """What the model is told of all."""
        return (*self._allowed.specs, *self._given)

    def given_only(self) -> "OfferedTools":
        """Those of the caller."""
        return OfferedTools(Toolbox(), self._given, in_task=self._in_task)

    def is_own(self, call: ToolCall | ToolCalled) -> bool:
        """Whether the caller is not asked to run it: nor where nobody has such a tool."""
        if self._in_task or call.malformed:
            return True
        if self._allowed.find(call.name) is not None:
            return True
        return self.any_allowed and all(call.name != tool.name for tool in self._given)

    def own_calls(self, step: StepPlace, parts: Sequence[Part]) -> list[PlacedCall]:
        """The calls of a step that this server runs, or answers because nobody has such a tool."""
        calls = [part for part in parts if isinstance(part, ToolCall)]
        return [
            PlacedCall(step.call(position), call)
            for position, call in enumerate(calls, 1)
            if self.is_own(call)
        ]
