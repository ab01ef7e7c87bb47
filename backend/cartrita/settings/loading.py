"""From all sources to one value, or to every reason why not."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cartrita.settings import homes, strangers
from cartrita.settings.addresses import shown
from cartrita.settings.conflicts import Conflict, conflicts, doubts
from cartrita.settings.model import Settings
from cartrita.settings.problems import Origin, SettingsError
from cartrita.settings.resolution import Place, resolve
from cartrita.settings.sources import ENTRIES, entry_at, read
from cartrita.settings.values import Roots

_NONE: Mapping[str, object] = MappingProxyType({})


def load(
    environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object] = _NONE
) -> Settings:
    """The settings; lowest first: defaults, cartrita.toml, `.env`, `environ`, `overrides`.

    `overrides` has dotted names as in the file ("server.port"); None there means not given.
    Raises SettingsError, with one line for each problem there is.
    """
    found = read(environ, cwd, overrides)
    strangers.look(found, environ)
    chosen = {given.path: given for given in found.given}
    named = chosen.get(("providers", "api_provider"))
    resolved = resolve(found, str(named.value) if named else None)
    origins: dict[Place, Origin] = {path: given.origin for path, given in chosen.items()}
    origins |= resolved.origins

    home = homes.home(environ)
    tree: dict[str, object] = {"data_dir": str(homes.data_dir(environ, home))}
    for path, given in chosen.items():
        _plant(tree, path, given.value)
    _plant(tree, ("providers", "entries"), resolved.entries)
    settings, wrong = _validated(tree, origins, Roots(cwd.absolute(), home))

    problems = found.problems + [text for _, text in wrong]
    problems += _told(conflicts(settings), origins, {place for place, _ in wrong})
    if problems:
        raise SettingsError(problems)
    doubtful = _told(doubts(settings), origins, frozenset())
    warnings = (*found.warnings, *doubtful, *_without_effect(origins))
    return settings.model_copy(update={"warnings": warnings})


def _without_effect(origins: Mapping[Place, Origin]) -> list[str]:
    """About each setting that was given before the part that obeys it has landed."""
    early = [entry.path for entry in ENTRIES if not entry.setting.documented]
    text = "it is set, and this version does not act on it yet"
    return [origins[path].says(text) for path in early if path in origins]


def _validated(
    tree: dict[str, object], origins: Mapping[Place, Origin], roots: Roots
) -> tuple[Settings, list[tuple[Place, str]]]:
    """The settings without what is wrong, so that the rest can still be looked at; and what is."""
    try:
        return Settings.model_validate(tree, context=roots), []
    except ValidationError as error:
        wrong = [_wrong(detail, origins) for detail in error.errors(include_url=False)]
    for place, _ in wrong:
        _uproot(tree, place)
    return Settings.model_validate(tree, context=roots), wrong


def _wrong(detail: ErrorDetails, origins: Mapping[Place, Origin]) -> tuple[Place, str]:
    loc = detail["loc"]
    place = next(loc[:length] for length in range(len(loc), 0, -1) if loc[:length] in origins)
    reason = cast("Mapping[str, object]", detail.get("ctx", {})).get("error")
    entry = entry_at(place)
    if isinstance(reason, ValueError) or entry is None:  # a sentence of our own validators
        return place, origins[place].says(str(reason))
    fix = f"for example {entry.example}" if entry.example else "correct or remove it"
    return place, origins[place].says(f"{shown(detail['input'])} is not {entry.expected}; {fix}")


def _told(
    conflicts: Iterable[Conflict], origins: Mapping[Place, Origin], wrong: Iterable[Place]
) -> list[str]:
    """Each at the first of its places that was given; none about a value that is wrong anyway."""
    known = [one for one in conflicts if not set(one.places) & set(wrong)]
    return [
        next(origins[place] for place in one.places if place in origins).says(one.text)
        for one in known
    ]


def _plant(tree: dict[str, object], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        tree = cast("dict[str, object]", tree.setdefault(name, {}))
    tree[path[-1]] = value


def _uproot(tree: dict[str, object], place: Place) -> None:
    path = place[:2] if place[:2] == ("providers", "entries") else place
    for name in path[:-1]:
        tree = cast("dict[str, object]", tree[str(name)])
    tree.pop(str(path[-1]), None)
