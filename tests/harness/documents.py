"""Files as tests upload them: PDFs, office documents, images, and what only looks like one."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
REFERENCES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = {"[Content_Types].xml": "<Types/>"}


def pdf(*pages: str, trailer: bool = True, table: bool = True) -> bytes:
    """A PDF with a line of text on each page; without its table only pdfminer can open it."""
    objects: list[bytes] = [b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    parent = 2 + 2 * len(pages)
    kids: list[bytes] = []
    for text in pages:
        stream = b"BT /F1 12 Tf 72 720 Td (" + text.encode("latin-1") + b") Tj ET"
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 1 0 R >> >> >>" % (parent, len(objects))
        )
        kids.append(b"%d 0 R" % len(objects))
    objects.append(b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(pages), b" ".join(kids)))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    out = bytearray(b"%PDF-1.4\n")
    offsets: list[int] = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    if not trailer:
        return bytes(out)
    root = b"trailer << /Size %d /Root %d 0 R >>\n" % (len(objects) + 1, len(objects))
    if not table:
        return bytes(out) + root
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += root + b"startxref\n%d\n%%%%EOF" % start
    return bytes(out)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive of these parts, the same whenever it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def docx(*paragraphs: str) -> bytes:
    """A Word document; a paragraph `---` is a page break."""
    body = "".join(
        '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        if text == "---"
        else f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
        for text in paragraphs
    )
    document = f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return archive({**_TYPES, "word/document.xml": document})


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | int]]]) -> bytes:
    """A workbook; texts are in its table of shared strings."""
    strings: list[str] = []
    parts: dict[str, str | bytes] = dict(_TYPES)
    entries = relations = ""
    for number, (name, rows) in enumerate(sheets.items(), 1):
        lines = "".join(
            f"<row>{''.join(_cell(value, strings) for value in row)}</row>" for row in rows
        )
        data = f'<worksheet xmlns="{SHEET}"><sheetData>{lines}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{number}.xml"] = data
        entries += f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        relations += f'<Relationship Id="rId{number}" Target="worksheets/sheet{number}.xml"/>'
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{SHEET}" xmlns:r="{REFERENCES}"><sheets>{entries}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = _relations(relations)
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{SHEET}">{shared}</sst>'
    return archive(parts)


def pptx(*slides: str) -> bytes:
    """A presentation with a line of text on each slide, whose parts are numbered backwards."""
    parts: dict[str, str | bytes] = dict(_TYPES)
    entries = relations = ""
    for number, text in enumerate(slides):
        part = len(slides) - number
        parts[f"ppt/slides/slide{part}.xml"] = (
            f'<p:sld xmlns:p="{SLIDES}" xmlns:a="{DRAWING}"><a:p><a:t>{text}</a:t></a:p></p:sld>'
        )
        entries += f'<p:sldId id="{256 + number}" r:id="rId{number}"/>'
        relations += f'<Relationship Id="rId{number}" Target="slides/slide{part}.xml"/>'
    parts["ppt/presentation.xml"] = (
        f'<p:presentation xmlns:p="{SLIDES}" xmlns:r="{REFERENCES}">'
        f"<p:sldIdLst>{entries}</p:sldIdLst></p:presentation>"
    )
    parts["ppt/_rels/presentation.xml.rels"] = _relations(relations)
    return archive(parts)


def png(width: int, height: int, *, rows: bytes | None = None) -> bytes:
    """A black PNG of these dimensions; with other `rows`, one that only claims them."""
    pixels = rows if rows is not None else (b"\0" * (1 + 3 * width)) * height
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def form(
    *files: tuple[str, str, bytes], fields: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """The Content-Type and the body of a form; a file is its field, its name and its bytes."""
    boundary = "cartrita-test-boundary"
    out = bytearray()
    for field, name, content in files:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "surrogateescape")
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; '.encode()
        out += b'filename="' + quoted + b'"\r\nContent-Type: text/plain\r\n\r\n'
        out += content + b"\r\n"
    for name, value in (fields or {}).items():
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        out += value.encode() + b"\r\n"
    out += f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", bytes(out)


def _cell(value: str | int, strings: list[str]) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    strings.append(value)
    return f'<c t="s"><v>{len(strings) - 1}</v></c>'


def _relations(entries: str) -> str:
    return f'<Relationships xmlns="{RELATIONS}">{entries}</Relationships>'


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + checksum
