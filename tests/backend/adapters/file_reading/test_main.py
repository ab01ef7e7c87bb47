"""What the process that reads a file writes, run here without its limits."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from PIL import Image
from tests.harness.documents import archive, docx, pdf, png, pptx, xlsx

from cartrita.adapters.file_reading import main as module
from cartrita.adapters.file_reading.orders import ReadingBounds, ReadingOrder
from cartrita.domain.media_types import DOCX, HTML, PDF, PPTX, SVG, XLSX

Lines = list[dict[str, Any]]


def unlimited(_: ReadingBounds | None = None) -> None:
    """Instead of limits and walls, which would be those of the tests."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the program on a file; what it wrote, line by line, and the bytes after an image."""

    def run(media_type: str, content: bytes, **bounds: Any) -> tuple[Lines, bytes]:
        order = msgspec.json.encode(ReadingOrder(media_type, ReadingBounds(**bounds))).decode()
        out = io.BytesIO()
        monkeypatch.setattr(module.sys, "argv", ["main", order])
        monkeypatch.setattr(module.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        monkeypatch.setattr(module.sys, "stdout", SimpleNamespace(buffer=out))
        monkeypatch.setattr(module, "apply", unlimited)
        monkeypatch.setattr(module, "shut_in", unlimited)
        monkeypatch.setattr(module, "close_inherited", lambda: None)
        try:
            module.main()
        finally:
            logging.disable(logging.NOTSET)
            monkeypatch.undo()
        first, _, rest = out.getvalue().partition(b"\n")
        if b'"type":"image"' in first:
            size = json.loads(first)["size"]
            return [json.loads(first), json.loads(rest[size:])], rest[:size]
        return [json.loads(line) for line in out.getvalue().splitlines()], b""

    return run


@pytest.mark.parametrize(
    ("media_type", "content", "texts"),
    [
        (PDF, pdf("One", "Two"), ["One", "Two"]),
        (DOCX, docx("One", "---", "Two"), ["One\n", "\nTwo\n"]),
        (XLSX, xlsx({"A": [["x", 1]], "B": []}), ["A\nx\t1", "B\n"]),
        (PPTX, pptx("One", "Two"), ["One\n", "Two\n"]),
        (HTML, b"<p>One<script>x</script></script></p><table><td>Two", ["One\nTwo"]),
        (SVG, b"<svg><text>One</text></svg>", ["One"]),
        ("text/plain", b"One\fTwo", ["One", "Two"]),
        ("text/plain", "ü".encode("utf-16"), ["ü"]),
        ("text/plain", "ü".encode("latin-1"), ["ü"]),
        ("text/plain", b"x" * 150_000, ["x" * 100_000, "x" * 50_000]),
    ],
)
def test_pages(written: Any, media_type: str, content: bytes, texts: list[str]) -> None:
    lines, _ = written(media_type, content)
    assert [line["text"] for line in lines[:-1]] == texts
    assert [line["number"] for line in lines[:-1]] == list(range(1, len(texts) + 1))
    assert lines[-1] == {"type": "end"}


@pytest.mark.parametrize(
    ("media_type", "content", "bounds", "reason"),
    [
        (PDF, b"%PDF-1.4", {}, "damaged"),
        (PDF, pdf("x", trailer=False), {}, "damaged"),
        (PDF, pdf("x", "y"), {"pages": 1}, "2 pages"),
        (DOCX, b"PK\3\4", {}, "cannot be opened"),
        (DOCX, archive({"a": "b"}), {}, "text is missing"),
        (DOCX, archive({"a": "b"}), {"archive_members": 0}, "more than 0 parts"),
        (DOCX, archive({"a": "b" * 99}), {"archive_bytes": 9}, "more than 9 bytes"),
        (DOCX, archive({"a": bytes(4 << 20)}), {}, "far more"),
        (XLSX, archive({"a": "b"}), {}, "sheets are missing"),
        (PPTX, archive({"a": "b"}), {}, "slides are missing"),
        ("text/plain", b"x\0", {}, "something else"),
        ("text/plain", b"x" * 99, {"characters": 9}, "longer than 9"),
        ("text/plain", b"x" * 20, {"characters": 9}, "longer than 9"),
        ("text/plain", b"x\fx", {"pages": 1}, "more than 1 pages"),
        ("image/png", png(90, 90), {"image_pixels": 9}, "more than 9 pixels"),
        ("image/png", b"\x89PNG", {}, "damaged"),
    ],
)
def test_reasons(
    written: Any, media_type: str, content: bytes, bounds: dict[str, int], reason: str
) -> None:
    lines, _ = written(media_type, content, **bounds)
    assert lines[-1]["type"] == "unreadable"
    assert reason in lines[-1]["reason"]


@pytest.mark.parametrize(
    ("kind", "mode", "remade"),
    [("JPEG", "L", "image/jpeg"), ("PNG", "RGBA", "image/png"), ("GIF", "RGB", "image/png")],
)
def test_images(written: Any, kind: str, mode: str, remade: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (40, 20)).save(out, kind)
    lines, octets = written(f"image/{kind.lower()}", out.getvalue(), image_edge=10)
    assert lines[0] == {"type": "image", "media_type": remade, "size": len(octets)}
    assert lines[1] == {"type": "end"}
    with Image.open(io.BytesIO(octets)) as image:
        assert image.size == (10, 5)


@pytest.mark.parametrize(
    ("name", "media_type", "content", "reason"),
    [
        ("PIL.Image", "image/png", png(1, 1), "extra `files`"),
        ("pdfminer.high_level", PDF, b"%PDF-1.4", "table of contents"),
    ],
)
def test_without_the_extra(
    written: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    media_type: str,
    content: bytes,
    reason: str,
) -> None:
    """What only the extra can read is told to need it."""
    with monkeypatch.context() as patched:
        patched.setitem(module.sys.modules, name, None)
        lines, _ = written(media_type, content)
    assert reason in lines[-1]["reason"]


def test_a_page_that_is_broken_is_empty(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("pypdf.PageObject.extract_text", fail)
        lines, _ = written(PDF, pdf("One"))
    assert [line.get("text") for line in lines] == ["", None]


def test_too_much_memory(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    for place in ("cartrita.adapters.file_reading.pdf.PdfReader", "pypdf.PageObject.extract_text"):
        with monkeypatch.context() as patched:
            patched.setattr(place, fail)
            lines, _ = written(PDF, pdf("One"))
        assert "memory" in lines[-1]["reason"]


def test_what_only_pdfminer_can_read(written: Any) -> None:
    lines, _ = written(PDF, pdf("Lost", "Found", table=False))
    assert [line.get("text") for line in lines] == ["Lost\n", "Found\n", None]
    lines, _ = written(PDF, pdf("Lost", "Found", table=False), pages=1)
    assert "at most 1 are read" in lines[-1]["reason"]
