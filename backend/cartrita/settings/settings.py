"""All settings as one frozen value."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from cartrita.settings.agents import Agents
from cartrita.settings.budgets import Budgets
from cartrita.settings.cache import Cache, Valkey
from cartrita.settings.code import Code
from cartrita.settings.desktop import DesktopOptions
from cartrita.settings.fields import Group, Setting
from cartrita.settings.files import Files
from cartrita.settings.ledger import Ledger
from cartrita.settings.limits import Limits
from cartrita.settings.logging import Logging
from cartrita.settings.metrics import Metrics
from cartrita.settings.providers import ConfiguredProvider, OAuth, Offline, Providers
from cartrita.settings.routes import Routes
from cartrita.settings.server import Auth, Server
from cartrita.settings.services import Brave, Deepgram, GitHub, Search, SearXNG, Tavily, Web
from cartrita.settings.storage import Database, History, Postgres, RunLog
from cartrita.settings.surfaces import Compat, OpenAICompat
from cartrita.settings.tool_servers import Mcp
from cartrita.settings.tracing import Langfuse, Otlp, Tracing
from cartrita.settings.types import REVEAL, FilePath
from cartrita.settings.voice import Voice
from cartrita.settings.websocket import WebSocket


class Settings(Group):
    """All settings. `warnings` are sentences about what was given and has no effect."""

    data_dir: Annotated[
        FilePath,
        Setting(
            "Where the embedded database and the keys' root are kept.",
            env="CARTRITA_DATA_DIR",
            default="`$XDG_DATA_HOME/cartrita`, or `~/.local/share/cartrita`",
            example="/var/lib/cartrita",
        ),
    ]
    server: Server = Server()
    auth: Auth = Auth()
    database: Database = Database()
    postgres: Postgres = Postgres()
    run_log: RunLog = RunLog()
    history: History = History()
    files: Files = Files()
    providers: Providers = Providers()
    routes: Routes = Routes()
    agents: Agents = Agents()
    offline: Offline = Offline()
    cache: Cache = Cache()
    valkey: Valkey = Valkey()
    ledger: Ledger = Ledger()
    budgets: Budgets = Budgets()
    logging: Logging = Logging()
    metrics: Metrics = Metrics()
    limits: Limits = Limits()
    websocket: WebSocket = WebSocket()
    compat: Compat = Compat()
    oauth: OAuth = OAuth()
    openai_compat: OpenAICompat = OpenAICompat()
    langfuse: Langfuse = Langfuse()
    otlp: Otlp = Otlp()
    tracing: Tracing = Tracing()
    voice: Voice = Voice()
    deepgram: Deepgram = Deepgram()
    search: Search = Search()
    tavily: Tavily = Tavily()
    brave: Brave = Brave()
    searxng: SearXNG = SearXNG()
    github: GitHub = GitHub()
    web: Web = Web()
    code: Code = Code()
    desktop: DesktopOptions = DesktopOptions()
    mcp: Mcp = Mcp()
    warnings: tuple[str, ...] = ()

    @property
    def providers_by_name(self) -> Mapping[str, ConfiguredProvider]:
        """The configured providers by name, in order of preference."""
        return MappingProxyType({entry.name: entry for entry in self.providers.entries})

    def reveal_json(self) -> str:
        """All settings with their SECRETS, only for the pipe to a worker process."""
        return self.model_dump_json(context=REVEAL)

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """The settings that `reveal_json` wrote."""
        return cls.model_validate_json(text)
