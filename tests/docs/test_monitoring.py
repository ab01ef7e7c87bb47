"""The page on metrics, the dashboard and the alerts name what there is, and all of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from tests.docs.snippets import ROOT

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.families import Family

FAMILIES = {family.name: family for family in Catalogue()}
PAGE = (ROOT / "docs" / "monitoring.md").read_text()
FOLDER = ROOT / "docs" / "monitoring"
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())
_NAME = re.compile(r"\bcartrita_[a-z0-9_]+\b")
_SELECTOR = re.compile(r"\b(cartrita_[a-z0-9_]+)\{([^}]*)\}")
_MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"[^"]*"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")
_OF_TARGETS = {"instance", "job"}
"""Labels that Prometheus itself adds."""


def told(family: Family) -> set[str]:
    """The names of the samples of a family."""
    if family.kind == "histogram":
        return {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
    return {family.name}


SAMPLES = {name: family for family in FAMILIES.values() for name in told(family)}


def labels_of(family: Family) -> set[str]:
    return {*family.labels, *_OF_TARGETS, *(("le",) if family.kind == "histogram" else ())}


def panels() -> list[dict[str, Any]]:
    return [each for each in DASHBOARD["panels"] if each["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard and of the alerts, with where it stands."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in ALERTS["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]


def documented() -> dict[str, tuple[str, list[str]]]:
    """The kind and the labels of each metric in the table of the page."""
    rows = re.findall(r"(?m)^\| `(cartrita_\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$", PAGE)
    assert len(rows) == len({name for name, _, _ in rows})
    return {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}


def test_the_page_names_every_metric_with_its_labels_and_no_other() -> None:
    expected = {name: (one.kind, list(one.labels)) for name, one in FAMILIES.items()}
    assert documented() == expected


def test_what_else_the_page_names_is_there() -> None:
    assert set(_NAME.findall(PAGE)) <= {*FAMILIES, *SAMPLES}


def test_names_are_those_of_prometheus() -> None:
    units = re.compile(r"_(seconds|bytes|dollars|fds|calls|events|max|running|open|connections)\b")
    for name, family in FAMILIES.items():
        assert re.fullmatch(r"cartrita_[a-z]+(_[a-z]+)*", name)
        assert name.endswith("_total") == (family.kind == "counter"), name
        assert family.kind != "histogram" or units.search(name), name
        assert family.meaning.endswith("."), name


def test_queries_name_what_there_is() -> None:
    for where, expression in expressions():
        names = set(_NAME.findall(expression))
        assert names <= SAMPLES.keys(), (where, names - SAMPLES.keys())
        assert names or "up{" in expression, where


def test_queries_select_and_group_by_labels_that_there_are() -> None:
    for where, expression in expressions():
        for name, selector in _SELECTOR.findall(expression):
            labels = set(_MATCHER.findall(selector))
            assert labels <= labels_of(SAMPLES[name]), (where, name, labels)
        names = _NAME.findall(expression)
        known = set[str]().union(*(labels_of(SAMPLES[name]) for name in names))
        for grouping in _GROUPING.findall(expression):
            assert {one.strip() for one in grouping.split(",")} <= known, (where, grouping)


def test_the_dashboard_shows_every_metric() -> None:
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    shown = {SAMPLES[name].name for one in queries for name in _NAME.findall(one)}
    assert shown == FAMILIES.keys()


def test_the_dashboard_can_be_imported() -> None:
    ids = [each["id"] for each in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(DASHBOARD)))
    assert used == variables
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert len({each["refId"] for each in panel["targets"]}) == len(panel["targets"])


def test_each_alert_says_what_it_is_about() -> None:
    (group,) = ALERTS["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names))
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_files_are_named_by_the_page() -> None:
    for path in FOLDER.iterdir():
        assert f"monitoring/{path.name}" in PAGE
