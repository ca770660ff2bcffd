"""A real, small language model writes answers, here and in LlamaIndex's `CitationQueryEngine`.

`make test-llm` runs it: some forty minutes on two cores. The model is served by the shared
folder's `llm/serve`; the same thirty questions of all types, on three collections, are put to
both, and to the quotes.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from eval.measuring import evaluate_answers
from eval.peers import peer_subject
from eval.systems import Subject, benchmark_store, open_ours
from index.build import build
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.readers import read
from rag import Assistant
from rag.chat import ChatModel
from rag.schema import Mode
from rag.settings import Settings

pytestmark = pytest.mark.llm

SETS = {"dev2": "digests", "acl": "corpora/acl.jsonl", "bio": "corpora/bio.jsonl"}
QUESTIONS = 10
"""How many questions of each set."""
MODEL = "qwen2.5-coder-1.5b-instruct"

Figures = Mapping[str, float]


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


def configured(store: Path, endpoint: str) -> Settings:
    return Settings(
        store=store, openai_base_url=endpoint, chat_model=MODEL, support_checker="judge"
    )


def of_all(folders: list[Path]) -> Figures:
    """Return the means over the questions of several runs; a refusal counts if it is wrong."""
    lines = [line for folder in folders for line in (folder / "scores.jsonl").open()]
    scores = [json.loads(line)["values"] for line in lines]
    answerable = [each for each in scores if each["nugget_recall"] is not None]
    means = {"refused": float(np.mean([each["refused"] for each in answerable]))}
    for name in ("right", "nugget_recall", "citation_precision", "alce_recall"):
        means[name] = float(np.mean([each[name] for each in scores if each[name] is not None]))
    return means


@pytest.fixture(scope="module")
def measured(
    shared: Path,
    encoder: SentenceEncoder,
    endpoint: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Figures]:
    """The figures of this product with the model, of its quotes, and of the peer; printed too."""
    folder = tmp_path_factory.mktemp("llm")

    def ask(subject: Subject, name: str, of: str, mode: Mode = "generative") -> None:
        path = shared / "questions" / f"{of}.jsonl"
        evaluate_answers(path, subject, mode, folder / f"{name}-{of}", sample=QUESTIONS)

    for name, papers in SETS.items():
        found = [each for each in read([shared / papers], year=2025) if isinstance(each, Paper)]
        settings = configured(benchmark_store(found, encoder), endpoint)
        ask(open_ours(settings.store, settings), "quotes", name, "extractive")
        ask(open_ours(settings.store, settings), "ours", name)
        with (
            ChatModel.open(settings) as model,
            closing(Assistant.open(settings=settings)) as assistant,
        ):
            peer = peer_subject("llamaindex-citation", assistant.papers(), encoder, llm=model)
            ask(peer, "peer", name)
    figures = {
        name: of_all([folder / f"{name}-{of}" for of in SETS])
        for name in ("ours", "quotes", "peer")
    }
    for name, means in figures.items():
        shown = ", ".join(f"{metric} {mean:.3f}" for metric, mean in means.items())
        sys.stdout.write(f"\n{name}, {QUESTIONS * len(SETS)} questions, {MODEL}: {shown}\n")
    return figures


def test_more_facts_than_the_peer_and_than_the_quotes(measured: Mapping[str, Figures]) -> None:
    ours, quotes, peer = (measured[name] for name in ("ours", "quotes", "peer"))
    assert ours["nugget_recall"] >= quotes["nugget_recall"]
    assert ours["nugget_recall"] >= peer["nugget_recall"] + 0.1
    assert ours["refused"] <= quotes["refused"]
    assert ours["citation_precision"] >= 0.8


def test_the_figure_is_that_of_the_abstract_not_the_one_the_model_knows(
    endpoint: str, encoder: SentenceEncoder, tmp_path: Path
) -> None:
    file = Path(__file__).parents[1] / "rag" / "synthesis" / "changed_abstracts.jsonl"
    changed = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    build([file], tmp_path / "store", encoder)
    settings = configured(tmp_path / "store", endpoint)
    settings = settings.model_copy(update={"support_checker": "local"})  # what it writes, alone
    with closing(Assistant.open(settings=settings)) as assistant:
        answers = [assistant.ask(each["question"], mode="generative") for each in changed]
    right = [each["said"] in answer.text for each, answer in zip(changed, answers, strict=True)]
    written = [answer.mode == "generative" for answer in answers]
    sys.stdout.write(f"\nchanged abstracts: {sum(right)} of {len(right)}, {sum(written)} written\n")
    assert sum(right) >= 0.9 * len(right)
