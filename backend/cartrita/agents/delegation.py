"""Delegation: the tool by which an agent gives tasks to others."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from cartrita.agents.agent import Agent
from cartrita.agents.assignment import Assignment
from cartrita.agents.run_context import RunContext
from cartrita.agents.team import DELEGATE
from cartrita.domain.errors import CartritaError, LeaseLost
from cartrita.domain.events import TaskCompleted
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest, ReasoningOptions, ResponseFormat
from cartrita.domain.step_places import WHOLE_RUN, StepPlace
from cartrita.domain.tools import ToolSpec
from cartrita.kit.text import shortened
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput
from cartrita.tools.toolbox import Toolbox

_LONGEST_TASK: Final = 20_000
_LONGEST_RESULT: Final = 40_000
_TOLD: Final = (
    "You work on a task that another agent gave you. What you say goes to that agent, not to a "
    "person: give the result itself, complete and with its sources, and nothing about yourself."
)
_CUT: Final = (
    "[The server: the agent had to conclude, because what it may use of {cap} is used up.]"
)


def toolbox_of(agent: Agent, run: RunContext, place: StepPlace = WHOLE_RUN) -> Toolbox:
    """The tools of an agent in this run: those that the request and the key allow.

    `place` is that of the call which gives it a task.
    """
    allowed = run.claim.input.allowed_tools
    tools = [
        tool
        for tool in run.team.tools_of(agent)
        if (allowed is None or tool.name in allowed) and run.principal.scopes.allows_tool(tool.name)
    ]
    members = run.team.members(agent, place.depth)
    if members and (allowed is None or DELEGATE in allowed):
        tools.append(_delegate(agent, members, run))
    return Toolbox(tools)


def _delegate(agent: Agent, members: Sequence[Agent], run: RunContext) -> Tool:
    names = {member.id: member for member in members}

    def wrong(arguments: JsonObject) -> str | None:
        asked = _asked(names, arguments)
        return asked if isinstance(asked, str) else None

    async def delegate(context: ToolContext, arguments: JsonObject) -> ToolOutput:
        asked = _asked(names, arguments)
        if isinstance(asked, str):
            return ToolOutput(asked, success=False)
        member, task = asked
        if not run.unfinished.has_begun(context.place):
            if run.unfinished.tasks_begun >= agent.limits.delegations:
                return _used_up(f"this answer has used up its {agent.limits.delegations} tasks")
            if cap := run.cap_reached:
                return _used_up(f"what this answer may use of {cap} is used up")
        delegation = _Delegation(run, member, context.place)
        return await delegation.result(context.call_id, task)

    return Tool(
        spec=_spec(members),
        run=delegate,
        wrong=wrong,
        risk=Risk.READ,
        timeout_s=max(run.claim.seconds_left, 1.0),
        output_max_chars=_LONGEST_RESULT,
    )


def _spec(members: Sequence[Agent]) -> ToolSpec:
    described = "\n".join(f"- {member.id}: {member.description}" for member in members)
    return ToolSpec(
        DELEGATE,
        "Give a task to another agent, and get its result. Several calls at once work side by "
        f"side. The agents are:\n{described}",
        {
            "type": "object",
            "properties": {
                "agent": {"type": "string", "enum": [member.id for member in members]},
                "task": {
                    "type": "string",
                    "description": "What to do, with all that the agent has to know: it sees "
                    "nothing of this conversation.",
                    "minLength": 1,
                    "maxLength": _LONGEST_TASK,
                },
            },
            "required": ["agent", "task"],
            "additionalProperties": False,
        },
    )


def _asked(members: Mapping[str, Agent], arguments: JsonObject) -> tuple[Agent, str] | str:
    """Who is to do which task, or what is wrong with the arguments."""
    name, task = arguments.get("agent"), arguments.get("task")
    member = members.get(name) if isinstance(name, str) else None
    if member is None:
        return _not_begun(f"`agent` must be one of {', '.join(members)}")
    if not isinstance(task, str) or not 0 < len(task.strip()) <= _LONGEST_TASK:
        return _not_begun(f"`task` must be a text of 1 to {_LONGEST_TASK} characters")
    return member, task


def _used_up(what: str) -> ToolOutput:
    return ToolOutput(_not_begun(what), success=False)


def _not_begun(problem: str) -> str:
    return f"The task was not begun: {problem}."


class _Delegation:
    """One task; `place` is that of the call that gives it."""

    def __init__(self, run: RunContext, agent: Agent, place: StepPlace) -> None:
        self._run = run
        self._agent = agent
        self._place = place

    async def result(self, call_id: str, task: str) -> ToolOutput:
        """Do the task. A failure is a result. Raises ApprovalsNeeded and LeaseLost."""
        run, task_id, agent = self._run, self._place.task_id, self._agent.id
        await run.unfinished.begin_task(self._place, call_id, agent, shortened(task, 1000))
        began = run.clock()
        output = await self._output(task)
        text, seconds = shortened(output.text, _LONGEST_RESULT), round(run.clock() - began, 3)
        ended = TaskCompleted(task_id, agent, text, output.success, seconds)
        await run.unfinished.end_task(self._place, ended)
        return output

    async def _output(self, task: str) -> ToolOutput:
        try:
            concluded = await self._run.work(self._run, await self._assignment(task))
        except LeaseLost:
            raise
        except CartritaError as error:
            return ToolOutput(f"The agent failed: {error.message}", success=False)
        text = concluded.text or "It found nothing to say."
        if concluded.cap is not None:
            text = f"{text}\n\n{_CUT.format(cap=concluded.cap)}"
        return ToolOutput(text)

    async def _assignment(self, task: str) -> Assignment:
        agent, run = self._agent, self._run
        model = await run.model_of(agent, self._place)
        asked = run.claim.input
        return Assignment(
            agent=agent,
            model=model,
            request=ModelRequest(
                owner_id=run.claim.owner_id,
                model=model.model,
                messages=(Message(Role.USER, (Text(task),)),),
                instructions=(Text(agent.instructions), Text(_TOLD)),
                sampling=replace(asked.sampling, max_tokens=None, stop=(), logprobs=None),
                response_format=ResponseFormat(),
                reasoning=ReasoningOptions(effort=asked.reasoning.effort),
                user=asked.user,
            ),
            tools=toolbox_of(agent, run, self._place) if model.takes_tools else Toolbox(),
            caps=agent.limits.caps.tightened(asked.caps),
            place=self._place,
        )
