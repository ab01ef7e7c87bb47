"""Log probabilities of tokens: made up, the same for the same token, and never above zero."""

import zlib

Json = dict[str, object]


def of(tokens: list[str], top: int) -> list[Json]:
    """Each token's own, with the `top` likeliest, of which it is the first."""
    return [_entry(token) | {"top_logprobs": _likeliest(token, top)} for token in tokens]


def _likeliest(token: str, top: int) -> list[Json]:
    others = [f"{token}{'~' * place}" for place in range(1, top)]
    return [_entry(each, place) for place, each in enumerate([token, *others][:top])]


def _entry(token: str, place: int = 0) -> Json:
    data = token.encode()
    chance = zlib.crc32(data) % 1000 / 1000
    return {"token": token, "logprob": -chance - place, "bytes": list(data)}
