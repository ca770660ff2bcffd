"""The floors of quality, on the real digests, in the product as it ships."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from eval.answers import evaluate_answers
from eval.formats import load_beir
from eval.retrieval import Benchmark, benchmark_store, evaluate_retrieval
from eval.systems import ours
from eval.vector_cache import CachedEncoder
from index.build import build
from index.embedding import SentenceEncoder
from rag.assistant import Assistant
from rag.settings import Settings

pytestmark = pytest.mark.slow

Figures = Mapping[str, Any]


@pytest.fixture(scope="module")
def metrics(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The development questions, answered without a model from an index of both digests."""
    folder = tmp_path_factory.mktemp("floors")
    settings = Settings(store=folder / "store")
    encoder = SentenceEncoder.open(settings.encoder)
    build([shared / "digests"], settings.store, encoder, year=2025)
    assistant = Assistant.open(store=settings.store, settings=settings)
    questions = shared / "questions" / "dev.jsonl"
    subject = ours(assistant, settings.store)
    return evaluate_answers(questions, subject, "extractive", folder / "run")


@pytest.fixture(scope="module")
def answers(metrics: Figures) -> Figures:
    figures: Figures = metrics["answers"]
    return figures


def test_every_paper_asked_about_is_indexed_and_every_quote_located(
    metrics: Figures, answers: Figures
) -> None:
    assert metrics["papers_not_in_index"] == 0
    assert answers["citations"]["quotes_not_located"] == 0


def test_answers_state_three_quarters_of_the_facts_in_at_most_90_words(answers: Figures) -> None:
    assert answers["nuggets"]["recall"] >= 0.75
    assert answers["words"]["median"] <= 90


def test_four_of_five_papers_cited_are_gold(answers: Figures) -> None:
    assert answers["citations"]["precision_micro"] >= 0.80


def test_every_span_is_verbatim_and_every_marker_has_its_reference(answers: Figures) -> None:
    assert answers["verbatim"]["share"] == 1
    assert answers["verbatim"]["marker_errors"] == 0


def test_off_topic_questions_are_refused_and_answerable_ones_are_not(
    metrics: Figures, answers: Figures
) -> None:
    off_topic = metrics["by_type"]["off-topic"]
    assert off_topic["refused"] == off_topic["questions"] == 6
    assert answers["abstention"]["refused_answerable_share"] <= 0.05


def test_follow_ups_and_digest_questions_cite_the_right_papers(metrics: Figures) -> None:
    found = [metrics["by_type"][kind] for kind in ("followup", "digest")]
    assert sum(each["questions"] for each in found) == 10
    assert sum(each["questions"] * each["citation_recall"] for each in found) >= 6


def test_retrieval_puts_the_papers_asked_for_first(metrics: Figures) -> None:
    assert metrics["retrieval"]["nDCG@10"] >= 0.89
    assert metrics["retrieval"]["hit@1"] >= 0.80


def test_an_answer_takes_at_most_80_milliseconds(answers: Figures) -> None:
    assert answers["latency_ms"]["p50"] <= 80


def test_fresh_processes_index_and_answer_in_seconds(shared: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[Figures, float]:
        command = [Path(sys.executable).parent / "abstractqa", *arguments, "--json"]
        started = perf_counter()
        done = subprocess.run(
            [*command, "--store", tmp_path / "store"], stdout=subprocess.PIPE, check=True
        )
        return json.loads(done.stdout), perf_counter() - started

    _, cold = run("index", str(shared / "digests"))
    report, again = run("index", str(shared / "digests"))
    _, ask = run("ask", "What is MindSearch?")
    assert cold <= 60
    assert (report["unchanged"], report["embedded"]) == (115, 0)
    assert again <= 5
    assert ask <= 8


def test_retrieval_holds_on_a_public_benchmark(shared: Path, tmp_path: Path) -> None:
    """Minutes long the first time: 5,183 abstracts are embedded, then kept in the cache."""
    benchmark = Benchmark("scifact", load_beir(shared / "beir" / "scifact"))
    store = benchmark_store(benchmark.beir.papers, CachedEncoder.open(Settings().encoder))
    subject = ours(Assistant.open(store=store), store)
    measured: Figures = evaluate_retrieval(benchmark, subject, tmp_path / "run")
    assert measured["retrieval"]["nDCG@10"] >= 0.735
