"""Keys are remembered for a time, and no more of them than allowed."""

from cartrita.kit.remembered import Remembered


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


def test_of_too_many_the_oldest_are_forgotten() -> None:
    remembered = Remembered[str](10, most=2)
    for key in ("a", "b", "a", "c"):
        remembered.add(key)
    assert [key in remembered for key in "abc"] == [True, False, True]
