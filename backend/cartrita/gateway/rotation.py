"""Rotation: equals take turns by their weights."""

from collections.abc import Sequence

from cartrita.gateway.routes import Deployment


class Rotation:
    """Smooth weighted round-robin: of weights 2 and 1, the turns are a, b, a."""

    def __init__(self) -> None:
        self._credits: dict[Deployment, int] = {}

    def order(self, equals: Sequence[tuple[Deployment, int]]) -> list[Deployment]:
        """The equals, the one whose turn it is first."""
        total = 0
        for deployment, weight in equals:
            total += weight
            self._credits[deployment] = self._credits.get(deployment, 0) + weight
        ordered = sorted((one for one, _ in equals), key=lambda one: -self._credits[one])
        self._credits[ordered[0]] -= total
        return ordered
