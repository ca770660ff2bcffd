"""Fit every model behind the answers, each on the questions as the models before it read them.

Also measure the models on collections that they were not fitted on.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from eval.datasets import Question, load_questions, read_rows
from eval.figures import Section, quantile
from eval.fitting import collections, models, wordings
from eval.fitting.collections import Asked
from eval.fitting.models import RIDGE, Asking, fit_logistic, with_models
from eval.markdown import Cell, table
from eval.scoring import AnswerScore, score_answer
from eval.statistics import mean_of
from eval.systems import benchmark_store
from index.encoder import Encoder
from index.errors import InputError
from index.papers import Paper
from index.readers import read
from index.store import Index
from rag.fitted import FOLDER, Record
from rag.pipeline import Pipeline, Recipe
from rag.query import Query
from rag.schema import Filters

YEAR, DIGITS = 2025, 4
"""The year of the digests, whose dates lack it; the significant digits kept of a coefficient."""
TEXTS, MOST_ON_TEXTS = {"covid": 300, "xquad": 400, "scifact": 150}, 350
"""Sets of questions on single texts, and how many random questions of each are wordings; the
questions of each whose sentences are learnt from."""
EVERY, EVERY_ELSEWHERE = 7, 3
"""Each 7th question on texts and each 3rd on a collection is put to other collections as well."""
OF_QUESTION, OF_TEXT = 2.0, 0.2
"""The weights of a question as a wording, where a wording of our own weighs 1."""
LIKELY = {"paper": models.LIKELY_PAPER, "two papers": 0.7, "caution": 0.35}
"""Probabilities at which an answer changes its form; `thresholds` chooses the others."""


@dataclass(frozen=True)
class Source:
    """A collection in the data folder, and the question sets on it there."""

    papers: str
    sets: tuple[str, ...] = ()


SOURCES: Mapping[str, Source] = {
    "digests": Source("digests", ("dev", "dev2")),
    "acl": Source("corpora/acl.jsonl", ("acl",)),
    "bio": Source("corpora/bio.jsonl", ("bio",)),
    "arxiv": Source("corpora/arxiv.jsonl"),
    "med": Source("corpora/med.jsonl"),
}


class RememberingEncoder:
    """Encodes a question only once, however many fits read it."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.weights_hash = encoder.name, encoder.weights_hash
        self.dimension, self.together = encoder.dimension, encoder.together
        self.encode, self.encode_query = encoder.encode, cache(encoder.encode_query)


@dataclass(frozen=True, eq=False)
class Collection:
    """An index, the question sets on it, their questions, and those on small parts of it."""

    name: str
    index: Index
    sets: Mapping[str, Sequence[Question]]
    asked: Sequence[Asked]
    small: Sequence[Asked]


@dataclass(frozen=True, eq=False)
class Material:
    """All that the models learn from; `texts` are questions on single texts, `phrased` wordings."""

    encoder: Encoder
    collections: Sequence[Collection]
    texts: Sequence[Asked]
    phrased: Sequence[str]


def load_material(data: Path, encoder: Encoder) -> Material:
    """Read the questions and index the collections, or find their indexes in the user's cache.

    `data` is a folder with `questions/`, `evidence/`, and the papers of `SOURCES`; an InputError
    names a missing or broken file.
    """
    encoder = RememberingEncoder(encoder)
    indexed = [_collection(name, source, data, encoder) for name, source in SOURCES.items()]
    texts: list[Asked] = []
    phrased: list[str] = []
    files = {data / "evidence" / f"{name}.jsonl": count for name, count in TEXTS.items()}
    if absent := [str(file) for file in files if not file.is_file()]:
        raise InputError(f"the fit needs {', '.join(absent)}: name their folder by --data")
    for file, count in files.items():
        rows = read_rows(file)
        texts += collections.evidence_questions(file.stem, rows[:MOST_ON_TEXTS], encoder)
        random.Random(1).shuffle(rows)  # noqa: S311 - a draw, not a secret
        phrased += [row["question"] for row in rows[:count]]
    return Material(encoder, indexed, texts, phrased)


def _collection(name: str, source: Source, data: Path, encoder: Encoder) -> Collection:
    sets = {each: load_questions(data / "questions" / f"{each}.jsonl") for each in source.sets}
    papers = [each for each in read([data / source.papers], year=YEAR) if isinstance(each, Paper)]
    sets[f"own {name}"] = collections.own_questions(name, papers)
    index = Index.open(benchmark_store(papers, encoder))
    index = replace(index, passages=tuple(index.passages))  # each twin would read all of them
    rows = [question.model_dump(mode="json") for each in sets.values() for question in each]
    whole = collections.asked(name, index, rows)
    return Collection(name, index, sets, whole, list(collections.sub_collections(whole)))


def fit(material: Material, without: str | None = None) -> Record:
    """Fit every model, on all collections or all but one."""
    kept = tuple(each for each in material.collections if each.name != without)
    with threadpool_limits(1):  # sums over several threads differ from run to run
        record = _wordings(material, kept)
        asked = [question for each in kept for question in each.asked]
        rows = models.follow_rows(asked, material.encoder, record)
        follows = fit_logistic(*rows, RIDGE)
        record = with_models(record, {"follows": follows})
        questions = [question for home in kept for question in _read(home, kept, material, record)]
        encoder = material.encoder
        texts = [(each, collections.query_of(each, encoder, record)) for each in material.texts]
        record, lists = _fit_selection(questions, texts, record)
        answers = {home.name: list(_foreign(home, kept, material, record)) for home in kept}
        for each, query in questions:
            answers[each.group] += models.tries([(each, replace(query, fitted=record))])
        every = [one for found in answers.values() for one in found]
        record = with_models(record, models.fit_confidence(every))
    return replace(record, thresholds=LIKELY | models.thresholds(answers, lists, record))


