"""Waits for the end of a run, for requests that are answered as a whole."""

from contextlib import suppress

from starlette.requests import Request

from cartrita.application.access.open_connections import KeyEnded
from cartrita.application.runs.approvals import Waiting
from cartrita.domain.approvals import Approval
from cartrita.domain.errors import CartritaError, NotFound, Unavailable
from cartrita.domain.events import RunCompleted, RunStopped
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit import ids
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.run_ends import wait_for_end
from cartrita.surfaces.services import Services


class AnswerStopped(CartritaError):
    """A run that a request waited for ended early; the partial answer is in `details`."""

    def __init__(self, stopped: RunStopped, run: Run, partial: str) -> None:
        details: JsonObject = {
            **stopped.details,
            **_places(run),
            "recoverable": stopped.recoverable,
            "partial_response": partial,
        }
        super().__init__(
            stopped.message, code=stopped.code, details=details, retry_after=stopped.retry_after
        )
        self.stopped = stopped


class AnswerWaits(Exception):
    """A run that a request waited for waits itself, for these approvals."""

    def __init__(self, approvals: tuple[Approval, ...]) -> None:
        super().__init__(f"{len(approvals)} approvals are needed.")
        self.approvals = approvals


async def wait_for_completion(
    request: Request, services: Services, principal: Principal, run_id: RunId
) -> RunCompleted:
    """Wait until a run is complete. Raises AnswerStopped if it ended early, and AnswerWaits if it
    waits for a person.

    A disconnect of the client ends the wait with ClientDisconnect, the end of its key with
    KeyEnded, and that of this server with Unavailable. The last two tell where the answer will be,
    where that can be found out: the run continues.
    """
    bind_run(run_id)
    try:
        found = await wait_for_end(request, services, principal, run_id)
    except (KeyEnded, Unavailable) as error:  # who comes back asks for the run, and not anew
        with suppress(CartritaError):  # deleted, or the database is away: the first error counts
            run = await services.runs.get(principal, ids.public("run", run_id))
            error.details |= _places(run)
        raise
    if isinstance(found, Waiting):
        raise AnswerWaits(found.approvals)
    end = found.event
    if isinstance(end, RunStopped):
        raise await _stopped(services, principal, run_id, end)
    assert isinstance(end, RunCompleted)
    return end


def _places(run: Run) -> JsonObject:
    """Where the answer is, or will be."""
    return {
        "run_id": ids.public("run", run.id),
        "conversation_id": run.public_conversation_id,
        "message_id": ids.public("msg", run.message_id),
    }


async def _stopped(
    services: Services, principal: Principal, run_id: RunId, end: RunStopped
) -> AnswerStopped:
    run = await services.runs.get(principal, ids.public("run", run_id))
    conversation = ids.public("conv", run.conversation_id)
    message = ids.public("msg", run.message_id)
    try:
        partial = (await services.messages.get(principal, conversation, message)).message.text
    except NotFound:
        partial = ""  # the run ended before any output, so no message was stored
    return AnswerStopped(end, run, partial)
