"""Forms with a recording: it is held up to a limit, and fields may be repeated."""

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.types import Message
from tests.harness.documents import form

from cartrita.domain.errors import CartritaError, InvalidInput, Malformed, TooLarge
from cartrita.surfaces.recorded_forms import RecordedForm, received_recording


async def received(kind: str, body: bytes, most: int = 100) -> RecordedForm:
    async def messages() -> AsyncIterator[Message]:
        for start in range(0, len(body), 50):
            yield {"type": "http.request", "body": body[start : start + 50], "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    stream = messages()
    scope = {"type": "http", "headers": [(b"content-type", kind.encode())]}
    return await received_recording(Request(scope, lambda: anext(stream)), "audio", most)


def raw(*parts: tuple[str, str]) -> tuple[str, bytes]:
    """A form of parts as (what Content-Disposition says after its name, content)."""
    lines = "".join(
        f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"
        for head, content in parts
    )
    return "multipart/form-data; boundary=b", f"{lines}--b--".encode()


async def test_a_recording_and_its_fields() -> None:
    kind, body = raw(
        ('name="tag[]"', "a"),
        ('name="audio"; filename="x.wav"', "RIFF"),
        ('name="tag[]"', "b"),
        ('name="empty"', ""),
    )
    found = await received(kind, body)
    assert found == RecordedForm(b"RIFF", "x.wav", (("tag[]", "a"), ("tag[]", "b"), ("empty", "")))
    assert (found.field("tag[]"), found.field("empty"), found.field("other")) == ("b", None, None)


async def test_a_recording_of_the_most_bytes() -> None:
    kind, body = form(("audio", "x.wav", b"a" * 100))
    assert len((await received(kind, body)).data) == 100
    kind, body = form(("audio", "x.wav", b"a" * 101))
    with pytest.raises(TooLarge):
        await received(kind, body)


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ((('name="a"', "b"),), InvalidInput, "send a recording"),
        ((('name="audio"', "RIFF"),), InvalidInput, "with a file name"),
        ((('name="file"; filename="x"', "RIFF"),), InvalidInput, "in the field audio"),
        ((('name="audio"; filename="x"', "RIFF"),) * 2, InvalidInput, "one recording only"),
        ((('name="conversation_id"', "a\0"),), InvalidInput, "conversation_id: it holds a NUL"),
        ((('name="a"', "b"),) * 65, Malformed, "more than 64 fields"),
    ],
)
async def test_forms_that_are_refused(
    parts: tuple[tuple[str, str], ...], error: type[CartritaError], says: str
) -> None:
    with pytest.raises(error, match=says):
        await received(*raw(*parts))
