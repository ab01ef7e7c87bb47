"""Code endpoint."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from cartrita.surfaces.dependencies import ANSWERED, AppServices, CurrentPrincipal
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.native.chat_requests import Id, MessageText
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

router = APIRouter(prefix="/api/code", tags=["code"])


class CodeRequest(RequestModel):
    """A task that code solves."""

    task: MessageText
    language: Annotated[
        str | None,
        Field(max_length=64, pattern=r"^[^\n]*\S[^\n]*$", examples=["python"]),
        BeforeValidator(lambda value: None if value == "" else value),
    ] = None
    model: Annotated[Id, Field(description="Without it the route `code` answers.")] = None


class CodeResponse(BaseModel):
    """The first code block of the answer, and what was said around it."""

    code: str = Field(description="The whole answer if it holds no code block.")
    language: str = Field(description="As requested, else as the block says, else `python`.")
    explanation: str
    model: str = Field(examples=["offline/assistant"])


@router.post("", dependencies=ANSWERED)
async def post_code(
    request: Request,
    principal: CurrentPrincipal,
    body: Annotated[CodeRequest, Depends(JsonBody(CodeRequest))],
    services: AppServices,
    response: Response,
) -> CodeResponse:
    """Write code for a task. Nothing of it is stored but its usage."""
    with services.connections.hold(principal):
        async with UntilDisconnect(request.receive):
            generated = await services.code.generate(
                principal, body.task, language=body.language, model=body.model
            )
    response.headers[PROVIDER_HEADER] = generated.model.partition("/")[0]
    return CodeResponse(
        code=generated.code,
        language=generated.language,
        explanation=generated.explanation,
        model=generated.model,
    )
