"""Words and meaning together find more of a small corpus than either of them alone."""

from collections.abc import Awaitable, Callable, Sequence

from tests.backend.application.files_fixture import ANN, FilesFixture, read
from tests.harness.retrieval_corpus import ANSWERED, DISTRACTORS

from cartrita.adapters.embeddings.local import LocalEmbeddings
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.application.files.texts import FileTexts
from cartrita.application.search.meaning import MeaningSearch
from cartrita.application.search.passage_embedder import PassageEmbedder
from cartrita.domain.embeddings import Vector
from cartrita.domain.passages import FoundPassage, PassageQuery


class RememberedEmbeddings:
    """The local model, which is asked once for each text."""

    def __init__(self) -> None:
        self._local = LocalEmbeddings()
        self._vectors: dict[str, Vector] = {}
        self.model = self._local.model

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        for text in texts:
            if text not in self._vectors:
                [self._vectors[text]] = await self._local.embed(owner_id, [text])
        return [self._vectors[text] for text in texts]


async def places(search: Callable[[str], Awaitable[list[FoundPassage]]]) -> list[int]:
    """Of each question, the place of its passage among the best five; 6 if it is not there."""
    found: list[int] = []
    for passage, question in ANSWERED:
        best = [each.passage.text for each in await search(question)]
        found.append(best.index(passage) + 1 if passage in best else 6)
    return found


def hits(places: Sequence[int], best: int) -> float:
    return sum(place <= best for place in places) / len(places)


async def test_hybrid_ranking_finds_nine_of_ten_and_more_than_either_alone(
    pool: Database,
) -> None:
    passages = [passage for passage, _ in ANSWERED]
    await read(pool, FilesFixture(pool), *passages, *DISTRACTORS)
    embeddings, vectors = RememberedEmbeddings(), PassageVectorTable(pool)
    making = PassageEmbedder(vectors, embeddings, interval_s=60)
    while await making.embed_some():
        pass
    store, index = FileTable(pool), PassageTable(pool)
    meaning = MeaningSearch(vectors, embeddings)
    words, both = FileTexts(store, index), FileTexts(store, index, meaning)
    by_words = await places(lambda text: words.search(ANN, text, limit=5))
    by_meaning = await places(
        lambda text: meaning.nearest(PassageQuery(owner_id=ANN.owner_id, text=text, limit=5))
    )
    hybrid = await places(lambda text: both.search(ANN, text, limit=5))
    told = {
        f"hit@{best}": [round(hits(each, best), 3) for each in (by_words, by_meaning, hybrid)]
        for best in (1, 5)
    }
    assert hits(hybrid, 5) >= 0.9, told
    assert hits(hybrid, 5) > hits(by_words, 5), told
    assert hits(hybrid, 5) >= hits(by_meaning, 5), told
    assert hits(hybrid, 1) > max(hits(by_words, 1), hits(by_meaning, 1)), told
