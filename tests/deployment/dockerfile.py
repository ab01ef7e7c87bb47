"""Reads a Dockerfile: its instructions, by stage."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `flags` are its leading --name=value."""

    word: str
    rest: str
    flags: dict[str, str]

    @property
    def exec_form(self) -> list[str] | None:
        """The JSON list of an exec form; None for a shell form."""
        return json.loads(self.rest) if self.rest.startswith("[") else None


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list[Instruction])

    def all(self, word: str) -> list[Instruction]:
        return [one for one in self.instructions if one.word == word]

    def last(self, word: str) -> Instruction:
        return self.all(word)[-1]


def read(path: Path) -> list[Stage]:
    """The stages in order."""
    stages: list[Stage] = []
    for line in _logical_lines(path.read_text()):
        instruction = _instruction(line)
        if instruction.word == "FROM":
            image, _, name = instruction.rest.partition(" AS ")
            stages.append(Stage(image, name))
        elif stages:
            stages[-1].instructions.append(instruction)
    return stages


def _logical_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def _instruction(line: str) -> Instruction:
    word, _, rest = line.partition(" ")
    flags: dict[str, str] = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(word, rest.strip(), flags)
