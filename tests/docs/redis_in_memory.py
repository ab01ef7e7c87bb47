"""What the examples use of the package `redis`, in the memory of the program."""


class Redis:
    """Keeps texts by key; lifetimes are longer than any example."""

    def __init__(self, **where: object) -> None:
        self._texts: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._texts.get(name)

    def setex(self, name: str, time: int, value: str) -> None:
        self._texts[name] = value
