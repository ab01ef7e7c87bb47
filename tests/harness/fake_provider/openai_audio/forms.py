"""Forms as OpenAI takes them: the fields by name, and the file."""

import re
from typing import NamedTuple

from tests.harness.fake_provider.http import Request
from tests.harness.fake_provider.openai import errors

_NAME = re.compile(r'\bname="([^"]*)"')
_FILE_NAME = re.compile(r'\bfilename="([^"]*)"')


class File(NamedTuple):
    name: str
    data: bytes


class Form(NamedTuple):
    """Fields in their order, those of lists several times; the last file of each name."""

    fields: list[tuple[str, str]]
    files: dict[str, File]


def read(request: Request) -> Form:
    """The form of a request; raises the Refusal of what is none."""
    content_type = request.header("content-type", "application/x-www-form-urlencoded")
    kind, _, rest = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise errors.OpenAIRefusal(
            f"Unsupported content type: '{content_type}'. This API method only accepts "
            "'multipart/form-data' requests.",
            code="unsupported_content_type",
        )
    boundary = rest.partition("boundary=")[2].strip().strip('"').encode()
    delimiter = b"\r\n--" + boundary
    pieces = (b"\r\n" + request.body).split(delimiter)
    if not boundary or len(pieces) < 2 or pieces[0] or pieces[-1].strip() != b"--":
        raise _unreadable()
    form = Form([], {})
    for piece in pieces[1:-1]:
        _add(form, piece)
    return form


def _add(form: Form, piece: bytes) -> None:
    head, blank, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    disposition = next(
        (
            line
            for line in head.decode().split("\r\n")
            if line.lower().startswith("content-disposition: form-data;")
        ),
        "",
    )
    name = _NAME.search(disposition)
    if not piece.startswith(b"\r\n") or not blank or name is None:
        raise _unreadable()
    if file_name := _FILE_NAME.search(disposition):
        form.files[name[1]] = File(file_name[1], data)
    else:
        form.fields.append((name[1], data.decode()))


def _unreadable() -> errors.OpenAIRefusal:
    return errors.OpenAIRefusal("Could not parse multipart form")
