"""The most that a call may use, told before it is made, and while its answer comes."""

from collections.abc import Callable
from math import ceil
from typing import Final

from cartrita.domain.errors import CartritaError
from cartrita.domain.messages import Attachment, Part, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.domain.scopes import Operation
from cartrita.domain.token_estimates import (
    BYTES_PER_TOKEN,
    PER_ATTACHMENT,
    RULE_ERROR,
    request_tokens,
    text_tokens,
)
from cartrita.gateway.calls import Call
from cartrita.gateway.profiles import find_profile
from cartrita.kit.long_work import run_long

_PER_IMAGE: Final = 4096
"""More than vendors document for the largest image that they do not scale down."""
_DATA: Final = "data:"


async def most_input(call: Call, model: str, said: str = "") -> int:
    """The most input tokens that a call may be, if it goes on from what was `said`.

    Estimates would not do: base64 has twice as many tokens as they say, and scripts that tokenizers
    do not know have one for each byte.
    """
    try:
        request = await call.read()
    except (CartritaError, RecursionError):  # it may be one that only its provider understands
        tokens = max(call.size, 1)
    else:
        tokens = await run_long(call.size, _request_bound, request)
        tokens += _most_of_text(said) if said else 0
    context = find_profile(model).context_tokens
    return tokens if context is None else min(tokens, context)


async def most_output(call: Call) -> int | None:
    """The most output tokens of all answers to a call; None where it may be any number."""
    if call.operation is Operation.EMBEDDINGS:
        return 0
    try:
        most = (await call.read()).sampling.max_tokens
    except (CartritaError, RecursionError):
        most = None
    return None if most is None else most * call.choices


def most_output_of_model(call: Call, model: str, otherwise: int) -> int:
    """The most output tokens that a model writes; `otherwise` where that is not known."""
    return (find_profile(model).output_tokens or otherwise) * call.choices


class OutputBound:
    """Bounds the output tokens of an answer from above while it is read.

    Its bytes are counted, and only where that might be too many what was written in them: then it
    is known how many of the bytes are text.
    """

    def __init__(self) -> None:
        self._size = 0
        self._counted_size = 0
        self._counted = 0
        self._rate = (1 + RULE_ERROR) / BYTES_PER_TOKEN

    def add(self, size: int) -> int:
        """So many bytes have come; the bound of the tokens in all of them."""
        self._size += size
        return self._counted + ceil((self._size - self._counted_size) * self._rate)

    def count(self, written: Callable[[], str]) -> int:
        """The same by what was written."""
        self._counted = _above(text_tokens(written()))
        self._counted_size = self._size
        if self._size:
            self._rate = min(self._rate, 2 * max(self._counted, 1) / self._size)
        return self._counted


def _request_bound(request: ModelRequest) -> int:
    tokens = request_tokens(request, _most_of_text)
    parts = (part for message in request.messages for part in message.parts)
    return tokens + sum(map(_attached, parts))


def _attached(part: Part) -> int:
    """What the attachments in a part may be more than they are counted as."""
    if isinstance(part, ToolResult):
        return sum(map(_attached, part.content))
    if not isinstance(part, Attachment):
        return 0
    if part.media_type.startswith("image/") or not (part.url or "").startswith(_DATA):
        return _PER_IMAGE - PER_ATTACHMENT
    return max(_PER_IMAGE, len(part.url or "") // BYTES_PER_TOKEN)


def _most_of_text(text: str) -> int:
    """A byte is a token at most, and so is what marks the beginning."""
    return 1 + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))


def _above(tokens: int) -> int:
    return ceil(tokens * (1 + RULE_ERROR))
