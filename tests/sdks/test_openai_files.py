"""OpenAI's official client and the files of this server."""

from collections.abc import Iterator
from uuid import uuid4

import openai
import pytest
from tests.harness.server import KEY, Server


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_a_file_is_created_read_and_deleted(client: openai.OpenAI) -> None:
    content = uuid4().hex.encode()
    made = client.files.create(
        file=("notes.txt", content),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (made.object, made.filename, made.bytes) == ("file", "notes.txt", len(content))
    assert (made.purpose, made.expires_at) == ("user_data", made.created_at + 3600)
    done = client.files.wait_for_processing(made.id, poll_interval=0.1)
    assert done.status == "processed"
    assert client.files.content(made.id).read() == content
    deleted = client.files.delete(made.id)
    assert (deleted.id, deleted.deleted) == (made.id, True)
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(made.id)


def test_files_are_listed_in_pages(client: openai.OpenAI) -> None:
    made = [
        client.files.create(file=(f"{number}.txt", uuid4().bytes.hex().encode()), purpose="vision")
        for number in range(3)
    ]
    ids = [file.id for file in made]
    assert [file.id for file in client.files.list(purpose="vision", limit=1)][:3] == ids[::-1]
    assert [file.id for file in client.files.list(limit=2, order="asc", after=ids[0])][:2] == ids[
        1:
    ]
    with pytest.raises(openai.BadRequestError) as told:
        client.files.list(after="file-none").data.clear()
    assert told.value.param == "after"


@pytest.mark.parametrize(
    ("name", "content", "kind", "param"),
    [
        ("a.txt", b"", openai.BadRequestError, "file"),
        ("a.exe", b"MZ\0", openai.APIStatusError, None),
    ],
)
def test_what_is_refused(
    client: openai.OpenAI,
    name: str,
    content: bytes,
    kind: type[openai.APIStatusError],
    param: str | None,
) -> None:
    with pytest.raises(kind) as told:
        client.files.create(file=(name, content), purpose="user_data")
    assert told.value.param == param


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"purpose": "other"}, "purpose"),
        (
            {"purpose": "evals", "expires_after": {"anchor": "x", "seconds": 3600}},
            "expires_after.anchor",
        ),
        (
            {"purpose": "evals", "expires_after": {"anchor": "created_at", "seconds": 1}},
            "expires_after.seconds",
        ),
    ],
)
def test_fields_that_are_refused(
    client: openai.OpenAI, given: dict[str, object], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        client.files.create(file=("a.txt", b"text"), **given)  # pyright: ignore[reportArgumentType]
    assert told.value.param == param
