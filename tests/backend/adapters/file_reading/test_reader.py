"""Files are read in processes of their own, which end where their bounds do."""

import asyncio
import io
import random
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest
from PIL import Image
from tests.harness.documents import archive, docx, pdf, png, pptx, xlsx

from cartrita.adapters.file_reading import reader
from cartrita.adapters.file_reading.orders import LONGEST_PAGE, ReadingBounds, ReadingOrder
from cartrita.adapters.file_reading.reader import ProcessReading
from cartrita.adapters.processes import landlock
from cartrita.domain.files import ReadImage, ReadPage, UnreadableFile
from cartrita.domain.media_types import DOCX, HTML, PDF, PPTX, SVG, XLSX

BOUNDS = ReadingBounds(seconds=60.0)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 16):
        yield content[start : start + (1 << 16)]


async def read(
    media_type: str, content: bytes, bounds: ReadingBounds = BOUNDS
) -> list[ReadPage | ReadImage]:
    return [item async for item in ProcessReading(bounds).read(media_type, pieces(content))]


async def texts(media_type: str, content: bytes, bounds: ReadingBounds = BOUNDS) -> list[str]:
    found = await read(media_type, content, bounds)
    pages = [item for item in found if isinstance(item, ReadPage)]
    assert len(pages) == len(found)
    assert [each.page.number for each in pages] == list(range(1, len(pages) + 1))
    assert not pages or pages[-1].progress == 1.0
    return [each.page.text for each in pages]


async def reason(media_type: str, content: bytes, bounds: ReadingBounds = BOUNDS) -> str:
    with pytest.raises(UnreadableFile) as told:
        await read(media_type, content, bounds)
    return str(told.value)


@pytest.mark.parametrize(
    ("media_type", "content", "found"),
    [
        (PDF, pdf("The heliotrope", "The blue pump"), ["The heliotrope", "The blue pump"]),
        (DOCX, docx("One", "Two", "---", "Three"), ["One\nTwo\n", "\nThree\n"]),
        (DOCX, docx("Only"), ["Only\n"]),
        (
            XLSX,
            xlsx({"Plants": [["Name", "Height"], ["Rose", 3]], "Empty": []}),
            ["Plants\nName\tHeight\nRose\t3", "Empty\n"],
        ),
        (PPTX, pptx("First", "Second"), ["First\n", "Second\n"]),
        (
            HTML,
            b"<title>T</title><script>x()</script><style>p{}</style><p>A <b>b</b>&amp;c<td>d",
            ["T\nA b&c d"],
        ),
        (SVG, b"<svg><script>x()</script><text>Label</text></svg>", ["Label"]),
        ("text/plain", "grüße".encode(), ["grüße"]),
        ("text/plain", "grüße".encode("utf-16"), ["grüße"]),
        ("text/plain", "grüße".encode("cp1252"), ["grüße"]),
        ("text/plain", b"one\ftwo", ["one", "two"]),
        ("text/csv", b"a,b\n1,2\n", ["a,b\n1,2\n"]),
        ("application/json", b'{"a": "\\ud800"}', ['{"a": "\\ud800"}']),
    ],
)
async def test_texts(media_type: str, content: bytes, found: list[str]) -> None:
    assert await texts(media_type, content) == found


async def test_long_pages_are_cut_where_a_line_ends() -> None:
    line = "x" * 999 + "\n"
    parts = await texts("text/plain", (line * 250).encode())
    assert [len(part) for part in parts] == [LONGEST_PAGE, LONGEST_PAGE, 50_000]
    assert "".join(parts) == line * 250


