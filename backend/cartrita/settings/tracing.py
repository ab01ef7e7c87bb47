"""Settings of tracing: where traces are sent."""

from typing import Annotated

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Key, WebUrl, Word


class Langfuse(Group):
    """The Langfuse server that receives traces."""

    public_key: Annotated[
        Word | None, Setting("Its public key.", env="LANGFUSE_PUBLIC_KEY", documented=False)
    ] = None
    secret_key: Annotated[
        Key | None,
        Setting("Its secret key.", env="LANGFUSE_SECRET_KEY", secret=True, documented=False),
    ] = None
    host: Annotated[
        WebUrl | None, Setting("Its address.", env="LANGFUSE_HOST", documented=False)
    ] = None
