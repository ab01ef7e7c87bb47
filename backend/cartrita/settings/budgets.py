"""Settings of budgets, which themselves are set by admins."""

from typing import Annotated, Literal

from pydantic import Field

from cartrita.settings.fields import Group, Setting


class Budgets(Group):
    """How budgets of keys, users and tenants are reckoned with."""

    block: Annotated[
        float,
        Field(ge=0.001, le=0.5),
        Setting(
            "The part of a budget that a worker process sets aside ahead of its calls. The more, "
            "the less often it asks the database; one that is killed takes it along for the rest "
            "of the period."
        ),
    ] = 0.02
    output_tokens: Annotated[
        int,
        Field(ge=64, le=1_000_000),
        Setting(
            "How many tokens of output are reserved at first for a stream whose request does not "
            "limit them, and then as often as it needs more; and for any other answer of a model "
            "of which nobody knows how much it writes."
        ),
    ] = 4096
    unpriced: Annotated[
        Literal["refuse", "allow"],
        Setting(
            "Whether models whose price is not known may be called by somebody with a budget in "
            "money, which they do not change."
        ),
    ] = "refuse"
