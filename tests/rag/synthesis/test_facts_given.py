"""How much of what an answer needs a chat model is given, on the shared questions.

`pytest -m slow -s` with this file prints the figures of docs/evaluation.md.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chat_server as server
import numpy as np
import pytest
from chat_server import ChatServer, Received, streams

from eval.datasets import Question, load_questions
from eval.scoring import nuggets_found
from eval.vector_cache import benchmark_store
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.readers import read
from rag import Assistant
from rag.chat import tokens_of
from rag.settings import Settings
from rag.synthesis.prompts import SENTINEL

pytestmark = pytest.mark.slow

SETS = {"dev": "digests", "dev2": "digests", "acl": "corpora/acl.jsonl", "bio": "corpora/bio.jsonl"}
"""The papers that the questions of a set are about."""


@contextmanager
def opened(papers: Path) -> Iterator[tuple[Assistant, ChatServer]]:
    encoder = SentenceEncoder.open("all-MiniLM-L6-v2")
    listed = [each for each in read([papers], year=2025) if isinstance(each, Paper)]
    store = benchmark_store(listed, encoder)
    with server.running() as chat:
        settings = Settings(
            store=store, openai_base_url=chat.base_url, chat_model="m", support_checker="local"
        )
        assistant = Assistant(store, encoder, settings)
        yield assistant, chat
        assistant.close()


def given(asked: tuple[Assistant, ChatServer], question: Question) -> list[Received]:
    """What a model that says nothing is asked to write from."""
    assistant, chat = asked
    chat.script = lambda _: streams(SENTINEL)
    chat.received.clear()
    assistant.ask(question.question, history=question.history)
    return [request for request in chat.received if "<abstracts>" in request.text]


@pytest.mark.parametrize("name", SETS)
def test_nearly_all_facts_are_given(shared: Path, name: str) -> None:
    shares, tokens = [], []
    with opened(shared / SETS[name]) as asked:
        for question in load_questions(shared / "questions" / f"{name}.jsonl"):
            if not question.answerable or not question.nuggets or question.type == "catalogue":
                continue
            text = "\n".join(request.text for request in given(asked, question))
            shares.append(np.mean(nuggets_found(question.nuggets, text)))
            tokens += [tokens_of(text)] if text else []
    sys.stdout.write(
        f"\n{name}: {len(shares)} questions, facts given {np.mean(shares):.3f},"
        f" prompt tokens: mean {np.mean(tokens):,.0f}, median {np.median(tokens):,.0f}\n"
    )
    assert np.mean(shares) >= 0.85
