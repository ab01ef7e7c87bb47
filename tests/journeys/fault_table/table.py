"""Runs the cells of the table against one server, and prints what became of them."""

import asyncio
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import msgspec
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import HangBeforeHeaders, Stall
from tests.harness.server import Server, free_port
from tests.journeys.fault_table.clients import SURFACES, Mode, Surface, ask
from tests.journeys.fault_table.expectations import Senseless
from tests.journeys.fault_table.reception import Received
from tests.journeys.fault_table.rows import CASES, REDIRECT_TARGET, TEXT, Case, Place

MODES: tuple[Mode, ...] = ("stream", "whole")
MODELS = ("alone", "many-calls")
_SETTINGS = {
    "CARTRITA_PROVIDERS_CONNECT_TIMEOUT_S": "1.5",
    "CARTRITA_PROVIDERS_HEADERS_TIMEOUT_S": "2",
    "CARTRITA_PROVIDERS_IDLE_TIMEOUT_S": "2",
    "CARTRITA_PROVIDERS_TOTAL_TIMEOUT_S": "40",
    "CARTRITA_PROVIDERS_RESPONSE_MAX_BYTES": str(16 << 20),
    "CARTRITA_DATABASE_POOL_WAIT_S": "30",
    "CARTRITA_ROUTES_FIRST_PAUSE_S": "0.02",
    "CARTRITA_ROUTES_LONGEST_PAUSE_S": "0.1",
}
_LIGHT_AT_ONCE = 24
_WAITING_AT_ONCE = 48
"""Cells that only wait for a timeout, beside the others."""
_HEAVY_AT_ONCE = 3


class Cell(msgspec.Struct, frozen=True):
    """One case on one surface, streamed or not, with the upstream in one dialect."""

    number: int
    case: Case
    surface: Surface
    mode: Mode
    dialect: str

    @property
    def names(self) -> tuple[str, str]:
        """Its providers, in the order in which its route calls them."""
        return f"first{self.number}", f"second{self.number}"

    @property
    def route(self) -> str:
        return f"route{self.number}"


class Outcome(msgspec.Struct, frozen=True):
    """What became of a cell: what was received, the calls upstream, what is not as expected."""

    received: Received
    calls: int
    problem: str


def cells(cases: Sequence[Case] = CASES) -> list[Cell]:
    """All cells of these cases, also those that make no sense."""
    found: list[tuple[Case, Surface, Mode, str]] = [
        (case, surface, mode, dialect)
        for case in cases
        for surface in SURFACES
        for mode in MODES
        for dialect in surface.dialects
    ]
    return [Cell(number, *each) for number, each in enumerate(found)]


@contextmanager
def cartrita(provider: FakeProvider, planned: Iterable[Cell]) -> Generator[Server]:
    """A server with small timeouts, in which each cell has providers and a route of its own."""
    closed = free_port()
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "cartrita.toml"
        tables = (table for cell in planned for table in _tables(cell, provider, closed))
        configuration.write_text("\n".join(tables))
        settings = {
            **_SETTINGS,
            "CARTRITA_CONFIG": str(configuration),
            "UPSTREAM_KEY": provider.key,
        }
        with Server(provider_url=provider.base_url, lease_s=15, settings=settings) as server:
            yield server


def _tables(cell: Cell, provider: FakeProvider, closed: int) -> list[str]:
    roots: dict[Place, str] = {
        "refused": f"http://127.0.0.1:{closed}",
        "refused, then another": f"http://127.0.0.1:{closed}",
        "unknown host": "http://nobody.invalid",
    }
    place, model = cell.case.place, cell.case.model
    first = roots.get(place, provider.root_url)
    tables = [
        f'[providers.{name}]\ndialect = "{cell.dialect}"\nbase_url = "{root}/v1"\n'
        f'api_key_env = "UPSTREAM_KEY"\nmodels = ["{model}"]\n'
        for name, root in zip(cell.names, (first, provider.root_url), strict=True)
    ]
    targets = cell.names if place in ("route", "refused, then another") else cell.names[:1]
    deployments = ", ".join(f'"{name}/{model}"' for name in targets)
    told = f'[routes.{cell.route}]\ndeployments = [{deployments}]\ncontinue_with = "any"\n'
    return [*tables, told]


