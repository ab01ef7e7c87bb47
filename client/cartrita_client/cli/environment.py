"""What the terminal client reads of the environment."""

import os

URL = "CARTRITA_CLIENT_URL"
KEY = "CARTRITA_CLIENT_KEY"
DEFAULT_URL = "http://127.0.0.1:8000"


def url() -> str:
    """The server's address."""
    return os.environ.get(URL, "").strip() or DEFAULT_URL


def key() -> str | None:
    """The key of whoever calls."""
    return os.environ.get(KEY, "").strip() or None
