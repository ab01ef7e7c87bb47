"""Watches relayed answers that are no answers of a model in words: embeddings, token counts."""

import msgspec

from cartrita.dialects.relay_monitors import BodyMonitor
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.usage import Usage, reported_tokens


class _Counts(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None


class _Body(msgspec.Struct, frozen=True):
    usage: _Counts | None = None


_decode = msgspec.json.Decoder(_Body).decode


class CountMonitor(BodyMonitor):
    """Watches one JSON object, of which it reads the input tokens.

    No error repeats what the body says, so that it holds no secrets.
    """

    def _read(self, body: bytes) -> None:
        try:
            counts = _decode(body).usage
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamMalformed(
                f"{self._provider} sent an answer that is no JSON object.", provider=self._provider
            ) from None
        if counts is not None and counts.prompt_tokens is not None:
            self.usage = Usage(input_tokens=reported_tokens(counts.prompt_tokens))
