"""The floors of quality, on the real digests, in the product as it ships."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eval.datasets import load_beir
from eval.measuring import evaluate_answers, evaluate_retrieval
from eval.systems import benchmark_store, open_ours
from index.embedding import SentenceEncoder
from rag.settings import Settings

pytestmark = pytest.mark.slow

Figures = Mapping[str, Any]


@pytest.fixture(scope="module")
def metrics(shared: Path, digests_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The development questions, answered without a model from an index of both digests."""
    questions, out = shared / "questions" / "dev.jsonl", tmp_path_factory.mktemp("floors") / "run"
    return evaluate_answers(questions, open_ours(digests_store, Settings()), "extractive", out)


def test_the_development_questions_are_answered_as_well_as_promised(metrics: Figures) -> None:
    answers, types = metrics["answers"], metrics["by_type"]
    assert metrics["papers_not_in_index"] == answers["evidence"]["quotes_not_located"] == 0
    means = {name: each["mean"] for name, each in metrics["intervals"].items()}
    assert means["nugget_recall"] >= 0.75
    assert answers["words"]["median"] <= 90
    assert means["citation_precision"] >= 0.80
    assert means["verbatim"] == 1
    assert (types["off-topic"]["refused"], types["off-topic"]["questions"]) == (1, 6)
    assert answers["abstention"]["refused_answerable_share"] <= 0.05
    found = [types[kind] for kind in ("followup", "digest")]
    assert sum(each["questions"] for each in found) == 10
    assert sum(each["questions"] * each["citation_recall"] for each in found) >= 6
    assert metrics["retrieval"]["nDCG@10"] >= 0.89
    assert metrics["retrieval"]["hit@1"] >= 0.80


def test_retrieval_holds_on_a_public_benchmark(shared: Path, tmp_path: Path) -> None:
    """Minutes long the first time: 5,183 abstracts are embedded, then kept in the cache."""
    benchmark = load_beir(shared / "beir" / "scifact")
    store = benchmark_store(benchmark.papers, SentenceEncoder.open(Settings().encoder))
    subject = open_ours(store, Settings())
    measured: Figures = evaluate_retrieval(benchmark, subject, tmp_path / "run")
    assert measured["retrieval"]["nDCG@10"] >= 0.735
