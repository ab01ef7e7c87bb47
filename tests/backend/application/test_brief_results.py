"""Results are kept for a time, and not all of them."""

from tests.backend.gateway.fakes import Time

from cartrita.application.brief_results import BriefResults


def test_a_result_is_kept_for_a_time() -> None:
    time = Time()
    results = BriefResults[str, int](10.0, clock=time.clock)
    results.put("a", 1)
    time.now += 9.0
    assert results.get("a") == 1
    assert results.get("b") is None
    time.now += 1.0
    assert results.get("a") is None


def test_the_oldest_leave() -> None:
    results = BriefResults[str, int](10.0, most=2)
    for number, key in enumerate("abac"):
        results.put(key, number)
    assert [results.get(key) for key in "abc"] == [2, None, 3]


def test_nothing_is_kept_for_no_time() -> None:
    results = BriefResults[str, int](0.0)
    results.put("a", 1)
    assert results.get("a") is None
