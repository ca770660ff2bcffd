"""What each part of the product is worth: switched off in turn, on the same questions."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from eval.answers import evaluate_answers
from eval.compare import Comparison, compare_runs
from eval.compare import as_json as comparison_json
from eval.recorded import Recorded, load_run
from eval.report.markdown import table
from eval.report.numbers import Cell, difference
from eval.retrieval import Benchmark, benchmark_store, evaluate_retrieval
from eval.systems import Subject, ours
from eval.vector_cache import CachedEncoder
from rag.assistant import Assistant
from rag.parts import EVERY_PART, Parts
from rag.settings import Settings

ALL = "all"
RETRIEVAL_PARTS = ("whole_abstracts", "sentences", "lexical", "mending")
"""The parts that the ranking of papers for a query has."""
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
    """Before: everything on; after: the part off."""


def part_names() -> list[str]:
    """The parts that can be switched off."""
    return [field.name for field in fields(Parts)]


def without(part: str) -> Parts:
    """Every part but one."""
    return replace(EVERY_PART, **{part: False})


def variant(store: Path, settings: Settings, parts: Parts, name: str) -> Subject:
    """The product with some parts off, as a system to measure."""
    subject = ours(Assistant.open(store=store, settings=settings, parts=parts), store, name)
    off = [part for part, on in asdict(parts).items() if not on]
    return replace(subject, configuration={**subject.configuration, "off": off})


def ablate_answers(
    questions: Path,
    store: Path,
    settings: Settings,
    out: Path,
    parts: Sequence[str] | None = None,
) -> list[Ablation]:
    """Answer the questions with everything on, and with each part off in turn, or these parts.

    Each is a run of its own under `out`; the same ones that are there already are not made again.

    Raises:
        InputError: as `eval.answers.evaluate_answers`.
    """

    def measure(parts: Parts, name: str, folder: Path) -> None:
        subject = variant(store, settings, parts, name)
        evaluate_answers(questions, subject, "extractive", folder, reuse=True)

    return _ablate(parts or part_names(), questions.stem, measure, out)


def ablate_retrieval(benchmark: Benchmark, settings: Settings, out: Path) -> list[Ablation]:
    """Rank a benchmark with everything on, and with each part of retrieval off in turn."""
    store = benchmark_store(benchmark.beir.papers, CachedEncoder.open(settings.encoder))

    def measure(parts: Parts, name: str, folder: Path) -> None:
        evaluate_retrieval(benchmark, variant(store, settings, parts, name), folder, reuse=True)

    return _ablate(RETRIEVAL_PARTS, benchmark.name, measure, out)


def _ablate(
    parts: Sequence[str], dataset: str, measure: Callable[[Parts, str, Path], None], out: Path
) -> list[Ablation]:
    whole = _run(EVERY_PART, "everything on", measure, out / f"{dataset}-{ALL}")
    return [
        Ablation(
            part,
            dataset,
            compare_runs(
                whole, _run(without(part), f"without {part}", measure, out / f"{dataset}-{part}")
            ),
        )
        for part in parts
    ]


def _run(
    parts: Parts, name: str, measure: Callable[[Parts, str, Path], None], folder: Path
) -> Recorded:
    measure(parts, name, folder)
    return load_run(folder)


def ablation_text(ablations: Sequence[Ablation]) -> str:
    """Markdown: what each dataset's metrics lose or gain when a part is off, with intervals."""
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
        rows.append([ablation.part.replace("_", " "), *gained, flipped])
    return table(["off", *(_COLUMNS[name] for name in columns), "worse / better"], rows)
