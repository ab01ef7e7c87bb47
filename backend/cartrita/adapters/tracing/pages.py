"""Pages for people, which answer 200 where a server of ours should: a portal, or one to sign in."""

from collections.abc import Mapping
from typing import Final

_PAGES: Final = ("text/html", "application/xhtml+xml")


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether an answer is one; its headers have lower-case names."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in _PAGES
