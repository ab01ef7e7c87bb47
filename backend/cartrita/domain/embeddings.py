"""Embeddings: texts as vectors, of which those of texts that mean the like lie close together."""

import math
from array import array
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

from cartrita.domain.files import ContentId

Vector: TypeAlias = "array[float]"
"""Single floats; of the length 1, so that the product of two is their cosine."""


LOCAL_PROVIDER: Final = "local"
LOCAL_MODEL: Final = f"{LOCAL_PROVIDER}/all-minilm-l6-v2"
"""The model that runs on this machine, and needs no provider."""


class PassageKey(msgspec.Struct, frozen=True):
    """Which passage."""

    content_id: ContentId
    page: int
    number: int


class UnembeddedPassage(msgspec.Struct, frozen=True):
    """A passage that no embedding of a model is stored of."""

    key: PassageKey
    owner_id: str
    text: str


class EmbeddedPassage(msgspec.Struct, frozen=True):
    """A passage with its embedding; None if the model refuses its text."""

    key: PassageKey
    vector: "Vector | None"


def unit_vector(values: Iterable[float]) -> Vector:
    """The vector of this direction. Raises ValueError if it has none."""
    found = array("f", values)
    length = math.sqrt(sum(value * value for value in found))
    if not 0.0 < length < math.inf:
        raise ValueError("It has no direction.")
    return array("f", (value / length for value in found))
