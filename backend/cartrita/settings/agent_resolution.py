"""Reads the agents of the file, the tables `[agents.ID]`, and the files of their instructions."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from cartrita.settings.agents import RESERVED_ID, ConfiguredAgent
from cartrita.settings.errors import Source, display_value
from cartrita.settings.sources import RawSettings

_FILE = "instructions_file"


def resolve_agents(raw: RawSettings, cwd: Path) -> tuple[ConfiguredAgent, ...]:
    """The agents, without those that are invalid: their errors are added to `raw`."""
    agents: list[ConfiguredAgent] = []
    for name, table in raw.agents.items():
        given = _with_instructions(name, table, raw, cwd)
        if given is None:
            continue
        try:
            agents.append(ConfiguredAgent.model_validate({**given, "id": name}))
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                path = ".".join(map(str, ("agents", name, *problem["loc"])))
                value = display_value(problem["input"])
                told = problem["msg"][:1].lower() + problem["msg"][1:]
                raw.errors.append(Source(path, raw.file).message(f"{value} is refused: {told}"))
    return tuple(_with_names_of_their_own(agents, raw))


def _with_names_of_their_own(
    agents: Iterable[ConfiguredAgent], raw: RawSettings
) -> Iterator[ConfiguredAgent]:
    """The agents, without those whose alias is the id or an alias of another in the file."""
    taken = set(raw.agents)
    for agent in agents:
        aliases = agent.aliases or ()
        if twice := taken.intersection(aliases) | {RESERVED_ID}.intersection(aliases):
            source = Source(f"agents.{agent.id}.aliases", raw.file)
            raw.errors.append(source.message(f"{display_value(min(twice))} names another agent"))
            continue
        taken.update(aliases)
        yield agent


def _with_instructions(
    name: str, table: Mapping[str, object], raw: RawSettings, cwd: Path
) -> dict[str, object] | None:
    """The table with the text of its file in place of the path; None if that is not readable."""
    given = dict(table)
    path = given.pop(_FILE, None)
    if path is None:
        return given
    source = Source(f"agents.{name}.{_FILE}", raw.file)
    if not isinstance(path, str) or "instructions" in table:
        raw.errors.append(source.message("give a path, or the text as `instructions`, not both"))
        return None
    try:
        given["instructions"] = (cwd / path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raw.errors.append(source.message(f"{display_value(path)} is no text file to be read"))
        return None
    return given
