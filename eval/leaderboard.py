"""Runs side by side: tables of systems with intervals, and docs/LEADERBOARD.md made of them."""

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from eval.answers import evaluate_answers
from eval.benchmarks import fixed_subset, load_beir
from eval.peers import PEERS, peer_subject, peer_versions
from eval.report import render
from eval.retrieval import Benchmark, benchmark_store, evaluate_retrieval
from eval.runs import METRICS, Recorded, code_hash, load_run, package_versions
from eval.statistics import bootstrap_mean, compare, holm
from eval.systems import Subject, open_ours
from eval.tables import Better, Cell, p_value, table
from eval.vector_cache import CachedEncoder
from index.build import build
from index.errors import AbstractQAError
from index.sources import sha256_of
from rag.settings import Settings

HEADLINE = {"answers": "nugget_recall", "retrieval": "nDCG@10"}
"""What systems are compared by, for each kind of run, in the column "p"."""
YEAR = 2025
"""Of the digests, whose dates have none."""
SUBSET = 6_000
"""Papers of the LitSearch benchmark that every system ranks."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a metric, what it is called, which end is good, and its form."""

    metric: str
    title: str
    better: Better | None = "high"
    form: str = "mean"
    """"interval", "mean", "median", or "aurc", which is of the whole run."""


RANKING = (
    Column("nDCG@10", "nDCG@10", form="interval"),
    Column("hit@1", "hit@1"),
    Column("MRR", "MRR"),
    Column("MAP", "MAP"),
    Column("R@10", "R@10"),
    Column("R@100", "R@100"),
)
COLUMNS = {
    "retrieval": (*RANKING, Column("latency_ms", "ms, median", "low", "median")),
    "answers": (
        Column("nugget_recall", "facts stated", form="interval"),
        Column("nugget_recall_sentences", "… without titles"),
        Column("words", "words, median", None, "median"),
        Column("citation_precision", "cited papers gold"),
        Column("citation_recall", "gold papers cited"),
        Column("evidence_recall", "gold sentences cited"),
        Column("alce_recall", "ALCE recall"),
        Column("alce_precision", "ALCE precision"),
        Column("right", "right", form="interval"),
        Column("", "AURC", "low", "aurc"),
        Column("latency_ms", "ms, median", "low", "median"),
    ),
}


def board(
    runs: Sequence[Recorded], columns: Sequence[Column] | None = None, headline: str | None = None
) -> str:
    """A Markdown table of runs of one kind on one dataset.

    The column "p" is the paired randomization test of each system against the first one, by
    `headline` (`HEADLINE` by default), corrected for how many systems there are (Holm).
    """
    kind = runs[0].kind
    chosen = columns or COLUMNS[kind]
    p_values = against_first(runs, headline or HEADLINE[kind])
    twice = {system for system, count in Counter(run.system for run in runs).items() if count > 1}
    rows: list[list[Cell]] = [
        [
            f"{run.system} ({run.name})" if run.system in twice else run.system,
            *(_cell(run, column) for column in chosen),
            p_value(p),
        ]
        for run, p in zip(runs, p_values, strict=True)
    ]
    best: dict[str, Better] = {c.title: c.better for c in chosen if c.better}
    return table(["system", *(column.title for column in chosen), "p"], rows, best)


def boards(runs: Sequence[Recorded]) -> str:
    """Markdown: a table for each kind of run and dataset, the runs in the order given."""
    groups: dict[str, list[Recorded]] = {}
    for run in runs:
        groups.setdefault(f"{run.kind} {json.dumps(run.record['dataset'])}", []).append(run)
    return "\n\n".join(
        f"{group[0].record['dataset']['name']}\n\n{board(group)}" for group in groups.values()
    )


def against_first(runs: Sequence[Recorded], metric: str) -> list[float | None]:
    """The corrected p-value of each run against the first; None for the first itself."""
    first = runs[0].column(metric)
    pairs = {str(at): compare(first, run.column(metric)) for at, run in enumerate(runs) if at}
    corrected = holm({at: paired.p for at, paired in pairs.items() if paired})
    return [corrected.get(str(at)) for at in range(len(runs))]


def _cell(run: Recorded, column: Column) -> Cell:
    if column.form == "aurc":
        value: float | None = run.metrics["answers"]["selective"]["aurc"]
        return value
    values = list(run.column(column.metric).values())
    if not values:
        return None
    if column.form == "interval":
        return bootstrap_mean(values)
    return float(np.median(values) if column.form == "median" else np.mean(values))


