"""The errors of chat completions: those of all of OpenAI's APIs."""

from cartrita.dialects.openai_errors import from_frame, from_response

__all__ = ["from_frame", "from_response"]
