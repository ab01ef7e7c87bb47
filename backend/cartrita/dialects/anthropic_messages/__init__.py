"""Anthropic's Messages API."""

DIALECT = "anthropic_messages"
"""The name of this dialect: what requests, parts and fields that came in it have as `origin`."""
