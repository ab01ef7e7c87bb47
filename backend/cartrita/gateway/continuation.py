"""Continuation: an answer that broke off is asked for again from where it stopped."""

from msgspec.structs import replace

from cartrita.domain.errors import (
    CartritaError,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest, asks_for_text
from cartrita.domain.token_estimates import text_tokens
from cartrita.domain.usage import Usage
from cartrita.gateway.legs import Leg
from cartrita.gateway.routes import Deployment
from cartrita.gateway.seams import Seam

PREFILL = "prefill"
INSTRUCTION = "instruction"
_GO_ON = (
    "Your last message was cut off; the reader has all of it. Go on exactly where it stops, in the "
    "middle of a word if it stops there. Begin with the very next character: no introduction, no "
    "apology, and nothing that was said already."
)
_BREAKS = (UpstreamCut, UpstreamMalformed, UpstreamOverloaded, UpstreamLimited)


class BrokenAnswer:
    """An answer that broke off: what was asked for, what was said, and what was used."""

    def __init__(self, request: ModelRequest, said: str, usage: Usage | None = None) -> None:
        """`usage` None is that of an answer whose usage was told before."""
        self._request = request
        self.said = said
        self.usage = usage or Usage()

    @classmethod
    def of(cls, leg: Leg, request: ModelRequest, error: UpstreamError) -> "BrokenAnswer | None":
        """None where the answer cannot be continued: then the error is its end."""
        if not isinstance(error, _BREAKS) or not asks_for_text(
            request.response_format, request.sampling
        ):
            return None
        try:
            partial = leg.partial()
        except CartritaError:  # too long to keep, or not of its dialect
            return None
        said = partial.text
        return cls(request, said, leg.usage()) if partial.plain and said else None

    def request(self, deployment: Deployment, manner: str) -> ModelRequest:
        """What asks this deployment to go on, in the manner in which its model can."""
        shown = self._shown(manner)
        asked = (Message(Role.ASSISTANT, (Text(shown),)),) if shown else ()
        if manner == INSTRUCTION:
            asked = (*asked, Message(Role.USER, (Text(_GO_ON),)))
        sampling = self._request.sampling
        if sampling.max_tokens is not None:
            left = max(sampling.max_tokens - text_tokens(self.said), 1)
            sampling = replace(sampling, max_tokens=left)
        return replace(
            self._request,
            model=deployment.model,
            messages=(*self._request.messages, *asked),
            sampling=sampling,
        )

    def seam(self, manner: str) -> Seam:
        """The seam to a continuation in this manner: what follows a prefill repeats nothing."""
        unsaid = self.said[len(self._shown(manner)) :]
        return Seam("" if manner == PREFILL else self.said, unsaid)

    def _shown(self, manner: str) -> str:
        # Anthropic refuses a prefill that ends with white space.
        return self.said.rstrip() if manner == PREFILL else self.said
