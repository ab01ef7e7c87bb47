"""`/v1/files`: the caller's files, the same as those of the native API, in OpenAI's shapes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.files import FileFilter, FilePurpose
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId, Storable
from cartrita.surfaces.openai.file_schemas import DeletedFile, FileList, FileObject
from cartrita.surfaces.served_files import RESPONSES, file_response
from cartrita.surfaces.uploaded_forms import received_form

router = APIRouter(prefix="/v1/files", tags=["openai"], dependencies=STORED)

_PURPOSES: Final = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_PAGE: Final = 200
"""The most files of a page; a caller that wants more is told that there are more."""
_SHORTEST_S: Final = 3_600
_LONGEST_S: Final = 2_592_000
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(_PURPOSES)},
                        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                        "expires_after[seconds]": {
                            "type": "integer",
                            "minimum": _SHORTEST_S,
                            "maximum": _LONGEST_S,
                        },
                    },
                }
            }
        },
    }
}


@router.post("", name="create_v1_file", openapi_extra=_FORM)
async def create_file(
    request: Request, principal: CurrentPrincipal, services: AppServices
) -> FileObject:
    """Upload a file, in the field `file` of a form with a `purpose`."""
    async with received_form(request, services.uploads, principal, ("file",), single=True) as form:
        purpose = FilePurpose(name=_purpose(form.fields), kept_for=_kept_for(form.fields))
        return FileObject.of((await form.upload.finish(purpose))[0])


@router.get("", name="list_v1_files")
async def list_files(
    principal: CurrentPrincipal,
    services: AppServices,
    limit: Annotated[int, Query(ge=1, le=10_000, description="The most files of a page.")] = 10_000,
    order: Annotated[
        Literal["asc", "desc"], Query(description="`asc` has the oldest file first.")
    ] = "desc",
    after: Annotated[
        Storable | None, Query(max_length=255, description="The id of the file before the page.")
    ] = None,
    purpose: Annotated[Storable | None, Query(max_length=64)] = None,
) -> FileList:
    """List your files, the latest first unless `order` is `asc`.

    A page has 200 of them at most, whatever the `limit`: `has_more` tells that others follow.
    """
    cursor = None
    if after is not None:
        try:
            cursor = (await services.files.get(principal, after)).cursor
        except NotFound:
            raise InvalidInput.of("after", "there is no such file; begin without it") from None
    filter_ = FileFilter(purpose=purpose, oldest_first=order == "asc")
    page = await services.files.list(principal, filter_, min(limit, _PAGE), cursor)
    data = [FileObject.of(file) for file in page.items]
    return FileList(
        object="list",
        data=data,
        first_id=data[0].id if data else None,
        last_id=data[-1].id if data else None,
        has_more=page.next_cursor is not None,
    )


@router.get("/{file_id}", name="get_v1_file")
async def get_file(
    principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> FileObject:
    """Get what is known of a file."""
    return FileObject.of(await services.files.get(principal, file_id))


@router.head("/{file_id}/content", include_in_schema=False)
@router.get(
    "/{file_id}/content", name="get_v1_file_content", response_class=Response, responses=RESPONSES
)
async def get_file_content(
    request: Request, principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> Response:
    """Get the bytes of a file as they came."""
    file = await services.files.get(principal, file_id)
    return await file_response(request, services.files, file)


@router.delete("/{file_id}", name="delete_v1_file")
async def delete_file(
    principal: CurrentPrincipal, file_id: PublicId, services: AppServices
) -> DeletedFile:
    """Delete a file."""
    await services.files.delete(principal, file_id)
    return DeletedFile(id=file_id, object="file", deleted=True)


def _purpose(fields: Mapping[str, str]) -> str:
    given = fields.get("purpose")
    if given not in _PURPOSES:
        raise InvalidInput.of("purpose", f"send one of {', '.join(_PURPOSES)}")
    return given


def _kept_for(fields: Mapping[str, str]) -> timedelta | None:
    """How long a file is kept, from `expires_after`."""
    seconds = fields.get("expires_after[seconds]")
    if seconds is None:
        return None
    if fields.get("expires_after[anchor]", "created_at") != "created_at":
        raise InvalidInput.of("expires_after.anchor", "send created_at")
    number = int(seconds) if seconds.isascii() and seconds.isdecimal() and len(seconds) < 9 else 0
    if not _SHORTEST_S <= number <= _LONGEST_S:
        raise InvalidInput.of(
            "expires_after.seconds", f"send a number from {_SHORTEST_S} to {_LONGEST_S}"
        )
    return timedelta(seconds=number)
