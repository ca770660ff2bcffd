"""What the index has for a question: the evidence, of each part if it was planned into several."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder
from index.store import Index
from rag.evidence import Evidence, PaperEvidence, Selector
from rag.names import title_name
from rag.parts import EVERY_PART, Parts
from rag.planning import fill, waves
from rag.question import analyse, limited
from rag.retrieval import rank
from rag.schema import SubQuestion
from rag.sufficiency import insufficient


@dataclass(frozen=True)
class Part:
    """What was found for one part of a planned question."""

    question: SubQuestion
    evidence: Evidence


def find_parts(
    index: Index,
    encoder: Encoder,
    plan: Sequence[SubQuestion],
    allowed: NDArray[np.bool_],
    parts: Parts = EVERY_PART,
) -> list[Part]:
    """Look each part of a plan up on its own; those that need no other one side by side.

    A part that the index cannot answer, or that needs such a one, brings nothing.
    """
    found: dict[int, Part] = {}
    names: dict[int, tuple[str, ...]] = {}

    def look_up(part: SubQuestion) -> Part | None:
        text = fill(part, names)
        if text is None:
            return None
        ranking = rank(index, encoder, text, allowed, parts)
        question = limited(analyse(text), parts)
        evidence = Selector(index, encoder, question, ranking, (), parts).select()
        if insufficient(index, question, ranking, evidence):
            return None
        return Part(SubQuestion(number=part.number, question=text, after=part.after), evidence)

    for wave in waves(plan):
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            for part, looked_up in zip(wave, pool.map(look_up, wave), strict=True):
                if looked_up is None:
                    continue
                found[part.number] = looked_up
                papers = [index.papers[at.paper] for at in looked_up.evidence.papers]
                names[part.number] = tuple(title_name(p) or p.display_title for p in papers)
    return [found[number] for number in sorted(found)]


def merge(whole: Evidence, parts: Sequence[Part]) -> Evidence:
    """The evidence of all parts and of the whole question, each paper once.

    The parts come first, in their order: a paper's sentences for a part go before those for the
    whole.
    """
    rows: dict[int, list[int]] = {}
    scores: dict[int, float] = {}
    for found in (*(at for part in parts for at in part.evidence.papers), *whole.papers):
        rows.setdefault(found.paper, []).extend(found.passages)
        scores[found.paper] = max(found.score, scores.get(found.paper, 0.0))
    papers = tuple(
        PaperEvidence(paper, tuple(dict.fromkeys(passages)), scores[paper])
        for paper, passages in rows.items()
    )
    close = tuple(found for found in whole.close if found.paper not in rows)
    return replace(whole, papers=papers, close=close)
