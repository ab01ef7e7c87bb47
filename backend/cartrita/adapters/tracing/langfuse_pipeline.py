"""The pipeline to Langfuse: its attributes by the names of its SDK, and its own way of asking."""

import base64
import logging
from functools import partial
from typing import Final

import langfuse
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_attributes import langfuse_attributes
from cartrita.adapters.tracing.pipeline import Pipeline, silence
from cartrita.adapters.tracing.policies import LangfuseProject, TracingPolicy
from cartrita.adapters.tracing.receivers import Receiver
from cartrita.adapters.tracing.spans import Spans
from cartrita.adapters.tracing.stories import Stories

_SCOPE: Final = "langfuse-sdk"
_KEYS: Final = (
    "Langfuse does not know these keys: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY must be of one "
    "project of the server at LANGFUSE_BASE_URL."
)
_MOVED: Final = "Set LANGFUSE_BASE_URL to where the server is: it says that it is somewhere else."
_FIXES: Final = {
    0: "Look whether the Langfuse server at LANGFUSE_BASE_URL can be reached, and is well.",
    301: _MOVED,
    302: _MOVED,
    307: _MOVED,
    308: _MOVED,
    401: _KEYS,
    403: _KEYS,
    404: "There is no Langfuse from 4.59 on at LANGFUSE_BASE_URL.",
    413: "Lower CARTRITA_TRACING_VALUE_MAX: Langfuse takes no requests of this size.",
    429: "The project is over its quota: lower CARTRITA_TRACING_SAMPLE, or raise the quota.",
}


def open_pipeline(policy: TracingPolicy, contents: Contents, project: LangfuseProject) -> Pipeline:
    """Begin to send traces to a project of Langfuse."""
    silence()
    logging.getLogger("httpx").handlers.clear()  # its import adds one, for all requests of httpx
    secret = f"{project.public_key}:{project.secret_key.reveal()}"
    receiver = Receiver(
        "langfuse",
        f"{project.address}/api/public/otel/v1/traces",
        {
            "authorization": f"Basic {base64.b64encode(secret.encode()).decode()}",
            "x-langfuse-sdk-name": "python",
            "x-langfuse-sdk-version": langfuse.__version__,
            "x-langfuse-public-key": project.public_key,
            "x-langfuse-ingestion-version": "4",
        },
        _FIXES,
        timeout_s=policy.send_timeout_s,
    )
    attributed = partial(
        langfuse_attributes, environment=policy.environment, release=policy.release
    )
    scope = InstrumentationScope(
        _SCOPE, langfuse.__version__, attributes={"public_key": project.public_key}
    )
    spans = Spans(attributed, policy.resource, scope)
    return Pipeline(Stories(contents).told, spans.span, receiver, policy)
