"""The built files of the console, which lie in `assets` as `frontend-contract/console` made them.

Their names hold hashes of what is in them, and each lies there compressed, too.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

INDEX: Final = "index.html"
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_CODINGS: Final = {"br": ".br", "gzip": ".gz", "identity": ""}
"""The best first; as HTTP calls them, and how their files end."""


class BuiltFile(msgspec.Struct, frozen=True):
    """One file: `contents` are its bytes by content coding, as they are under `identity`."""

    media_type: str
    digest: str
    contents: Mapping[str, bytes]

    def coding_for(self, accept_encoding: str) -> str:
        """The best coding that a header Accept-Encoding allows."""
        accepted = dict(_preference(each) for each in accept_encoding.lower().split(",") if each)
        others = accepted.get("*", False)
        usable = (each for each in self.contents if accepted.get(each, others))
        return next(usable, "identity")


@cache
def built_files() -> Mapping[str, BuiltFile]:
    """Every file by its name. Read once."""
    folder = files("cartrita.surfaces.console").joinpath("assets")
    contents = {one.name: one.read_bytes() for one in folder.iterdir()}
    endings = tuple(ending for ending in _CODINGS.values() if ending)
    return {
        name: BuiltFile(
            _MEDIA_TYPES[name[name.rindex(".") :]],
            hashlib.sha256(content).hexdigest()[:32],
            {
                coding: contents[name + ending]
                for coding, ending in _CODINGS.items()
                if name + ending in contents
            },
        )
        for name, content in contents.items()
        if not name.endswith(endings)
    }


def _preference(part: str) -> tuple[str, bool]:
    """A content coding, and whether it is wanted at all."""
    coding, _, parameter = (each.strip() for each in part.partition(";"))
    quality = parameter.removeprefix("q=").strip()
    return coding, not quality or quality.strip("0.") != ""
