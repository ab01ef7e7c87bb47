"""The definition of a tool, and what it is given and gives."""

from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec

from cartrita.domain.approvals import Approval
from cartrita.domain.desktop_films import Shown
from cartrita.domain.errors import Conflict
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.messages import Attachment
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.step_places import StepPlace
from cartrita.domain.tools import ComputerTool, TellProgress, ToolSpec


class Risk(StrEnum):
    """What a call may do. Only one that `read`s, and changes nothing, may be made again.

    `touch` changes what is not done yet, such as a form that is being filled in; `act` changes the
    world; a person looks at a `check` whatever else they leave to agents.
    """

    READ = "read"
    TOUCH = "touch"
    ACT = "act"
    CHECK = "check"


def no_end() -> float | None:
    """The seconds that are left where there is no end."""
    return None


def any_arguments(_: JsonObject) -> str | None:
    """What is wrong with arguments that only who is called can judge."""
    return None


class AgentStuck(Conflict):
    """Ends the work of an agent that does the same thing again and again."""

    default_code = "agent_stuck"


class ToolContext(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls a tool, and from where.

    `place` is where in the run the call is. `progress` tells the reader of the run, and `spending`
    the loop, which counts what searches cost against the caps. `approval` is that of the call, if a
    person was asked, and `left` tells how many seconds the answer may still take. `vendor` is that
    of `ToolCall`.
    """

    principal: Principal
    run_id: RunId
    conversation_id: ConversationId
    place: StepPlace
    call_id: str
    progress: TellProgress
    spending: ToolSpending
    vendor: JsonObject = {}
    approval: Approval | None = None
    left: Callable[[], float | None] = no_end

    @property
    def idem_key(self) -> str:
        """The same whenever this call is tried; no other call of any run has it.

        A tool passes it on to services that take one.
        """
        return f"{self.run_id.hex}:{self.place.text}"


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a tool found, and the answer may cite. The loop numbers it."""

    title: str
    url: str | None = None
    snippet: str | None = None


class ToolOutput(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a call, as the model reads it: its `sources` are listed after the text."""

    text: str
    sources: tuple[Source, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    success: bool = True


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that agents may call.

    `run` may raise CartritaError, whose message becomes a failed result; wrong arguments are no
    error but a result that says what is wrong. It may take `timeout_s` seconds; what it says beyond
    `output_max_chars` is cut. Calls of tools that are all `parallel` are made at once. `risk` may
    depend on the arguments, and on what was done before in the run; `shown` finds what a
    person sees who decides on a call, and nobody is asked about arguments of which `wrong` says
    what is wrong. `over` is told when a run of a conversation has ended. After a failed call of one
    that `halts`, its later calls in the same step are not made. With an `operation` it is for keys
    that are for that, and nobody is asked to approve it for others.
    """

    spec: ToolSpec | ComputerTool
    run: Callable[[ToolContext, JsonObject], Awaitable[ToolOutput]]
    risk: Risk | Callable[[RunId, JsonObject], Risk] = Risk.READ
    wrong: Callable[[JsonObject], str | None] = any_arguments
    shown: Callable[[ToolContext, JsonObject], Awaitable[Shown | None]] | None = None
    over: Callable[[ConversationId, RunId], Awaitable[None]] | None = None
    halts: bool = False
    operation: Operation | None = None
    timeout_s: float = 30.0
    output_max_chars: int = 20_000
    parallel: bool = True

    @property
    def name(self) -> str:
        return self.spec.name

    def allows(self, principal: Principal) -> bool:
        """Whether the principal may call it."""
        return self.operation is None or principal.scopes.allows_operation(self.operation)

    def require(self, principal: Principal) -> None:
        """Raise Forbidden unless the principal may call it."""
        if self.operation is not None:
            principal.scopes.require_operation(self.operation)

    def risk_of(self, run_id: RunId, arguments: JsonObject) -> Risk:
        """The risk of a call of a run with these arguments."""
        return self.risk if isinstance(self.risk, Risk) else self.risk(run_id, arguments)
