"""The pipeline to Langfuse: its attributes by the names of its SDK, and its own way of asking."""

import base64
from functools import partial
from typing import Final

import langfuse
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.langfuse_attributes import langfuse_attributes
from cartrita.adapters.tracing.langfuse_fixes import FIXES
from cartrita.adapters.tracing.pipeline import Pipeline, silence
from cartrita.adapters.tracing.policies import LangfuseProject, TracingPolicy
from cartrita.adapters.tracing.receivers import Receiver
from cartrita.adapters.tracing.spans import Spans
from cartrita.adapters.tracing.stories import Stories

_SCOPE: Final = "langfuse-sdk"


def open_pipeline(policy: TracingPolicy, contents: Contents, project: LangfuseProject) -> Pipeline:
    """Begin to send traces to a project of Langfuse."""
    silence()
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
        FIXES,
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
