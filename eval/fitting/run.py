"""Fit every model behind the answers, each on what the models before it make of the questions.

With them: how well they do on collections that they were not fitted on.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter

from threadpoolctl import threadpool_limits

from eval.datasets import Question, load_questions, read_rows
from eval.figures import Section, quantile
from eval.fitting import models, wordings
from eval.fitting.collections import (
    Asked,
    asked,
    everyday,
    evidence_questions,
    own_questions,
    query_of,
    sub_collections,
)
from eval.fitting.models import RIDGE, fit_logistic, with_models
from eval.markdown import Cell, table
from eval.scoring import AnswerScore, score_answer
from eval.statistics import mean_of
from eval.systems import benchmark_store
from index.encoder import Encoder
from index.errors import InputError
from index.papers import Paper
from index.readers import read
from index.store import Index
from rag import conversation, evidence, listing
from rag.fitted import FOLDER, Linear, Record
from rag.pipeline import Pipeline, Recipe
from rag.query import Query
from rag.schema import Filters

YEAR, DIGITS = 2025, 4
"""Of the digests, whose dates have none; significant digits of a coefficient that are kept."""
TEXTS = {"covid": 300, "xquad": 400, "scifact": 150}
"""Sets of questions on single texts, and how many of each, drawn at random, are wordings."""
MOST_ON_TEXTS = 350
"""Questions of each such set whose sentences are learnt from."""
CLAIMS = "scifact"
"""The one of them that has claims, no questions."""
EVERY, EVERY_ELSEWHERE = 7, 3
"""Every such question on single texts, and on a collection, is put to the other collections, too:
they cannot answer it."""
OF_QUESTION, OF_TEXT = 2.0, 0.2
"""The weight of a question as a wording, beside 1 of a wording of our own."""
LIKELY = {"paper": models.LIKELY_PAPER, "two papers": 0.7, "caution": 0.35}
"""Probabilities at which an answer takes another form; the others are chosen by `thresholds`."""

ASKED_OF_ONE = ("fact", "why", "how", "entity", "define")
"""Types of questions that one sentence of one paper may answer."""


@dataclass(frozen=True)
class Source:
    """A collection in the folder of data, and the question sets on it that are there, too."""

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
    """An encoder that encodes a question once, however many fits read it."""

    def __init__(self, encoder: Encoder) -> None:
        """Wrap an encoder."""
        self.name, self.weights_hash = encoder.name, encoder.weights_hash
        self.dimension, self.together = encoder.dimension, encoder.together
        self.encode, self.encode_query = encoder.encode, cache(encoder.encode_query)


@dataclass(frozen=True, eq=False)
class Collection:
    """An index, the question sets on it, and all their questions with what answers them."""

    name: str
    index: Index
    sets: Mapping[str, Sequence[Question]]
    asked: Sequence[Asked]
    small: Sequence[Asked]
    """The same questions on small parts of the index."""


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that is learnt from."""

    encoder: Encoder
    collections: Sequence[Collection]
    texts: Sequence[Asked]
    """Questions on single texts."""
    phrased: Sequence[str]
    """Questions of the same sets, for their wording alone."""


def load_material(data: Path, encoder: Encoder) -> Material:
    """Read the questions and index the collections, or find their indexes in the user's cache.

    Args:
        data: A folder with `questions/`, `evidence/`, and the papers of `SOURCES`.
        encoder: Encodes them.

    Raises:
        InputError: a file is missing or broken.
    """
    encoder = RememberingEncoder(encoder)
    files = {name: data / "evidence" / f"{name}.jsonl" for name in TEXTS}
    collections = [_collection(name, source, data, encoder) for name, source in SOURCES.items()]
    if absent := [str(file) for file in files.values() if not file.is_file()]:
        raise InputError(f"the fit needs {', '.join(absent)}")
    texts = [
        each for file in files.values() for each in evidence_questions(file, encoder, MOST_ON_TEXTS)
    ]
    phrased: list[str] = []
    for name, count in TEXTS.items():
        rows = read_rows(files[name])
        random.Random(1).shuffle(rows)  # noqa: S311 - a draw, not a secret
        phrased += [row["question"] for row in rows[:count]]
    return Material(encoder, collections, texts, phrased)


def _collection(name: str, source: Source, data: Path, encoder: Encoder) -> Collection:
    sets = {each: load_questions(data / "questions" / f"{each}.jsonl") for each in source.sets}
    papers = [each for each in read([data / source.papers], year=YEAR) if isinstance(each, Paper)]
    sets[f"own {name}"] = own_questions(name, papers)
    index = Index.open(benchmark_store(papers, encoder))
    index = replace(index, passages=tuple(index.passages))  # read whole for every twin
    rows = [question.model_dump(mode="json") for each in sets.values() for question in each]
    whole = asked(name, index, rows)
    return Collection(name, index, sets, whole, list(sub_collections(whole)))