class Table:
    """Runs cells, many at a time; each has deployments of its own, and disturbs no other."""

    def __init__(self, server: Server, provider: FakeProvider, listener: str) -> None:
        self._server = server
        self._provider = provider
        self._listener = listener
        self._needles: dict[int, str] = {}

    def run(self, planned: Sequence[Cell]) -> dict[int, Outcome]:
        """What became of each cell, by its number."""
        script = Script(tool_calls=(ToolCall(name="f", arguments="{}"),) * 10_000)
        self._provider.script(script, model="many-calls")
        received = asyncio.run(self._run(planned))
        counts = self._count_calls()
        return {
            cell.number: self._judge(cell, got, counts)
            for cell, got in zip(planned, received, strict=True)
        }

    async def _run(self, planned: Sequence[Cell]) -> list[Received]:
        light, heavy = asyncio.Semaphore(_LIGHT_AT_ONCE), asyncio.Semaphore(_HEAVY_AT_ONCE)
        waiting = asyncio.Semaphore(_WAITING_AT_ONCE)

        async def run(cell: Cell) -> Received:
            async with heavy if cell.case.heavy else waiting if _waits(cell.case) else light:
                return await self._ask(cell)

        return list(await asyncio.gather(*(run(cell) for cell in planned)))

    async def _ask(self, cell: Cell) -> Received:
        for _ in range(cell.case.before):
            spoiled = cell.case.scripts if cell.case.place == "route" else _ALL_FAIL
            await self._send(cell, f"before-{uuid4().hex}", spoiled)
        needle = f"needle-{uuid4().hex}"
        self._needles[cell.number] = needle
        scripts = _ANSWERS if cell.case.before else cell.case.scripts
        return await self._send(cell, needle, scripts)

    async def _send(self, cell: Cell, needle: str, scripts: tuple[Script, ...]) -> Received:
        prompt = f"{needle} {directive(*scripts)}".replace(REDIRECT_TARGET, self._listener)
        body = cell.surface.body(cell.route, prompt, cell.mode)
        return await ask(self._server.port, cell.surface, body)

    def _count_calls(self) -> dict[str, int]:
        bodies = [exchange.body for exchange in self._provider.requests()]
        return {needle: sum(needle in body for body in bodies) for needle in self._needles.values()}

    def _judge(self, cell: Cell, got: Received, counts: dict[str, int]) -> Outcome:
        calls = counts[self._needles[cell.number]]
        return Outcome(got, calls, _problem(cell, got, calls))


def _waits(case: Case) -> bool:
    faults = (fault for script in case.scripts for fault in script.faults)
    return any(isinstance(fault, HangBeforeHeaders | Stall) for fault in faults)


_ANSWERS = (Script(text=TEXT),)
_ALL_FAIL = (msgspec.convert({"faults": [{"kind": "answer", "status": 500}]}, Script),)


def _problem(cell: Cell, got: Received, calls: int) -> str:
    case = cell.case
    expected = case.expectation(cell.surface, cell.mode, cell.dialect)
    if isinstance(expected, Senseless):
        return ""
    streamed = cell.mode == "stream"
    if problem := expected.problem(got, cell.surface, TEXT, streamed=streamed):
        return problem
    wanted = case.expected_calls(cell.surface, cell.mode, cell.dialect)
    if wanted is not None and calls != wanted:
        return f"{calls} calls upstream, not {wanted}"
    if case.by is not None and got.provider and got.provider != cell.names[case.by]:
        return f"answered by {got.provider}"
    told = got.failed or not cell.surface.tells_failovers(cell.mode, cell.dialect)
    if case.failed and not (told and set(got.failed) <= {cell.names[0]}):
        return f"failovers name {got.failed}"
    return ""
