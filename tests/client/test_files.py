"""Files go up with their progress and come down as they were, through both clients."""

import asyncio
from pathlib import Path

import pytest

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient, kinds


def test_a_file_comes_back_as_it_went(
    client: CartritaApiClient, text_file: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []

    def note(sent: int, whole: int | None) -> None:
        told.append((sent, whole))

    with text_file.open("rb") as opened:
        stored = client.upload_file(file=opened, progress=note)
    assert (stored.filename, stored.size) == (text_file.name, text_file.stat().st_size)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    download = client.get_file_content(stored.file_id)
    assert download.save(tmp_path / "copy").read_bytes() == text_file.read_bytes()
    assert download.head is not None
    assert (download.head.filename, download.head.length) == (stored.filename, stored.size)
    with client.get_file_content(stored.file_id) as pieces:
        assert text_file.read_bytes().startswith(next(pieces))


async def test_the_same_without_blocking(
    async_client: AsyncCartritaApiClient, text_file: Path, tmp_path: Path
) -> None:
    sizes: list[int | None] = []

    def note(_: int, whole: int | None) -> None:
        sizes.append(whole)

    content = await asyncio.to_thread(text_file.read_bytes)
    stored = await async_client.upload_files(files=[text_file, ("b", b"b")], progress=note)
    assert [each.filename for each in stored.files] == [text_file.name, "b"]
    assert len(set(sizes)) == 1
    first = stored.files[0]
    copy = await async_client.get_file_content(first.file_id).save(tmp_path / "copy")
    assert await asyncio.to_thread(copy.read_bytes) == content
    async with async_client.get_file_content(first.file_id) as pieces:
        assert content.startswith(await anext(pieces))


def test_a_download_that_fails_leaves_no_file(client: CartritaApiClient, tmp_path: Path) -> None:
    with pytest.raises(kinds.NotFound):
        client.get_file_content("file_nothing").save(tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
