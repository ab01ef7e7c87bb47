"""The tool `computer`: an agent sees a desktop, and uses it."""

import msgspec

from cartrita.domain.desktop import ComputerCall
from cartrita.domain.desktop_films import Shown
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Attachment
from cartrita.domain.ports.desktop_use import DesktopCall, DesktopOutcome, DesktopUse
from cartrita.domain.scopes import Operation
from cartrita.domain.tools import ComputerTool
from cartrita.tools.computer_risks import risk_of_call
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput

_TOOLSET = "toolset_name"
"""In calls of models that ask for a picture when they want one."""


def computer_tool(use: DesktopUse, size: tuple[int, int], *, timeout_s: float) -> Tool:
    """The tool over desktops of this width and height; a call takes so many seconds at most."""

    async def computer(context: ToolContext, arguments: JsonObject) -> ToolOutput:
        try:
            call = msgspec.convert(arguments, ComputerCall)
        except msgspec.ValidationError as error:
            return ToolOutput(_wrong(error), success=False)
        outcome = await use.do(
            DesktopCall(
                owner_id=context.principal.owner_id,
                conversation_id=context.conversation_id,
                run_id=context.run_id,
                place=context.place,
                call_id=context.call_id,
                actions=call.actions,
                approval=context.approval,
                left=context.left,
                progress=context.progress,
                shows_all=_TOOLSET not in context.vendor,
            )
        )
        return _output(outcome)

    def risk(run_id: RunId, arguments: JsonObject) -> Risk:
        return risk_of_call(arguments, use.held(run_id))

    def wrong(arguments: JsonObject) -> str | None:
        try:
            msgspec.convert(arguments, ComputerCall)
        except msgspec.ValidationError as error:
            return _wrong(error)
        return None

    async def shown(context: ToolContext, arguments: JsonObject) -> Shown | None:
        call = msgspec.convert(arguments, ComputerCall)
        return await use.shown(context.conversation_id, context.run_id, context.place, call.actions)

    width, height = size
    return Tool(
        spec=ComputerTool(width, height),
        run=computer,
        risk=risk,
        wrong=wrong,
        shown=shown,
        over=use.let_go,
        halts=True,
        operation=Operation.DESKTOP,
        timeout_s=timeout_s,
        parallel=False,
    )


def _wrong(error: msgspec.ValidationError) -> str:
    return f"Nothing was done: {error}."


def _output(outcome: DesktopOutcome) -> ToolOutput:
    pictures = tuple(Attachment("image/png", attachment_id=one) for one in outcome.pictures)
    return ToolOutput(outcome.text, attachments=pictures, success=outcome.success)
