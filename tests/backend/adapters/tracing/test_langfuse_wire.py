"""What we send is what Langfuse's own SDK sends, as a strict stand-in receives both."""

import atexit
import json
from datetime import UTC, datetime
from typing import Any

import langfuse
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from tests.backend.adapters.tracing.samples import USAGE, called, completed, run_id, taken
from tests.harness.langfuse_sink import LangfuseSink, Span, langfuse_sink

from cartrita.adapters.tracing import langfuse_pipeline, otlp_pipeline
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.policies import Collector, LangfuseProject, TracingPolicy
from cartrita.domain.traces import RunEnded
from cartrita.kit.secret import Secret

POLICY = TracingPolicy(
    environment="tests",
    release="r1",
    flush_s=0.01,
    send_timeout_s=5.0,
    pending_max=100,
    pending_bytes=1 << 20,
)


def send(sink: LangfuseSink, secret_key: str | None = None) -> int:
    """Send a run to the stand-in; how much of it was lost."""
    project = LangfuseProject(
        address=sink.base_url,
        public_key=sink.public_key,
        secret_key=Secret(secret_key or sink.secret_key),
    )
    pipeline = langfuse_pipeline.open_pipeline(POLICY, Contents("full", 1000), project)
    return tell(pipeline)


def tell(pipeline: Any) -> int:
    run = run_id()
    for fact in (taken(run), called(run), RunEnded(run, completed(), 1010.0)):
        pipeline.note(fact)
    pipeline.end()
    pipeline.join(60)
    return pipeline.dropped


def of_the_sdk(sink: LangfuseSink) -> Span:
    """A generation as the SDK tells it."""
    client = langfuse.Langfuse(
        public_key=sink.public_key,
        secret_key=sink.secret_key,
        base_url=sink.base_url,
        environment="tests",
        release="r1",
        tracer_provider=TracerProvider(shutdown_on_exit=False),
    )
    assert client._resources is not None
    atexit.unregister(client._resources.shutdown)
    with langfuse.propagate_attributes(
        user_id="ann", session_id="conv_5", tags=["native"], trace_name="supervisor",
        metadata={"key_id": "key_1"},
    ):  # fmt: skip
        generation = client.start_observation(
            as_type="generation",
            name="fake",
            input=[{"role": "user", "content": "How fast?"}],
            output={"role": "assistant", "content": "Slowly."},
            model="fake",
            model_parameters={"temperature": 0.5},
            usage_details={"input": 15, "output": 6, "total": 30},
            cost_details={"total": 0.25},
            completion_start_time=datetime.now(UTC),
            level="ERROR",
            status_message="It failed.",
            metadata={"provider": "openai"},
        )
        generation.end()
    client.shutdown()
    return sink.spans[-1]


def test_attributes_are_those_of_the_sdk() -> None:
    with langfuse_sink("pk-lf-of-the-sdk") as sink:
        theirs = of_the_sdk(sink)
    with langfuse_sink() as sink:
        assert send(sink) == 0
        (generation, root) = sink.spans
    ours = generation.attributes
    shared = set(theirs.attributes) - {
        "langfuse.internal.is_app_root",
        "langfuse.observation.level",
        "langfuse.observation.status_message",
        "langfuse.observation.model.parameters",
    }
    assert shared <= set(ours) | {"langfuse.version"}, shared - set(ours)
    for name in shared & set(ours):
        assert type(ours[name]) is type(theirs.attributes[name]), name
        assert _is_json(ours[name]) == _is_json(theirs.attributes[name]), name
    assert (generation.scope, theirs.scope) == ("langfuse-sdk", "langfuse-sdk")
    assert ours["user.id"] == "ann"
    assert root.attributes["langfuse.internal.is_app_root"] is True
    assert generation.json("usage_details") == {
        "input": 15,
        "output": 6,
        "input_cached_tokens": 5,
        "output_reasoning_tokens": 4,
        "total": USAGE.total_tokens,
    }
    assert generation.json("cost_details") == {"input": 0.2, "web_search": 0.05, "total": 0.25}


def _is_json(value: Any) -> bool:
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return False
    return True


def test_no_global_provider_is_set() -> None:
    before = trace.get_tracer_provider()
    with langfuse_sink() as sink:
        send(sink)
    assert trace.get_tracer_provider() is before


def test_a_key_of_a_collector_goes_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=of-the-collector")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "deflate")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with langfuse_sink() as sink:
        assert send(sink) == 0
        assert sink.headers
        assert not any("x-collector-key" in headers for headers in sink.headers)


@pytest.mark.parametrize(
    ("mode", "secret_key", "outcome"),
    [
        ("ok", "sk-lf-of-others", 401),
        (500, None, 500),
        (301, None, 301),
        ("cut", None, "unreachable"),
    ],
)
def test_an_operator_is_told_what_is_wrong(
    mode: Any, secret_key: str | None, outcome: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with langfuse_sink() as sink:
        sink.mode = mode
        assert send(sink, secret_key) == 2
    told = capfd.readouterr()
    lines = [line for line in (told.out + told.err).splitlines() if line.strip()]
    (complaint,) = [line for line in lines if "traces_not_taken" in line]
    assert str(outcome) in complaint
    assert "LANGFUSE_BASE_URL" in complaint
    assert "sk-lf" not in told.out + told.err
    assert len([line for line in lines if "traces_lost" not in line]) == 1, lines


def test_a_collector_gets_the_words_of_its_conventions() -> None:
    with langfuse_sink() as sink:
        collector = Collector(
            address=sink.base_url, headers=Secret("authorization=Bearer%20of-it,x-team=a")
        )
        assert tell(otlp_pipeline.open_pipeline(POLICY, Contents("full", 1000), collector)) == 0
        (headers,) = sink.headers
        generation, root = sink.spans
    assert (headers["authorization"], headers["x-team"]) == ("Bearer of-it", "a")
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    told = generation.attributes
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.agent.name"] == "supervisor"
    assert told["gen_ai.provider.name"] == "openai"
    assert told["gen_ai.request.model"] == "fake"
    assert told["gen_ai.usage.input_tokens"] == 20
    assert told["gen_ai.usage.output_tokens"] == 10
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.5)
    assert told["cartrita.cost_usd"] == 0.25
    assert told["cartrita.costs_usd.input"] == 0.2
    assert told["cartrita.costs_usd.web_search"] == 0.05
    assert generation.resource["service.name"] == "cartrita"
    assert not any(name.startswith("langfuse") for name in told)
