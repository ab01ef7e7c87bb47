"""The addresses of a provider's endpoints, from the base URL that is configured for it."""

from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from cartrita.domain.relays import Endpoint

PATHS = {
    Endpoint.CHAT_COMPLETIONS: "/chat/completions",
    Endpoint.RESPONSES: "/responses",
    Endpoint.EMBEDDINGS: "/embeddings",
    Endpoint.COUNT_TOKENS: "/messages/count_tokens",
    Endpoint.MESSAGES: "/messages",
}
"""The path of each endpoint, below the version of the API."""

MODELS_PATH = "/models"


def openai_url(base_url: str, path: str) -> str:
    """The URL of `path` at a server that speaks a dialect of OpenAI.

    `base_url` may already end with one of `PATHS`, which is replaced. One without a path gets
    `/v1`, where all of these servers have their API.
    """
    return _joined(base_url, path, default_version=False)


def anthropic_url(base_url: str, path: str) -> str:
    """The URL of `path` at a server that speaks Anthropic's dialect.

    `base_url` may already end with one of `PATHS`, which is replaced. One that does not end with
    `/v1` gets it, as in Anthropic's own clients.
    """
    return _joined(base_url, path, default_version=True)


def endpoint_of(base_url: str) -> Endpoint | None:
    """The endpoint that a base URL ends with; None if it is a root."""
    root = urlsplit(base_url).path.rstrip("/")
    return next((endpoint for endpoint, path in PATHS.items() if root.endswith(path)), None)


@lru_cache(maxsize=256)
def _joined(base_url: str, path: str, *, default_version: bool) -> str:
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    if endpoint := endpoint_of(base_url):
        root = root.removesuffix(PATHS[endpoint])
    elif not root or (default_version and not root.endswith("/v1")):
        root += "/v1"
    return urlunsplit(parts._replace(path=root + path))
