"""Files in a bucket of S3: what holds in a directory holds there."""

import asyncio

import pytest
from tests.harness.documents import png
from tests.harness.scenario import Scenario
from tests.harness.uploads import fetch, send, uploaded
from tests.s3.bucket import SECRET, names_in

pytestmark = pytest.mark.s3


@pytest.mark.parametrize("size", [1, 5 << 20, 12 << 20])
async def test_files_are_kept_in_the_bucket(scenario: Scenario, endpoint: str, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"end"
    status, told = await send(scenario, ("file", "a.txt", b"text" + content.hex()[:size].encode()))
    assert status == 201, told
    names = await asyncio.to_thread(names_in, endpoint)
    assert len(names) == 1
    assert names[0].startswith("of/cartrita/")
    status, headers, body = await fetch(scenario, told["url"])
    assert (status, len(body)) == (200, told["size"])
    status, headers, body = await fetch(scenario, told["url"], Range="bytes=1-3")
    assert (status, body, headers["content-length"]) == (206, b"ext", "3")
    assert (await fetch(scenario, f"/api/files/{told['file_id']}", "DELETE"))[0] == 204
    assert await asyncio.to_thread(names_in, endpoint) == []


async def test_images_are_read_and_made_anew(scenario: Scenario, endpoint: str) -> None:
    image = await uploaded(scenario, "a.png", png(3, 2))
    assert image["status"] == "ready"
    assert (await fetch(scenario, image["image_url"]))[0] == 200
    assert len(await asyncio.to_thread(names_in, endpoint)) == 2
    assert (await fetch(scenario, f"/api/files/{image['id']}", "DELETE"))[0] == 204
    assert await asyncio.to_thread(names_in, endpoint) == []


async def test_what_is_refused_leaves_nothing(scenario: Scenario, endpoint: str) -> None:
    files = [("files", "a.txt", b"x" * (6 << 20)), ("files", "b.txt", b"\0")]
    status, _ = await send(scenario, *files, path="/api/upload/multiple")
    assert status == 415
    assert await asyncio.to_thread(names_in, endpoint) == []


def test_the_key_is_not_in_the_log(scenario: Scenario) -> None:
    assert SECRET not in scenario.server.log_path.read_text()
