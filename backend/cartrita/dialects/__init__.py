"""Translations between wire formats of model APIs and the domain, without I/O.

Each folder is one format, with the same files: `types`, `request`, `response`, `stream`, `errors`
and, where tool calls arrive in parts, `tool_calls`.
"""
