"""A real, small language model writes answers, here and in LlamaIndex's `CitationQueryEngine`.

`make test-llm` runs it: some forty minutes on two cores. The model is served by the shared
folder's `llm/serve`; the same twenty questions of all types are put to both, and to the quotes.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from eval.measuring import evaluate_answers
from eval.peers import peer_subject
from eval.systems import Subject, open_ours
from index.build import build
from index.embedding import SentenceEncoder
from rag import Assistant
from rag.chat import ChatModel
from rag.schema import Mode
from rag.settings import Settings

pytestmark = pytest.mark.llm

QUESTIONS = 20
MODEL = "qwen2.5-coder-1.5b-instruct"

Figures = Mapping[str, Any]


@pytest.fixture(scope="module")
def endpoint(shared: Path) -> Iterator[str]:
    """The address of the model, which is served as long as the tests run; first it is fetched."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = [str(shared / "llm" / "serve"), str(port)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line.split()[1] for line in process.stdout if line.startswith("serving"))
        finally:
            process.terminate()


def configured(store: Path, endpoint: str, **more: str) -> Settings:
    given = {"openai_base_url": endpoint, "chat_model": MODEL, "chat_deadline_seconds": 600}
    return Settings(store=store, **given, **more)  # type: ignore[arg-type] # by name


@pytest.fixture(scope="module")
def measured(
    shared: Path,
    digests_store: Path,
    encoder: SentenceEncoder,
    endpoint: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Figures, Figures, Figures]:
    """The figures of this product with the model, of its quotes, and of the peer; printed too."""
    folder = tmp_path_factory.mktemp("llm")
    settings = configured(digests_store, endpoint)
    assistant = Assistant.open(settings=settings)
    model = ChatModel.open(settings)
    peer = peer_subject("llamaindex-citation", assistant.papers(), encoder, llm=model)

    def ask(subject: Subject, name: str, mode: Mode = "generative") -> Figures:
        path = shared / "questions" / "dev2.jsonl"
        found: Figures = evaluate_answers(path, subject, mode, folder / name, sample=QUESTIONS)
        means = {metric: round(each["mean"], 3) for metric, each in found["intervals"].items()}
        sys.stdout.write(f"\n{name}, {QUESTIONS} questions, {MODEL}: {means}\n{found['answers']}\n")
        return {**found["answers"], "mean": means}

    all_three = (
        ask(open_ours(settings.store, settings), "ours"),
        ask(open_ours(settings.store, settings), "quotes", "extractive"),
        ask(peer, "peer"),
    )
    model.close()
    assistant.close()
    return all_three


def test_more_facts_than_the_peer_and_than_the_quotes(measured: tuple[Figures, ...]) -> None:
    here, quotes, there = (each["mean"]["nugget_recall"] for each in measured)
    assert here >= quotes
    assert here >= there + 0.1
    here, quotes, _ = (each["abstention"]["refused_answerable_share"] for each in measured)
    assert here <= quotes
    assert measured[0]["mean"]["citation_precision"] >= 0.8


def test_the_figure_is_that_of_the_abstract_not_the_one_the_model_knows(
    endpoint: str, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    file = Path(__file__).parents[1] / "rag" / "synthesis" / "changed_abstracts.jsonl"
    changed = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    build([file], tmp_path / "store", encoder)
    settings = configured(tmp_path / "store", endpoint, support_checker="local")
    assistant = Assistant.open(settings=settings)
    answers = [assistant.ask(each["question"], mode="generative") for each in changed]
    assistant.close()
    right = [each["said"] in answer.text for each, answer in zip(changed, answers, strict=True)]
    written = [answer.mode == "generative" for answer in answers]
    sys.stdout.write(f"\nchanged abstracts: {sum(right)} of {len(right)}, {sum(written)} written\n")
    assert sum(right) >= 0.9 * len(right)
