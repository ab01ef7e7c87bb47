"""Feedback on a traced answer is a score of its trace at Langfuse, whatever happens in between."""

from typing import Any

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import PROVIDER_KEY, Serve
from tests.harness.langfuse_sink import LangfuseSink, langfuse_sink
from tests.harness.scenario import Scenario, eventually, until
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.test_feedback import path_of
from tests.journeys.test_metrics import scraped
from tests.journeys.test_traces_that_are_not_taken import events

OUTCOMES = ("sent", "refused", "expired")


def scores(sink: LangfuseSink, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the answer's trace."""
    trace = answer["run_id"].removeprefix("run_")
    return [one for one in sink.scores.kept.values() if one["traceId"] == trace]


async def judge(scenario: Scenario, answer: dict[str, Any], score: float, comment: str) -> None:
    body = {"score": score, "comment": comment}
    status, given = await scenario.call("POST", path_of(answer["message_id"]), body)
    assert status == 200, given


async def unsent(scenario: Scenario) -> int:
    return (await scenario.fetch("SELECT count(*) FROM unsent_scores"))[0][0]


async def settled(scenario: Scenario) -> None:
    """Nothing is left to be sent."""

    async def look() -> bool:
        return await unsent(scenario) == 0

    await eventually(look)


async def test_a_score_follows_what_a_person_says(serve: Serve) -> None:
    with langfuse_sink() as sink:
        settings = {**sink.settings, "LANGFUSE_TRACING_ENVIRONMENT": "tests"}
        scenario = serve(settings=settings)
        answer = await scenario.chat(Script(words=3))
        for value, comment in ((-1, f"Wrong, and my key is {PROVIDER_KEY}."), (4.5, "Right.")):
            await judge(scenario, answer, value, comment)
            await until(lambda v=value: [one["value"] for one in scores(sink, answer)] == [v])
            (score,) = scores(sink, answer)
            assert (score["name"], score["environment"]) == ("feedback", "tests")
            assert PROVIDER_KEY not in score["comment"]
        assert score["comment"] == "Right."
        await settled(scenario)

        status, _ = await scenario.call("DELETE", path_of(answer["message_id"]))
        assert status == 204
        await until(lambda: not scores(sink, answer))
        await settled(scenario)
        assert await scenario.fetch("SELECT 1 FROM feedback") == []


@pytest.mark.parametrize("what", ["feedback", "message", "conversation"])
@pytest.mark.parametrize("sent", [True, False])
async def test_a_score_goes_with_what_it_is_of(serve: Serve, what: str, sent: bool) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings=sink.settings)
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await until(lambda: len(scores(sink, answer)) == 1)
        await settled(scenario)
        if not sent:  # Langfuse has the one before it
            sink.mode = 500
            await judge(scenario, answer, 2, "Still right.")
        conversation = f"/api/conversations/{answer['conversation_id']}"
        paths = {
            "feedback": path_of(answer["message_id"]),
            "message": f"{conversation}/messages/{answer['message_id']}",
            "conversation": conversation,
        }
        status, _ = await scenario.call("DELETE", paths[what])
        assert status == 204
        assert await scenario.fetch("SELECT 1 FROM feedback") == []
        sink.mode = "ok"
        await until(lambda: not scores(sink, answer))
        await settled(scenario)
        assert sink.scores.taken == 1


async def test_a_score_that_arrives_after_it_was_taken_back(serve: Serve) -> None:
    with langfuse_sink() as sink:
        sink.scores.late = {}
        patient = {
            "CARTRITA_TRACING_SEND_TIMEOUT_S": "0.5",
            "CARTRITA_TRACING_SCORES_SETTLE_S": "60",
        }
        scenario = serve(settings={**sink.settings, **patient})
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await settled(scenario)
        assert (await scenario.call("DELETE", path_of(answer["message_id"])))[0] == 204
        await until(lambda: bool(sink.scores.deleted))
        assert len(sink.scores.late) == 1
        sink.scores.arrive()
        await until(lambda: not scores(sink, answer))


@pytest.mark.parametrize("policy", ["redacted", "none"])
async def test_a_comment_is_told_by_the_policy(serve: Serve, policy: str) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_CONTENTS": policy})
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await until(lambda: bool(scores(sink, answer)))
        (score,) = scores(sink, answer)
        assert (score["value"], score.get("comment")) == (1, None)


