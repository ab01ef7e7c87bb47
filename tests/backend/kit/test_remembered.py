"""Keys and values are remembered for a time, and no more of them than allowed."""

from cartrita.kit.remembered import Remembered, RememberedValues


def test_a_key_is_forgotten_after_its_time() -> None:
    now = [100.0]
    remembered = Remembered[str](10, clock=lambda: now[0])
    assert "a" not in remembered
    remembered.add("a")
    now[0] += 9
    assert "a" in remembered
    remembered.add("a")
    now[0] += 9
    assert "a" in remembered
    now[0] += 1
    assert "a" not in remembered


def test_a_value_is_that_of_its_key() -> None:
    now = [100.0]
    results = RememberedValues[str, int](10.0, clock=lambda: now[0])
    results.put("a", 1)
    now[0] += 9.0
    assert results.get("a") == 1
    assert results.get("b") is None
    now[0] += 1.0
    assert results.get("a") is None


def test_of_too_many_the_oldest_are_forgotten() -> None:
    results = RememberedValues[str, int](10.0, most=2)
    for number, key in enumerate("abac"):
        results.put(key, number)
    assert [results.get(key) for key in "abc"] == [2, None, 3]


def test_nothing_is_remembered_for_no_time() -> None:
    remembered = Remembered[str](0.0)
    remembered.add("a")
    assert "a" not in remembered
