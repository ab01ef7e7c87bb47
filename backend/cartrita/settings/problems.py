"""What keeps a server from starting, in one line each: the key, what is wrong, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class SettingsError(Exception):
    """Everything that is wrong with the configuration, at once; no line holds a secret's value."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands, as its author knows the place: `CARTRITA_PORT (environment)`."""

    key: str
    where: str

    def says(self, text: str) -> str:
        """One line about it."""
        return f"{self.key} ({self.where}): {text}{'' if text.endswith('?') else '.'}"


def no_such(name: str, known: Iterable[str]) -> str:
    """The sentence about a name nobody reads."""
    near = nearest(name, known)
    if near:
        return f"there is no such setting; did you mean {near}?"
    return "there is no such setting; remove it, docs/configuration.md lists all"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant: compared without our prefix, and by its last part."""
    bare = {_bare(one): one for one in known}
    wanted = _bare(name)
    if wanted in bare:
        return bare[wanted]
    tails = [one for one in bare if one.endswith(("_" + wanted, "." + wanted))]
    found = tails or get_close_matches(wanted, bare, n=1, cutoff=0.7)
    return bare[found[0]] if found else None


def _bare(name: str) -> str:
    return name.upper().removeprefix("CARTRITA_").casefold()
