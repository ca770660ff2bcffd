"""Unanswerable questions: real ones whose paper is not in the index any more."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path

import numpy as np

from eval.synthesis.drafts import Draft
from eval.synthesis.filters import answered_elsewhere
from index.build import build_papers
from index.encoder import Encoder, Vectors
from index.passages import paper_text
from index.store import Index


def papers_to_remove(
    kept: Sequence[Draft], share: float, index: Index, encoder: Encoder, order: Iterable[int]
) -> set[int]:
    """The rows of the papers to remove so that a share of the kept questions loses its answer.

    All questions of a paper become unanswerable with it, so a paper is taken only if they fit
    into the share, and if no other paper found for them states the answer of one. At least one
    question keeps its paper.

    Args:
        kept: The questions.
        share: How many of them, in [0, 1).
        index: The index they were made from.
        encoder: The index's encoder.
        order: Rows of the papers, in the order in which they are looked at.
    """
    by_paper: dict[int, list[Draft]] = defaultdict(list)
    for draft in kept:
        by_paper[draft.paper].append(draft)
    room = int(share * len(kept))
    removed: set[int] = set()
    for row in order:
        drafts = by_paper.get(row, [])
        if not 0 < len(drafts) <= room:
            continue
        if not any(answered_elsewhere(draft, index, encoder) for draft in drafts):
            removed.add(row)
            room -= len(drafts)
    return removed


def write_store(index: Index, removed: Set[int], store: Path, encoder: Encoder) -> None:
    """Write an index of the papers that are left; their vectors are those of `index`."""
    left = [paper for row, paper in enumerate(index.papers) if row not in removed]
    build_papers(left, store, _VectorsOf(index, encoder))


class _VectorsOf:
    """An encoder that takes the vectors of an index's own texts from there."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        self.name = encoder.name
        self.weights_hash = encoder.weights_hash
        self.dimension = index.manifest.dimension
        self.together = encoder.together
        self.encode_query = encoder.encode_query
        self._encoder = encoder
        texts = (passage.text for passage in index.passages)
        self._known = dict(zip(texts, np.asarray(index.passage_vectors), strict=True))
        wholes = map(paper_text, index.papers)
        self._known.update(zip(wholes, np.asarray(index.paper_vectors), strict=True))

    def encode(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of `texts`; only texts that the index cuts otherwise are embedded."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        if unknown:
            rows = self._encoder.encode(unknown, progress=progress)
            self._known.update(zip(unknown, rows, strict=True))
        return np.stack([self._known[text] for text in texts])
