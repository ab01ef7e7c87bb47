"""The roster is data: complete as it comes, and changed by what an operator says."""

import msgspec
import pytest

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import SUPERVISOR, built_in_agents, with_overrides
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps

AGENTS = built_in_agents()


def by_id(*agents: Agent) -> dict[str, Agent]:
    return {agent.id: agent for agent in agents}


def test_the_team_is_whole() -> None:
    assert [agent.id for agent in AGENTS] == [
        "supervisor",
        "researcher",
        "analyst",
        "writer",
        "coder",
        "knowledge",
        "computer_use",
        "task",
    ]
    supervisor = AGENTS[0]
    assert supervisor.delegates == tuple(agent.id for agent in AGENTS[1:])
    assert all(not agent.delegates for agent in AGENTS[1:])
    assert all(agent.approval is ApprovalPolicy.RISKY for agent in AGENTS)
    names = [name for agent in AGENTS for name in (agent.id, *agent.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("old", "agent"), [("assistant", "supervisor"), ("research", "researcher"), ("code", "coder")]
)
def test_old_names_are_found(old: str, agent: str) -> None:
    assert AgentRegistry(AGENTS).find(old).id == agent


def test_what_is_given_replaces_what_an_agent_has() -> None:
    before = by_id(*AGENTS)["researcher"]
    given = {"route": "fast", "approval": "always", "limits": {"caps": {"tokens": 9}, "depth": 1}}
    after = by_id(*with_overrides(AGENTS, {"researcher": given}))["researcher"]
    assert after.route == "fast"
    assert after.approval is ApprovalPolicy.ALWAYS
    assert after.limits.caps == Caps(steps=before.limits.caps.steps, tokens=9)
    assert after.limits.depth == 1
    assert after.limits.delegations == before.limits.delegations
    assert (
        msgspec.structs.replace(
            after, route=before.route, approval=before.approval, limits=before.limits
        )
        == before
    )


def test_a_new_agent_joins_the_team() -> None:
    agents = by_id(*with_overrides(AGENTS, {"lawyer": {"description": "Reads contracts."}}))
    lawyer = agents["lawyer"]
    assert (lawyer.id, lawyer.name, lawyer.description) == ("lawyer", "lawyer", "Reads contracts.")
    assert agents[SUPERVISOR].delegates[-1] == "lawyer"
    chosen = {"lawyer": {}, "supervisor": {"delegates": ["writer"]}}
    agents = by_id(*with_overrides(AGENTS, chosen))
    assert agents[SUPERVISOR].delegates == ("writer",)
