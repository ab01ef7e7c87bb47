"""The methods of A2A: SendMessage, SendStreamingMessage, GetTask, CancelTask, SubscribeToTask."""

from collections.abc import Mapping
from typing import Final, NoReturn

from starlette.responses import Response

from cartrita.domain.errors import Conflict
from cartrita.domain.events import LoggedEvent, RunStopped
from cartrita.domain.runs import Run
from cartrita.kit import ids
from cartrita.surfaces.a2a.message_parsing import command_of
from cartrita.surfaces.a2a.rpc_errors import (
    EXTENDED_AGENT_CARD_NOT_CONFIGURED,
    PUSH_NOTIFICATION_NOT_SUPPORTED,
    TASK_NOT_CANCELABLE,
    UNSUPPORTED_OPERATION,
    a2a_error,
)
from cartrita.surfaces.a2a.task_streams import task_stream
from cartrita.surfaces.a2a.tasks import task_of
from cartrita.surfaces.a2a.types import SendParams, SentTask, TaskParams
from cartrita.surfaces.answer_room import require_room
from cartrita.surfaces.rpc.calls import Method, MethodCall
from cartrita.surfaces.rpc.json_rpc import (
    INVALID_PARAMS,
    RpcError,
)
from cartrita.surfaces.run_ends import wait_for_end, while_connected


async def _send_message(call: MethodCall) -> Response:
    """Send a message, and wait for the task to end or to wait unless the caller does not."""
    params = call.rpc.params_as(SendParams)
    require_room(call.request, call.principal)
    run = await _started(call, params)
    reason = None
    if not params.configuration.return_immediately:
        end = await wait_for_end(call.request, call.services, call.principal, run.id)
        reason = _reason(end) if isinstance(end, LoggedEvent) else None
        run = await call.services.runs.get(call.principal, ids.public("run", run.id))
    history = params.configuration.history_length
    task = await task_of(call.services, call.principal, run, history_length=history, reason=reason)
    return call.answer(SentTask(task=task))


async def _send_streaming_message(call: MethodCall) -> Response:
    params = call.rpc.params_as(SendParams)
    require_room(call.request, call.principal)
    run = await _started(call, params)
    return task_stream(call.services, call.principal, run, call.rpc.id)


async def _get_task(call: MethodCall) -> Response:
    params = call.rpc.params_as(TaskParams)
    run = await call.services.runs.get(call.principal, params.id)
    history = params.history_length
    return call.answer(await task_of(call.services, call.principal, run, history_length=history))


async def _cancel_task(call: MethodCall) -> Response:
    """Cancel a task, and wait for its end; what it has answered is kept.

    Whoever receives as many answers as they may can still end one.
    """
    task_id = call.rpc.params_as(TaskParams).id
    run = await call.services.runs.get(call.principal, task_id)
    if run.status.ended:
        raise a2a_error(TASK_NOT_CANCELABLE, f"This task has ended: it is {run.status}.")
    await call.services.runs.cancel(call.principal, task_id)
    async with while_connected(call.request, call.services, call.principal, beyond=True):
        await call.services.runs.wait_for_end(run.id)
    run = await call.services.runs.get(call.principal, task_id)
    return call.answer(await task_of(call.services, call.principal, run))


async def _subscribe_to_task(call: MethodCall) -> Response:
    run = await call.services.runs.get(call.principal, call.rpc.params_as(TaskParams).id)
    if run.status.ended:
        message = f"This task has ended: it is {run.status}. Ask for it with GetTask."
        raise a2a_error(UNSUPPORTED_OPERATION, message)
    require_room(call.request, call.principal)
    return task_stream(call.services, call.principal, run, call.rpc.id)


async def _refuse_listing(_: MethodCall) -> NoReturn:
    raise a2a_error(UNSUPPORTED_OPERATION, "Tasks are not listed: see GET /api/conversations.")


async def _refuse_pushes(_: MethodCall) -> NoReturn:
    raise a2a_error(PUSH_NOTIFICATION_NOT_SUPPORTED, "Nothing is pushed: stream the task.")


async def _refuse_extended_card(_: MethodCall) -> NoReturn:
    message = "There is one card: /.well-known/agent-card.json. See GET /api/agents for more."
    raise a2a_error(EXTENDED_AGENT_CARD_NOT_CONFIGURED, message)


METHODS: Final[Mapping[str, Method]] = {
    "SendMessage": _send_message,
    "SendStreamingMessage": _send_streaming_message,
    "GetTask": _get_task,
    "CancelTask": _cancel_task,
    "SubscribeToTask": _subscribe_to_task,
    "ListTasks": _refuse_listing,
    "GetExtendedAgentCard": _refuse_extended_card,
    "CreateTaskPushNotificationConfig": _refuse_pushes,
    "GetTaskPushNotificationConfig": _refuse_pushes,
    "ListTaskPushNotificationConfigs": _refuse_pushes,
    "DeleteTaskPushNotificationConfig": _refuse_pushes,
}


async def _started(call: MethodCall, params: SendParams) -> Run:
    """The run that answers a message. A message cannot go on with a task that there is."""
    command = command_of(params, call.agent_id)
    if params.message.task_id:
        run = await call.services.runs.get(call.principal, params.message.task_id)
        raise a2a_error(
            UNSUPPORTED_OPERATION,
            f"This task takes no more messages, it is {run.status}: send the message with its"
            " contextId alone.",
        )
    try:
        run = await call.start(command)
    except Conflict as error:
        if error.code == "client_msg_id_reused":
            message = "This messageId was used for another message: send a new one with each."
            raise RpcError(INVALID_PARAMS, message) from None
        raise a2a_error(UNSUPPORTED_OPERATION, error.message) from None
    if run.agent != call.services.agents.find(call.agent_id).id:
        message = f"This messageId was sent to the agent {run.agent} before: send a new one."
        raise RpcError(INVALID_PARAMS, message)
    return run


def _reason(end: LoggedEvent) -> str | None:
    return end.event.message if isinstance(end.event, RunStopped) else None
