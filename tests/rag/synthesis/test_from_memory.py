"""Abstracts whose figures differ from what a model knows: the abstract counts."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from chat_server import ChatServer, Received, Scripted, streams

from index.build import build
from index.embedding import SentenceEncoder
from index.readers import Upload
from rag import Assistant, Options
from rag.settings import Settings

FILE = Path(__file__).parent / "changed_abstracts.jsonl"
CHANGED = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def store(encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("changed")
    build([Upload("changed.jsonl", FILE.read_bytes())], store, encoder)
    return store


def test_what_a_model_writes_from_memory_is_not_supported(
    store: Path, encoder: SentenceEncoder, scripted: ChatServer
) -> None:
    settings = Settings(
        store=store, openai_base_url=scripted.base_url, openai_api_key="sk-x",
        chat_model="scripted", support_checker="local",
    )  # fmt: skip
    before = len(scripted.received)
    found: list[str] = []
    with closing(Assistant(store, encoder, settings)) as assistant:
        for paper in CHANGED:

            def remembers(request: Received, said: str = paper["remembered"]) -> Scripted:
                return streams(f"{said[:-1]} [1.2].")

            scripted.script = remembers
            answer = assistant.ask(paper["question"], options=Options(strictness="lenient"))
            assert answer.mode == "extractive" or paper["remembered"][:-1] in answer.text
            if answer.mode == "generative":
                found += [sentence.support for sentence in answer.sentences]
    assert len(scripted.received) - before >= len(CHANGED), "the model was not asked"
    supported = sum(support in ("supported", "partly") for support in found)
    assert supported <= 0.05 * len(CHANGED)


def test_quotes_have_the_figure_of_the_abstract(store: Path, encoder: SentenceEncoder) -> None:
    with closing(Assistant(store, encoder, Settings(store=store))) as assistant:
        answers = [assistant.ask(paper["question"]).text for paper in CHANGED]
    right = sum(p["said"] in text for p, text in zip(CHANGED, answers, strict=True))
    assert right >= 0.9 * len(CHANGED)
