"""The tools that agents of this server may be given."""

from cartrita.assembly.code import Sandbox
from cartrita.assembly.desktops import DesktopParts
from cartrita.assembly.files import FileParts
from cartrita.assembly.models import Models
from cartrita.assembly.storage import Storage
from cartrita.assembly.tool_servers import ToolServers
from cartrita.settings import Settings
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.github_search import github_search_tool
from cartrita.tools.read_file import read_file_tool
from cartrita.tools.run_code import run_code_tool
from cartrita.tools.search_conversations import search_conversations_tool
from cartrita.tools.search_files import search_files_tool
from cartrita.tools.tool import Risk
from cartrita.tools.toolbox import Toolbox
from cartrita.tools.web_fetch import web_fetch_tool
from cartrita.tools.web_search import web_search_tool


def create_toolbox(
    settings: Settings,
    storage: Storage,
    models: Models,
    files: FileParts,
    sandbox: Sandbox,
    servers: ToolServers,
    desktops: DesktopParts,
) -> Toolbox:
    """All of them; the agents name those that they use."""
    programs = (
        () if sandbox.runner is None else (run_code_tool(sandbox.runner, settings.code.timeout_s),)
    )
    return Toolbox(
        (
            CALCULATOR,
            web_search_tool(models.searches.web),
            web_fetch_tool(
                models.pages,
                settings.web.timeout_s,
                risk=Risk.ACT if settings.web.approval else Risk.READ,
            ),
            github_search_tool(models.searches.github),
            search_files_tool(files.texts),
            read_file_tool(files.texts),
            search_conversations_tool(storage.search),
            *programs,
            *desktops.tools,
        ),
        servers.supplies,
    )