@pytest.mark.parametrize("mode", ["hang", "trickle", "cut", 200, 301, 401, 429, 500])
async def test_feedback_waits_for_nobody_and_is_not_lost(serve: Serve, mode: Any) -> None:
    with langfuse_sink() as sink:
        sink.mode = mode
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_SEND_TIMEOUT_S": "0.5"})
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await until(lambda: bool(events(scenario, "scores_not_taken")))
        assert scores(sink, answer) == []
        scenario.server.kill("everything")
        sink.mode = "ok"
        scenario.server.restart()
        await until(lambda: bool(scores(sink, answer)))
        await settled(scenario)
        complaints = events(scenario, "scores_not_taken")
        assert all("LANGFUSE" in one["fix"] or "CARTRITA" in one["fix"] for one in complaints)


@pytest.mark.parametrize("mode", [400, 413])
async def test_what_is_never_taken_is_given_up(serve: Serve, mode: Any) -> None:
    with langfuse_sink() as sink:
        sink.mode = mode
        scenario = serve(settings=sink.settings)
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await until(lambda: bool(events(scenario, "score_refused")))
        await settled(scenario)
        assert scores(sink, answer) == []


async def told(scenario: Scenario) -> tuple[dict[str, float], float]:
    """What the metrics tell: of the scores that ended, and of those that wait."""
    page = await scraped(scenario)
    assert page.label_values("cartrita_scores_total", "outcome") == set(OUTCOMES)
    ended = {one: page.value("cartrita_scores_total", outcome=one) for one in OUTCOMES}
    return ended, page.value("cartrita_scores_pending")


async def test_what_becomes_of_scores_is_counted(serve: Serve) -> None:
    with langfuse_sink() as sink:
        hasty = {"CARTRITA_TRACING_SEND_TIMEOUT_S": "0.5"}
        scenario = serve(workers=2, settings={**sink.settings, **hasty})
        answer = await scenario.chat(Script(words=3))

        async def counts(pending: int, **ended: int) -> None:
            expected = ({**dict.fromkeys(OUTCOMES, 0.0), **ended}, float(pending))

            async def look() -> bool:
                return await told(scenario) == expected

            await eventually(look)

        await counts(0)
        await judge(scenario, answer, 1, "Right.")
        await counts(0, sent=1)
        sink.mode = 400
        await judge(scenario, answer, 2, "Right.")
        await counts(0, sent=1, refused=1)
        sink.mode = 500
        await judge(scenario, answer, 3, "Right.")
        await counts(1, sent=1, refused=1)
        await scenario.fetch("UPDATE unsent_scores SET given_at = now() - interval '1 year'")
        await counts(0, sent=1, refused=1, expired=1)


async def test_an_answer_without_a_trace_has_no_score(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings={**sink.settings, "CARTRITA_TRACING_SAMPLE": "0.0000001"})
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        assert await unsent(scenario) == 0


async def test_nobody_else_scores_an_answer(serve: Serve) -> None:
    with langfuse_sink() as sink:
        scenario = serve(settings=sink.settings)
        answer = await scenario.chat(Script(words=3))
        tenant = await new_tenant(scenario)
        user = await new_user(scenario, tenant)
        key = await new_key(scenario, user)
        for method, body in (("POST", {"score": 1}), ("DELETE", None)):
            path = path_of(answer["message_id"])
            status, _ = await scenario.call(method, path, body, X_API_Key=key["key"])
            assert status == 404
        assert await unsent(scenario) == 0


async def test_one_worker_sends_a_score(serve: Serve) -> None:
    with langfuse_sink() as sink:
        sink.mode = "slow"  # ten times what the other worker waits before it looks
        scenario = serve(workers=2, settings=sink.settings)
        answer = await scenario.chat(Script(words=3))
        await judge(scenario, answer, 1, "Right.")
        await settled(scenario)
        assert [one["value"] for one in scores(sink, answer)] == [1]
        assert sink.scores.asked == 1


async def test_scores_are_forgotten_where_langfuse_has_gone(serve: Serve) -> None:
    scenario = serve()
    answer = await scenario.chat(Script(words=3))
    await judge(scenario, answer, 1, "Right.")
    await scenario.fetch("UPDATE feedback SET scored = true")
    assert (await scenario.call("DELETE", path_of(answer["message_id"])))[0] == 204
    assert await unsent(scenario) == 1
    await scenario.fetch("UPDATE unsent_scores SET given_at = now() - interval '1 year'")
    scenario.server.kill("everything")
    scenario.server.restart()
    await settled(scenario)
