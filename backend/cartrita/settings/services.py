"""Settings of the services that tools and speech call; none of them serves models."""

from typing import Annotated

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Key, WebUrl


class Deepgram(Group):
    """The Deepgram server that turns speech into text."""

    api_key: Annotated[
        Key | None, Setting("Its key.", env="DEEPGRAM_API_KEY", secret=True, documented=False)
    ] = None
    base_url: Annotated[
        WebUrl, Setting("Its address.", env="DEEPGRAM_BASE_URL", documented=False)
    ] = "https://api.deepgram.com"


class Tavily(Group):
    """The Tavily server that searches the web."""

    api_key: Annotated[
        Key | None, Setting("Its key.", env="TAVILY_API_KEY", secret=True, documented=False)
    ] = None
    base_url: Annotated[
        WebUrl, Setting("Its address.", env="TAVILY_BASE_URL", documented=False)
    ] = "https://api.tavily.com"


class GitHub(Group):
    """The GitHub API that searches repositories."""

    api_key: Annotated[
        Key | None, Setting("Its key.", env="GITHUB_API_KEY", secret=True, documented=False)
    ] = None
    base_url: Annotated[
        WebUrl, Setting("Its address.", env="GITHUB_BASE_URL", documented=False)
    ] = "https://api.github.com"
