"""Stories: what was noted of runs and calls, put together to observations."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, TypeAlias
from uuid import UUID

from msgspec.structs import replace

from cartrita.adapters.tracing.call_stories import CallStory
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.model_calls import ModelCalls
from cartrita.adapters.tracing.observations import Observation
from cartrita.adapters.tracing.run_roots import abandoned, called
from cartrita.adapters.tracing.run_stories import RunStory
from cartrita.adapters.tracing.service_requests import service_called
from cartrita.domain.traces import (
    CallAnswered,
    CalledFor,
    Fact,
    ModelCalled,
    RunAbandoned,
    RunCalled,
    RunEnded,
    RunLeft,
    RunNoted,
    RunTaken,
    ServiceCalled,
)

_MOST: Final = 20_000
"""Stories that are told at once: of what has begun before all of these, the end got lost."""

_Story: TypeAlias = RunStory | CallStory


class Stories:
    """Tells facts, in the order in which they were noted."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._calls = ModelCalls(contents)
        self._stories: OrderedDict[UUID, _Story] = OrderedDict()

    def told(self, fact: Fact) -> Sequence[Observation]:
        """The observations that are complete with this fact."""
        return [without_secrets(one, self._contents) for one in self._told(fact)]

    def _told(self, fact: Fact) -> Sequence[Observation]:
        match fact:
            case ModelCalled(called_for=called_for):
                return (self._calls.told(fact, self._story_of(called_for)),)
            case ServiceCalled(called_for=called_for):
                return (service_called(fact, self._story_of(called_for), self._contents),)
            case CallAnswered(called_for=called_for):
                story = self._story_of(called_for)
                self._stories.pop(called_for.trace_id, None)
                return (story.answered(fact),) if isinstance(story, CallStory) else ()
            case RunCalled():
                return (called(fact),)
            case RunAbandoned():
                return (abandoned(fact, self._contents),)
            case _:
                return self._told_of_run(fact)

    def _told_of_run(self, fact: RunTaken | RunNoted | RunLeft | RunEnded) -> Sequence[Observation]:
        """The same of a run that this process works on."""
        if isinstance(fact, RunTaken):
            story = RunStory(fact, self._contents)
            self._add(fact.claim.run_id, story)
            return story.resumed(fact.at)
        if isinstance(fact, RunNoted):
            story = self._stories.get(fact.run_id)
            return story.noted(fact) if isinstance(story, RunStory) else ()
        story = self._stories.pop(fact.run_id, None)
        if isinstance(fact, RunEnded) and isinstance(story, RunStory):
            return story.ended(fact)
        return ()

    def _story_of(self, called_for: CalledFor) -> _Story:
        story = self._stories.get(called_for.trace_id)
        if story is None:
            story = CallStory(called_for, self._contents)
            if called_for.part is None:
                self._add(called_for.trace_id, story)
        return story

    def _add(self, trace_id: UUID, story: _Story) -> None:
        self._stories[trace_id] = story
        if len(self._stories) > _MOST:
            self._stories.popitem(last=False)


def without_secrets(observation: Observation, contents: Contents) -> Observation:
    """The same, where callers may have put a secret in the place of a name."""
    use, status = observation.use, observation.status
    return replace(
        observation,
        name=contents.name(observation.name),
        status=None if status is None else contents.name(status),
        use=None if use is None else replace(use, model=contents.name(use.model)),
        metadata={
            name: contents.name(value) if isinstance(value, str) else value
            for name, value in observation.metadata.items()
        },
    )
