"""The port of desktops as tools of agents use them."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from cartrita.domain.approvals import Approval
from cartrita.domain.desktop import Action, Button
from cartrita.domain.desktop_films import Shown
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.step_places import StepPlace
from cartrita.domain.tools import TellProgress

CallingAgent: TypeAlias = tuple[RunId, StepPlace]
"""One of the agents of a run: that at the call which gave it its task."""


def calling_agent(run_id: RunId, place: StepPlace) -> CallingAgent:
    """The agent whose call is at this place."""
    return run_id, StepPlace(place.numbers[:-2])


class DesktopCall(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done on the desktop of a conversation, by one call of a run.

    `place` is where in the run the call is, and `approval` that of the call, if a person was asked.
    `left` tells how many seconds there are; `progress` tells the reader of the run. With
    `shows_all` the screen is shown after every call.
    """

    owner_id: str
    conversation_id: ConversationId
    run_id: RunId
    place: StepPlace
    call_id: str
    actions: tuple[Action, ...]
    approval: Approval | None
    left: Callable[[], float | None]
    progress: TellProgress
    shows_all: bool = True

    @property
    def agent(self) -> CallingAgent:
        """Who calls."""
        return calling_agent(self.run_id, self.place)

    @property
    def step(self) -> int:
        """The number of the step of that agent which has the call."""
        return self.place.step_number


class DesktopOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call, in words for the model; `pictures` are public ids of files."""

    text: str
    success: bool = True
    pictures: tuple[str, ...] = ()


class DesktopUse(Protocol):
    """What agents do on desktops."""

    async def do(self, call: DesktopCall) -> DesktopOutcome:
        """Do the actions of a call in their order, up to the first that fails.

        Where the conversation has no desktop, one is started. Raises AgentStuck for an agent that
        only looks, again and again, ActionBrokeOff for what may be done although nobody knows, and
        what starting a desktop raises.
        """
        ...

    def held(self, run_id: RunId) -> frozenset[Button]:
        """The buttons that the agents of a run hold on its desktop, as far as is known here: who
        does not know has not looked, and can do nothing yet.
        """
        ...

    async def let_go(self, conversation_id: ConversationId, run_id: RunId) -> None:
        """Let go of what this run holds, in whichever worker, since it has ended."""
        ...

    async def shown(
        self,
        conversation_id: ConversationId,
        run_id: RunId,
        place: StepPlace,
        actions: Sequence[Action],
    ) -> Shown | None:
        """What a person sees who decides on these actions of the call at this place; None before
        the first picture, and where the last is none that its agent has seen. Raises ActionRefused
        for what cannot be done, whoever approves of it, as what is done to something that nobody
        can be shown, or by an agent that has not seen the screen.
        """
        ...


class LastUser(StrEnum):
    """Who was the last to use a desktop; one that is not there was used by no person."""

    AGENT = "agent"
    PERSON = "person"
    PERSON_STILL = "person_still"


class HandOvers(Protocol):
    """What came of asking a person to take a desktop over."""

    async def last_user(self, conversation_id: ConversationId) -> LastUser:
        """Who had the desktop last; its agent has to look before it does anything more."""
        ...
