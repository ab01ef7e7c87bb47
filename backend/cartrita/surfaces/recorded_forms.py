"""Forms with one recording, which is held in memory: nothing of it is stored."""

from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.requests import Request

from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.domain.recordings import recording_too_large
from cartrita.kit.long_work import run_long
from cartrita.kit.text import storable_text
from cartrita.surfaces.json_bodies import validate_storable
from cartrita.surfaces.multipart import FormReader, read_form

_MOST_FIELDS: Final = 64


class RecordedForm(msgspec.Struct, frozen=True):
    """A form that has been received; `fields` are in their order, with those of lists."""

    data: bytes
    file_name: str
    fields: tuple[tuple[str, str], ...]

    def field(self, name: str) -> str | None:
        """The last value of a field, None if there is none or it is empty."""
        return next((value for each, value in reversed(self.fields) if each == name), None) or None


async def received_recording(request: Request, field: str, most: int) -> RecordedForm:
    """Receive a form whose file is in the field of this name and has at most so many bytes.

    Raises InvalidInput without a file, for a second one and for one in another field, TooLarge, and
    what `read_form` and reading it raise.
    """
    form = read_form(request)
    fields: list[tuple[str, str]] = []
    data: bytes | None = None
    file_name = ""
    async for part in form.parts():
        if part.file_name is None:
            value = await form.value()
            validate_storable(part.name, value)
            fields.append((part.name, value))
            if len(fields) > _MOST_FIELDS:
                raise Malformed(f"The form has more than {_MOST_FIELDS} fields.")
            continue
        _require_place(part.name, field, first=data is None)
        file_name = storable_text(part.file_name)
        data = await _whole(form, most)
    if data is None:
        raise _no_file(field, (name for name, _ in fields))
    return RecordedForm(data, file_name, tuple(fields))


def _require_place(name: str, field: str, *, first: bool) -> None:
    if name != field:
        told = storable_text(name)[:100] or field
        raise InvalidInput.of(told, f"the recording is sent in the field {field}")
    if not first:
        raise InvalidInput.of(field, "send one recording only")


async def _whole(form: FormReader, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in form.pieces():
        size += len(piece)
        if size > most:
            raise recording_too_large(most)
        pieces.append(piece)
    return await run_long(size, b"".join, pieces)


def _no_file(field: str, fields: Iterable[str]) -> InvalidInput:
    as_text = field in fields
    return InvalidInput.of(
        field, "send it as a file, with a file name" if as_text else "send a recording"
    )
