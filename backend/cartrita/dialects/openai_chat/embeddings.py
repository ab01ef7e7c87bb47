"""Requests for embeddings of our own, and their answers."""

from collections.abc import Sequence

import msgspec

from cartrita.domain.errors import UpstreamMalformed


class _Request(msgspec.Struct, frozen=True):
    model: str
    input: tuple[str, ...]
    encoding_format: str = "float"


class _Embedding(msgspec.Struct, frozen=True):
    index: int
    embedding: list[float]


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Embedding]


_decode = msgspec.json.Decoder(_Answer).decode


def render_request(model: str, texts: Sequence[str]) -> bytes:
    """The body of a request for these texts.

    The format is told, because some servers answer with base64 without it.
    """
    return msgspec.json.encode(_Request(model, tuple(texts)))


def parse_answer(body: bytes, count: int, provider: str) -> list[list[float]]:
    """The vectors in the order of the texts, which are so many. Raises UpstreamMalformed."""
    try:
        found = sorted(_decode(body).data, key=lambda one: one.index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _malformed(provider) from None
    lengths = {len(one.embedding) for one in found}
    if [one.index for one in found] != [*range(count)] or len(lengths) != 1 or 0 in lengths:
        raise _malformed(provider)
    return [one.embedding for one in found]


def _malformed(provider: str) -> UpstreamMalformed:
    return UpstreamMalformed(
        f"{provider} sent embeddings that are not those of the texts.", provider=provider
    )
