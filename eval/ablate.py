"""What each part of the product is worth: left out in turn, on the same questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.answers import evaluate_answers
from eval.compare import Comparison, compare_runs
from eval.compare import as_json as comparison_json
from eval.recorded import Recorded, load_run
from eval.report.markdown import table
from eval.report.numbers import Cell, difference
from eval.retrieval import Benchmark, benchmark_store, evaluate_retrieval
from eval.systems import Subject, ours
from eval.vector_cache import CachedEncoder
from index.embedding import SentenceEncoder
from index.encoder import Encoder
from index.store import Index
from rag.assistant import Assistant
from rag.evidence import FEATURES
from rag.fitted import Floats, Linear, record
from rag.pipeline import Recipe
from rag.query import Query, Request
from rag.retrieval import Probe, Ranking
from rag.settings import Settings
from rag.subject import subject_words
from rag.wording import Kind

ALL = "all"
WHOLE = Recipe()
RETRIEVAL_PARTS = ("vectors", "lexical", "mending")
"""The parts that the ranking of papers for a query has."""
PARTS = (*RETRIEVAL_PARTS, "names", "conversation", "kinds", "sentences", "refusals")
"""The parts that can be left out, in the order in which they work; see `recipes`."""
_SHARPNESS = 20.0
"""What a cosine is multiplied by, so that the shares of sentences differ about as they do."""
_COLUMNS = {
    "right": "right",
    "nugget_recall": "facts stated",
    "citation_precision": "cited papers gold",
    "evidence_recall": "gold sentences cited",
    "abstained_rightly": "refusing rightly",
    "nDCG@10": "nDCG@10",
    "hit@1": "hit@1",
}


@dataclass(frozen=True, slots=True)
class Ablation:
    """The product without one part, against the whole."""

    part: str
    dataset: str
    comparison: Comparison
    """Before: the whole; after: without the part."""


def recipes(encoder: Encoder) -> Mapping[str, Recipe]:
    """What is done instead of each of `PARTS`.

    Without `vectors` papers are ranked by BM25 alone, without `lexical` by vectors alone, without
    `mending` as the question is typed. Without `names` a question names nothing, without
    `conversation` it has no turns before, without `kinds` one paper answers, whatever is asked.
    Without `sentences` those nearest to the question are quoted, and without `refusals` whatever
    comes nearest, and without a caution.
    """
    fitted = record(encoder.name)
    nearest = {**fitted.models, "sentences": _cosine()}
    anything = dict.fromkeys(fitted.thresholds, 0.0)
    return {
        "vectors": Recipe(rank=_ranked_by(lambda ranking: ranking.lexical)),
        "lexical": Recipe(rank=_ranked_by(lambda ranking: ranking.dense)),
        "mending": _as_typed(encoder),
        "names": _changed(lambda query: replace(query, names=())),
        "conversation": Recipe(understand=_without_turns),
        "kinds": _changed(lambda query: query.as_kind(Kind.ANSWER)),
        "sentences": Recipe(fitted=replace(fitted, models=nearest)),
        "refusals": Recipe(fitted=replace(fitted, thresholds=anything)),
    }


def _cosine() -> Linear:
    weights = np.zeros((len(FEATURES), 1), dtype=np.float32)
    weights[FEATURES.index("cosine")] = _SHARPNESS
    return Linear(FEATURES, (), weights, np.zeros(1, dtype=np.float32))


def _ranked_by(part: Callable[[Ranking], Floats]) -> Callable[..., Ranking]:
    def ranked(*given: object) -> Ranking:
        ranking = WHOLE.rank(*given)
        scores = part(ranking)
        order = np.argsort(-scores[ranking.rows], kind="stable")
        return replace(ranking, scores=scores, rows=ranking.rows[order])

    return ranked


def _changed(change: Callable[[Query], Query]) -> Recipe:
    return Recipe(understand=lambda *given: change(WHOLE.understand(*given)))


def _without_turns(request: Request, *given: object) -> Query:
    return WHOLE.understand(replace(request, turns=()), *given)


def _as_typed(encoder: Encoder) -> Recipe:
    def typed(probe: Probe, index: Index) -> Probe:
        text = probe.text
        for old, new in probe.mends:
            text = text.replace(new, old)
        return Probe.of(text, index, encoder, mended=False) if probe.mends else probe

    def read(request: Request, index: Index, *given: object) -> Query:
        query = WHOLE.understand(request, index, *given)
        probe = typed(query.probe, index)
        subject = subject_words(probe.text, query.fitted.models["subject"])
        names = index.names.read(probe.text)
        return replace(query, probe=probe, names=names, subject_words=subject)

    def ranked(index: Index, probe: Probe, *given: object) -> Ranking:
        return WHOLE.rank(index, typed(probe, index), *given)

    return Recipe(understand=read, rank=ranked)


def variant(store: Path, settings: Settings, part: str | None) -> Subject:
    """The product without a part, or the whole, as a system to measure."""
    encoder = SentenceEncoder.open(settings.encoder, settings.secret_of_encoder)
    recipe = recipes(encoder)[part] if part else WHOLE
    name = f"without {part}" if part else "everything on"
    subject = ours(Assistant(store, encoder, settings, recipe), store, name)
    off = [part] if part else []
    return replace(subject, configuration={**subject.configuration, "off": off})


def ablate_answers(
    questions: Path,
    store: Path,
    settings: Settings,
    out: Path,
    parts: Sequence[str] | None = None,
) -> list[Ablation]:
    """Answer the questions by the whole, and without each part in turn, or each of these parts.

    Each is a run of its own under `out`; the same ones that are there already are not made again.

    Raises:
        InputError: as `eval.answers.evaluate_answers`.
    """

    def measure(part: str | None, folder: Path) -> None:
        subject = variant(store, settings, part)
        evaluate_answers(questions, subject, "extractive", folder, reuse=True)

    return _ablate(parts or PARTS, questions.stem, measure, out)


def ablate_retrieval(benchmark: Benchmark, settings: Settings, out: Path) -> list[Ablation]:
    """Rank a benchmark by the whole, and without each part of retrieval in turn."""
    store = benchmark_store(benchmark.beir.papers, CachedEncoder.open(settings.encoder))

    def measure(part: str | None, folder: Path) -> None:
        evaluate_retrieval(benchmark, variant(store, settings, part), folder, reuse=True)

    return _ablate(RETRIEVAL_PARTS, benchmark.name, measure, out)


def _ablate(
    parts: Sequence[str], dataset: str, measure: Callable[[str | None, Path], None], out: Path
) -> list[Ablation]:
    def run(part: str | None) -> Recorded:
        folder = out / f"{dataset}-{part or ALL}"
        measure(part, folder)
        return load_run(folder)

    whole = run(None)
    return [Ablation(part, dataset, compare_runs(whole, run(part))) for part in parts]


def ablation_text(ablations: Sequence[Ablation]) -> str:
    """Markdown: what each dataset's metrics lose or gain without a part, with intervals."""
    datasets = dict.fromkeys(ablation.dataset for ablation in ablations)
    tables = (_table([a for a in ablations if a.dataset == dataset]) for dataset in datasets)
    return "\n\n".join(
        f"{dataset}\n\n{text}" for dataset, text in zip(datasets, tables, strict=True)
    )


def as_json(ablation: Ablation) -> dict[str, object]:
    """An ablation for programs."""
    compared = comparison_json(ablation.comparison)
    return {"part": ablation.part, "dataset": ablation.dataset, **compared}


def _table(ablations: Sequence[Ablation]) -> str:
    known = {change.metric for ablation in ablations for change in ablation.comparison.metrics}
    columns = [metric for metric in _COLUMNS if metric in known]
    rows: list[list[Cell]] = []
    for ablation in ablations:
        changes = {change.metric: change for change in ablation.comparison.metrics}
        primary = changes[ablation.comparison.before.primary]
        gained = (
            difference(changes[name].paired.difference) if name in changes else None
            for name in columns
        )
        flipped = f"{len(primary.worse)} / {len(primary.better)}"
        rows.append([ablation.part, *gained, flipped])
    return table(["off", *(_COLUMNS[name] for name in columns), "worse / better"], rows)
