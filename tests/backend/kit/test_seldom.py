"""What goes wrong is told seldom, whatever happens in between; so is that it is over."""

from cartrita.kit.seldom import Seldom


class Told:
    """One that has a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seldom = Seldom(lambda: self.now)

    def wrong(self, at: float, *things: str) -> list[str]:
        self.now = at
        return self.seldom.untold(things)

    def over(self, at: float) -> bool:
        self.now = at
        return self.seldom.over()


def test_each_thing_is_told_once_in_ten_minutes() -> None:
    told = Told()
    assert told.wrong(0, "a", "b") == ["a", "b"]
    assert told.wrong(599, "a", "b", "c") == ["c"]
    assert told.wrong(600, "a", "b", "c") == ["a", "b"]


def test_a_success_in_between_changes_nothing() -> None:
    told = Told()
    assert told.wrong(0, "a") == ["a"]
    assert told.over(1)
    assert told.wrong(2, "a") == []
    assert not told.over(3), "what was not told has no end"
    assert told.wrong(600, "a") == ["a"]
    assert not told.over(600.5), "that it is over was told lately"
    assert told.over(601)


def test_nothing_is_over_that_was_never_wrong() -> None:
    assert not Told().over(0)


def test_the_end_of_what_was_told_is_told_later_rather_than_never() -> None:
    told = Told()
    told.wrong(0, "a")
    assert told.over(1)
    assert told.wrong(2, "b") == ["b"]
    assert not told.over(3)
    assert told.over(601)
