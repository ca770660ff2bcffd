"""Runs side by side: tables of systems with intervals, and docs/LEADERBOARD.md made of them."""

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from eval.benchmarks import fixed_subset, load_beir
from eval.fitting.run import SOURCES, YEAR, Material, fit, load_material
from eval.markdown import Better, Cell, p_value, table
from eval.measuring import evaluate_answers, evaluate_retrieval
from eval.peers import PEERS, peer_subject
from eval.report import render
from eval.runs import METRICS, Run, code_hash, load_run, package_versions, versions_of
from eval.statistics import bootstrap_mean, compare, holm
from eval.systems import Subject, open_ours
from eval.vector_cache import CachedEncoder, benchmark_store
from index.build import build
from index.errors import AbstractQAError
from index.sources import sha256_of
from index.store import Index
from rag.fitted import Record
from rag.settings import Settings

SETS = {"acl": "acl", "bio": "bio", "dev2": "digests", "dev": "digests"}
"""The question sets that are answered, each with its collection of `eval.fitting.run.SOURCES`."""
BENCHMARKS: Mapping[str, int | None] = {"scifact": None, "litsearch_acl": 6_000}
"""The benchmarks, and how many of their papers every system ranks; None for all."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a metric, what it is called, which end is good, and its form."""

    metric: str
    title: str
    better: Better | None = "high"
    pool: Callable[[Sequence[float]], Cell | np.floating] = np.mean
    """What it shows of the questions' values."""


RANKING = (
    Column("nDCG@10", "nDCG@10", pool=bootstrap_mean),
    Column("hit@1", "hit@1"),
    Column("MRR", "MRR"),
    Column("R@10", "R@10"),
)
TIME = Column("latency_ms", "ms, median", "low", np.median)
AURC = "AURC"
"""A column that is of the whole run."""
COLUMNS = {
    "retrieval": (*RANKING, Column("MAP", "MAP"), Column("R@100", "R@100"), TIME),
    "answers": (
        Column("nugget_recall", "facts stated", pool=bootstrap_mean),
        Column("words", "words, median", None, np.median),
        Column("citation_precision", "cited papers gold"),
        Column("citation_recall", "gold papers cited"),
        Column("evidence_recall", "gold sentences cited"),
        Column("right", "right", pool=bootstrap_mean),
        Column(AURC, AURC, "low"),
        TIME,
    ),
}


def board(runs: Sequence[Run], columns: Sequence[Column] | None = None) -> str:
    """A Markdown table of runs of one kind on one dataset.

    The column "p" is the paired randomization test of each system against the first one, by the
    first column, corrected for how many systems there are (Holm).
    """
    chosen = columns or COLUMNS[runs[0].kind]
    p_values = against_first(runs, chosen[0].metric)
    counts = Counter(run.system for run in runs)
    rows: list[list[Cell]] = [
        [
            f"{run.system} ({run.name})" if counts[run.system] > 1 else run.system,
            *(_cell(run, column) for column in chosen),
            p_value(p),
        ]
        for run, p in zip(runs, p_values, strict=True)
    ]
    best: dict[str, Better] = {c.title: c.better for c in chosen if c.better}
    return table(["system", *(column.title for column in chosen), "p"], rows, best)


