"""The fitted record is data that the code can use: its models score what the code measures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embedding import SentenceEncoder
from index.store import Index
from rag import Filters, confidence, conversation, evidence, fitted, listing
from rag.confidence import Chances
from rag.pipeline import Pipeline, Recipe
from rag.wording import ASKS, FRAMED, RELATIONS, SHAPE, Kind

RECORD = fitted.record()


def measured(index: Index, encoder: SentenceEncoder) -> Iterator[tuple[str, fitted.Columns]]:
    """Yield what the code measures for each model, for a question on the library."""

    def judge(*found: Any) -> Chances:
        found_by_step.append(found)
        return Chances(1, 1, 1)

    found_by_step: list[Any] = []
    pipeline = Pipeline(index, encoder, Recipe(judge=judge))
    pipeline.answer(pipeline.request("How accurate is the best detector?", None, Filters()))
    _, query, ranking, selected = found_by_step[0]
    yield "sentences", evidence.measure(index, query, ranking, 0)
    rows, papers = listing.measure(index, query, ranking)
    again = listing.measure_again(index, rows, papers, np.zeros(len(rows), np.float32))
    yield from {"papers": papers, "answering": papers, "papers, again": again}.items()
    yield "several", listing.measure_several(index, query, ranking)
    yield "follows", conversation.measure("And it?", rows, index, encoder, query.wording)
    signs = confidence.read_signs(index, query, ranking, selected)
    yield from dict.fromkeys(("paper", "stating", "topic"), signs).items()


def test_every_model_has_a_weight_for_each_feature_that_is_measured_and_each_class(
    index: Index, encoder: SentenceEncoder
) -> None:
    words = len(RECORD.vocabulary) + len(SHAPE)
    for name, columns in measured(index, encoder):
        assert RECORD.models[name].features == tuple(columns), name
    for name, model in RECORD.models.items():
        rows, columns = model.weights.shape
        width = words + 384 * (2 if name in FRAMED else 1)
        assert rows == (len(model.features) or width), name
        assert columns == len(model.bias) == max(1, len(model.classes)), name
        assert np.isfinite(model.weights).all(), name
    assert set(RECORD.models["kinds"].classes) == set(Kind)
    assert set(RECORD.models["asks"].classes) == set(ASKS)
    assert RECORD.models["digests"].classes == RELATIONS


def test_a_record_of_another_encoder_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.loads((fitted.FOLDER / "all-MiniLM-L6-v2.json").read_text(encoding="utf-8"))
    (tmp_path / "some--encoder.json").write_text(json.dumps(data), encoding="utf-8")
    data["thresholds"] = {"only": 0.5}
    (tmp_path / "all-MiniLM-L6-v2.json").write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setattr(fitted, "FOLDER", tmp_path)
    read = fitted.record.__wrapped__("some/encoder")
    assert read.vocabulary == RECORD.vocabulary
    assert read.thresholds == RECORD.thresholds
    for name, model in RECORD.models.items():
        assert np.array_equal(read.models[name].weights, model.weights)
    assert fitted.record.__wrapped__("unknown").thresholds == {"only": 0.5}, "the bundled one's"