@pytest.mark.parametrize(
    ("media_type", "content", "bounds", "told"),
    [
        (PDF, b"%PDF-1.7 and nothing else", BOUNDS, "damaged"),
        (PDF, pdf("x")[:200], BOUNDS, "damaged"),
        (PDF, pdf(*["x"] * 30), ReadingBounds(pages=20), "30 pages, and at most 20"),
        (DOCX, docx("x")[:100], BOUNDS, "cannot be opened"),
        (DOCX, archive({"other.xml": "<x/>"}), BOUNDS, "its text is missing"),
        (XLSX, archive({"other.xml": "<x/>"}), BOUNDS, "its sheets are missing"),
        (PPTX, archive({"other.xml": "<x/>"}), BOUNDS, "its slides are missing"),
        (DOCX, archive({"word/document.xml": "<w:document>"}), BOUNDS, "damaged"),
        (
            DOCX,
            archive({"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
            BOUNDS,
            "damaged",
        ),
        (DOCX, archive({"word/document.xml": b" " * (4 << 20)}), BOUNDS, "far more"),
        (
            DOCX,
            archive(
                {
                    "word/document.xml": b" " * (4 << 20),
                    "pad.bin": random.Random(1).randbytes(99_000),
                }
            ),
            BOUNDS,
            "far more",
        ),
        (
            DOCX,
            archive({"word/document.xml": b" " * 1000}),
            ReadingBounds(archive_bytes=500),
            "more than 500 bytes",
        ),
        (
            DOCX,
            archive({f"{number}.xml": "" for number in range(30)}),
            ReadingBounds(archive_members=20),
            "more than 20 parts",
        ),
        ("text/plain", b"x" * 5000, ReadingBounds(characters=1000), "longer than 1,000"),
        ("text/plain", b"x" * 2000, ReadingBounds(characters=1000), "longer than 1,000"),
        ("text/plain", b"\f" * 30, ReadingBounds(pages=20), "more than 20 pages"),
        ("text/plain", b"x" * 100 + b"\0\1", BOUNDS, "something else"),
        ("image/png", png(1, 1)[:40], BOUNDS, "damaged"),
        ("image/png", b"GIF89a", BOUNDS, "damaged"),
        ("image/png", png(30_000, 30_000, rows=b"\0"), BOUNDS, "40,000,000 pixels"),
        ("image/png", png(8000, 8000, rows=b"\0"), BOUNDS, "40,000,000 pixels"),
    ],
)
async def test_what_cannot_be_read(
    media_type: str, content: bytes, bounds: ReadingBounds, told: str
) -> None:
    assert told in await reason(media_type, content, bounds)


@pytest.mark.parametrize(
    ("markup", "text"),
    [("<!--a", "x"), ("<a ", "x"), ("<![", "x"), ("<b>", "x" + "\ny")],
    ids=["comments", "tags", "declarations", "elements"],
)
async def test_markup_that_does_not_end_is_read_in_one_pass(markup: str, text: str) -> None:
    """A parser that looks for each end anew takes minutes."""
    content = f"<p>x</p>{markup * 80_000}<p>y"
    found = await texts(HTML, content.encode(), ReadingBounds(seconds=5.0))
    assert found[0].startswith(text)


async def test_a_locked_pdf() -> None:
    writing = pytest.importorskip("pypdf").PdfWriter(clone_from=io.BytesIO(pdf("Secret")))
    writing.encrypt("password")
    out = io.BytesIO()
    writing.write(out)
    assert "password" in await reason(PDF, out.getvalue())


async def test_a_locked_archive() -> None:
    packed = bytearray(docx("Secret"))
    with zipfile.ZipFile(io.BytesIO(bytes(packed))) as opened:
        assert opened.infolist()
    at = packed.index(b"PK\x01\x02")
    packed[at + 8] |= 1
    assert "password" in await reason(DOCX, bytes(packed))


async def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_GRACE_S", 0.0)
    told = await reason("text/plain", b"x", ReadingBounds(seconds=0.001))
    assert told == "It takes longer to read than 0.001 seconds."


async def test_the_time_of_whoever_reads_the_pages_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    clock, skipped = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: clock() + skipped)
    found: list[ReadPage | ReadImage] = []
    async for item in ProcessReading(BOUNDS).read("text/plain", pieces(b"a\fb\fc")):
        found.append(item)
        skipped += 2 * BOUNDS.seconds
        passed = asyncio.Event()
        loop.call_later(0.01, passed.set)
        await passed.wait()
    assert len(found) == 3


async def test_what_computes_too_long_is_ended() -> None:
    told = await reason(HTML, b"<p>" * 6_000_000, ReadingBounds(seconds=0.0, characters=20_000_000))
    assert told in (
        "It takes longer to read than 0 seconds.",
        "It takes more to read than there is for one file.",
    )


async def test_what_takes_too_much_memory_is_ended() -> None:
    bounds = ReadingBounds(memory_bytes=300 << 20, characters=1 << 30)
    assert "memory" in await reason("text/plain", b"x" * (160 << 20), bounds)


async def test_nothing_is_left_running_when_the_reader_stops() -> None:
    """Of a hundred thousand pages it would write on, were it not ended."""
    before = {child.pid for child in psutil.Process().children()}
    bounds = ReadingBounds(seconds=60.0, pages=100_000)
    reading = ProcessReading(bounds).read("text/plain", pieces(b"page\f" * 90_000))
    first = await anext(reading)
    assert isinstance(first, ReadPage)
    [started] = [one for one in psutil.Process().children() if one.pid not in before]
    await reading.aclose()
    assert not started.is_running()


@pytest.mark.parametrize(
    ("kind", "mode", "remade"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("GIF", "P", "image/png"),
        ("WEBP", "RGB", "image/png"),
    ],
)
async def test_images_are_made_anew(kind: str, mode: str, remade: str) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif[0x0112] = 6  # turned by a quarter
    turned = {"exif": exif} if kind == "JPEG" else {}
    Image.new(mode, (600, 300)).save(out, kind, **turned)
    bounds = ReadingBounds(image_edge=200)
    [image] = await read(f"image/{kind.lower()}", out.getvalue() + b"<script>", bounds)
    assert isinstance(image, ReadImage)
    assert image.media_type == remade
    assert b"secret" not in image.octets
    assert b"<script>" not in image.octets
    with Image.open(io.BytesIO(image.octets)) as opened:
        assert opened.size == ((100, 200) if turned else (200, 100))


async def test_what_is_written_beside_a_picture_is_not_kept() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(
        out, "JPEG", comment=b"secret", icc_profile=b"secret", xmp=b"secret"
    )
    [image] = await read("image/jpeg", out.getvalue())
    assert b"secret" in out.getvalue()
    assert isinstance(image, ReadImage)
    assert b"secret" not in image.octets


_OVERRUN = """
import sys
from cartrita.adapters.file_reading import main, plain

def pages(file, bounds):
    for path in sys.argv[2:]:
        try:
            yield open(path).read(), 1.0
        except OSError as error:
            yield error.strerror, 1.0

plain.pages = pages
main.main()
"""


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
def test_a_reader_that_a_file_has_taken_over_reads_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("heliotrope")
    order = msgspec.json.encode(ReadingOrder("text/plain", BOUNDS)).decode()
    command = [sys.executable, "-c", _OVERRUN, order, str(secret), "/proc/self/environ"]
    ran = subprocess.run(command, input=b"", capture_output=True, check=True, timeout=60)
    told = [msgspec.json.decode(line)["text"] for line in ran.stdout.splitlines()[:-1]]
    assert told == ["Permission denied", "Permission denied"]