def abstention_table(runs: Sequence[Recorded]) -> str:
    """A Markdown table: how many questions of each unanswerable type each system refused."""
    kinds = dict.fromkeys(
        score.type
        for score in runs[0].scores.values()
        if not runs[0].questions[score.id]["answerable"]
    )
    rows: list[list[Cell]] = []
    for run in runs:
        refused: dict[str, list[float | None]] = {}
        for score in run.scores.values():
            kind = "" if run.questions[score.id]["answerable"] else score.type
            refused.setdefault(kind, []).append(score.values["refused"])
        counts = [
            f"{sum(filter(None, refused.get(kind, ()))):.0f} of {len(refused.get(kind, ()))}"
            for kind in (*kinds, "")
        ]
        figures: Mapping[str, float | None] = run.metrics["answers"]["abstention"]
        rows.append([run.system, *counts, figures["precision"], figures["recall"]])
    head = ["system", *(f"{kind} refused" for kind in (*kinds, "answerable"))]
    best: dict[str, Better] = {"precision": "high", "recall": "high"}
    return table([*head, "precision", "recall"], rows, best)


class Suite:
    """Measures everything, one run after another; runs that are there already are not made again.

    The runs of one state of code, data, encoder and packages lie in a folder of their own under
    `keep`: what was measured with others is neither used nor overwritten.
    """

    def __init__(self, data: Path, keep: Path, settings: Settings) -> None:
        """Take the folder of data: `digests/`, `questions/dev.jsonl`, `beir/`."""
        self._data = data
        self._settings = settings
        self._encoder = CachedEncoder.open(settings.encoder)
        self._questions = data / "questions" / "dev.jsonl"
        files = [path for path in sorted(data.rglob("*.*")) if path.is_file()]
        versions = {name: peer_versions(name) for name in PEERS}
        known = [code_hash(), self._encoder.weights_hash, package_versions(), versions]
        state = json.dumps([sha256_of(*files), *known])
        self._keep = keep / hashlib.sha256(state.encode()).hexdigest()[:12]
        self.missing: dict[str, str] = {}
        """The systems that could not be measured, and why."""

    def page(self) -> str:
        """Measure everything, and write docs/LEADERBOARD.md."""
        store = self._keep / "dev-store"
        build([self._data / "digests"], store, self._encoder, year=YEAR)

        def measure(subject: Subject, out: Path) -> None:
            evaluate_answers(self._questions, subject, "extractive", out)

        runs = self._each_system("dev", store, measure)
        answerable = sum(bool(each["answerable"]) for each in runs[0].questions.values())
        return render(
            "leaderboard.md",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            code=str(runs[0].record["code"])[:12],
            python=platform.python_version(),
            cores=os.cpu_count(),
            cpu=platform.machine(),
            encoder=runs[0].record["configuration"]["encoder"],
            searched=len(runs[0].column("nDCG@10")),
            questions=len(runs[0].scores),
            answerable=answerable,
            ranking=board(runs, RANKING, "nDCG@10"),
            answers=board(runs),
            abstention=abstention_table(runs),
            benchmarks=self._benchmarks(),
            versions=", ".join(f"{name} {each}" for name, each in package_versions().items()),
            peers=table(
                ["peer", "packages"],
                [[n, ", ".join(map(" ".join, peer_versions(n).items())) or None] for n in PEERS],
            ),
            missing=table(["system", "why"], [[*item] for item in self.missing.items()]),
        )

    def _benchmarks(self) -> dict[str, str]:
        """Every system on every retrieval benchmark."""
        litsearch = load_beir(self._data / "beir" / "litsearch_acl")
        found: dict[str, str] = {}
        for benchmark in (
            Benchmark("scifact", load_beir(self._data / "beir" / "scifact")),
            Benchmark(f"litsearch-acl-{SUBSET}", fixed_subset(litsearch, SUBSET)),
        ):
            store = benchmark_store(benchmark.beir.papers, self._encoder)
            runs = self._each_system(benchmark.name, store, _ranker(benchmark))
            papers, queries = len(benchmark.beir.papers), len(benchmark.beir.qrels)
            found[f"{benchmark.name}: {papers:,} abstracts, {queries} queries"] = board(runs)
        return found

    def _each_system(
        self, dataset: str, store: Path, measure: Callable[[Subject, Path], None]
    ) -> list[Recorded]:
        subject = open_ours(store, self._settings)
        runs = self._run(f"{dataset}-abstractqa", lambda: subject, measure)
        for name in PEERS:
            peer = partial(peer_subject, name, subject.papers, self._encoder)
            runs += self._run(f"{dataset}-{name}", peer, measure, name)
        return runs

    def _run(
        self,
        label: str,
        subject: Callable[[], Subject],
        measure: Callable[[Subject, Path], None],
        peer: str | None = None,
    ) -> list[Recorded]:
        """The run in a folder of its own, made unless it is there; none if a peer cannot run."""
        folder = self._keep / label
        if not (folder / METRICS).exists():
            try:
                measure(subject(), folder)
            except Exception as error:  # of a peer's code, whatever it is: the table says it
                if peer is None:
                    raise
                ours = isinstance(error, AbstractQAError)
                self.missing[peer] = str(error) if ours else f"{type(error).__name__} on {label}"
                return []
        return [load_run(folder)]


def _ranker(benchmark: Benchmark) -> Callable[[Subject, Path], None]:
    def measure(subject: Subject, out: Path) -> None:
        evaluate_retrieval(benchmark, subject, out)

    return measure
