"""The code blocks of the documents, and how each kind is tried."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "backend" / "README.md", *(ROOT / "docs").glob("*.md")]
)
WITH_PROVIDERS = [
    path
    for name in (
        "openai-api",
        "anthropic-api",
        "gateway",
        "usage",
        "examples",
        "patterns",
        "migrating",
        "troubleshooting",
        "voice",
    )
    if (path := ROOT / "docs" / f"{name}.md").exists()
]
"""What they show runs beside a server with providers; the others, beside one that has none."""
FOR_OLDER_FRONTENDS = [ROOT / "docs" / "older-frontends.md"]
"""What it shows runs beside a server that serves them."""
RUN = {"bash", "python", "diff"}
"""Of the change that a `diff` shows in a program in Python, what it becomes runs."""
READ = {"json", "toml", "yaml", "dotenv"}
IN_ITS_OWN_ENVIRONMENT = {"typescript", "ts"}
"""Programs for other clients, and for ours: tests/typescript runs those."""
IN_A_BROWSER = {"html"}
MARKED = {"sh"}
"""The README's two lines: outsiders run them, and tests/laws looks at their shape."""
PRINTED = "<!-- printed -->"
SHOWN = {"text", "mermaid"}
"""What cannot be tried: drawings, and what somebody's own service would need."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `line` is where its fence opens, `mark` the comment line before it."""

    document: Path
    line: int
    language: str
    code: str
    mark: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> list[Block]:
    """All of a document's blocks, in order."""
    return list(_blocks(document))


def of(*languages: str) -> list[Block]:
    """The blocks of these languages, in all documents."""
    return [each for path in DOCUMENTS for each in blocks(path) if each.language in languages]


def alone(block: Block) -> bool:
    """Whether a block is marked to run in an environment of its own."""
    return block.mark == "<!-- langchain -->"


def program(block: Block) -> str:
    """What of a block runs: all of it, or what a change makes of a program."""
    return changed(block, "+") if block.language == "diff" else block.code


def changed(block: Block, side: str) -> str:
    """The program before (`-`) or after (`+`) the change that a `diff` shows."""
    lines = block.code.splitlines()
    return "".join(f"{line[1:]}\n" for line in lines if line[:1] in {"", " ", side})


def printed_after(block: Block) -> Block | None:
    """The text that is marked as what a block prints, if only words stand between."""
    following = [each for each in blocks(block.document) if each.line > block.line]
    if following and following[0].mark == PRINTED:
        return following[0]
    return None


def answer_after(block: Block) -> Block | None:
    """The JSON block that shows what a block prints: the next one, if only words stand between."""
    following = [each for each in blocks(block.document) if each.line > block.line]
    if following and following[0].language == "json":
        return following[0]
    return None


def _blocks(document: Path) -> Iterator[Block]:
    lines = document.read_text().splitlines()
    opened: tuple[int, str] | None = None
    for number, line in enumerate(lines, 1):
        fence = re.fullmatch(r"\s*```(\S*)\s*", line)
        if not fence:
            continue
        if opened is None:
            opened = (number, fence[1])
        else:
            start, language = opened
            opened = None
            code = "\n".join(lines[start : number - 1]) + "\n"
            yield Block(document, start, language, code, lines[start - 2] if start > 1 else "")
