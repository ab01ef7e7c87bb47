"""What is told of the model calls, tools and tasks that are stopped before their end."""

from cartrita.agents.run_context import RunContext
from cartrita.domain.events import Event, TaskCompleted, ToolReturned
from cartrita.domain.unfinished_work import is_within


def stopped_work(run: RunContext, key: str = "") -> list[Event]:
    """Events of all that is being done for the call at the place `key`, else for the whole run.

    Tools and tasks end without success, and what was used of model calls is measured. They count as
    being done no more.
    """
    place = f"{key}." if key else ""
    acting = {one: begun for one, begun in run.acting.items() if one.startswith(place)}
    task = task_id_of(key)
    ends = run.journal.answer.unfinished.ends(acting.values())
    events = [event for event in ends if not key or _is_of(event, task)]
    for one in acting:
        del run.acting[one]
    for one in [one for one in run.open_steps if one.startswith(place)]:
        step, assignment = run.open_steps.pop(one)
        events.append(run.measured(assignment, step.usage_event()))
    run.ended_tasks.update(event.task_id for event in events if isinstance(event, TaskCompleted))
    return events


def task_id_of(key: str) -> str:
    """The id of the task that the call at this place gives."""
    return f"task_{key.replace('.', '_')}"


def _is_of(event: Event, task: str) -> bool:
    """Whether it is told of a task, or of one within it."""
    assert isinstance(event, TaskCompleted | ToolReturned)
    return event.task_id is not None and is_within(event.task_id, task)
