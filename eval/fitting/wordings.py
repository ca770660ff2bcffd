"""Fit what is read off a question's wording: its kind, what it asks for, whether it leans.

Wordings are in our own words, with slots for subjects and names that are filled at random, so
that no model learns subjects. Questions of the shared sets, each labelled by its type, and
questions of public evidence sets are added, those of left-out collections excepted.
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
from rag.fitted import Floats, Linear, Record
from rag.scope import FIRST, SECOND
from rag.wording import (
    ASKS,
    FRAMED,
    LISTS,
    RELATIONS,
    Kind,
    Span,
    features,
    frame,
    grams,
    read_wording,
    read_words,
    subject_text,
    subject_words,
)

FOLDER = Path(__file__).parent
FILLINGS, LEAST_WORDINGS = 5, 4
"""How often slots are filled; different wordings that a word of the vocabulary must be in."""
LOWER = 0.15
"""The share of wordings that are in lower case alone."""
STRENGTHS = {"subject": 0.02, "wording": 0.5, "whole": 5.0}
"""Inverse strengths of the ridge penalty: chosen on left-out questions."""
_SLOT = re.compile(r"\{(topic|name|title|date|digest|first|second)2?\}")
_ASKED = {"fact": "number", "why": "reason", "how": "manner", "entity": "name", "define": "meaning"}
_WITH_SUBJECT = {*LISTS, Kind.ABOUT, Kind.COMPARE, Kind.CATALOGUE}
_KINDS = {"list": "papers", "digest": "papers", "compare": "compare"}


@dataclass(frozen=True)
class Example:
    """A wording with what it is an example of, and its weight."""

    text: str
    weight: float
    kind: str | None = None
    asks: str | None = None
    facts: str | None = None
    leans: str | None = None
    whole: str | None = None
    digests: str | None = None
    wording: int = -1
    """The number of the wording that it fills; -1 for a question as it was asked."""


def _rows() -> list[dict[str, Any]]:
    turns = [
        {"text": turn["text"], "leans": turn["needs"]} for turn in read_rows(FOLDER / "turns.jsonl")
    ]
    return [*read_rows(FOLDER / "wordings.jsonl"), *turns, *read_rows(FOLDER / "digests.jsonl")]


def filled() -> list[Example]:
    """The wordings of this folder, each with its slots filled at random, always alike."""
    chance = random.Random(0)  # noqa: S311 - it draws examples
    fillers = json.loads((FOLDER / "fillers.json").read_text(encoding="utf-8"))
    found: list[Example] = []
    fillers |= {"first": [FIRST], "second": [SECOND]}
    for number, row in enumerate(_rows()):
        count = FILLINGS if _SLOT.search(row["text"]) else 1
        for _ in range(count):
            text, _ = _drawn(row["text"], fillers, chance)
            draw = chance.random()
            text = text.lower() if draw < LOWER else text.rstrip("?.") if draw > 0.8 else text
            labels: dict[str, Any] = {
                name: row.get(name) for name in ("kind", "asks", "facts", "digests")
            }
            labels |= {name: _YES_NO.get(row.get(name)) for name in ("leans", "whole")}
            found.append(Example(text, 1 / count, wording=number, **labels))
    return found


_YES_NO: dict[Any, str] = {True: "yes", False: "no"}


def of_question(row: dict[str, Any], weight: float) -> Example:
    """A question of a set, labelled by its type as far as that says what is asked."""
    kind = None if row["type"] in ("collection", "near-miss") else _KINDS.get(row["type"], "answer")
    if row["type"] == "followup":
        kind = None
    leans = None if row.get("history") else "no"
    whole = "no" if row["type"] == "list" else None
    return Example(row["question"], weight, kind, _ASKED.get(row["type"]), None, leans, whole)


def vocabulary() -> tuple[str, ...]:
    """The words and pairs that stand in enough different wordings outside their slots, sorted."""
    counts: Counter[str] = Counter()
    for row in _rows():
        text = re.sub(r"\{name2?\}", "GPT-9", row["text"])
        text = re.sub(r"\{title2?\}", "“title”", text)
        text = text.replace("{first}", FIRST).replace("{second}", SECOND)
        counts.update({gram for part in _SLOT.split(text)[::2] for gram in grams(part)})
    return tuple(sorted(gram for gram, count in counts.items() if count >= LEAST_WORDINGS))


@cache
def fit_subject() -> Linear:
    """Fit which words of a question belong to its subject (`rag.wording`), for any encoder.

    The subject is what fills a slot, in wordings that ask for papers or for facts of the index;
    those of the whole collection, and small talk, have none.
    """
    chance = random.Random(0)  # noqa: S311 - it draws examples
    fillers = json.loads((FOLDER / "fillers.json").read_text(encoding="utf-8"))
    rows, belongs, weights = [], [], []
    for row in read_rows(FOLDER / "wordings.jsonl"):
        count = FILLINGS if _SLOT.search(row["text"]) else 1
        if not (row["kind"] in _WITH_SUBJECT if count > 1 else _has_no_subject(row)):
            continue
        for _ in range(count):
            text, slots = _drawn(row["text"], fillers, chance)
            spans, vectors = read_words(text.lower() if chance.random() < LOWER else text)
            rows.append(vectors)
            belongs += [any(a < end and start < b for a, b in slots) for start, end in spans]
            weights += [1 / count] * len(spans)
    model = LogisticRegression(C=STRENGTHS["subject"], max_iter=500)
    model.fit(np.concatenate(rows), belongs, sample_weight=weights)
    names = tuple(f"vector {place}" for place in range(rows[0].shape[1]))
    weight, bias = model.coef_[0].astype(np.float32), model.intercept_.astype(np.float32)
    return Linear(names, (), weight[:, None], bias)


def _has_no_subject(row: dict[str, Any]) -> bool:
    return bool(row.get("whole")) or row["kind"] == Kind.CHAT


def _drawn(
    wording: str, fillers: dict[str, list[str]], chance: random.Random
) -> tuple[str, list[Span]]:
    """A wording with its slots filled, and where the subjects and names in it stand."""
    text, at, slots = "", 0, []
    for slot in _SLOT.finditer(wording):
        text += wording[at : slot.start()]
        filler = chance.choice(fillers[slot[1]])
        if slot[1] in ("topic", "name", "title"):
            slots.append((len(text), len(text) + len(filler)))
        text, at = text + filler, slot.end()
    return text + wording[at:], slots


def fit(
    examples: Sequence[Example], encoder: Encoder, words: Sequence[str]
) -> Iterator[tuple[str, Linear]]:
    """Fit each model on the examples that have its label: its name, and the model."""
    yield "subject", fit_subject()
    places = {gram: place for place, gram in enumerate(words)}
    vectors = _vectors(encoder, [example.text for example in examples])
    rows = np.stack([features(e.text, vectors[e.text], places) for e in examples])
    framed = np.c_[rows, [_frame(example.text) for example in examples]]
    for label, classes in (
        ("kinds", tuple(Kind)),
        ("asks", ASKS),
        ("facts", None),
        ("leans", ("no", "yes")),
        ("digests", RELATIONS),
    ):
        field = label.removesuffix("s") if label == "kinds" else label
        given = [getattr(example, field) for example in examples]
        chosen = [place for place, value in enumerate(given) if value is not None]
        balance = "balanced" if label == "leans" else None  # most questions stand alone
        model = LogisticRegression(C=STRENGTHS["wording"], max_iter=300, class_weight=balance)
        model.fit(
            (framed if label in FRAMED else rows)[chosen],
            [str(given[place]) for place in chosen],
            sample_weight=[examples[place].weight for place in chosen],
        )
        yield label, _linear(model, (), classes or tuple(map(str, model.classes_)))
    yield "whole", _fit_whole([example for example in examples if example.whole], encoder)


def kinds_left_out(encoder: Encoder, parts: int = 5) -> float:
    """The share of our own wordings whose kind is read rightly by models of the other parts.

    The words that are looked for, and the model of subjects, are those of all wordings.
    """
    own, words = filled(), vocabulary()
    right, total = 0.0, 0.0
    for part in range(parts):
        models = dict(fit([e for e in own if e.wording % parts != part], encoder, words))
        unseen = Record(models, words, {})
        for example in own:
            if example.kind and example.wording % parts == part:
                vector = encoder.encode_query(example.text)
                found = read_wording(example.text, vector, unseen).kind
                right += example.weight * (found == example.kind)
                total += example.weight
    return right / total


def _fit_whole(examples: Sequence[Example], encoder: Encoder) -> Linear:
    """Whether what is left of a question without its frame is about the whole collection."""
    left = [(_subject(example.text), example) for example in examples]
    kept = [(subject, example) for subject, example in left if subject]
    vectors = _vectors(encoder, [subject for subject, _ in kept])
    model = LogisticRegression(C=STRENGTHS["whole"], max_iter=300, class_weight="balanced")
    model.fit(
        np.stack([vectors[subject] for subject, _ in kept]),
        [example.whole for _, example in kept],
        sample_weight=[example.weight for _, example in kept],
    )
    names = tuple(f"vector {place}" for place in range(encoder.dimension))
    return _linear(model, names, ("no", "yes"))


def _linear(model: LogisticRegression, names: tuple[str, ...], classes: tuple[str, ...]) -> Linear:
    """A fitted regression with its classes in another order, two of them as two scores."""
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.stack((-weights[0], weights[0])) / 2, np.array([-1, 1]) * bias / 2
    order = [list(model.classes_).index(str(each)) for each in classes]
    return Linear(
        names,
        tuple(map(str, classes)),
        weights[order].T.astype(np.float32),
        bias[order].astype(np.float32),
    )


@cache
def _frame(text: str) -> Floats:
    return frame(text, fit_subject())


@cache
def _subject(text: str) -> str | None:
    return subject_text(text, subject_words(text, fit_subject()))


_known: dict[str, Floats] = {}


def _vectors(encoder: Encoder, texts: Sequence[str]) -> dict[str, Floats]:
    """The vector of each text, encoded once a process."""
    new = [text for text in dict.fromkeys(texts) if text not in _known]
    if new:
        _known.update(zip(new, encoder.encode(new), strict=True))
    return _known
