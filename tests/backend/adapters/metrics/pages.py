"""Pages of metrics, read by prometheus_client's own parser."""

from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Page(NamedTuple):
    """The samples of a page by name and labels, and the kinds of its families by name."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]
    kinds: dict[str, str]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels, and perhaps others."""
        wanted = set(labels.items())
        return sum(
            value for (named, has), value in self.samples.items() if named == name and wanted <= has
        )

    def label_values(self, name: str, label: str) -> set[str]:
        """All values of a label of one metric."""
        found = (dict(has) for named, has in self.samples if named == name)
        return {labels[label] for labels in found if label in labels}

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.samples}


def parsed(text: str) -> Page:
    """A page as Prometheus reads it."""
    page = Page({}, {})
    for family in text_string_to_metric_families(text):
        page.kinds[family.name] = family.type
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in page.samples, sample
            page.samples[key] = sample.value
    return page
