"""The built files: whole, compressed as they are, checked by the page, and chosen by coding."""

import base64
import gzip
import hashlib
import re
import subprocess
from importlib.resources import files

import pytest
from tests.sdks.npm_packages import BROUGHT_NODE

from cartrita.surfaces.console.built_files import INDEX, BuiltFile, built_files

_UNPACK = (
    "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
)
_MOST = 300_000


def unpacked_by_brotli(content: bytes) -> bytes:
    """Unpacked by Node, since Python has no decoder of its own."""
    return subprocess.run(
        [BROUGHT_NODE, "-e", _UNPACK], input=content, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("name", sorted(built_files()))
def test_each_is_there_compressed_too(name: str) -> None:
    contents = built_files()[name].contents
    assert contents.keys() == {"br", "gzip", "identity"}
    assert gzip.decompress(contents["gzip"]) == contents["identity"]
    assert unpacked_by_brotli(contents["br"]) == contents["identity"]


def test_all_of_it_is_small() -> None:
    assert sum(len(file.contents["gzip"]) for file in built_files().values()) < _MOST


def test_nothing_lies_there_that_is_not_served() -> None:
    folder = files("cartrita.surfaces.console").joinpath("assets")
    served = sum(len(file.contents) for file in built_files().values())
    assert served == len([*folder.iterdir()])


def test_the_page_loads_what_is_there_as_it_is() -> None:
    html = built_files()[INDEX].contents["identity"].decode()
    loaded = re.findall(r' (?:src|href)="/assets/([^"]+)"(?: integrity="sha384-([^"]+)")?', html)
    script = next(name for name, _ in loaded if name.endswith(".js"))
    code = built_files()[script].contents["identity"].decode()
    later = set(re.findall(r"(?:/assets/|`\./)([\w.-]+\.js)", code))
    assert len(later) == 2, "the microphone's worklet, and the viewer of desktops"
    assert {name for name, _ in loaded} | later == built_files().keys() - {INDEX}
    for name, digest in loaded:
        content = built_files()[name].contents["identity"]
        assert digest or name.endswith(".svg")
        if digest:
            assert base64.b64encode(hashlib.sha384(content).digest()).decode() == digest
        assert re.fullmatch(r"\w+-[\w-]{8}\.(js|css|svg)", name), "named by a hash of its content"


def test_the_page_has_no_code_of_its_own_and_loads_nothing_from_elsewhere() -> None:
    html = built_files()[INDEX].contents["identity"].decode()
    assert not re.search(r"https?://|<style|\son\w+=|javascript:", html)
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == [""]


FILE = BuiltFile("text/css", "d", {"br": b"b", "gzip": b"g", "identity": b"i"})


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q=0.000,gzip;q=0", "identity"),
        ("*", "br"),
        ("*;q=0, gzip", "gzip"),
        ("deflate", "identity"),
        ("", "identity"),
        (";;,,q=1", "identity"),
    ],
)
def test_a_coding_is_chosen(accepted: str, coding: str) -> None:
    assert FILE.coding_for(accepted) == coding
