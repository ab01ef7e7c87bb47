"""Numbers for people: percentiles, medians over rounds, ratios, tables."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

Figures = Mapping[str, float]
"""One contender's numbers in one round, by what they are called in the table."""


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which a share of them lies; NaN where there are none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile of some waits."""
    return {
        f"{name} p50 ms": percentile(seconds, 0.5) * 1000,
        f"{name} p99 ms": percentile(seconds, 0.99) * 1000,
    }


def middle(rounds: Sequence[Figures]) -> dict[str, float]:
    """The median over rounds of each number."""
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}


def table(title: str, rows: Mapping[str, Figures]) -> str:
    """A Markdown table: one line for each contender."""
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    lines = [f"| {title} | {' | '.join(names)} |", f"| --- |{' --: |' * len(names)}"]
    for contender, figures in rows.items():
        cells = [_number(figures[name]) if name in figures else "-" for name in names]
        lines.append(f"| {contender} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def ratio(what: str, above: float, below: float) -> str:
    """`what` is a sentence's beginning; the rest is how many times."""
    return f"{what}: {above / below:.2f} x" if below else f"{what}: -"


def report(line: str) -> None:
    """Print at once: an interrupted benchmark has printed what it measured."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
