"""The smallest request of this dialect, for tests of a connection."""

import msgspec


def render_probe(model: str, prompt: str, *, stream: bool) -> bytes:
    """A request for a chat completion, with the fields only that every server of this API knows."""
    return msgspec.json.encode(
        {"model": model, "messages": [{"role": "user", "content": prompt}], "stream": stream}
    )
