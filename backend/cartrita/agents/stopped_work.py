"""What is told of the model calls, tools and tasks that are stopped before their end."""

from cartrita.agents.run_context import RunContext
from cartrita.domain.events import Event, TaskCompleted
from cartrita.domain.step_places import WHOLE_RUN, StepPlace


def stopped_work(run: RunContext, place: StepPlace = WHOLE_RUN) -> list[Event]:
    """Events of all that is being done at a place of the run.

    Tools and tasks end without success, and what was used of model calls is measured. They count as
    being done no more.
    """
    acting = {one: begun for one, begun in run.acting.items() if place.contains(one)}
    events = run.journal.answer.unfinished.ends(acting.values(), place)
    for one in acting:
        del run.acting[one]
    for one in [one for one in run.open_steps if place.contains(one)]:
        step, assignment = run.open_steps.pop(one)
        events.append(run.measured(assignment, step.usage_event()))
    run.ended_tasks.update(event.task_id for event in events if isinstance(event, TaskCompleted))
    return events
