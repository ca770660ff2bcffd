"""A part of a dataset that is the same for everyone who takes it."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from heapq import nsmallest

from eval.datasets.beir import Beir
from eval.datasets.questions import Question
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


def sample_by_type(questions: Sequence[Question], size: int) -> list[Question]:
    """Questions of every type, each type by its share of the file and at least once.

    Shares are rounded by largest remainder; of a type those with the lowest SHA-256 of their id
    are drawn. They stay in the order of the file.

    Raises:
        InputError: there are fewer questions than `size`, or more types.
    """
    types: dict[str, list[str]] = {}
    for question in questions:
        types.setdefault(question.type, []).append(question.id)
    if not len(types) <= size <= len(questions):
        raise InputError(
            f"a sample of {size} of {len(questions)} questions of {len(types)} types: "
            f"give a number from {len(types)} to {len(questions)}"
        )
    exact = {kind: size * len(ids) / len(questions) for kind, ids in types.items()}
    counts = {kind: max(1, int(share)) for kind, share in exact.items()}
    while (left := size - sum(counts.values())) != 0:
        step = 1 if left > 0 else -1
        able = [kind for kind in types if step > 0 or counts[kind] > 1]
        kind = max(able, key=lambda kind: step * (exact[kind] - counts[kind]))
        counts[kind] += step
    drawn = {id_ for kind, ids in types.items() for id_ in nsmallest(counts[kind], ids, key=_draw)}
    return [question for question in questions if question.id in drawn]


def _draw(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()
