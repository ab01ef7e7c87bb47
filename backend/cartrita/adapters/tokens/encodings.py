"""tiktoken's encodings, read from ranks in this package and never from the network.

tiktoken fetches its ranks when an encoding is first used; here its loader is replaced by one that
reads the packaged files, whose SHA-256 tiktoken itself knows and this loader checks. The files are
those that tiktoken (MIT licence) publishes, compressed.
"""

import base64
import gzip
import hashlib
import threading
from functools import cache
from importlib import import_module
from importlib.resources import files
from io import BytesIO
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

DEFAULT: Final = "o200k_base"
"""The encoding of OpenAI's current models, and the nearest that we have to all others."""
_RANKS: Final = files("cartrita.adapters.tokens").joinpath("ranks")


class Encoding(Protocol):
    """What we use of a tiktoken encoding."""

    def encode_ordinary(self, text: str) -> list[int]: ...


class Encodings:
    """Encodings by name, each loaded in a thread of its own when it is first asked for.

    Loading takes a third of a second, which must not hold up an event loop, and an encoding takes
    up to 45 MB, which a server that never counts should not spend.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Encoding | None] = {}
        self._loading: set[str] = set()
        self._lock = threading.Lock()

    def get(self, name: str) -> Encoding | None:
        """The encoding; None while it is being loaded, and without tiktoken."""
        with self._lock:
            if name not in self._loaded and name not in self._loading:
                self._loading.add(name)
                threading.Thread(target=self.load, args=(name,), daemon=True).start()
            return self._loaded.get(name)

    def load(self, name: str) -> Encoding | None:
        """Load an encoding, and wait for it."""
        loaded = _load(name)
        with self._lock:
            self._loaded[name] = loaded
        return loaded


@cache
def encoding_name(model: str) -> str | None:
    """The name of the encoding of an OpenAI model; None for models of others, or unknown ones.

    `gpt-4`, `gpt-4.1` and `gpt-5.4` are told apart by the longest prefix that is known.
    """
    name = model.rpartition("/")[2]
    known = [prefix for prefix in _ENCODINGS if name.startswith(prefix)]
    return _ENCODINGS[max(known, key=len)] if known else None


_ENCODINGS: Final = {
    "gpt-3.5": "cl100k_base",
    "gpt-4": "cl100k_base",
    "gpt-4o": DEFAULT,
    "gpt-4.1": DEFAULT,
    "gpt-4.5": DEFAULT,
    "gpt-5": DEFAULT,
    "gpt-oss": DEFAULT,
    "chatgpt-4o": DEFAULT,
    "o1": DEFAULT,
    "o3": DEFAULT,
    "o4": DEFAULT,
    "text-embedding-": "cl100k_base",
}


def _load(name: str) -> Encoding | None:
    """The encoding, read from its file; None without tiktoken."""
    try:
        tiktoken = import_module("tiktoken")
        public = import_module("tiktoken_ext.openai_public")
    except ImportError:
        return None
    setattr(public, "load_tiktoken_bpe", _load_ranks)  # noqa: B010 - the module is untyped
    parts: dict[str, Any] = public.ENCODING_CONSTRUCTORS[name]()
    encoding = tiktoken.Encoding(**parts)
    parts["mergeable_ranks"].clear()  # 30 MB, of which the encoding has made its own copy
    return cast("Encoding", encoding)


def _load_ranks(url: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """Replaces tiktoken's loader: the ranks in the packaged file that has the name of the URL."""
    name = urlsplit(url).path.rpartition("/")[2]
    data = gzip.decompress(_RANKS.joinpath(f"{name}.gz").read_bytes())
    if expected_hash is not None and hashlib.sha256(data).hexdigest() != expected_hash:
        raise ValueError(f"{name} of this package is not what this version of tiktoken expects")
    lines = (line.split() for line in BytesIO(data))
    return {base64.b64decode(token): int(rank) for token, rank in lines}
