"""Makes one ranking of several, by reciprocal rank fusion.

Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods", SIGIR 2009: scores of rankings cannot be compared, but places can.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from cartrita.domain.attachments import ContentId
from cartrita.domain.passages import FoundPassage

_K: Final = 60
"""The paper's constant: how little the first places are ahead of the next."""


def fused(rankings: Sequence[Sequence[FoundPassage]], limit: int) -> list[FoundPassage]:
    """The passages that stand high in most of the rankings, each once."""
    scores: defaultdict[tuple[ContentId, int, int], float] = defaultdict(float)
    passages: dict[tuple[ContentId, int, int], FoundPassage] = {}
    for ranking in rankings:
        for place, found in enumerate(ranking, 1):
            scores[found.place] += 1 / (_K + place)
            passages.setdefault(found.place, found)
    best = sorted(passages, key=lambda each: -scores[each])
    return [passages[each] for each in best[:limit]]
