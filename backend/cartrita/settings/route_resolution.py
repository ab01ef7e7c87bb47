"""Reads the routes of the file, the tables `[routes.NAME]`."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias, cast

from cartrita.settings.errors import Source, display_value, unknown_name
from cartrita.settings.routes import ConfiguredRoute, ConfiguredTarget
from cartrita.settings.sources import RawSettings

RouteTable: TypeAlias = Mapping[str, object]
Problem: TypeAlias = tuple[str, str]
"""The dotted path of a key, and what is wrong with its value."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_TARGET = re.compile(r"[a-z][a-z0-9_-]{0,31}(/\S+)?")
_KEYS = ("deployments", "continue_with", "cache_ttl_s")
_TARGET_KEYS = ("model", "weight")
_EXAMPLE = 'deployments = ["openai/gpt-5.4", "ollama/llama3.1:8b"]'
_LONGEST_TTL = 86_400.0
_MOST_WEIGHT = 1000


def resolve_routes(raw: RawSettings) -> tuple[ConfiguredRoute, ...]:
    """The routes, without those that are invalid: their errors are added to `raw`."""
    routes: list[ConfiguredRoute] = []
    for name, table in raw.routes.items():
        problems = list(_problems(name, table))
        for path, text in problems:
            raw.errors.append(Source(f"routes.{path}", raw.file).message(text))
        if not problems:
            routes.append(_route(name, table))
    return tuple(routes)


def _route(name: str, table: RouteTable) -> ConfiguredRoute:
    deployments = cast("list[str | dict[str, object]]", table["deployments"])
    targets = [
        ConfiguredTarget(model=one)
        if isinstance(one, str)
        else ConfiguredTarget.model_validate(one)
        for one in deployments
    ]
    return ConfiguredRoute.model_validate({**table, "name": name, "deployments": targets})


def _problems(name: str, table: RouteTable) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        yield name, "it is not a route's name; use letters, digits and . _ : -"
    for key in table:
        if key not in _KEYS:
            yield f"{name}.{key}", unknown_name(key, _KEYS)
    yield from _deployment_problems(name, table.get("deployments"))
    manner = table.get("continue_with", "same")
    if manner not in ("same", "any"):
        yield f"{name}.continue_with", f"{display_value(manner)} is not one of same, any"
    ttl = table.get("cache_ttl_s", 1.0)
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 0 < ttl <= _LONGEST_TTL:
        text = f"{display_value(ttl)} is not a number of seconds from 0 to {_LONGEST_TTL:.0f}"
        yield f"{name}.cache_ttl_s", text


def _deployment_problems(name: str, deployments: object) -> Iterator[Problem]:
    if not isinstance(deployments, list) or not deployments:
        yield f"{name}.deployments", f"it is not a list of deployments; write {_EXAMPLE}"
        return
    for number, target in enumerate(cast("list[object]", deployments)):
        path = f"{name}.deployments[{number}]"
        if isinstance(target, dict):
            yield from _target_problems(path, cast("dict[str, object]", target))
        elif not _is_target(target):
            yield path, f"{display_value(target)} is not provider/model"


def _target_problems(path: str, target: Mapping[str, object]) -> Iterator[Problem]:
    for key in target:
        if key not in _TARGET_KEYS:
            yield f"{path}.{key}", unknown_name(key, _TARGET_KEYS)
    if not _is_target(target.get("model")):
        yield f"{path}.model", f"{display_value(target.get('model'))} is not provider/model"
    weight = target.get("weight", 1)
    if not isinstance(weight, int) or isinstance(weight, bool) or not 1 <= weight <= _MOST_WEIGHT:
        text = f"{display_value(weight)} is not a whole number from 1 to {_MOST_WEIGHT}"
        yield f"{path}.weight", text


def _is_target(value: object) -> bool:
    return isinstance(value, str) and _TARGET.fullmatch(value) is not None
