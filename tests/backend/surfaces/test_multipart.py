"""Forms in pieces of any size: the same parts, and nothing of a file in memory."""

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from tests.harness.documents import form

from cartrita.domain.errors import Malformed, UnsupportedMedia
from cartrita.surfaces.multipart import FormReader, read_form

HEAD = b'--b\r\nContent-Disposition: form-data; name="a"'


def reader(body: bytes, step: int = 1 << 16, boundary: bytes = b"b") -> FormReader:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    return FormReader(aiter(chunks()), boundary)


async def parts(read: FormReader) -> list[tuple[str, str | None, bytes | str]]:
    found: list[tuple[str, str | None, bytes | str]] = []
    async for part in read.parts():
        if part.file_name is None:
            found.append((part.name, None, await read.value()))
        else:
            content = b"".join([piece async for piece in read.pieces()])
            found.append((part.name, part.file_name, content))
    return found


@pytest.mark.parametrize("step", [1, 3, 7, 100, 1 << 16])
async def test_parts_in_pieces_of_any_size(step: int) -> None:
    content = b"--\r\n\r\r\n--cartrita-test-boundar\r\n" * 40
    files = (("file", "a.txt", content), ("files[1]", 'b "quoted" \\ ü.txt', b""))
    kind, body = form(*files, fields={"conversation_id": "größe"})
    boundary = kind.partition("boundary=")[2].encode()
    assert await parts(reader(body, step, boundary)) == [
        ("file", "a.txt", content),
        ("files[1]", 'b "quoted" \\ ü.txt', b""),
        ("conversation_id", None, "größe"),
    ]


async def test_what_is_not_read_is_left_out() -> None:
    body = HEAD + b'; filename="x"\r\n\r\nunread\r\n' + HEAD + b"\r\n\r\nread\r\n--b--"
    read = reader(body)
    names = [part.file_name async for part in read.parts()]
    assert names == ["x", None]


async def test_pieces_are_large() -> None:
    body = HEAD + b'; filename="x"\r\n\r\n' + b"\r\n-" * (1 << 20) + b"\r\n--b--"
    read = reader(body)
    async for _ in read.parts():
        sizes = [len(piece) async for piece in read.pieces()]
        assert len(sizes) < 60


async def test_names_that_are_not_utf_8() -> None:
    body = HEAD + b'; filename="gr\xfc\xdfe"\r\n\r\n\r\n--b--'
    assert await parts(reader(body)) == [("a", "grüße", b"")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--b",
        HEAD,
        HEAD + b"\r\n\r\nno end",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        b"--b\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--b--',
        b"--b\r\n" + b"X: y\r\n" * 17,
        b"--b\r\nX: " + b"y" * 9000,
        HEAD + b"\r\n\r\n" + b"x" * 270_000 + b"\r\n--b--",
        (HEAD + b"\r\n\r\n\r\n") * 1001 + b"--b--",
    ],
    ids=range(12),
)
async def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(Malformed):
        await parts(reader(body))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("application/json", UnsupportedMedia),
        ("", UnsupportedMedia),
        ("multipart/mixed; boundary=b", UnsupportedMedia),
        ("multipart/form-data", Malformed),
        ("multipart/form-data; boundary=", Malformed),
        ("multipart/form-data; boundary=" + "x" * 71, Malformed),
    ],
)
def test_types_of_bodies(given: str, kind: type[Exception]) -> None:
    request = Request({"type": "http", "headers": [(b"content-type", given.encode())]})
    with pytest.raises(kind):
        read_form(request)
