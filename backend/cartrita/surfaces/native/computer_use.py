"""Computer use: an agent does a task on a desktop."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from cartrita.application.desktop.tasks import ComputerTask, StartedTask
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.desktop_films import FilmFrame
from cartrita.domain.errors import CartritaError
from cartrita.domain.files import ID_PREFIX
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.usage import Usage
from cartrita.kit import clock, ids
from cartrita.kit.secret import Secret
from cartrita.kit.text import is_one_line
from cartrita.surfaces.dependencies import (
    ANSWERED,
    AppServices,
    CurrentPrincipal,
    IdempotencyKey,
    Requires,
)
from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.native.approval_schemas import ApprovalView
from cartrita.surfaces.native.chat_requests import Id, MessageText
from cartrita.surfaces.native.desktop_schemas import live_url
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel
from cartrita.surfaces.native.schemas import TokenUsage, finish_reason
from cartrita.surfaces.native.screen_schemas import picture_url
from cartrita.surfaces.native.streams import stream_tail
from cartrita.surfaces.native.waiting import AnswerStopped, AnswerWaits, wait_for_completion
from cartrita.surfaces.services import Services
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

router = APIRouter(
    prefix="/api/computer-use",
    tags=["computer-use"],
    dependencies=[Depends(Requires(Operation.DESKTOP)), *ANSWERED],
)

_ANY: Final = "any"
"""The provider of a request that leaves the choice to the server."""
_SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


def _one_line(secret: SecretStr) -> SecretStr:
    """A line break that is typed is Return, which nobody approved. Raises ValueError."""
    if not is_one_line(secret.get_secret_value()):
        raise ValueError("use no line breaks, tabs or other control characters")
    return secret


_SecretText = Annotated[SecretStr, Field(max_length=10_000), AfterValidator(_one_line)]


class ComputerUseRequest(RequestModel):
    """A task for an agent that sees a desktop and uses it."""

    task: Annotated[MessageText, Field(description="What is to be done.")]
    session_id: Annotated[
        Id, Field(description="The desktop to go on with; without it a new one.")
    ] = None
    max_steps: Annotated[
        int | None, Field(ge=1, le=1000, description="After so many the task ends.")
    ] = None
    approval: Annotated[
        ApprovalPolicy | None, Field(description="Which actions a person decides on.")
    ] = None
    provider: Annotated[
        Id, Field(description="A configured provider; `any` lets the server choose.")
    ] = None
    model: Annotated[Id, Field(description="A model that sees.")] = None
    timeout_s: Annotated[
        float | None, Field(gt=0, le=86_400, description="After so many seconds the task ends.")
    ] = None
    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False
    secrets: Annotated[
        dict[_SecretName, _SecretText] | None,
        Field(
            max_length=32,
            description="Texts by names. The agent knows the names and can have them typed; they "
            "are stored nowhere. They are of one line, without control characters.",
        ),
    ] = None

    def to_task(self) -> ComputerTask:
        """The task as the use case takes it."""
        return ComputerTask(
            text=self.task,
            session_id=self.session_id,
            caps=Caps(steps=self.max_steps, seconds=self.timeout_s),
            approval=self.approval,
            provider=None if self.provider == _ANY else self.provider,
            model=self.model,
            secrets={
                name: Secret(secret.get_secret_value())
                for name, secret in (self.secrets or {}).items()
            },
        )


class ComputerStep(BaseModel):
    """One action on a desktop."""

    index: int = Field(description="From 1.")
    action: str = Field(description="What was to be done.")
    arguments: dict[str, Any] = Field(description="With what.")
    screenshot_url: str | None = Field(default=None, description="How it looked afterwards.")
    approved_by: str | None = Field(default=None, description="Who approved of it.")
    duration_ms: float = Field(description="Milliseconds.")
    error: str | None = Field(
        default=None, description="Why it was not done, or not to its end; null if it was done."
    )

    @classmethod
    def of(cls, index: int, frame: FilmFrame) -> "ComputerStep":
        after = frame.after
        return cls(
            index=index,
            action=str(frame.action.get("type", "")),
            arguments={name: value for name, value in frame.action.items() if name != "type"},
            screenshot_url=None if after is None else picture_url(ids.public(ID_PREFIX, after)),
            approved_by=frame.approved_by,
            duration_ms=frame.duration_ms,
            error=frame.error,
        )


class ComputerUseResponse(BaseModel):
    """What became of a task on a desktop."""

    run_id: str = Field(description="The run that did it.")
    session_id: str = Field(description="The desktop.")
    conversation_id: str
    status: str = Field(description="How the run ended, or that it waits.")
    result: str = Field(description="What the agent says of it.")
    finish_reason: str | None = Field(
        default=None,
        description="Why it ended: `stop`, or `length` when something was used up before it was "
        "done; null while it waits.",
    )
    limit_reached: str | None = Field(
        default=None,
        description="What was used up: `steps`, `tokens`, `cost` or `seconds`; null if nothing.",
    )
    steps: list[ComputerStep] = Field(
        description="What it did, and what was refused or broke off: each of these has an `error`."
    )
    live_url: str | None = Field(default=None, description="Where the desktop is seen.")
    processing_time: float = Field(description="Seconds.")
    token_usage: TokenUsage
    approvals: list[ApprovalView] = Field(
        default_factory=list[ApprovalView], description="What it waits for."
    )


@router.post(
    "/execute",
    response_model=ComputerUseResponse,
    responses={202: {"model": ComputerUseResponse, "description": "The run waits for a person."}},
)
async def execute_computer_task(
    request: Request,
    principal: CurrentPrincipal,
    body: Annotated[ComputerUseRequest, Depends(JsonBody(ComputerUseRequest))],
    services: AppServices,
    key: IdempotencyKey = None,
) -> Response:
    """Let an agent do a task on a desktop; `stream: true` streams what it does.

    The run continues if the client disconnects: see `GET /api/runs/{id}`. Requests with one
    Idempotency-Key are compared but for the values of `secrets`, which are kept nowhere.
    """
    began = clock.now()
    once = idempotency("computer_use", key, body)
    started = await services.desktops.tasks.start(principal, body.to_task(), once)
    tasks, run_id = services.desktops.tasks, started.admitted.run_id
    if body.stream:
        return stream_tail(services, principal, run_id, tasks.tail(principal, started))
    try:
        end = await wait_for_completion(request, services, principal, run_id)
    except CartritaError as error:
        stopped = error.stopped if isinstance(error, AnswerStopped) else None
        if stopped is None or not await tasks.end_unused(principal, started, stopped):
            error.details["session_id"] = started.session.public_id
        raise
    except AnswerWaits as waits:
        told = await _told(services, principal, started, began, "waiting")
        views = [ApprovalView.of(one) for one in waits.approvals]
        answer = told.model_copy(update={"approvals": views})
        return _json(answer, 202)
    told = await _told(services, principal, started, began, "completed")
    ended = {
        "result": end.text,
        "finish_reason": finish_reason(end),
        "limit_reached": end.cap,
        "token_usage": TokenUsage.of(end.usage),
        "processing_time": end.seconds,
    }
    response = _json(told.model_copy(update=ended), 200)
    response.headers[PROVIDER_HEADER] = end.provider
    return response


async def _told(
    services: Services,
    principal: Principal,
    started: StartedTask,
    began: datetime,
    status: str,
) -> ComputerUseResponse:
    run_id = started.admitted.run_id
    # The latest: the one that it was begun on may have ended, and the agent has another one.
    session = await services.desktops.sessions.latest(started.session.conversation_id)
    frames = await services.desktops.films.of_run(principal, run_id)
    return ComputerUseResponse(
        run_id=ids.public("run", run_id),
        session_id=session.public_id,
        conversation_id=session.public_conversation_id,
        status=status,
        result="",
        steps=[ComputerStep.of(index, frame) for index, frame in enumerate(frames, 1)],
        live_url=live_url(session),
        processing_time=round((clock.now() - began).total_seconds(), 3),
        token_usage=TokenUsage.of(Usage()),
    )


def _json(answer: ComputerUseResponse, status: int) -> Response:
    return Response(answer.model_dump_json(), status_code=status, media_type="application/json")
