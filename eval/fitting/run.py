"""Fit every model behind the answers, each on what the models before it make of the questions."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from eval.datasets import Question, load_questions
from eval.fitting import models, wordings
from eval.fitting.collections import (
    Asked,
    asked,
    everyday,
    evidence_questions,
    own_questions,
    query_of,
    read_questions,
    sub_collections,
)
from eval.fitting.models import RIDGE, fit_logistic, with_models
from eval.retrieval import benchmark_store
from index.encoder import Encoder
from index.errors import InputError
from index.papers import Paper
from index.readers import read
from index.store import Index
from rag import conversation, evidence, listing
from rag.fitted import FOLDER, Linear, Record
from rag.query import Query

YEAR = 2025
"""Of the digests, whose dates have none."""
DIGITS = 4
"""Significant digits of a coefficient that are kept."""
TEXTS = {"covid": 300, "xquad": 400, "scifact": 150}
"""Sets of questions on single texts, and how many of each, drawn at random, are wordings."""
MOST_ON_TEXTS = 350
"""Questions of each such set whose sentences are learnt from."""
CLAIMS = "scifact"
"""The one of them that has claims, no questions."""
EVERY = 7
"""Of the others every such question is put to the collections, too: they cannot answer it."""
EVERY_ELSEWHERE = 3
"""Of the questions on a collection, every such one is put to the others."""
OF_QUESTION, OF_TEXT = 2.0, 0.2
"""The weight of a question as a wording, beside 1 of a wording of our own."""
LIKELY = {"paper": models.LIKELY_PAPER, "two papers": 0.7, "caution": 0.35}
"""Probabilities at which an answer takes another form; the others are chosen by `thresholds`."""


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
        self.name = encoder.name
        self.weights_hash = encoder.weights_hash
        self.dimension = encoder.dimension
        self.together = encoder.together
        self.encode = encoder.encode
        self.encode_query = cache(encoder.encode_query)


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
        rows = read_questions(files[name])
        random.Random(1).shuffle(rows)  # noqa: S311 - a draw, not a secret
        phrased += [row["question"] for row in rows[:count]]
    return Material(encoder, collections, texts, phrased)


def _collection(name: str, source: Source, data: Path, encoder: Encoder) -> Collection:
    sets = {each: load_questions(data / "questions" / f"{each}.jsonl") for each in source.sets}
    papers = [each for each in read([data / source.papers], year=YEAR) if isinstance(each, Paper)]
    sets[f"own {name}"] = own_questions(name, papers)
    index = Index.open(benchmark_store(papers, encoder))
    rows = [question.model_dump(mode="json") for each in sets.values() for question in each]
    whole = asked(name, index, rows)
    return Collection(name, index, sets, whole, list(sub_collections(whole)))


def fit(material: Material, without: str | None = None) -> Record:
    """Fit every model, on all collections or on all but one."""
    kept = [each for each in material.collections if each.name != without]
    with threadpool_limits(1):  # sums over several threads differ from run to run
        record = _fit_wordings(material, kept)
        questions = [question for home in kept for question in _put(home, kept, material, record)]
        texts = [(each, query_of(each, material.encoder, record)) for each in material.texts]
        record, lists = _fit_selection(questions, texts, record)
        answers = {home.name: list(_foreign(home, kept, material, record)) for home in kept}
        for each, query in questions:
            answers[each.group] += models.tries([(each, replace(query, fitted=record))])
        every = [one for found in answers.values() for one in found]
        record = with_models(record, models.fit_confidence(every))
    return replace(record, thresholds=LIKELY | models.thresholds(answers, lists, record))


def _fit_wordings(material: Material, kept: Sequence[Collection]) -> Record:
    """The models of wordings, and the one that tells follow-ups from new topics."""
    fitted, words = _wordings(material, kept)
    record = Record(fitted, words, {})
    put = [question for each in kept for question in each.asked]
    rows = models.follow_rows(put, material.encoder, record)
    return with_models(record, {"follows": fit_logistic(*rows, conversation.FEATURES, RIDGE)})


def _wordings(
    material: Material, kept: Sequence[Collection]
) -> tuple[dict[str, Linear], tuple[str, ...]]:
    """The models of wordings, and their vocabulary, which is that of our own wordings alone."""
    own = wordings.filled()
    words = wordings.vocabulary()
    phrased = [wordings.Example(text, OF_TEXT, "answer", leans="no") for text in material.phrased]
    put = [question for each in kept for question in each.asked]
    questions = [wordings.of_question(each.row, OF_QUESTION) for each in put]
    return dict(wordings.fit([*own, *phrased, *questions], material.encoder, words)), words


def _put(
    home: Collection, kept: Sequence[Collection], material: Material, record: Record
) -> list[tuple[Asked, Query]]:
    """The questions on a collection, their wordings read by models that have not seen them.

    What is fitted next would else trust a wording more than it may.
    """
    fitted, _ = _wordings(material, [each for each in kept if each is not home])
    unseen = with_models(record, fitted)
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
    sentences = models.fit_listwise(groups, evidence.FEATURES, models.RIDGE_OF_SENTENCES)
    groups = list(models.answering_groups(questions))
    answering = models.fit_listwise(groups, listing.FEATURES, models.RIDGE_OF_ANSWERING)
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
        "models": {
            name: _plain(model, is_named=len(model.features) < len(record.vocabulary))
            for name, model in sorted(record.models.items())
        },
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _plain(model: Linear, *, is_named: bool) -> dict[str, object]:
    """A model for JSON; the features of wordings are the vocabulary, shape and vector."""
    return {
        "features": model.features if is_named else (),
        "classes": model.classes,
        "weights": [[_rounded(weight) for weight in row] for row in model.weights.tolist()],
        "bias": [_rounded(bias) for bias in model.bias.tolist()],
    }


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
