"""Settings of the services that tools and speech call; none of them serves models."""

from typing import Annotated, Literal

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Hosts, Key, WebUrl


class Deepgram(Group):
    """The Deepgram server that writes down what is said, and speaks."""

    api_key: Annotated[Key | None, Setting("Its key.", env="DEEPGRAM_API_KEY", secret=True)] = None
    base_url: Annotated[WebUrl, Setting("Its address.", env="DEEPGRAM_BASE_URL")] = (
        "https://api.deepgram.com"
    )
    model: Annotated[
        str,
        Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$"),
        Setting("Its model that writes down what is said, where a request names none."),
    ] = "nova-3"
    voice: Annotated[
        str,
        Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$"),
        Setting("Its voice that speaks, where a request names none."),
    ] = "aura-2-thalia-en"
    idle_s: Annotated[
        float,
        Field(ge=0.1, le=300),
        Setting(
            "For how long it may send nothing of a speech, if voice.speech_timeout_s is no less, "
            "or of the last words of live audio."
        ),
    ] = 15.0
    unheard_s: Annotated[
        float,
        Field(ge=0.1, le=300),
        Setting(
            "For how long it may tell nothing of live audio that is sent to it; then another "
            "engine hears what had no final words yet, or the listening ends."
        ),
    ] = 6.0
    pause_ms: Annotated[
        int,
        Field(ge=10, le=5000),
        Setting("How long a pause ends what is said, in live audio; in milliseconds."),
    ] = 300


class Search(Group):
    """Searches of the web and of GitHub, at the services below."""

    provider: Annotated[
        Literal["tavily", "brave", "searxng"] | None,
        Setting(
            "Where agents search the web; without it at the first of Tavily and Brave that has a "
            "key, else with SearXNG if it has an address, else with Tavily without a key. Requests "
            "to POST /api/search name a provider, or mean Tavily."
        ),
    ] = None
    timeout_s: Annotated[
        float, Field(ge=0.1, le=300), Setting("How long one search may take at its provider.")
    ] = 15.0
    keep_s: Annotated[
        float,
        Field(ge=0, le=86_400),
        Setting("For how long a worker keeps results, for equal searches of the same user."),
    ] = 300.0


class Tavily(Group):
    """The Tavily server that searches the web."""

    api_key: Annotated[Key | None, Setting("Its key.", env="TAVILY_API_KEY", secret=True)] = None
    base_url: Annotated[WebUrl, Setting("Its address.", env="TAVILY_BASE_URL")] = (
        "https://api.tavily.com"
    )
    keyless: Annotated[
        bool, Setting("Whether it is also called without a key, which is good for a few searches.")
    ] = True


class Brave(Group):
    """The Brave server that searches the web."""

    api_key: Annotated[Key | None, Setting("Its key.", env="BRAVE_API_KEY", secret=True)] = None
    base_url: Annotated[WebUrl, Setting("Its address.", env="BRAVE_BASE_URL")] = (
        "https://api.search.brave.com"
    )


class SearXNG(Group):
    """A SearXNG instance of one's own that searches the web."""

    base_url: Annotated[
        WebUrl | None,
        Setting(
            "Its address; its settings.yml must have json in search.formats.",
            env="SEARXNG_BASE_URL",
            value="a web address",
            example="http://127.0.0.1:8888",
        ),
    ] = None


class GitHub(Group):
    """The GitHub API that searches repositories, code and issues."""

    api_key: Annotated[
        Key | None,
        Setting(
            "A token, which needs no permissions; without one, code is not searched.",
            env="GITHUB_API_KEY",
            secret=True,
        ),
    ] = None
    base_url: Annotated[WebUrl, Setting("Its address.", env="GITHUB_BASE_URL")] = (
        "https://api.github.com"
    )


class Web(Group):
    """Web pages that agents read."""

    private_hosts: Annotated[
        Hosts,
        Setting(
            "Hosts that may be read although their addresses are not public: names, addresses and "
            "networks, with commas between them. All of their ports may be read.",
            value="names, addresses and networks",
            example="wiki.example.com,10.1.0.0/16",
        ),
    ] = ()
    timeout_s: Annotated[
        float, Field(ge=0.1, le=600), Setting("How long a page may take, redirects included.")
    ] = 20.0
    page_max_bytes: Annotated[
        int, Field(ge=1 << 10, le=64 << 20), Setting("How much of a page is read.")
    ] = 2 << 20
    approval: Annotated[
        bool,
        Setting(
            "Whether a person approves of each page before it is read: its address may tell others "
            "what an agent has read before."
        ),
    ] = False
