"""Names in labels are as many as there is room for, and none is a caller's."""

from cartrita.adapters.metrics.names import BoundedNames, KnownModels


def test_the_first_keep_their_names() -> None:
    names = BoundedNames(2)
    assert [names(each) for each in ("a", "b", "c", "a", "b")] == ["a", "b", "other", "a", "b"]


def test_models_that_nobody_knows_take_no_room() -> None:
    models = KnownModels(2)
    models.knows = lambda provider, model: model.startswith("real")
    assert {models("p", f"made-up-{number}") for number in range(1000)} == {"other"}
    told = [models("p", each) for each in ("real-1", "real-2", "real-3", "real-1")]
    assert told == ["real-1", "real-2", "other", "real-1"]


def test_one_is_known_of_its_provider_only() -> None:
    models = KnownModels(9)
    models.knows = lambda provider, model: provider == "p"
    assert (models("p", "m"), models("q", "m")) == ("m", "other")


def test_one_that_becomes_known_is_told_from_then_on() -> None:
    models = KnownModels(9)
    assert models("p", "m") == "other"
    models.knows = lambda provider, model: True
    assert models("p", "m") == "m"
