"""Uploads: no name, no type and no bytes of theirs do anything, and what fails leaves nothing."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness import processes, raw_http
from tests.harness.documents import archive, form, png
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.harness.uploads import fetch, send, uploaded
from tests.security.owners import cookie_of

MEBIBYTE = 1 << 20
NAMES = [
    ("../../../etc/cron.d/x.txt", "x.txt"),
    ("..\\..\\windows\\x.txt", "x.txt"),
    ("/etc/passwd", "passwd"),
    ("a\0b.txt", "ab.txt"),
    ("x" * 4096 + ".txt", "x" * 251 + ".txt"),
    ('quote"d.txt', 'quote"d.txt'),
    ("<script>alert(1)<script>.txt", "<script>alert(1)<script>.txt"),
    ("'; DROP TABLE attachments; --.txt", "'; DROP TABLE attachments; --.txt"),
    ("photo\u202egpj.txt", "photogpj.txt"),
    (".", "file"),
]
ACTIVE = [
    ("a.html", b"<html><script>alert(1)</script>", "text/html"),
    ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
    ("a.png", b"<svg onload='alert(1)'/>", "image/svg+xml"),
    ("a.js", b"alert(1)", "text/plain"),
    ("a.css", b"*{background:red}", "text/plain"),
    ("a.js", b"GIF89a=1;alert(1)//", "image/gif"),
    ("a.xml", b"<?xml version='1.0'?><a/>", "application/xml"),
]


async def rows(scenario: Scenario) -> tuple[int, int]:
    """How many contents there are, and how many files."""
    [found] = await scenario.fetch(
        "SELECT (SELECT count(*) FROM file_contents), (SELECT count(*) FROM attachments)"
    )
    return found[0], found[1]


def contents_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def stored(scenario: Scenario) -> list[Path]:
    """Whatever is in the directory of files."""
    return contents_of(scenario.server.data_dir / "files")


@pytest.mark.parametrize(("name", "kept"), NAMES)
async def test_names(scenario: Scenario, name: str, kept: str) -> None:
    told = await uploaded(scenario, name, f"text of {name!a}".encode())
    assert told["filename"] == kept
    status, headers, _ = await fetch(scenario, told["url"])
    assert status == 200
    shown = headers["content-disposition"]
    assert shown.startswith("attachment; filename=")
    assert shown.isprintable()
    assert shown.count('"') == 2
    for path in stored(scenario):
        assert path.parent == scenario.server.data_dir / "files"
        assert len(path.name.removesuffix("-image")) == 32


@pytest.mark.parametrize(("name", "content", "kind"), ACTIVE)
async def test_what_browsers_would_run_is_sent_as_a_file_to_keep(
    scenario: Scenario, name: str, content: bytes, kind: str
) -> None:
    told = await uploaded(scenario, name, content)
    assert told["mime_type"] == kind
    for path in (told["url"], f"/v1/files/{told['id']}/content"):
        status, headers, body = await fetch(scenario, path)
        assert (status, body) == (200, content)
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment;")
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        for destination in ("script", "style", "worker", "serviceworker", "iframe", "object"):
            status, _, _ = await fetch(scenario, path, Sec_Fetch_Dest=destination)
            assert status == 403


async def test_programs_are_not_accepted(scenario: Scenario) -> None:
    before = await rows(scenario)
    for content in (b"\x7fELF\x02\x01", b"MZ\x90\0\x03", archive({"a.exe": "x"}), b"\0" * 100):
        status, told = await send(scenario, ("file", "innocent.txt", content))
        assert (status, told["code"]) == (415, "file_type_not_allowed")
    assert await rows(scenario) == before


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.docx", archive({"word/document.xml": bytes(64 * MEBIBYTE)}), "far more than"),
        (
            "a.xlsx",
            archive(
                {
                    "[Content_Types].xml": "<Types/>",
                    "xl/workbook.xml": '<!DOCTYPE a [<!ENTITY a "x">]><a>&a;&a;</a>',
                }
            ),
            "damaged",
        ),
        ("a.png", png(30_000, 30_000, rows=b"\0"), "40,000,000 pixels"),
        ("a.pdf", b"%PDF-1.7\n" + b"<<" * 100_000, "damaged"),
    ],
)
async def test_bombs_are_kept_and_not_read(
    scenario: Scenario, name: str, content: bytes, reason: str
) -> None:
    told = await uploaded(scenario, name, content)
    assert told["status"] == "unreadable"
    assert reason in told["reason"]
    assert (await scenario.call("GET", "/health"))[0] == 200


async def test_ten_thousand_ranges(scenario: Scenario) -> None:
    told = await uploaded(scenario, "a.txt", b"0123456789")
    many = "bytes=" + ",".join(f"{number}-{number}" for number in range(10_000))
    for ranges in (
        many,
        many[:4000],
        "bytes=-",
        "bytes=5-2",
        "lines=1-2",
        "bytes=0-1,3-4",
        "bytes=10-",
        "bytes=-0",
    ):
        status, _, body = await fetch(scenario, told["url"], Range=ranges)
        assert (status, body) == (200, b"0123456789") or status in (400, 431), ranges[:20]


@pytest.mark.parametrize(
    ("asked", "status", "body", "told"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
    ],
)
async def test_ranges(scenario: Scenario, asked: str, status: int, body: bytes, told: str) -> None:
    file = await uploaded(scenario, "a.txt", b"0123456789")
    found = await fetch(scenario, file["url"], Range=asked)
    assert (found[0], found[2], found[1]["content-range"]) == (status, body, told)
    tag = found[1]["etag"]
    assert (await fetch(scenario, file["url"], If_None_Match=tag))[0] == 304
    assert (await fetch(scenario, file["url"], Range=asked, If_Range='"old"'))[0] == 200


async def test_what_a_file_would_be_sent_with(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", b"0123456789")
    for path in (file["url"], f"/v1/files/{file['id']}/content"):
        _, got, _ = await fetch(scenario, path)
        status, told, _ = await fetch(scenario, path, "HEAD", Range="bytes=0-3")
        assert (status, told["content-length"], told["accept-ranges"]) == (200, "10", "bytes")
        names = ("etag", "content-type", "content-disposition", "content-security-policy")
        assert [told[name] for name in names] == [got[name] for name in names]
        assert (await fetch(scenario, path, "HEAD", If_None_Match=told["etag"]))[0] == 304
    gone = "/api/files/file_" + "0" * 32 + "/content"
    assert (await fetch(scenario, gone, "HEAD"))[0] == 404


async def test_pages_of_others_cannot_upload(scenario: Scenario) -> None:
    cookie = await cookie_of(scenario, {"X-API-Key": KEY})
    kind, body = form(("file", "a.txt", b"text"))
    before = await rows(scenario)
    for origin in ("http://evil.example", "null", None):
        headers = {"Cookie": cookie["Cookie"], "Content-Type": kind}
        headers |= {} if origin is None else {"Origin": origin}
        asked = raw_http.request(scenario.server.port, "POST", "/api/upload", headers, body)
        async with await asked as answer:
            assert answer.status == 403
    assert await rows(scenario) == before


@pytest.fixture(scope="module")
def small_server(provider: FakeProvider) -> Iterator[Server]:
    """A server that takes files of a mebibyte, and three of an owner."""
    settings = {
        "CARTRITA_MAX_UPLOAD_BYTES": str(MEBIBYTE),
        "CARTRITA_FILES_PER_OWNER_MAX": "3",
        "CARTRITA_FILES_PER_REQUEST_MAX": "2",
        "CARTRITA_SERVER_BODY_TIMEOUT_S": "5",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def small(small_server: Server, provider: FakeProvider) -> Scenario:
    """A scenario on the server with small limits."""
    return Scenario(small_server, provider)


async def piecewise(
    scenario: Scenario, count: int, *, leave: bool = False, whole: bool = False
) -> int | None:
    """Upload so many mebibytes in chunks; the status, or None if the client left before it.

    Only what is `whole` has the end of a form.
    """
    reader, writer = await asyncio.open_connection(raw_http.HOST, scenario.server.port)
    kind, body = form(("file", "a.txt", b"x"))
    head, _, end = body.partition(b"x\r\n--")
    lines = f"POST /api/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: {kind}\r\n"
    writer.write(lines.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
    writer.write(b"%x\r\n%b\r\n" % (len(head), head))
    try:
        for _ in range(count):
            writer.write(b"%x\r\n%b\r\n" % (MEBIBYTE, b"x" * MEBIBYTE))
            await writer.drain()
        if leave:
            return None
        if whole:
            writer.write(b"%x\r\n\r\n--%b\r\n" % (len(end) + 4, end))
        writer.write(b"0\r\n\r\n")
        return int((await reader.readuntil(b"\r\n")).split()[1])
    except ConnectionError:
        return None
    finally:
        writer.transport.abort()


async def test_files_are_cut_off_while_they_arrive(small: Scenario) -> None:
    assert await piecewise(small, 4) == 413
    assert await rows(small) == (0, 0)
    assert stored(small) == []
    status, told = await send(small, ("file", "a.txt", b"x" * (MEBIBYTE + 1)))
    assert (status, told["code"]) == (413, "too_large")
    assert await declared(small, 1 << 40) == 413
    assert await rows(small) == (0, 0)


async def declared(scenario: Scenario, size: int) -> int:
    """The status for an upload that says how long it is, and waits."""
    reader, writer = await asyncio.open_connection(raw_http.HOST, scenario.server.port)
    kind, _ = form()
    lines = f"POST /api/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: {kind}\r\n"
    writer.write(f"{lines}Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n".encode())
    try:
        return int((await reader.readuntil(b"\r\n")).split()[1])
    finally:
        writer.transport.abort()


async def test_who_leaves_leaves_nothing(small: Scenario) -> None:
    assert await piecewise(small, 0, leave=True) is None
    _, writer = await asyncio.open_connection(raw_http.HOST, small.server.port)
    kind, body = form(("file", "a.txt", b"x" * 500_000))
    lines = f"POST /api/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: {kind}\r\n"
    writer.write(lines.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body[:400_000])
    await writer.drain()

    async def begun() -> bool:
        return (await rows(small))[0] == 1

    await eventually(begun)
    writer.transport.abort()

    async def gone() -> bool:
        return await rows(small) == (0, 0) and stored(small) == []

    await eventually(gone)


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([], 422, "validation_error"),
        ([("file", "a.txt", b"")], 422, "validation_error"),
        ([("other", "a.txt", b"x")], 422, "validation_error"),
        ([("files[0]", "a.txt", b"x"), ("files[1]", "b.txt", b"\0")], 415, "file_type_not_allowed"),
        ([("files", f"{number}.txt", b"%d" % number) for number in range(3)], 413, "too_large"),
    ],
)
async def test_of_several_files_all_or_none_are_kept(
    small: Scenario, files: list[tuple[str, str, bytes]], status: int, code: str
) -> None:
    found, told = await send(small, *files, path="/api/upload/multiple")
    assert (found, told["code"]) == (status, code)
    assert await rows(small) == (0, 0)
    assert stored(small) == []


@pytest.mark.parametrize("path", ["/api/upload", "/v1/files"])
async def test_a_second_file_is_not_stored_untold(small: Scenario, path: str) -> None:
    files = [("file", "a.txt", b"one"), ("file", "b.txt", b"two")]
    status, told = await send(small, *files, path=path, fields={"purpose": "user_data"})
    assert status == (422 if path.startswith("/api") else 400)
    assert "one file only" in str(told)
    assert await rows(small) == (0, 0)
    assert stored(small) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=" + "x" * 300, b"x"),
        ("multipart/form-data; boundary=a", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("multipart/form-data; boundary=a", b"--a\r\n" + b"X: y\r\n" * 1000),
        ("multipart/form-data; boundary=a", b"--a\r\nX: " + b"y" * 100_000),
        ("multipart/mixed; boundary=a", b"--a--\r\n"),
        ("application/json", b"{}"),
    ],
)
async def test_bodies_that_are_no_form(small: Scenario, kind: str, body: bytes) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": kind}
    asked = raw_http.request(small.server.port, "POST", "/api/upload", headers, body)
    async with await asked as answer:
        assert answer.status in (400, 415)
    assert await rows(small) == (0, 0)


async def test_an_owner_has_no_more_than_its_quota(small: Scenario) -> None:
    made: list[str] = []
    for number in range(3):
        status, told = await send(small, ("file", f"{number}.txt", b"%d" % number))
        assert status == 201, told
        made.append(told["file_id"])
    for path, field in (("/api/upload", "file"), ("/api/upload/multiple", "files")):
        status, told = await send(small, (field, "a.txt", b"more"), path=path)
        assert (status, told["code"]) == (507, "quota_exceeded")
    fields = {"purpose": "user_data"}
    status, told = await send(small, ("file", "a.txt", b"x"), path="/v1/files", fields=fields)
    assert (status, told["error"]["code"]) == (507, "quota_exceeded")
    for file_id in made:
        assert (await fetch(small, f"/api/files/{file_id}", "DELETE"))[0] == 204
    assert await rows(small) == (0, 0)
    assert stored(small) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB; skipped where none can be mounted."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


async def test_a_full_disk_keeps_nothing(small_disk: Path, serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_FILES_STORAGE": str(small_disk)})
    status, told = await send(scenario, ("file", "a.txt", b"x" * (16 * MEBIBYTE)))
    assert (status, told["code"]) == (507, "storage_full")
    assert await rows(scenario) == (0, 0)
    assert contents_of(small_disk) == []
    status, told = await send(scenario, ("file", "a.txt", b"x" * MEBIBYTE))
    assert status == 201, told


@pytest.mark.slow
async def test_a_gibibyte_takes_no_memory(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_MAX_UPLOAD_BYTES": str(2 << 30)})
    assert (await send(scenario, ("file", "a.txt", b"x")))[0] == 201
    pids = scenario.server.tree.workers
    before = processes.memory_bytes(pids)
    most = before

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, processes.memory_bytes(pids))
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        assert await piecewise(scenario, 1024) == 400  # the form never ended
        assert (await rows(scenario))[1] == 1
        assert await piecewise(scenario, 1024, whole=True) == 201
        _, told = await scenario.call("GET", "/api/files?limit=1")
        [file] = told["items"]
        path = f"/api/files/{file['id']}"
        assert await downloaded(scenario, f"{path}/content") == file["size"] == 1024 * MEBIBYTE
        assert (await fetch(scenario, path, "DELETE"))[0] == 204
        watching.cancel()
    assert most - before < 64 * MEBIBYTE
    assert (await rows(scenario))[1] == 1
    assert sum(each.stat().st_size for each in stored(scenario)) == 1


async def downloaded(scenario: Scenario, path: str) -> int:
    """How many bytes a body has, of which none are kept."""
    reader, writer = await asyncio.open_connection(raw_http.HOST, scenario.server.port)
    lines = f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nConnection: close\r\n\r\n"
    writer.write(lines.encode())
    try:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        size = 0
        while piece := await reader.read(MEBIBYTE):
            size += len(piece)
        return size
    finally:
        writer.transport.abort()
