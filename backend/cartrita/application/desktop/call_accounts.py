"""What a model is told of a call that ended early: which of its actions were done."""


def not_done(index: int, most: int, why: str) -> str:
    """Where it ended at an action that was not done; `index` is its place, 0 before the first."""
    if most == 1 or not index:
        return why
    after = ", nor those after it" if index < most else ""
    return f"{_before(index)}Action {index} of {most} was not done{after}. {why}"


def impossible(index: int, most: int, why: str) -> str:
    """Where nothing was begun, because an action of it cannot be done."""
    return why if most == 1 else f"Action {index} of {most} cannot be done. {why}"


def broke_off(index: int, most: int, why: str) -> str:
    """Where nobody knows what came of an action."""
    told = f"{_before(index)}Action {index} of {most} broke off, and may be done"
    return f"{told}{_rest(index, most)}. {why}"


def not_filmed(index: int, most: int, why: str) -> str:
    """Where an action was done, and nobody has a picture of it."""
    told = f"{_before(index)}Action {index} of {most} was done{_rest(index, most)}."
    return (
        f"{'It was done.' if most == 1 else told} How the screen looks now could not be stored. "
        f"{why} Do not do it again: stop, and tell the person."
    )


def _before(index: int) -> str:
    match index:
        case 0 | 1:
            return ""
        case 2:
            return "Action 1 was done. "
        case _:
            return f"Actions 1 to {index - 1} were done. "


def _rest(index: int, most: int) -> str:
    return "; those after it were not" if index < most else ""