@cache
def _wordings(material: Material, kept: tuple[Collection, ...]) -> Record:
    """Fit the models of wordings; the vocabulary comes only from our own wordings."""
    own, words = wordings.filled(), wordings.vocabulary()
    phrased = [wordings.Example(text, OF_TEXT, "answer", leans="no") for text in material.phrased]
    questions = [wordings.of_question(e.row, OF_QUESTION) for each in kept for e in each.asked]
    fits = dict(wordings.fit([*own, *phrased, *questions], material.encoder, words))
    return Record(fits, words, {})


def _read(
    home: Collection, kept: Sequence[Collection], material: Material, record: Record
) -> list[tuple[Asked, Query]]:
    """Read the questions on a collection by models of wordings that were not fitted on it.

    Otherwise the models fitted next would trust wordings too much.
    """
    others = _wordings(material, tuple(each for each in kept if each is not home))
    unseen = with_models(record, others.models)
    asked_of = (*home.asked, *home.small)
    return [(each, collections.query_of(each, material.encoder, unseen)) for each in asked_of]


def _fit_selection(
    questions: Asking, texts: Asking, record: Record
) -> tuple[Record, Sequence[models.Candidates]]:
    """Fit the models that choose papers, sentences, and between one paper and several.

    Return the record with them, and the lists that the models of papers were fitted on.
    """
    groups = list(models.sentence_groups([*questions, *texts]))
    sentences = models.fit_listwise(groups, models.RIDGES["sentences"])
    groups = list(models.answering_groups(questions))
    answering = models.fit_listwise(groups, models.RIDGES["answering"])
    lists = list(models.candidates(questions))
    fits = {"sentences": sentences, "answering": answering, **models.fit_papers(lists)}
    record = with_models(record, fits)
    rows = models.several_rows([(each, replace(q, fitted=record)) for each, q in questions])
    several = fit_logistic(*rows, RIDGE)
    return with_models(record, {"several": several}), lists


def _foreign(
    home: Collection, kept: Sequence[Collection], material: Material, record: Record
) -> Iterator[models.Try]:
    """Yield a collection's answers to questions on other ones, on texts, and of everyday life."""
    far = [each for each in material.texts if each.group != "scifact"][::EVERY]  # it has claims
    others = [each for other in kept if other is not home for each in other.asked]
    asked_of = [*others[::EVERY_ELSEWHERE], *far, *collections.everyday(home.index)]
    return models.foreign_tries(asked_of, home.index, material.encoder, record)


def record_path(encoder: str) -> Path:
    """Return the path at which `rag.fitted.record` looks for an encoder's record."""
    return FOLDER / f"{encoder.replace('/', '--')}.json"


def record_text(record: Record) -> str:
    """Format a record as `rag.fitted.record` reads it, each coefficient to `DIGITS` digits."""

    def rounded(numbers: Sequence[float]) -> list[float]:
        return [float(f"{number:.{DIGITS}g}") for number in numbers]

    models = {
        name: {
            "features": model.features,
            "classes": model.classes,
            "weights": [rounded(row) for row in model.weights.tolist()],
            "bias": rounded(model.bias.tolist()),
        }
        for name, model in sorted(record.models.items())
    }
    data = {
        "command": "abstractqa eval fit",
        "thresholds": dict(sorted(record.thresholds.items())),
        "vocabulary": record.vocabulary,
        "models": models,
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def answer_left_out(material: Material) -> Iterator[tuple[str, list[AnswerScore]]]:
    """Answer each question set by models that were fitted on the other collections."""
    for collection in material.collections:
        recipe = Recipe(fitted=fit(material, without=collection.name))
        pipeline = Pipeline(collection.index, material.encoder, recipe)
        for name, questions in collection.sets.items():
            yield name, [_scored(pipeline, question, collection.index) for question in questions]


def _scored(pipeline: Pipeline, question: Question, index: Index) -> AnswerScore:
    history = [turn.model_dump() for turn in question.history]
    answer = pipeline.answer(pipeline.request(question.question, history, Filters()))
    return score_answer(question, answer, index.papers, answer.timings_ms["total"])


def figures(scores: Sequence[AnswerScore]) -> Section:
    """Return the figures of a question set; None where it has no such question."""
    of: dict[str, list[AnswerScore]] = {}
    for score in sorted(scores, key=lambda score: score.question.type):
        of.setdefault(score.question.type, []).append(score)
    # One sentence of one paper may answer these.
    single = [s for kind in ("fact", "why", "how", "entity", "define") for s in of.get(kind, [])]
    answerable = [score for score in scores if score.question.answerable]
    return {
        "questions": len(scores),
        "right": mean_of(score.rightness for score in scores),
        "answerable refused": mean_of(s.refused for s in answerable),
        "near-misses refused": mean_of(s.refused for s in of.get("near-miss", [])),
        "off-topic refused": mean_of(s.refused for s in of.get("off-topic", [])),
        "first sentence is evidence": mean_of(s.begins_with_evidence for s in single),
        "median words": quantile([s.words for s in single if not s.refused], 0.5),
        "list precision": mean_of(
            mean_of(s.references_accepted) for s in of.get("list", []) if s.question.papers
        ),
        **{f"right: {kind}": mean_of(s.rightness for s in each) for kind, each in of.items()},
    }


def left_out_text(found: Mapping[str, Section]) -> str:
    """Format the figures as a table with a column for each question set."""
    names = dict.fromkeys(name for each in found.values() for name in each)
    rows: list[list[Cell]] = [[name, *(f.get(name) for f in found.values())] for name in names]
    return table(["left out", *found], rows)
