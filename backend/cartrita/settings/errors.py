"""The error of a bad configuration, and the sentences that it consists of."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class SettingsError(Exception):
    """Every error in the configuration, one line each; no line contains the value of a secret."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was given: `key` as it is written there, and `where`, for example `.env`."""

    key: str
    where: str

    def message(self, text: str) -> str:
        """One line about the value: `CARTRITA_PORT (environment): text.`"""
        return f"{self.key} ({self.where}): {text}{'' if text.endswith('?') else '.'}"


def display_value(value: object) -> str:
    """A bad value for an error; a long one might be a misplaced key and is not repeated."""
    if isinstance(value, dict | list | tuple):
        return "a table" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) < 32 else f"a value of {len(str(value))} characters"


def unknown_name(name: str, known: Iterable[str]) -> str:
    """The sentence about a name that is no setting."""
    closest = closest_name(name, known)
    if closest:
        return f"there is no such setting; did you mean {closest}?"
    return "there is no such setting; remove it, docs/configuration.md lists all"


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant: compared without our prefix, and by its last part."""
    by_bare_name = {_bare(one): one for one in known}
    wanted = _bare(name)
    if wanted in by_bare_name:
        return by_bare_name[wanted]
    same_end = [one for one in by_bare_name if one.endswith(("_" + wanted, "." + wanted))]
    matches = same_end or get_close_matches(wanted, by_bare_name, n=1, cutoff=0.7)
    return by_bare_name[matches[0]] if matches else None


def _bare(name: str) -> str:
    return name.upper().removeprefix("CARTRITA_").casefold()
