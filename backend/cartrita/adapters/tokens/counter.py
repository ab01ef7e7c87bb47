"""Counts tokens with tiktoken where it is installed, and by the rule where it is not."""

from cartrita.adapters.tokens.encodings import DEFAULT, Encoding, Encodings, encoding_name
from cartrita.domain.ports.tokens import TokenCount
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR, request_tokens, text_tokens

OPENAI_ERROR = 0.05
"""OpenAI's models: the texts are counted exactly; what frames them is not documented for all."""
OTHER_ERROR = 0.35
"""Models of others have tokenizers of their own, most of which make more tokens of a text."""

_SAMPLE = 32 << 10
"""Characters of a request that are counted; the rest is taken to have as many tokens to the
character, so that a request of megabytes does not hold up the event loop."""


class TokenizerCounter:
    """Counts with the tokenizer of OpenAI's models, or the nearest one; implements `TokenCounter`.

    `default_model` is the OpenAI model whose tokenizer counts for models of others. The first
    counts, until the tokenizer is loaded, are by the rule.
    """

    def __init__(
        self, default_model: str | None = None, encodings: Encodings | None = None
    ) -> None:
        self._encodings = encodings or Encodings()
        self._default = encoding_name(default_model) if default_model else None

    def count_text(self, model: str, text: str) -> TokenCount:
        """See `TokenCounter`."""
        tokenizer, error_bound = self._tokenizer(model)
        if tokenizer is None:
            return TokenCount(text_tokens(text), error_bound)
        return TokenCount(_SampledCount(tokenizer)(text), error_bound)

    def count_request(self, request: ModelRequest) -> TokenCount:
        """See `TokenCounter`."""
        tokenizer, error_bound = self._tokenizer(request.model)
        if tokenizer is None:
            return TokenCount(request_tokens(request), error_bound)
        return TokenCount(request_tokens(request, _SampledCount(tokenizer)), error_bound)

    def _tokenizer(self, model: str) -> tuple[Encoding | None, float]:
        own = encoding_name(model)
        tokenizer = self._encodings.get(own or self._default or DEFAULT)
        if tokenizer is None:
            return None, RULE_ERROR
        return tokenizer, OPENAI_ERROR if own else OTHER_ERROR


class _SampledCount:
    """Counts the texts of one request: so many characters of them, and the rest in proportion."""

    def __init__(self, tokenizer: Encoding) -> None:
        self._tokenizer = tokenizer
        self._counted_characters = 0
        self._counted_tokens = 0

    def __call__(self, text: str) -> int:
        sample = text[: _SAMPLE - self._counted_characters]
        tokens = len(self._tokenizer.encode_ordinary(sample)) if sample else 0
        self._counted_characters += len(sample)
        self._counted_tokens += tokens
        rest = len(text) - len(sample)
        return tokens + -(-rest * self._counted_tokens // (self._counted_characters or 1))
