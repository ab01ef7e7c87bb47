"""Forms with files, as every surface receives them."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from starlette.requests import Request

from cartrita.application.files.uploads import Upload, Uploads
from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.domain.principals import Principal
from cartrita.kit.text import storable_text
from cartrita.surfaces.json_bodies import validate_storable
from cartrita.surfaces.multipart import FormPart, read_form

_MOST_FIELDS: Final = 32


class UploadForm(msgspec.Struct, frozen=True):
    """A form that has been received: its files, which are not finished yet, and other fields."""

    upload: Upload
    fields: Mapping[str, str]


@asynccontextmanager
async def received_form(
    request: Request,
    uploads: Uploads,
    principal: Principal,
    file_fields: Collection[str],
    *,
    single: bool = False,
) -> AsyncGenerator[UploadForm]:
    """Receive the files of a form; nothing of them is left unless they are finished.

    Files are in fields of these names, or of these names with a number: `files[0]`. Raises
    InvalidInput for one in another field, for none at all, or a second of a `single` one, and what
    `receive` raises.
    """
    form = read_form(request)
    async with uploads.receiving(principal) as upload:
        fields: dict[str, str] = {}
        async for part in form.parts():
            if part.file_name is not None:
                field = _file_field(part, file_fields)
                if single and not upload.empty:
                    raise InvalidInput.of(field, "send one file only")
                await upload.receive(field, part.file_name, form.pieces())
                continue
            fields[part.name] = await form.value()
            validate_storable(part.name, fields[part.name])
            if len(fields) > _MOST_FIELDS:
                raise Malformed(f"The form has more than {_MOST_FIELDS} fields.")
        if upload.empty:
            raise InvalidInput.of(next(iter(file_fields)), "send a file")
        yield UploadForm(upload, fields)


def _file_field(part: FormPart, file_fields: Collection[str]) -> str:
    """The field that a file is in. Raises InvalidInput if files are sent in others."""
    field = storable_text(part.name)
    if field.partition("[")[0] not in file_fields:
        wanted = " or ".join(file_fields)
        raise InvalidInput.of(field[:100] or "file", f"files are sent in the field {wanted}")
    return field[:100]
