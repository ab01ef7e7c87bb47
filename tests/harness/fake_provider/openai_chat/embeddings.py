"""Embeddings: seeded unit vectors, as floats or base64, of the length that is asked for."""

import base64
import math
import random
import struct
from collections.abc import Sequence
from typing import Any, cast

from tests.harness.fake_provider import words
from tests.harness.fake_provider.openai import errors, limits, parameters
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.shape_checks import Shapes

Json = dict[str, object]
_LENGTH = 64
_LONGEST = 3072
_MOST = 2048
_REQUEST = "EmbeddingCreateParams"


def _inputs(value: Any, path: str) -> None:
    limits.count(1, None if _is_tokens(value) else _MOST)(value, path)
    each: list[object] = value if isinstance(value, list) else [value]
    for index, one in enumerate(each):
        where = path if one is value else f"{path}[{index}]"
        limits.count(1)(one, where)
        if one == "":
            raise errors.OpenAIRefusal(
                f"Invalid '{where}': input cannot be an empty string.", param=where
            )


_SHAPES = Shapes(
    "openai_chat", OpenAIWords(), {"input": _inputs, "dimensions": limits.integer(1, _LONGEST)}
)


def embed(body: bytes, models: Sequence[str], seed: int) -> Json:
    """Return the answer to a request, or raise the Refusal that OpenAI answers it with."""
    fields = parameters.decode(body)
    if unknown := [name for name in fields if name not in _SHAPES.fields(_REQUEST)]:
        raise errors.unrecognized(unknown)
    _SHAPES.check(_REQUEST, fields)
    if fields["model"] not in models:
        raise errors.no_such_model(cast("str", fields["model"]))
    return _answer(fields, seed)


def _answer(fields: Json, seed: int) -> Json:
    given = fields["input"]
    single = isinstance(given, str) or _is_tokens(given)
    inputs = [given] if single else cast("list[object]", given)
    length = cast("int", fields.get("dimensions", _LENGTH))
    packed = fields.get("encoding_format") == "base64"
    vectors = [_vector(f"{seed}:{each}", length) for each in inputs]
    count = sum(words.count(x) if isinstance(x, str) else len(cast("list[int]", x)) for x in inputs)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": at, "embedding": _packed(each) if packed else each}
            for at, each in enumerate(vectors)
        ],
        "model": fields["model"],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def _is_tokens(value: object) -> bool:
    """Whether the list is one text in tokens and not a list of texts."""
    return isinstance(value, list) and isinstance((*cast("list[object]", value), None)[0], int)


def _vector(key: str, length: int) -> list[float]:
    chance = random.Random(key)
    drawn = [chance.gauss(0, 1) for _ in range(length)]
    norm = math.sqrt(sum(number * number for number in drawn))
    # What four bytes hold, so that both encodings say the same.
    return list(struct.unpack(f"<{length}f", _bytes([number / norm for number in drawn])))


def _packed(vector: list[float]) -> str:
    return base64.b64encode(_bytes(vector)).decode()


def _bytes(vector: list[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)
