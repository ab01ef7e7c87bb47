"""The error responses of this API: those of all of OpenAI's APIs."""

from cartrita.dialects.openai_error_rendering import fields, render

__all__ = ["fields", "render"]
