"""The instructions of agents that are kept as prompts elsewhere: read beside the runs."""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from cartrita.agents.registry import AgentRegistry
from cartrita.domain.ports.prompts import PromptReader
from cartrita.domain.prompts import PromptNotTaken, PromptReference
from cartrita.kit.at_once import all_of
from cartrita.kit.seldom import Seldom

log = structlog.get_logger(__name__)


class AgentPrompts:
    """Gives agents the prompts that they name, by id; where there is none they keep what they have.

    An operator is told of each thing that is wrong with a prompt once in ten minutes, however often
    it is mended in between.
    """

    def __init__(
        self,
        agents: AgentRegistry,
        references: Mapping[str, PromptReference],
        reader: PromptReader,
        refresh_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._agents = agents
        self._references = references
        self._reader = reader
        self._refresh_s = refresh_s
        self._seldom = Seldom(clock)

    async def run(self) -> None:
        """Refresh them for as long as this process lives."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._refresh_s)

    async def refresh(self) -> None:
        """Read all prompts once, side by side."""
        failed = await all_of([self._take(*one) for one in self._references.items()])
        wrong: dict[str, dict[str, int | str]] = {}
        for agent_id, error in (one for one in failed if one is not None):
            wrong.setdefault(error.fix, {})[agent_id] = error.outcome
        for fix, outcomes in wrong.items():
            self._complain(fix, outcomes)
        if not wrong and self._seldom.over():
            log.info("prompts_taken_again")

    async def _take(
        self, agent_id: str, reference: PromptReference
    ) -> tuple[str, PromptNotTaken] | None:
        try:
            prompt = await self._reader.read(reference)
        except PromptNotTaken as error:
            return agent_id, error
        if self._agents.find(agent_id).prompt != prompt.version:
            log.info("prompt_taken", agent=agent_id, version=prompt.version.version)
        self._agents.instruct(agent_id, prompt.text, prompt.version)
        return None

    def _complain(self, fix: str, outcomes: Mapping[str, int | str]) -> None:
        """Tell what helps; what that is the same for is one thing, however it fails."""
        untold = [one for _, one in self._seldom.untold((fix, agent) for agent in sorted(outcomes))]
        if untold:
            log.warning(
                "prompts_not_taken",
                outcome=outcomes[untold[0]],
                agents=untold,
                prompts=sorted({self._references[agent].name for agent in untold}),
                fix=fix,
            )
