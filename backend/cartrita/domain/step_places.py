"""Places of steps: where in the work of a run a step, a call of a tool or a task is."""

from typing import Annotated, Final, Self, TypeAlias

import msgspec

_Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class StepPlace(msgspec.Struct, frozen=True):
    """The numbers, from 1, that lead to a step or a call of a run.

    `2` is the second step of the agent that answers, `2.1` the first call of a tool in it, and
    `2.1.3` the third step of the task that this call gives. Without numbers it is the whole run.
    """

    numbers: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place whose `text` this is. Raises msgspec.ValidationError."""
        return cls(msgspec.convert(text.split("."), tuple[_Number, ...], strict=False))

    @property
    def text(self) -> str:
        """The numbers, with dots between them."""
        return ".".join(map(str, self.numbers))

    @property
    def step_number(self) -> int:
        """The number of the step that is here, or that the call here belongs to."""
        is_call = len(self.numbers) % 2 == 0
        return self.numbers[-2 if is_call else -1]

    @property
    def task_id(self) -> str:
        """The id of the task that the call here gives."""
        return "_".join(("task", *map(str, self.numbers)))

    @property
    def depth(self) -> int:
        """How deep the task is that the call here gives; 0 for the whole run."""
        return len(self.numbers) // 2

    def step(self, number: int) -> Self:
        """The place of a step of the agent that works here: in the run, or in a call's task."""
        return type(self)((*self.numbers, number))

    def call(self, position: int) -> Self:
        """The place of a call in the step here."""
        return type(self)((*self.numbers, position))

    def contains(self, other: "StepPlace") -> bool:
        """Whether another place is within this one, and not the same."""
        length = len(self.numbers)
        return len(other.numbers) > length and other.numbers[:length] == self.numbers

    def contains_task(self, task_id: str | None) -> bool:
        """Whether a task is the one that the call here gives, or was given within it.

        All that is done in a run is within the run, also what is of no task.
        """
        if not self.numbers:
            return True
        return task_id is not None and is_task_within(task_id, self.task_id)


def is_task_within(task_id: str, other: str) -> bool:
    """Whether a task is another one, or was given within it."""
    return f"{task_id}_".startswith(f"{other}_")


def giver_of(task_id: str) -> str | None:
    """The task whose agent gave this one; None if the agent that answers did."""
    numbers = task_id.split("_")[1:-2]
    return "_".join(("task", *numbers)) if numbers else None


WHOLE_RUN: Final = StepPlace()
"""The place of the agent that answers."""
