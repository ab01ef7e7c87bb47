"""OpenAI's chat completions API."""

DIALECT = "openai_chat"
"""The name of this dialect: what requests, parts and fields that came in it have as `origin`."""
