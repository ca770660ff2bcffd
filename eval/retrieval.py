"""How well the assistant's own retrieval finds papers: on a benchmark, on a questions file."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import platformdirs
from tqdm.auto import tqdm

from eval.datasets import Question, load_beir
from eval.metrics.retrieval import Run, ranked, retrieval_metrics
from eval.metrics.summary import latency
from eval.runs import environment, new_run_folder, public_name, write_metrics
from index.build import Stage, build_papers
from index.embedding import SentenceEncoder
from index.hashing import sha256_of
from index.manifest import FORMAT_VERSION
from index.papers import Paper, letters
from rag.assistant import Assistant
from rag.settings import Settings

DEPTH = 100
"""Papers kept for each query; MRR looks no deeper."""


def evaluate_retrieval(
    folder: Path, settings: Settings, out: Path | None = None
) -> dict[str, object]:
    """Index a BEIR folder, search every judged query as the assistant does, and write a run.

    The run's folder gets `run.trec` (`query Q0 paper rank score tag`) and `metrics.json` (what
    is returned). The index is built once for a corpus and an encoder and kept in the user's
    cache.

    Args:
        folder: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` (`eval.datasets.load_beir`).
        settings: The encoder and how to search; the store is not used.
        out: The run's folder, empty or new; `runs/<dataset>-<UTC timestamp>` by default.

    Raises:
        InputError: the dataset is broken or the run's folder is taken.
    """
    beir = load_beir(folder)
    name = folder.resolve().name
    run_folder = new_run_folder(out, name)
    corpus_hash = sha256_of(folder / "corpus.jsonl")
    encoder = SentenceEncoder.open(settings.encoder)
    store, generation = benchmark_store(beir.papers, corpus_hash, encoder)
    assistant = Assistant.open(store=store, settings=settings)
    run, elapsed_ms = search_all(assistant, {query: beir.queries[query] for query in beir.qrels})
    write_run(run_folder / "run.trec", run)
    metrics: dict[str, object] = {
        "run": run_folder.resolve().name,
        "dataset": {
            "name": name,
            "corpus_sha256": corpus_hash,
            "queries_sha256": sha256_of(folder / "queries.jsonl", folder / "qrels" / "test.tsv"),
            "queries": len(beir.qrels),
        },
        "configuration": {
            "index": generation,
            "papers": len(beir.papers),
            "encoder": public_name(encoder.name),
            "depth": DEPTH,
        },
        "retrieval": retrieval_metrics(beir.qrels, run),
        "latency_ms": latency(elapsed_ms),
        "environment": environment(),
    }
    write_metrics(run_folder, metrics)
    return metrics


def benchmark_store(
    papers: Sequence[Paper], corpus_hash: str, encoder: SentenceEncoder
) -> tuple[Path, str]:
    """Index a benchmark's papers into the user's cache, or find them there.

    A corpus and an encoder's weights have one store; indexing it again embeds only what this
    version of AbstractQA reads or cuts otherwise than the version that built it.

    Returns:
        The store and the id of its live generation.
    """
    parts = (corpus_hash, encoder.weights_hash, str(FORMAT_VERSION))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    store = platformdirs.user_cache_path("abstractqa") / "eval" / key
    with tqdm(desc="embed", unit="text", leave=False, disable=None) as bar:

        def progress(stage: Stage, done: int, total: int) -> None:
            if stage == "embed":
                bar.total = total
                bar.update(done - bar.n)

        report = build_papers(papers, store, encoder, progress=progress)
    return store, report.generation


def evaluate_question_retrieval(
    questions: Sequence[Question], assistant: Assistant
) -> dict[str, float | int]:
    """Measure retrieval on the questions that stand alone and have papers that answer them.

    Follow-ups and questions about a digest are left out: they need the history and filters
    that `ask` adds before it searches.
    """
    asked = {
        q.id: q
        for q in questions
        if q.answerable and q.papers and not q.history and q.type not in ("followup", "digest")
    }
    ids = {letters(paper.title): paper.id for paper in assistant.papers()}
    qrels = {
        # A paper that is not in the index keeps its title, so that it counts as not found.
        key: {ids.get(letters(title), f"absent: {title}"): 1 for title in question.papers}
        for key, question in asked.items()
    }
    run, _ = search_all(assistant, {key: question.question for key, question in asked.items()})
    return {"questions": len(asked), **retrieval_metrics(qrels, run)}


def search_all(
    assistant: Assistant, queries: Mapping[str, str]
) -> tuple[dict[str, dict[str, float]], list[float]]:
    """Search each query; returns the run and the wall-clock milliseconds of each search."""
    run: dict[str, dict[str, float]] = {}
    elapsed_ms: list[float] = []
    for key, query in tqdm(queries.items(), desc="search", unit="query", disable=None):
        started = perf_counter()
        hits = assistant.search(query, limit=DEPTH)
        elapsed_ms.append(1000 * (perf_counter() - started))
        run[key] = ranked((hit.paper.id, hit.score) for hit in hits)
    return run, elapsed_ms


def write_run(path: Path, run: Run, tag: str = "abstractqa") -> None:
    """Write a ranking in TREC's format: `query Q0 paper rank score tag`, best first, rank from 1.

    Scores have nine significant digits: enough for the 32-bit floats that trec_eval compares.
    """
    with path.open("w", encoding="utf-8") as file:
        for query, scores in run.items():
            for rank, (paper, score) in enumerate(scores.items(), start=1):
                file.write(f"{query} Q0 {paper} {rank} {score:.9g} {tag}\n")
