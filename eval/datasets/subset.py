"""A part of a benchmark that is the same for everyone who takes it."""

import hashlib
from dataclasses import replace
from heapq import nsmallest

from eval.datasets.beir import Beir
from index.errors import InputError


def fixed_subset(beir: Beir, size: int) -> Beir:
    """The benchmark on `size` of its papers: every relevant one, and others drawn by their ids.

    The others are those with the lowest SHA-256 of their id, so the draw depends on neither the
    order of the corpus nor a seed, and a smaller subset lies within a larger one. Queries and
    judgements stay. Figures on a subset are higher than on the whole corpus: there is less to
    mistake for the relevant paper.

    Raises:
        InputError: more than `size` papers are relevant.
    """
    wanted = {p for grades in beir.qrels.values() for p, grade in grades.items() if grade > 0}
    kept = {paper.id for paper in beir.papers if paper.id in wanted}
    if len(kept) > size:
        raise InputError(f"{len(kept)} papers are relevant; a subset needs at least as many")
    others = (paper.id for paper in beir.papers if paper.id not in kept)
    kept.update(nsmallest(size - len(kept), others, key=_draw))
    return replace(beir, papers=[paper for paper in beir.papers if paper.id in kept])


def _draw(paper: str) -> str:
    return hashlib.sha256(paper.encode()).hexdigest()
