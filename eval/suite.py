"""What the leaderboard measures: every system on every set of data, one run each."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from eval.ablate import Ablation, ablate_answers, ablate_retrieval
from eval.answers import evaluate_answers
from eval.checkers import check_claims
from eval.datasets import (
    Question,
    fixed_subset,
    load_beir,
    load_claims,
    load_questions,
    write_questions,
)
from eval.fitting.run import YEAR
from eval.gate.regressions import QUESTIONS as GATE_QUESTIONS
from eval.gate.regressions import gate_subject
from eval.leaderboard import CannotRun
from eval.metrics.cost import index_bytes
from eval.peers import PEERS, PeerUnavailableError, peer_versions
from eval.peers.subject import peer_subject
from eval.probes import by_name, with_typos
from eval.recorded import Recorded, load_run
from eval.report.numbers import Cell
from eval.retrieval import Benchmark, benchmark_store, evaluate_retrieval
from eval.runs import METRICS, code_hash, package_versions
from eval.systems import Subject, ours
from eval.vector_cache import CachedEncoder
from index.build import build, build_papers
from index.embedding import SentenceEncoder
from index.papers import Paper, letters
from index.sources import sha256_of
from rag.assistant import Assistant
from rag.settings import Settings

SUBSET = 6_000
"""Papers of the LitSearch benchmark that every system ranks."""
FOLDS = 5
"""Parts of the papers that are left out in turn, so that their questions become unanswerable."""
LEXICAL_PEER = "bm25"
VARIANTS: Sequence[tuple[str, Mapping[str, float]]] = (
    ("llamaindex-starter", {"words": 300}),
    ("llamaindex-extractive", {"words": 300}),
    ("llamaindex-fusion", {"words": 300}),
    ("llamaindex-starter", {"similarity_cutoff": 0.3}),
)
"""Peers that are also measured otherwise: longer, which is a whole abstract and half of the next,
to show what length alone buys; and with LlamaIndex's own way to refuse."""

Result = Recorded | CannotRun


