"""The smallest request of this dialect, for tests of a connection."""

import msgspec


def render_probe(model: str, prompt: str, *, stream: bool) -> bytes:
    """A request for a response, with the fields only that every server of this API knows."""
    return msgspec.json.encode({"model": model, "input": prompt, "stream": stream, "store": False})
