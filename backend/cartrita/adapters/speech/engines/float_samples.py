"""Samples as numpy's floats, as models take them; the engines that have models bring numpy."""

from importlib import import_module
from typing import Final

_LOUDEST: Final = 32_768.0


def float_samples(pcm: bytes) -> object:
    """An array of these samples, from -1 to 1."""
    numpy = import_module("numpy")
    return numpy.frombuffer(pcm, dtype="<i2").astype(numpy.float32) / _LOUDEST
