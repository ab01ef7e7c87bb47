"""The page that Prometheus reads, written by prometheus_client."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from cartrita.adapters.metrics.families import Family, Values

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def rendered(families: Iterable[Family], values: Mapping[str, Values]) -> bytes:
    """The page of these families, with these values by their names."""
    return generate_latest(_Told([_metric(one, values[one.name]) for one in families]))


class _Told:
    """What is asked by prometheus_client for all there is."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


def _metric(family: Family, values: Values) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, values)
    made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = made(family.name, family.meaning, labels=family.labels)
    for labels, (value,) in values.items():
        metric.add_metric(labels, value)
    return metric


def _histogram(family: Family, values: Values) -> Metric:
    """A bucket has all that was no more than its bound, with what is in those before it."""
    metric = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    bounds = [*(str(float(bound)) for bound in family.bounds), "+Inf"]
    for labels, (*counts, total) in values.items():
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        metric.add_metric(labels, buckets, total)
    return metric