def fit(material: Material, without: str | None = None) -> Record:
    """Fit every model, on all collections or on all but one."""
    kept = tuple(each for each in material.collections if each.name != without)
    with threadpool_limits(1):  # sums over several threads differ from run to run
        record = _wordings(material, kept)
        put = [question for each in kept for question in each.asked]
        rows = models.follow_rows(put, material.encoder, record)
        follows = fit_logistic(*rows, conversation.FEATURES, RIDGE)
        record = with_models(record, {"follows": follows})
        questions = [question for home in kept for question in _put(home, kept, material, record)]
        texts = [(each, query_of(each, material.encoder, record)) for each in material.texts]
        record, lists = _fit_selection(questions, texts, record)
        answers = {home.name: list(_foreign(home, kept, material, record)) for home in kept}
        for each, query in questions:
            answers[each.group] += models.tries([(each, replace(query, fitted=record))])
        every = [one for found in answers.values() for one in found]
        record = with_models(record, models.fit_confidence(every))
    return replace(record, thresholds=LIKELY | models.thresholds(answers, lists, record))


@cache
def _wordings(material: Material, kept: tuple[Collection, ...]) -> Record:
    """The models of wordings; their vocabulary is that of our own wordings alone."""
    own, words = wordings.filled(), wordings.vocabulary()
    phrased = [wordings.Example(text, OF_TEXT, "answer", leans="no") for text in material.phrased]
    questions = [wordings.of_question(e.row, OF_QUESTION) for each in kept for e in each.asked]
    fits = dict(wordings.fit([*own, *phrased, *questions], material.encoder, words))
    return Record(fits, words, {})


def _put(
    home: Collection, kept: Sequence[Collection], material: Material, record: Record
) -> list[tuple[Asked, Query]]:
    """The questions on a collection, their wordings read by models that have not seen them.

    What is fitted next would else trust a wording more than it may.
    """
    others = _wordings(material, tuple(each for each in kept if each is not home))
    unseen = with_models(record, others.models)
    asked_of = (*home.asked, *home.small)
    return [(each, query_of(each, material.encoder, unseen)) for each in asked_of]


Asking = Sequence[tuple[Asked, Query]]


def _fit_selection(
    questions: Asking, texts: Asking, record: Record
) -> tuple[Record, Sequence[models.Candidates]]:
    """The models that choose papers and sentences, and whether one paper is asked for or several.

    With them the lists that those of papers were fitted on.
    """
    groups = list(models.sentence_groups([*questions, *texts]))
    sentences = models.fit_listwise(groups, evidence.FEATURES, models.RIDGES["sentences"])
    groups = list(models.answering_groups(questions))
    answering = models.fit_listwise(groups, listing.FEATURES, models.RIDGES["answering"])
    lists = list(models.candidates(questions))
    fits = {"sentences": sentences, "answering": answering, **models.fit_papers(lists)}
    record = with_models(record, fits)
    rows = models.several_rows([(each, replace(q, fitted=record)) for each, q in questions])
    several = fit_logistic(*rows, listing.OF_SEVERAL, RIDGE)
    return with_models(record, {"several": several}), lists


def _foreign(
    home: Collection, kept: Sequence[Collection], material: Material, record: Record
) -> Iterator[models.Try]:
    """Answers of a collection to questions on the others, on single texts, and of everyday life."""
    far = [each for each in material.texts if each.group != CLAIMS][::EVERY]
    others = [each for other in kept if other is not home for each in other.asked]
    asked_of = [*others[::EVERY_ELSEWHERE], *far, *everyday(home.index)]
    return models.foreign_tries(asked_of, home.index, material.encoder, record)


def record_path(encoder: str) -> Path:
    """Where `rag.fitted.record` looks for the record of an encoder."""
    return FOLDER / f"{encoder.replace('/', '--')}.json"


def record_text(record: Record) -> str:
    """A record as `rag.fitted.record` reads it, each coefficient to `DIGITS` digits."""
    data = {
        "command": "abstractqa eval fit",
        "thresholds": dict(sorted(record.thresholds.items())),
        "vocabulary": record.vocabulary,
        "models": {name: _plain(model) for name, model in sorted(record.models.items())},
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _plain(model: Linear) -> dict[str, object]:
    """A model for JSON; one of wordings has the vocabulary, shape and vectors for features."""
    return {
        "features": model.features,
        "classes": model.classes,
        "weights": [[_rounded(weight) for weight in row] for row in model.weights.tolist()],
        "bias": [_rounded(bias) for bias in model.bias.tolist()],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


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


def figures(scores: Sequence[AnswerScore]) -> Section:
    """The figures of one question set; None where it has no such question."""
    kinds = sorted({score.question.type for score in scores})
    of = {kind: [s for s in scores if s.question.type == kind] for kind in kinds}
    single = [score for kind in ASKED_OF_ONE for score in of.get(kind, [])]
    answerable = [score for score in scores if score.question.answerable]
    return {
        "questions": len(scores),
        "right": mean_of(score.rightness for score in scores),
        "answerable refused": mean_of(s.refused for s in answerable),
        "near-misses refused": mean_of(s.refused for s in of.get("near-miss", [])),
        "off-topic refused": mean_of(s.refused for s in of.get("off-topic", [])),
        "first sentence is evidence": mean_of(s.begins_with_evidence for s in single),
        "median words": quantile([s.words for s in single if not s.refused], 0.5),
        "list precision": mean_of(s.citation_precision_lenient for s in of.get("list", [])),
        **{f"right: {kind}": mean_of(s.rightness for s in of[kind]) for kind in kinds},
    }


def left_out_text(found: Mapping[str, Section]) -> str:
    """A table of the figures, a column for each question set."""
    names = dict.fromkeys(name for each in found.values() for name in each)
    rows: list[list[Cell]] = [
        [name, *(each.get(name) for each in found.values())] for name in names
    ]
    return table(["left out", *found], rows)