def boards(runs: Sequence[Run]) -> str:
    """Markdown: a table for each kind of run and dataset, the runs in the order given."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(f"{run.kind} {json.dumps(run.record['dataset'])}", []).append(run)
    return "\n\n".join(
        f"{group[0].record['dataset']['name']}\n\n{board(group)}" for group in groups.values()
    )


def against_first(runs: Sequence[Run], metric: str) -> list[float | None]:
    """The corrected p-value of each run against the first; None for the first itself."""
    first = runs[0].column(metric)
    pairs = {str(at): compare(first, run.column(metric)) for at, run in enumerate(runs) if at}
    corrected = holm({at: paired.p for at, paired in pairs.items() if paired})
    return [corrected.get(str(at)) for at in range(len(runs))]


def _cell(run: Run, column: Column) -> Cell:
    if column.metric == AURC:
        value: float | None = run.metrics["answers"]["selective"]["aurc"]
        return value
    values = list(run.column(column.metric).values())
    found = column.pool(values) if values else None
    return float(found) if isinstance(found, np.floating) else found


def abstention_table(runs: Sequence[Run]) -> str:
    """A Markdown table: how many questions of each unanswerable type each system refused."""
    asked = runs[0].questions
    kinds = {
        id_: "answerable" if asked[id_]["answerable"] else score.type
        for id_, score in runs[0].scores.items()
    }
    listed = sorted(dict.fromkeys(kinds.values()), key="answerable".__eq__)
    rows: list[list[Cell]] = []
    for run in runs:
        refused = run.column("refused")
        of = [[refused[id_] for id_ in refused if kinds[id_] == kind] for kind in listed]
        figures: Mapping[str, float | None] = run.metrics["answers"]["abstention"]
        counts = (f"{sum(each):.0f} of {len(each)}" for each in of)
        rows.append([run.system, *counts, figures["precision"], figures["recall"]])
    head = ["system", *(f"{kind} refused" for kind in listed)]
    return table([*head, "precision", "recall"], rows, {"precision": "high", "recall": "high"})


class Suite:
    """Measures everything, one run after another; runs that are there already are not made again.

    The runs of one state of code, data, encoder and packages are in a folder of their own under
    `keep`: what was measured with others is neither used nor overwritten.
    """

    def __init__(self, data: Path, keep: Path, settings: Settings) -> None:
        """Take the folder of data: `digests/`, `corpora/`, `questions/`, `evidence/`, `beir/`."""
        self._data = data
        self._settings = settings
        self._encoder = CachedEncoder.open(settings.encoder)
        self._peers = {name: versions_of(entry.packages) for name, entry in PEERS.items()}
        files = [path for path in sorted(data.rglob("*.*")) if path.is_file()]
        known = [code_hash(), self._encoder.weights_hash, package_versions(), self._peers]
        state = json.dumps([sha256_of(*files), *known])
        self._keep = keep / hashlib.sha256(state.encode()).hexdigest()[:12]
        self._fitted: dict[str, Record] = {}
        self._missing: dict[str, str] = {}
        """The systems that could not be measured, and why."""

    def page(self) -> str:
        """Measure everything, and write docs/LEADERBOARD.md."""
        runs = {name: self._answers(name) for name in SETS}
        packages = [[n, ", ".join(map(" ".join, each.items()))] for n, each in self._peers.items()]
        return render(
            "leaderboard.md",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            code=code_hash()[:12],
            python=platform.python_version(),
            cores=os.cpu_count(),
            cpu=platform.machine(),
            encoder=self._encoder.name,
            sets={
                name: {
                    "papers": each[0].record["configuration"]["papers"],
                    "questions": len(each[0].scores),
                    "searched": len(each[0].column("nDCG@10")),
                    "ranking": board(each, RANKING),
                    "answers": board(each),
                    "abstention": abstention_table(each),
                }
                for name, each in runs.items()
            },
            benchmarks=dict(map(self._ranked, BENCHMARKS)),
            versions=", ".join(f"{name} {each}" for name, each in package_versions().items()),
            peers=table(["peer", "packages"], packages),
            missing=table(["system", "why"], [[*item] for item in self._missing.items()]),
        )

    def _answers(self, name: str) -> list[Run]:
        """Every system on a question set; ours by models that have not seen its collection."""
        collection, path = SETS[name], self._data / "questions" / f"{name}.jsonl"
        store = self._keep / f"{collection}-store"
        build([self._data / SOURCES[collection].papers], store, self._encoder, year=YEAR)

        def open_unseen() -> Subject:
            if collection not in self._fitted:
                self._fitted[collection] = fit(self._material, without=collection)
            ours = open_ours(store, self._settings, fitted=self._fitted[collection])
            return replace(ours, configuration={**ours.configuration, "left_out": collection})

        def measure(subject: Subject, out: Path) -> None:
            evaluate_answers(path, subject, "extractive", out)

        return self._each_system(name, store, open_unseen, measure)

    @cached_property
    def _material(self) -> Material:
        return load_material(self._data, self._encoder)

    def _ranked(self, name: str) -> tuple[str, str]:
        """Every system on a retrieval benchmark: what it is called, and the table."""
        benchmark, size = load_beir(self._data / "beir" / name), BENCHMARKS[name]
        if size is not None:
            benchmark = fixed_subset(benchmark, size)
        store = benchmark_store(benchmark.papers, self._encoder)

        def measure(subject: Subject, out: Path) -> None:
            evaluate_retrieval(benchmark, subject, out)

        opened = partial(open_ours, store, self._settings)
        runs = self._each_system(benchmark.name, store, opened, measure)
        papers, queries = len(benchmark.papers), len(benchmark.qrels)
        return f"{benchmark.name}: {papers:,} abstracts, {queries} queries", board(runs)

    def _each_system(
        self,
        name: str,
        store: Path,
        open_us: Callable[[], Subject],
        measure: Callable[[Subject, Path], None],
    ) -> list[Run]:
        """The runs of all systems on one set, ours first; those that are there are not made."""
        systems = {"abstractqa": open_us}
        papers = tuple(Index.open(store).papers)  # in memory, or peers would read them anew
        systems |= {peer: partial(peer_subject, peer, papers, self._encoder) for peer in PEERS}
        runs = []
        for system, opened in systems.items():
            folder = self._keep / f"{name}-{system}"
            try:
                if not (folder / METRICS).exists():
                    measure(opened(), folder)
            except Exception as error:  # of a peer's code, whatever it is: the table says it
                if system not in PEERS:
                    raise
                ours = isinstance(error, AbstractQAError)
                self._missing[system] = str(error) if ours else f"{type(error).__name__} on {name}"
                continue
            runs.append(load_run(folder))
        return runs
