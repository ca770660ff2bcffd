"""How well a system finds the papers of a benchmark."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel
from tqdm.auto import tqdm

from eval.answers import DEPTH
from eval.datasets import Beir
from eval.datasets.lines import parse
from eval.metrics.cost import percentiles
from eval.metrics.intervals import intervals
from eval.metrics.retrieval import Run as Rankings
from eval.metrics.retrieval import mean_metrics, query_metrics, ranked
from eval.report.retrieval import retrieval_report
from eval.runs import ANSWERS, QuestionScore, Run, environment
from eval.systems import Subject
from eval.vector_cache import cache_folder
from index.build import Stage, build_papers
from index.encoder import Encoder
from index.manifest import FORMAT_VERSION
from index.papers import Paper

RANKINGS = "run.trec"


@dataclass(frozen=True)
class Benchmark:
    """A benchmark with the name and the hash that a record knows it by."""

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
    benchmark: Benchmark, subject: Subject, out: Path | None = None, *, reuse: bool = False
) -> dict[str, object]:
    """Search every judged query as users do, and write a run (`eval.runs`).

    Beside the files of every run the folder gets `run.trec` (`query Q0 paper rank score tag`).
    A run that was killed goes on where it stopped.

    Args:
        benchmark: The queries, with the papers that are relevant to each.
        subject: What is measured, with the benchmark's papers indexed.
        out: The run's folder, new, empty or unfinished; `runs/<dataset>-<UTC timestamp>` by
            default.
        reuse: Whether a finished run of the same in `out` is taken as it is.

    Returns:
        What `metrics.json` holds.

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
    with Run.begin(out, benchmark.name, record, queries, reuse=reuse) as run:
        if run.metrics:
            return run.metrics
        _search_all(benchmark, subject, run)
        back = {
            query: parse(Ranked, line, run.folder / ANSWERS, number)
            for number, (query, line) in enumerate(run.done.items(), start=1)
        }
        rankings = {query: back[query].found for query in beir.qrels}
        write_run(run.folder / RANKINGS, rankings)
        per_query = query_metrics(beir.qrels, rankings)
        rows = [
            QuestionScore(query, "query", {**values, "latency_ms": back[query].elapsed_ms})
            for query, values in per_query.items()
        ]
        between = intervals(rows)
        metrics: dict[str, object] = {
            "run": run.name,
            **record,
            "retrieval": mean_metrics(per_query),
            "latency_ms": percentiles([line.elapsed_ms for line in back.values()]),
            "intervals": between,
            "environment": environment(),
        }
        report = retrieval_report(benchmark.name, metrics, beir, rankings, per_query, between)
        run.finish(metrics, rows, report)
        return metrics


def _search_all(benchmark: Benchmark, subject: Subject, run: Run) -> None:
    beir = benchmark.beir
    waiting = [query for query in beir.qrels if query not in run.done]
    bar = tqdm(
        waiting, initial=len(run.done), total=len(beir.qrels), desc="search", unit="query",
        disable=None,
    )  # fmt: skip
    for query in bar:
        started = perf_counter()
        found = subject.system.search(beir.queries[query], DEPTH + 1)
        elapsed_ms = 1000 * (perf_counter() - started)
        # As BEIR does: a query that is a paper itself is to find the others.
        others = [hit for hit in found if hit[0] != query][:DEPTH]
        run.append(Ranked(id=query, found=ranked(others), elapsed_ms=elapsed_ms).model_dump())


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


def write_run(path: Path, run: Rankings, tag: str = "abstractqa") -> None:
    """Write a ranking in TREC's format: `query Q0 paper rank score tag`, best first, rank from 1.

    Scores have nine significant digits: enough for the 32-bit floats that trec_eval compares.
    """
    with path.open("w", encoding="utf-8") as file:
        for query, scores in run.items():
            for rank, (paper, score) in enumerate(scores.items(), start=1):
                file.write(f"{query} Q0 {paper} {rank} {score:.9g} {tag}\n")
