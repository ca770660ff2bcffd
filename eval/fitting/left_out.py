"""How well the fitted models do on collections that they were not fitted on."""

from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter

from eval.datasets import Question
from eval.figures import mean_of, quantile
from eval.fitting.run import Collection, Material, fit
from eval.scoring import AnswerScore, score_answer
from eval.tables import Cell, table
from rag.pipeline import Pipeline, Recipe
from rag.schema import Filters

ASKED_OF_ONE = ("fact", "why", "how", "entity", "define")
"""Types of questions that one sentence of one paper may answer."""

Figures = dict[str, float | int | None]


def answer_left_out(material: Material) -> Iterator[tuple[str, list[AnswerScore]]]:
    """Answer each question set by models that were fitted on the other collections."""
    for collection in material.collections:
        recipe = Recipe(fitted=fit(material, without=collection.name))
        pipeline = Pipeline(collection.index, material.encoder, recipe)
        for name, questions in collection.sets.items():
            yield name, [_scored(pipeline, question, collection) for question in questions]


def _scored(pipeline: Pipeline, question: Question, collection: Collection) -> AnswerScore:
    history = [turn.model_dump() for turn in question.history]
    started = perf_counter()
    answer = pipeline.answer(pipeline.request(question.question, history, Filters()))
    elapsed_ms = 1000 * (perf_counter() - started)
    return score_answer(question, answer, collection.index.papers, elapsed_ms)


def figures(scores: Sequence[AnswerScore]) -> Figures:
    """The figures of one question set; None where it has no such question."""
    kinds = sorted({score.question.type for score in scores})
    of = {kind: [s for s in scores if s.question.type == kind] for kind in kinds}
    single = [score for kind in ASKED_OF_ONE for score in of.get(kind, [])]
    answerable = [score for score in scores if score.question.answerable]
    return {
        "questions": len(scores),
        "right": mean_of(score.rightness for score in scores),
        "answerable refused": mean_of(float(s.refused) for s in answerable),
        "near-misses refused": mean_of(float(s.refused) for s in of.get("near-miss", [])),
        "off-topic refused": mean_of(float(s.refused) for s in of.get("off-topic", [])),
        "first sentence is evidence": mean_of(s.begins_with_evidence for s in single),
        "median words": quantile([s.words for s in single if not s.refused], 0.5),
        "list precision": mean_of(s.citation_precision_lenient for s in of.get("list", [])),
        **{f"right: {kind}": mean_of(s.rightness for s in of[kind]) for kind in kinds},
    }


def left_out_text(found: Mapping[str, Figures]) -> str:
    """A table of the figures, a column for each question set."""
    names = dict.fromkeys(name for each in found.values() for name in each)
    rows: list[list[Cell]] = [
        [name, *(each.get(name) for each in found.values())] for name in names
    ]
    return table(["left out", *found], rows)