@dataclass(frozen=True, slots=True)
class BuildCost:
    """What indexing takes, with no vector known before."""

    papers: int
    texts: int
    seconds: float
    index_bytes: int


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
        self._keep = keep / self._state()

    def _state(self) -> str:
        """A hash of all that could change a figure."""
        files = [path for path in sorted(self._data.rglob("*.*")) if path.is_file()]
        versions = {name: peer_versions(name) for name in PEERS}
        known = [code_hash(), self._encoder.weights_hash, package_versions(), versions]
        text = json.dumps([sha256_of(*files), *known])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def _questions(self) -> Path:
        return self._data / "questions" / "dev.jsonl"

    def development(self) -> list[Result]:
        """Every system on the development questions."""
        store = self._development_store()
        assistant = Assistant.open(store=store, settings=self._settings)

        def measure(subject: Subject, out: Path) -> None:
            evaluate_answers(self._questions, subject, "extractive", out)

        subject = ours(assistant, store)
        results = list(self._each_system("dev", subject, measure))
        for name, options in VARIANTS:
            results.append(self._peer(name, "dev", subject.papers, measure, options))
        return results

    def benchmarks(self) -> Iterator[tuple[Benchmark, list[Result]]]:
        """Every system on every retrieval benchmark; the words alone on all of LitSearch."""
        scifact = Benchmark("scifact", load_beir(self._data / "beir" / "scifact"))
        everything = load_beir(self._data / "beir" / "litsearch_acl")
        subset = Benchmark(f"litsearch-acl-{SUBSET}", fixed_subset(everything, SUBSET))
        for benchmark in (scifact, subset):
            yield benchmark, self._rank(benchmark)
        whole = Benchmark("litsearch-acl", everything)
        yield whole, [self._peer(LEXICAL_PEER, whole.name, everything.papers, self._ranker(whole))]

    def ablations(self) -> Iterator[list[Ablation]]:
        """Each part off in turn, on several sets; some parts on sets that need just them."""
        out, settings = self._keep / "ablations", self._settings
        store = self._development_store()
        yield ablate_answers(self._questions, store, settings, out)
        with gate_subject(settings, self._encoder) as gate:
            yield ablate_answers(GATE_QUESTIONS, gate.store or store, settings, out)
        scifact = Benchmark("scifact", load_beir(self._data / "beir" / "scifact"))
        yield ablate_retrieval(scifact, settings, out)
        papers = Assistant.open(store=store, settings=settings).papers()
        probes = {
            "mending": ("typos", with_typos(load_questions(self._questions))),
            "names": ("names", by_name(papers)),
        }
        for part, (name, questions) in probes.items():
            path = self._keep / f"{name}.jsonl"
            write_questions(path, questions)
            yield ablate_answers(path, store, settings, out, [part])

    def removed(self) -> list[Recorded]:
        """Answerable questions after the paper that answers them has been left out.

        The papers are parted into `FOLDS`; each part is left out of an index in turn, and the
        questions with one gold paper in it are asked there. Only refusing is right.
        """
        whole = Assistant.open(store=self._development_store(), settings=self._settings).papers()
        runs: list[Recorded] = []
        for fold in range(FOLDS):
            gone = [paper for at, paper in enumerate(whole) if at % FOLDS == fold]
            questions = self._answered_by(gone)
            folder = self._keep / f"removed-{fold}"
            if questions and not (folder / "run" / METRICS).exists():
                self._ask_without(questions, [p for p in whole if p not in gone], folder)
            if questions:
                runs.append(load_run(folder / "run"))
        return runs

    def build_cost(self) -> BuildCost:
        """Index the digests into a new store, embedding every text."""
        encoder = SentenceEncoder.open(self._settings.encoder, self._settings.secret_of_encoder)
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store"
            started = perf_counter()
            report = build([self._data / "digests"], store, encoder, year=YEAR)
            seconds = perf_counter() - started
            return BuildCost(report.papers, report.embedded, seconds, index_bytes(store))

    def checker(self) -> dict[str, dict[str, Cell]]:
        """The product's checker of citations on every file of labelled claims."""
        files = sorted((self._data / "faithfulness").glob("*.jsonl"))
        return {path.stem: check_claims(load_claims(path)) for path in files}

    def _development_store(self) -> Path:
        store = self._keep / "dev-store"
        build([self._data / "digests"], store, self._encoder, year=YEAR)
        return store

    def _answered_by(self, papers: Sequence[Paper]) -> list[Question]:
        """The questions that one of the papers answers alone."""
        titles = {letters(paper.title) for paper in papers}
        return [
            question
            for question in load_questions(self._questions)
            if len(question.papers) == 1
            and not question.history
            and letters(question.papers[0]) in titles
        ]

    def _ask_without(
        self, questions: Sequence[Question], left: Sequence[Paper], folder: Path
    ) -> None:
        """Ask questions of an index that holds what is left."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "questions.jsonl"
        write_questions(path, [_unanswerable(question) for question in questions])
        build_papers(left, folder / "store", self._encoder)
        assistant = Assistant.open(store=folder / "store", settings=self._settings)
        subject = ours(assistant, folder / "store")
        evaluate_answers(path, subject, "extractive", folder / "run")

    def _rank(self, benchmark: Benchmark) -> list[Result]:
        store = benchmark_store(benchmark.beir.papers, self._encoder)
        assistant = Assistant.open(store=store, settings=self._settings)
        subject = ours(assistant, store)
        return list(self._each_system(benchmark.name, subject, self._ranker(benchmark)))

    def _ranker(self, benchmark: Benchmark) -> Callable[[Subject, Path], None]:
        def measure(subject: Subject, out: Path) -> None:
            evaluate_retrieval(benchmark, subject, out)

        return measure

    def _each_system(
        self, dataset: str, subject: Subject, measure: Callable[[Subject, Path], None]
    ) -> Iterator[Result]:
        folder = self._keep / f"{dataset}-abstractqa"
        if not (folder / METRICS).exists():
            measure(subject, folder)
        yield load_run(folder)
        for name in PEERS:
            yield self._peer(name, dataset, subject.papers, measure)

    def _peer(
        self,
        name: str,
        dataset: str,
        papers: Sequence[Paper],
        measure: Callable[[Subject, Path], None],
        options: Mapping[str, float] | None = None,
    ) -> Result:
        suffix = "".join(f"-{key}-{value}" for key, value in (options or {}).items())
        folder = self._keep / f"{dataset}-{name}{suffix}"
        if not (folder / METRICS).exists():
            try:
                measure(peer_subject(name, papers, self._encoder, **(options or {})), folder)
            except PeerUnavailableError as error:
                return CannotRun(name, error.reason)
            except Exception as error:  # noqa: BLE001 - other people's code, half an hour under way
                return CannotRun(name, f"it failed on {dataset}: {type(error).__name__}")
        return load_run(folder)


def _unanswerable(question: Question) -> Question:
    return question.model_copy(
        update={
            "answerable": False,
            "papers": (),
            "evidence": (),
            "nuggets": (),
            "note": "its paper is left out",
        }
    )
