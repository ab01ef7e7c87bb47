"""Names in labels: as many as there is room for, and never one that a caller made up."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

OTHER: Final = "other"
"""In place of all further names."""
_MOST: Final = 100

Knows: TypeAlias = Callable[[str, str], bool]
"""Whether (provider, model) is one of the configuration or of the provider's list."""


class BoundedNames:
    """Names that come from the configuration; the first `most` of them keep theirs."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._told: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name, or that it is another one."""
        if name in self._told:
            return name
        if len(self._told) >= self._most:
            return OTHER
        self._told.add(name)
        return name


class KnownModels:
    """Names of models, which callers write: those that are known are told, the first `most`.

    Those that the worker before has `told` keep theirs.
    """

    def __init__(self, most: int, told: Iterable[tuple[str, str]] = ()) -> None:
        self.knows: Knows = lambda provider, model: False
        self._most = most
        self._told = {key for key in told if key[1] != OTHER}

    def __call__(self, provider: str, model: str) -> str:
        """The model's name, or that it is another one."""
        key = (provider, model)
        if key in self._told:
            return model
        if len(self._told) >= self._most or not self.knows(provider, model):
            return OTHER
        self._told.add(key)
        return model
