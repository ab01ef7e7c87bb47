"""Renders requests for transcriptions as forms: fields, and the file at their end."""

from typing import Final

import msgspec

from cartrita.dialects.openai_audio.languages import primary
from cartrita.dialects.openai_audio.transcription_types import TranscriptionForm

_ENDINGS: Final = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/webm": "webm",
    "audio/mp4": "m4a",
    "audio/flac": "flac",
}


class FormBody(msgspec.Struct, frozen=True):
    """The body of a request and what its Content-Type says."""

    content_type: str
    body: bytes


def fields(form: TranscriptionForm) -> list[tuple[str, str]]:
    """The fields in their order, without those that are left to the server."""
    found = [("model", form.model), ("response_format", form.response_format.value)]
    if form.language is not None:
        found.append(("language", primary(form.language)))
    if form.prompt is not None:
        found.append(("prompt", form.prompt))
    if form.temperature is not None:
        found.append(("temperature", repr(form.temperature)))
    found += [("timestamp_granularities[]", each.value) for each in form.granularities]
    if form.stream:
        found.append(("stream", "true"))
    return found


def render(form: TranscriptionForm, data: bytes, media_type: str, boundary: str) -> FormBody:
    """The request with its recording, whose ending tells servers what it is.

    `boundary` is something that stands nowhere in the recording: 32 random digits will do.
    """
    ending = _ENDINGS.get(media_type, "bin")
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields(form)
    )
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f'filename="recording.{ending}"\r\nContent-Type: {media_type}\r\n\r\n'
    )
    tail = f"\r\n--{boundary}--\r\n"
    body = b"".join((head.encode(), data, tail.encode()))
    return FormBody(f"multipart/form-data; boundary={boundary}", body)
