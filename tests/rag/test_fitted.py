"""The fitted record is data that the code can use: its models score what the code measures."""

import json
from pathlib import Path

import numpy as np
import pytest

from rag import confidence, conversation, evidence, fitted, listing
from rag.wording import ASKS, FRAMED, RELATIONS, SHAPE, Kind

RECORD = fitted.record()
MEASURED = {
    "sentences": evidence.FEATURES,
    "papers": listing.FEATURES,
    "papers, again": listing.FEATURES_AGAIN,
    "answering": listing.FEATURES,
    "several": listing.OF_SEVERAL,
    "follows": conversation.FEATURES,
    **dict.fromkeys(("paper", "stating", "topic"), confidence.SIGNS),
}


def test_every_model_has_a_weight_for_each_feature_that_is_measured_and_each_class() -> None:
    words = len(RECORD.vocabulary) + len(SHAPE)
    for name, model in RECORD.models.items():
        rows, columns = model.weights.shape
        width = words + 384 * (2 if name in FRAMED else 1)
        assert rows == (len(model.features) or width), name
        assert columns == len(model.bias) == max(1, len(model.classes)), name
        assert np.isfinite(model.weights).all(), name
        assert name not in MEASURED or model.features == MEASURED[name], name
    assert MEASURED.keys() <= RECORD.models.keys()
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
