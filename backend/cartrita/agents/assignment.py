"""Assignments: what one agent is asked to do in a run, and what comes of it."""

import msgspec

from cartrita.agents.agent import Agent
from cartrita.domain.approvals import Approval
from cartrita.domain.caps import Caps
from cartrita.domain.deltas import FinishReason
from cartrita.domain.messages import Message
from cartrita.domain.models import ModelProfile
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.requests import ModelRequest
from cartrita.domain.step_places import WHOLE_RUN, StepPlace
from cartrita.gateway.needs import lacking
from cartrita.tools.toolbox import Toolbox


class AgentModel(msgspec.Struct, frozen=True, kw_only=True):
    """What answers the model calls of an agent; `model` is the provider's name for it."""

    provider: ModelProvider
    model: str
    profile: ModelProfile = ModelProfile()

    @property
    def takes_tools(self) -> bool:
        """Whether it can call tools; a model of which nothing is known is tried."""
        return not lacking(self.profile, ("tools",))

    def room(self, most: int) -> int:
        """How many tokens of steps it is sent: half of its window, and so many at most."""
        window = self.profile.context_tokens
        return most if window is None else min(most, window // 2)


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The work of one agent: to answer the run, or to do a task.

    `request` is its first model call, without `tools`, which are those that it may call itself.
    `place` is that of the call that gives the task. `done` are the steps of an answer that it goes
    on with, and `said` is the text after them: the first model call is then made by `continuing`,
    which goes on with that text.
    """

    agent: Agent
    model: AgentModel
    request: ModelRequest
    tools: Toolbox
    caps: Caps
    place: StepPlace = WHOLE_RUN
    done: tuple[tuple[Message, Message], ...] = ()
    said: str = ""
    continuing: ModelProvider | None = None

    @property
    def task_id(self) -> str | None:
        """The task that is to be done; None for the agent that answers."""
        return None if self.place == WHOLE_RUN else self.place.task_id


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """How an assignment ended; `cap` is what was used up, if something was."""

    text: str
    reason: FinishReason
    stop_sequence: str | None = None
    vendor_reason: str | None = None
    cap: str | None = None


class ApprovalsNeeded(Exception):
    """Nothing can go on before a person has decided on these calls."""

    def __init__(self, asked: tuple[tuple[Approval, str | None], ...]) -> None:
        super().__init__(f"{len(asked)} approvals are needed.")
        self.asked = asked
        """The approvals, each with the task that it is for."""
