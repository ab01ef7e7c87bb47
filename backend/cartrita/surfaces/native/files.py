"""File endpoints: upload, list, get, send back, delete."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from cartrita.domain.files import FileFilter, FilePurpose, StoredFile
from cartrita.domain.principals import Principal
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId, Storable
from cartrita.surfaces.native.file_schemas import FileUploadResponse, FileView, UploadedFiles
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.served_files import (
    IMAGE_RESPONSES,
    RESPONSES,
    file_response,
    image_response,
)
from cartrita.surfaces.services import Services
from cartrita.surfaces.uploaded_forms import received_form

upload_router = APIRouter(prefix="/api/upload", tags=["files"], dependencies=STORED)
router = APIRouter(prefix="/api/files", tags=["files"], dependencies=STORED)

_BYTES: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_CONVERSATION: Final[dict[str, Any]] = {
    "type": "string",
    "description": "The conversation that the file belongs to.",
}


def _form(**fields: dict[str, Any]) -> dict[str, Any]:
    """The description of a form; its first field is the one that must be there."""
    schema = {
        "type": "object",
        "required": [next(iter(fields))],
        "properties": {**fields, "conversation_id": _CONVERSATION},
    }
    body = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return {"requestBody": body}


@upload_router.post("", status_code=201, openapi_extra=_form(file=_BYTES))
async def upload_file(
    request: Request, principal: CurrentPrincipal, services: AppServices
) -> FileUploadResponse:
    """Upload one file, in the field `file` of a form. It is read in the background."""
    [made] = await _received(request, principal, services, "file", "files", single=True)
    return FileUploadResponse.of(made)


@upload_router.post(
    "/multiple",
    status_code=201,
    openapi_extra=_form(files={"type": "array", "items": _BYTES}),
)
async def upload_files(
    request: Request, principal: CurrentPrincipal, services: AppServices
) -> UploadedFiles:
    """Upload several files, in fields `files` or `files[0]`, `files[1]` and so on: all or none."""
    made = await _received(request, principal, services, "files", "file")
    return UploadedFiles(files=[FileUploadResponse.of(file) for file in made], total=len(made))


@router.get("")
async def list_files(
    principal: CurrentPrincipal,
    services: AppServices,
    conversation_id: Annotated[Storable | None, Query(max_length=255)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[FileView]:
    """List your files, or those of a conversation, the latest first."""
    filter_ = FileFilter()
    if conversation_id is not None:
        found = await services.conversations.get(principal, conversation_id)
        filter_ = FileFilter(conversation_id=found.id)
    page = await services.files.list(principal, filter_, limit, cursor)
    return PageOf(items=[FileView.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.get("/{file_id}")
async def get_file(
    principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> FileView:
    """Get what is known of a file, and how far it has been read."""
    return FileView.of(await services.files.get(principal, file_id))


@router.head("/{file_id}/content", include_in_schema=False)
@router.get("/{file_id}/content", response_class=Response, responses=RESPONSES)
async def get_file_content(
    request: Request, principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> Response:
    """Get the bytes of a file as they came, or a range of them.

    Audio and video have their type; everything else is sent as a file to keep.
    """
    file = await services.files.get(principal, file_id)
    return await file_response(request, services.files, file)


@router.get("/{file_id}/image", response_class=Response, responses=IMAGE_RESPONSES)
async def get_file_image(
    request: Request, principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> Response:
    """Get an image that was uploaded, made anew: as models and pages are shown it."""
    file = await services.files.get(principal, file_id)
    return await image_response(request, services.files, file)


@router.delete("/{file_id}", status_code=204)
async def delete_file(
    principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> Response:
    """Delete a file. Messages that it was attached to stay."""
    await services.files.delete(principal, file_id)
    return Response(status_code=204)


async def _received(
    request: Request,
    principal: Principal,
    services: Services,
    *fields: str,
    single: bool = False,
) -> list[StoredFile]:
    async with received_form(request, services.uploads, principal, fields, single=single) as form:
        purpose = FilePurpose()
        if name := form.fields.get("conversation_id") or form.fields.get("conversationId"):
            conversation = await services.conversations.get(principal, name)
            purpose = FilePurpose(conversation_id=conversation.id)
        return await form.upload.finish(purpose)
