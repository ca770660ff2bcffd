"""Fit the models of a question's wording: its kind, what it asks for, whether it is a follow-up.

Wordings are our own, with slots for subjects and names that are filled at random, so that no
model learns subjects; and the questions of sets, labelled by their types.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from eval.datasets import read_rows
from index.encoder import Encoder
from rag import wording
from rag.fitted import Floats, Linear, Record
from rag.scope import FIRST, SECOND
from rag.wording import ASKS, FRAMED, LISTS, RELATIONS, Kind, Span

FOLDER = Path(__file__).parent
FILLINGS, LEAST_WORDINGS = 5, 7
"""How often slots are filled; the wordings that a word of the vocabulary must occur in."""
LOWER = 0.15  # the share of wordings that are made lower-case
STRENGTHS = {"subject": 0.02, "wording": 0.5, "whole": 5.0}
"""Inverse strengths of the ridge penalty, chosen on left-out questions."""
_SLOT = re.compile(r"\{(topic|name|title|date|digest|first|second)2?\}")
_ASKED = {"fact": "number", "why": "reason", "how": "manner", "entity": "name", "define": "meaning"}
_WITH_SUBJECT = {*LISTS, Kind.ABOUT, Kind.COMPARE, Kind.CATALOGUE}
_KINDS = {"list": "papers", "digest": "papers", "compare": "compare"}


LABELS = ("kind", "asks", "facts", "leans", "whole", "digests")


@dataclass(frozen=True)
class Example:
    """A wording with its labels, if any, and its weight."""

    text: str
    weight: float
    kind: str | None = None
    asks: str | None = None
    facts: str | None = None
    leans: str | None = None
    whole: str | None = None
    digests: str | None = None
    wording: int = -1
    """The number of the wording that it fills; -1 for a question of a set."""


def _rows() -> list[dict[str, Any]]:
    turns = [{**turn, "leans": turn["needs"]} for turn in read_rows(FOLDER / "turns.jsonl")]
    return [*read_rows(FOLDER / "wordings.jsonl"), *turns, *read_rows(FOLDER / "digests.jsonl")]


def filled() -> list[Example]:
    """Return the wordings of this folder with their slots filled at random, by a fixed seed."""
    found: list[Example] = []
    spelt: dict[Any, str] = {True: "yes", False: "no"}
    rows = _rows()
    for number, weight, whole, _, draw in _fillings(rows):
        text = whole.lower() if draw < LOWER else whole.rstrip("?.") if draw > 0.8 else whole
        given = ((name, rows[number].get(name)) for name in LABELS)
        labels = {name: spelt.get(value, value) for name, value in given}
        found.append(Example(text, weight, wording=number, **labels))
    return found


def _fillings(
    rows: Sequence[dict[str, Any]],
) -> Iterator[tuple[int, float, str, list[Span], float]]:
    """Fill the slots of wordings at random, `FILLINGS` times if they have any.

    Yields the row's number, a weight, the text, the spans of its subjects and names, and a random
    number in [0, 1).
    """
    chance = random.Random(0)  # noqa: S311 - it draws examples
    fillers = json.loads((FOLDER / "fillers.json").read_text(encoding="utf-8"))
    fillers |= {"first": [FIRST], "second": [SECOND]}
    for number, row in enumerate(rows):
        count = FILLINGS if _SLOT.search(row["text"]) else 1
        for _ in range(count):
            text, at, slots = "", 0, []
            for slot in _SLOT.finditer(row["text"]):
                text += row["text"][at : slot.start()]
                filler = chance.choice(fillers[slot[1]])
                if slot[1] in ("topic", "name", "title"):
                    slots.append((len(text), len(text) + len(filler)))
                text, at = text + filler, slot.end()
            yield number, 1 / count, text + row["text"][at:], slots, chance.random()


def of_question(row: dict[str, Any], weight: float) -> Example:
    """Label a question of a set by its type, as far as the type tells what it asks for."""
    is_unlike = row["type"] in ("collection", "near-miss", "followup")
    kind = None if is_unlike else _KINDS.get(row["type"], "answer")
    leans, whole = None if row.get("history") else "no", "no" if row["type"] == "list" else None
    return Example(row["question"], weight, kind, _ASKED.get(row["type"]), None, leans, whole)


def vocabulary() -> tuple[str, ...]:
    """Return the words and pairs that occur in enough wordings outside their slots, sorted."""
    counts: Counter[str] = Counter()
    for row in _rows():
        text = re.sub(r"\{name2?\}", "GPT-9", row["text"])
        text = re.sub(r"\{title2?\}", "“title”", text)
        text = text.replace("{first}", FIRST).replace("{second}", SECOND)
        counts.update({gram for part in _SLOT.split(text)[::2] for gram in wording.grams(part)})
    return tuple(sorted(gram for gram, count in counts.items() if count >= LEAST_WORDINGS))


@cache
def fit_subject() -> Linear:
    """Fit which words of a question belong to its subject (`rag.wording`), for any encoder.

    The subject is what fills a slot of wordings that ask for papers or facts of the index.
    """
    usable = []
    for row in read_rows(FOLDER / "wordings.jsonl"):
        has_slot, is_whole = _SLOT.search(row["text"]), row.get("whole") or row["kind"] == Kind.CHAT
        if row["kind"] in _WITH_SUBJECT if has_slot else is_whole:
            usable.append(row)
    rows, belongs, weights = [], [], []
    for _, weight, text, slots, draw in _fillings(usable):
        spans, vectors = wording.read_words(text.lower() if draw < LOWER else text)
        rows.append(vectors)
        belongs += [any(a < end and start < b for a, b in slots) for start, end in spans]
        weights += [weight] * len(spans)
    model = LogisticRegression(C=STRENGTHS["subject"], max_iter=500)
    model.fit(np.concatenate(rows), belongs, sample_weight=weights)
    names = tuple(f"vector {place}" for place in range(rows[0].shape[1]))
    column, bias = model.coef_[0].astype(np.float32), model.intercept_.astype(np.float32)
    return Linear(names, (), column[:, None], bias)


def fit(
    examples: Sequence[Example], encoder: Encoder, words: Sequence[str]
) -> Iterator[tuple[str, Linear]]:
    """Fit each model on the examples that have its label; yield its name and the model."""
    yield "subject", fit_subject()
    places = {gram: place for place, gram in enumerate(words)}
    vectors = _vectors(encoder, [example.text for example in examples])
    rows = np.stack([wording.features(e.text, vectors[e.text], places) for e in examples])
    framed = np.c_[rows, [_frame(example.text) for example in examples]]
    classes = {"kinds": tuple(Kind), "asks": ASKS, "leans": ("no", "yes"), "digests": RELATIONS}
    for label in ("kinds", "asks", "facts", "leans", "digests"):
        given = [getattr(example, "kind" if label == "kinds" else label) for example in examples]
        chosen = [place for place, value in enumerate(given) if value is not None]
        labels = [str(given[place]) for place in chosen]
        weights = [examples[place].weight for place in chosen]
        balance = "balanced" if label == "leans" else None  # most questions are standalone
        model = LogisticRegression(C=STRENGTHS["wording"], max_iter=300, class_weight=balance)
        model.fit((framed if label in FRAMED else rows)[chosen], labels, sample_weight=weights)
        yield label, _linear(model, (), classes.get(label, model.classes_))
    yield "whole", _fit_whole([example for example in examples if example.whole], encoder)


def kinds_left_out(encoder: Encoder, parts: int = 5) -> float:
    """Return the share of our own wordings whose kind the models of the other parts read right.

    The vocabulary and the model of subjects are those of all wordings.
    """
    own, words = filled(), vocabulary()
    right, total = 0.0, 0.0
    for part in range(parts):
        models = dict(fit([e for e in own if e.wording % parts != part], encoder, words))
        reader = wording.Reader(Record(models, words, {}), encoder.encode_query)
        for example in (e for e in own if e.kind and e.wording % parts == part):
            found = reader.wording(example.text).kind
            right += example.weight * (found == example.kind)
            total += example.weight
    return right / total


def _fit_whole(examples: Sequence[Example], encoder: Encoder) -> Linear:
    """Fit whether a question without its frame is about the whole collection."""
    kept = [(subject, each) for each in examples if (subject := _subject(each.text))]
    vectors = _vectors(encoder, [subject for subject, _ in kept])
    rows = np.stack([vectors[subject] for subject, _ in kept])
    labels, weights = [each.whole for _, each in kept], [each.weight for _, each in kept]
    model = LogisticRegression(C=STRENGTHS["whole"], max_iter=300, class_weight="balanced")
    model.fit(rows, labels, sample_weight=weights)
    names = tuple(f"vector {place}" for place in range(encoder.dimension))
    return _linear(model, names, ("no", "yes"))


def _linear(model: LogisticRegression, names: tuple[str, ...], classes: Sequence[str]) -> Linear:
    """Reorder the classes of a fitted regression, and give each of two classes its score."""
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.stack((-weights[0], weights[0])) / 2, np.array([-1, 1]) * bias / 2
    order = [list(model.classes_).index(str(each)) for each in classes]
    columns, bias = weights[order].T.astype(np.float32), bias[order].astype(np.float32)
    return Linear(names, tuple(map(str, classes)), columns, bias)


@cache
def _frame(text: str) -> Floats:
    return wording.frame(text, fit_subject())


@cache
def _subject(text: str) -> str | None:
    return wording.subject_text(text, wording.subject_words(text, fit_subject()))


_known: dict[str, Floats] = {}


def _vectors(encoder: Encoder, texts: Sequence[str]) -> dict[str, Floats]:
    """Return the vector of each text, encoded once a process."""
    new = [text for text in dict.fromkeys(texts) if text not in _known]
    if new:
        _known.update(zip(new, encoder.encode(new), strict=True))
    return _known
