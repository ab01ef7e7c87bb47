"""Watches relayed answers that are no answers of a model in words: embeddings, token counts."""

import msgspec

from cartrita.dialects import relayed_names
from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret


class _Counts(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None


class _Body(msgspec.Struct, frozen=True):
    usage: _Counts | None = None


_decode = msgspec.json.Decoder(_Body).decode


class BodyMonitor:
    """Is fed the whole body once, which must be a JSON object; reads the input tokens in it."""

    overlong = False
    finish_reason: FinishReason | None = None

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
    ) -> None:
        """`names` are those of the model, if the request had it rewritten.

        No error repeats what the body says, so that it holds no secrets.
        """
        del secrets
        self._provider = provider
        self._names = names
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None

    def feed(self, piece: bytes) -> bytes:
        """The body to pass on. Raises UpstreamMalformed if it is no JSON object."""
        try:
            counts = _decode(piece).usage
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamMalformed(
                f"{self._provider} sent an answer that is no JSON object.", provider=self._provider
            ) from None
        if counts is not None and counts.prompt_tokens is not None:
            self.usage = Usage(input_tokens=counts.prompt_tokens)
        self.visible = self.complete = True
        return relayed_names.in_body(piece, self._names, "model")

    def deltas(self) -> list[Delta]:
        """None: it has no words that another model could continue."""
        return []

    def end(self) -> bytes:
        """Raise UpstreamCut unless there was a body."""
        if not self.complete:
            raise UpstreamCut(f"{self._provider} sent no answer.", provider=self._provider)
        return b""
