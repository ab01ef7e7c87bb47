"""Watches relayed answers that are no answers of a model in words: embeddings, token counts."""

import msgspec

from cartrita.dialects.relay_monitors import BodyMonitor
from cartrita.dialects.reported_counts import count_at
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.json import JsonValue
from cartrita.domain.usage import Usage


class _Body(msgspec.Struct, frozen=True):
    usage: JsonValue = None


_decode = msgspec.json.Decoder(_Body).decode


class CountMonitor(BodyMonitor):
    """Watches one JSON object, of which it reads the input tokens.

    No error repeats what the body says, so that it holds no secrets.
    """

    def _read(self, body: bytes) -> None:
        try:
            tokens = count_at(_decode(body).usage, "prompt_tokens")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UpstreamMalformed(
                f"{self._provider} sent an answer that is no JSON object.", provider=self._provider
            ) from None
        if tokens is not None:
            self.usage = Usage(input_tokens=tokens)
