"""Token counting with OpenAI's tokenizers, whose ranks come with this package."""
