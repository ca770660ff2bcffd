"""How well a system finds the papers of a benchmark.

The values are those of `pytrec_eval` (trec_eval's own code), through `ir_measures`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from ir_measures import AP, RR, R, Success, nDCG, pytrec_eval
from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.datasets import parse
from eval.figures import intervals, mean_of, percentiles
from eval.formats import Beir
from eval.report import retrieval_report
from eval.runs import ANSWERS, QuestionScore, Run, environment
from eval.systems import Subject
from eval.vector_cache import cache_folder
from index.build import Stage, build_papers
from index.encoder import Encoder
from index.manifest import FORMAT_VERSION
from index.papers import Paper

Qrels = Mapping[str, Mapping[str, int]]
"""`qrels[query id][paper id]` = relevance; above 0 is relevant."""
Rankings = Mapping[str, Mapping[str, float]]
"""`rankings[query id][paper id]` = score; higher is better."""

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
DEPTH = 100
"""Papers kept of each search; MRR and MAP look no deeper."""
RANKINGS = "run.trec"


def ranked(hits: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Score `hits` (paper id, score), best first, so that exactly the order given is measured.

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


def query_metrics(qrels: Qrels, run: Rankings) -> dict[str, dict[str, float]]:
    """Measure every query of `qrels`: query id → measure's name → value, in [0, 1].

    The measures are at paper level, and those of trec_eval (docs/evaluation.md has the formulas). A
    query without a ranking scores 0.
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
        name: mean_of(values[name] for values in per_query.values()) or 0.0 for name in MEASURES
    }


@dataclass(frozen=True)
class Benchmark:
    """A benchmark with the name that a record knows it by."""

    name: str
    beir: Beir

    def described(self) -> dict[str, object]:
        """What a record says of it."""
        judged = {query: self.beir.queries[query] for query in self.beir.qrels}
        return {
            "name": self.name,
            "papers": len(self.beir.papers),
            "queries": len(judged),
            "relevant_papers_absent": self.beir.absent,
            "papers_sha256": papers_hash(self.beir.papers),
            "queries_sha256": _hash(repr(sorted(judged.items())), repr(self.beir.qrels)),
        }


class Ranked(BaseModel):
    """What one query gave: a line of a run's `answers.jsonl`."""

    id: str
    found: dict[str, float]
    """Paper id → score, best first."""
    elapsed_ms: float


def evaluate_retrieval(
    benchmark: Benchmark, subject: Subject, out: Path | None = None
) -> dict[str, object]:
    """Search every judged query, and write a run (`eval.runs`) of which it returns the metrics.

    Beside the files of every run the folder gets `run.trec` (`query Q0 paper rank score tag`).
    A run that was killed goes on where it stopped.

    Args:
        benchmark: The queries, with the papers that are relevant to each.
        subject: What is measured, with the benchmark's papers indexed.
        out: The run's folder, new, empty or unfinished; by default one in `runs/`.

    Raises:
        InputError: the run's folder is taken.
    """
    beir = benchmark.beir
    record: dict[str, object] = {
        "kind": "retrieval",
        "system": subject.system.name,
        "dataset": benchmark.described(),
        "configuration": {"depth": DEPTH, **subject.configuration},
    }
    queries = [
        {"id": query, "question": beir.queries[query], "relevant": dict(judged)}
        for query, judged in beir.qrels.items()
    ]
    with Run.begin(out, benchmark.name, record, queries) as run:
        _search_all(beir, subject, run)
        return _measure(run, record, beir)


def _measure(run: Run, record: Mapping[str, object], beir: Beir) -> dict[str, object]:
    """Measure what came back, and finish the run; its metrics begin with the record."""
    back = {
        query: parse(Ranked, line, run.folder / ANSWERS, number)
        for number, (query, line) in enumerate(run.done.items(), start=1)
    }
    rankings = {query: back[query].found for query in beir.qrels}
    _write_run(run.folder / RANKINGS, rankings)
    per_query = query_metrics(beir.qrels, rankings)
    times = {query: {"latency_ms": back[query].elapsed_ms} for query in per_query}
    rows = [
        QuestionScore(id=query, type="query", values={**values, **times[query]})
        for query, values in per_query.items()
    ]
    metrics: dict[str, object] = {
        "run": run.name,
        **record,
        "retrieval": mean_metrics(per_query),
        "latency_ms": percentiles([line.elapsed_ms for line in back.values()]),
        "intervals": intervals([row.values for row in rows]),
        "environment": environment(),
    }
    run.finish(metrics, rows, retrieval_report(metrics, beir, rankings, per_query))
    return metrics


def _search_all(beir: Beir, subject: Subject, run: Run) -> None:
    waiting = [query for query in beir.qrels if query not in run.done]
    for query in tqdm(waiting, desc="search", unit="query", disable=None):
        started = perf_counter()
        found = subject.system.search(beir.queries[query], DEPTH + 1)
        elapsed_ms = 1000 * (perf_counter() - started)
        # As BEIR does: a query that is a paper itself is to find the others.
        others = [hit for hit in found if hit[0] != query][:DEPTH]
        run.append(Ranked(id=query, found=ranked(others), elapsed_ms=elapsed_ms).model_dump())


def _write_run(path: Path, rankings: Rankings) -> None:
    """Write TREC's format, best first; nine digits hold the 32-bit floats of trec_eval."""
    with path.open("w", encoding="utf-8") as file:
        for query, scores in rankings.items():
            for rank, (paper, score) in enumerate(scores.items(), start=1):
                file.write(f"{query} Q0 {paper} {rank} {score:.9g} abstractqa\n")


def benchmark_store(papers: Sequence[Paper], encoder: Encoder) -> Path:
    """Index a benchmark's papers into the user's cache, or find them there.

    Papers and an encoder's weights have one store; indexing it again embeds only what this
    version of AbstractQA reads or cuts otherwise than the version that built it.
    """
    key = _hash(papers_hash(papers), encoder.weights_hash, str(FORMAT_VERSION))[:16]
    store = cache_folder() / key
    with tqdm(desc="index", unit="text", leave=False, disable=None) as bar:

        def progress(stage: Stage, done: int, total: int) -> None:
            bar.set_description(stage)
            bar.total = total or None
            bar.n = done
            bar.refresh()

        build_papers(papers, store, encoder, progress=progress)
    return store


def papers_hash(papers: Sequence[Paper]) -> str:
    """SHA-256 of the papers' records in their order, hexadecimal."""
    return _hash(*(paper.model_dump_json() for paper in papers))


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()
