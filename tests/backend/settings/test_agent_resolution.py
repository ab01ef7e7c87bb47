"""The agents of the file: what they change, and what is refused of them."""

from pathlib import Path

import pytest

from cartrita.settings.errors import SettingsError
from cartrita.settings.loader import load


def agents_of(folder: Path, text: str) -> dict[str, dict[str, object]]:
    (folder / "cartrita.toml").write_text(text)
    settings = load({"HOME": str(folder)}, folder)
    return {entry.id: entry.fields for entry in settings.agents.entries}


def test_a_table_is_an_agent(tmp_path: Path) -> None:
    (tmp_path / "lawyer.md").write_text("You read contracts.\n")
    found = agents_of(
        tmp_path,
        """
        [agents]
        approval_s = 60
        [agents.researcher]
        route = "fast"
        approval = "always"
        [agents.lawyer]
        description = "Reads contracts."
        instructions_file = "lawyer.md"
        tools = ["read_file"]
        limits = { steps = 3, cost = 0.5, depth = 1 }
        """,
    )
    assert found["researcher"] == {"route": "fast", "approval": "always"}
    assert found["lawyer"] == {
        "description": "Reads contracts.",
        "instructions": "You read contracts.",
        "tools": ("read_file",),
        "limits": {"caps": {"steps": 3, "cost": 0.5}, "depth": 1},
    }


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[agents."No Id"]\nname = "x"', "agents.No Id.id"),
        ("[agents.a]\ncolour = 1", "agents.a.colour"),
        ('[agents.a]\napproval = "maybe"', "agents.a.approval"),
        ("[agents.a]\nlimits = { steps = 0 }", "agents.a.limits.steps"),
        ('[agents.a]\ninstructions_file = "none.md"', "no text file to be read"),
        ('[agents.a]\ninstructions_file = "x"\ninstructions = "y"', "not both"),
        ("[agents.a]\ninstructions_file = 1", "not both"),
        ('[agents.a]\ninstructions_prompt = "x"', "agents.a.instructions_prompt"),
        (
            '[agents.a]\ninstructions_prompt = { name = "x", label = "y", version = 1 }',
            "a label or a version, not both",
        ),
        ("[agents.a]\ninstructions_prompt = { version = 1 }", "instructions_prompt.name"),
        ("[agents]\nother = 1", "agents.other"),
        ('[agents.model]\nname = "x"', "agents.model.id"),
        ('[agents.a]\naliases = ["model"]', "agents.a.aliases"),
        ('[agents.a]\naliases = ["b"]\n[agents.b]\nname = "x"', "agents.a.aliases"),
        ('[agents.a]\naliases = ["x"]\n[agents.b]\naliases = ["x"]', "agents.b.aliases"),
    ],
)
def test_what_is_refused(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        agents_of(tmp_path, table)
    assert told in str(refused.value)
