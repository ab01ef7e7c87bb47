"""Families of metrics: what is counted or measured under one name, by the values of its labels.

They are plain dictionaries: to count costs a quarter of what it does with prometheus_client's own
values, and what all workers have counted can be added up.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, TypeAlias

Labels: TypeAlias = tuple[str, ...]
Values: TypeAlias = dict[Labels, list[float]]
"""By the values of the labels: one number, or the counts of each bucket and their sum."""
Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Family:
    """One name. `values` are added up over all workers; those of gauges leave with theirs."""

    kind: Kind
    bounds: Sequence[float] = ()

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        self.values: Values = {}
        if not labels:  # told from the beginning
            self.values[()] = [0.0] * self.width

    @property
    def width(self) -> int:
        """How many numbers there are of each."""
        return 1

    def fits(self, labels: Labels, numbers: Sequence[float]) -> bool:
        """Whether another worker, perhaps of another version, means the same by it."""
        return len(labels) == len(self.labels) and len(numbers) == self.width


class Counter(Family):
    """What only grows."""

    kind = "counter"

    def add(self, labels: Labels, amount: float = 1.0) -> None:
        """Count so much more."""
        found = self.values.get(labels)
        if found is None:
            self.values[labels] = [amount]
        else:
            found[0] += amount


class Gauge(Family):
    """What is so much now."""

    kind = "gauge"

    def change(self, labels: Labels, amount: float) -> None:
        """It is so much more, or less, than before."""
        found = self.values.setdefault(labels, [0.0])
        found[0] += amount


class Histogram(Family):
    """How often something took about how much: up to each of the `bounds`, or more."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, *labels: str, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        super().__init__(name, meaning, *labels)

    @property
    def width(self) -> int:
        return len(self.bounds) + 2

    def observe(self, labels: Labels, value: float) -> None:
        """It was this much once more."""
        found = self.values.get(labels)
        if found is None:
            found = self.values[labels] = [0.0] * self.width
        found[bisect_left(self.bounds, value)] += 1
        found[-1] += value


def add_up(values: Values, labels: Labels, numbers: Sequence[float]) -> None:
    """Add these to what there is of the same labels."""
    found = values.get(labels)
    values[labels] = (
        list(numbers) if found is None else [a + b for a, b in zip(found, numbers, strict=True)]
    )
