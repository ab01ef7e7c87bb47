"""What this process takes of the machine, as prometheus_client reads it from /proc."""

from collections.abc import Iterator

from prometheus_client.process_collector import ProcessCollector


class ThisProcess:
    """Nothing is known where there is no /proc."""

    def __init__(self) -> None:
        self._collector = ProcessCollector(namespace="cartrita", registry=None)

    def read(self) -> Iterator[tuple[str, float]]:
        """The names of metrics, each with its value."""
        for metric in self._collector.collect():
            for sample in metric.samples:
                yield sample.name, sample.value
