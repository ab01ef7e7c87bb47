"""The agents of the settings, and what is told of names in them that nothing has."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cartrita.assembly.agents import create_agents, warn_of_missing_names
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings
from cartrita.settings.agents import Agents
from cartrita.settings.tool_servers import Mcp
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.toolbox import Toolbox


def test_names_that_nothing_has_are_told_at_the_start(tmp_path: Path) -> None:
    mine = {
        "id": "mine",
        "tools": ["calculator", "calculater", "delegate", "notes__*", "other__*"],
        "delegates": ["writing", "wroter"],
    }
    servers = {"entries": [{"name": "notes", "url": "https://notes.example/mcp"}]}
    settings = Settings(
        data_dir=tmp_path,
        agents=Agents.model_validate({"entries": [mine]}),
        mcp=Mcp.model_validate(servers),
    )
    with capture_logs() as logs:
        warn_of_missing_names(settings, create_agents(settings), Toolbox((CALCULATOR,)))
    assert [(one["event"], one.get("tool") or one.get("delegate")) for one in logs] == [
        ("agent_tool_missing", "calculater"),
        ("agent_tool_missing", "other__*"),
        ("agent_delegate_missing", "wroter"),
    ]
    plain = Settings(data_dir=tmp_path)
    with capture_logs() as logs:
        warn_of_missing_names(plain, create_agents(plain), Toolbox())
    assert logs == [], "what comes with the server has tools that are off"


def configured(folder: Path, *entries: dict[str, Any]) -> Settings:
    return Settings(data_dir=folder, agents=Agents.model_validate({"entries": entries}))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            {"id": "mine", "aliases": ["coder"]},
            "agents.mine.aliases: 'coder' names the agent coder",
        ),
        ({"id": "mine", "aliases": ["code"]}, "agents.mine.aliases: 'code' names the agent coder"),
        ({"id": "writer", "aliases": ["code"]}, "'code' names the agent coder"),
        ({"id": "research"}, "agents.research: this is another name of the agent researcher"),
    ],
)
def test_a_name_of_two_agents_is_refused(tmp_path: Path, entry: Any, told: str) -> None:
    with pytest.raises(OperatorError) as refused:
        create_agents(configured(tmp_path, entry))
    assert told in str(refused.value)


def test_who_names_a_prompt_has_something_to_start_with(tmp_path: Path) -> None:
    prompt = {"name": "lawyer"}
    with pytest.raises(OperatorError) as refused:
        create_agents(configured(tmp_path, {"id": "lawyer", "instructions_prompt": prompt}))
    assert "agents.lawyer.instructions_prompt: write `instructions`" in str(refused.value)
    of_ours = {"id": "researcher", "instructions_prompt": prompt}
    given = {"id": "lawyer", "instructions_prompt": prompt, "instructions": "You read."}
    agents = create_agents(configured(tmp_path, of_ours, given))
    assert agents.find("lawyer").instructions == "You read."
    assert agents.find("lawyer").prompt is None


def test_a_name_that_an_agent_has_no_more_is_free(tmp_path: Path) -> None:
    freed: dict[str, Any] = {"id": "coder", "aliases": ["programmer", "coder"]}
    agents = create_agents(configured(tmp_path, freed, {"id": "code", "name": "Mine"}))
    assert agents.find("code").name == "Mine"
    assert agents.find("programmer").id == "coder"
