"""How well a ranking puts the relevant papers first.

The values are those of `pytrec_eval` (trec_eval's own code), through `ir_measures`.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from ir_measures import AP, RR, R, Success, nDCG, pytrec_eval

Qrels = Mapping[str, Mapping[str, int]]
"""`qrels[query id][paper id]` = relevance; above 0 is relevant."""

Run = Mapping[str, Mapping[str, float]]
"""`run[query id][paper id]` = score; higher is better."""

MEASURES = {
    "nDCG@10": nDCG @ 10,
    "MRR": RR,
    "MAP": AP,
    "R@5": R @ 5,
    "R@10": R @ 10,
    "R@100": R @ 100,
    "hit@1": Success @ 1,
}
"""What is measured, by the name it has in metrics.json."""


def ranked(hits: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Scores that put `hits` (paper id, score), best first, in exactly the order given.

    trec_eval ignores the rank column, compares scores as 32-bit floats and orders equal ones
    by id, backwards; so a score that does not fall is lowered by the least possible step.
    A paper that comes again keeps its first place.
    """
    scores: dict[str, float] = {}
    last = np.float32(np.inf)
    for paper, score in hits:
        if paper in scores:
            continue
        last = min(np.float32(score), np.nextafter(last, np.float32(-np.inf)))
        scores[paper] = float(last)
    return scores


def query_metrics(qrels: Qrels, run: Run) -> dict[str, dict[str, float]]:
    """Every measure of every query of `qrels`; a query without a ranking scores 0.

    All are at paper level and in [0, 1]. With rel(i) the relevance of the paper at rank i:

    - nDCG@10 = DCG@10 / ideal DCG@10, DCG@10 = sum over i ≤ 10 of rel(i) / log2(i + 1)
      (Järvelin & Kekäläinen 2002, trec_eval `ndcg_cut`).
    - MRR: 1 / rank of the first relevant paper, 0 if it was not found; its mean over queries
      gives the name (Voorhees 1999, trec_eval `recip_rank`).
    - MAP: the precision at the rank of each relevant paper that was found, added up / relevant
      papers (trec_eval `map`); nothing is cut off but what the run itself leaves out.
    - R@k: relevant papers among the first k / relevant papers (trec_eval `recall`).
    - hit@1: 1 if the first paper is relevant, else 0 (trec_eval `success`).

    Returns:
        query id → measure's name → value.
    """
    names = {measure: name for name, measure in MEASURES.items()}
    values: dict[str, dict[str, float]] = {query: dict.fromkeys(MEASURES, 0.0) for query in qrels}
    plain_qrels = {query: dict(judged) for query, judged in qrels.items()}
    plain_run = {query: dict(scores) for query, scores in run.items()}
    for metric in pytrec_eval.iter_calc(list(names), plain_qrels, plain_run):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def mean_metrics(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean over the queries of each measure, 0 for none."""
    return {
        name: sum(values[name] for values in per_query.values()) / max(len(per_query), 1)
        for name in MEASURES
    }
